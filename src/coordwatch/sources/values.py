"""Values: where a value comes from and what is done with it, as data in; one function of a Scope out.

What enters: `ValueSpec` of a mapping, its tables, the key for hashes. What leaves: a Getter that gives None for what is
missing and never raises. The next room: `kinds`, which checks the value against the canonical field.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import takewhile
from typing import Any

from coordwatch.sources.changes import (
    NOTHING_BEGINS,
    Build,
    Change,
    Unreadable,
    changes_of,
    is_nothing,
    straight_changes,
    straight_expression,
    text_of,
)
from coordwatch.sources.code import Code
from coordwatch.sources.conditions import condition_expression, jmes_getter
from coordwatch.sources.loops import after_event, all_of, digest_of, each_lines, first_of, no_list, object_of
from coordwatch.sources.mapping import (
    AfterEvent,
    AllOf,
    Condition,
    Constant,
    DigestOf,
    EachOf,
    FirstOf,
    FromJmes,
    FromPath,
    Junction,
    ObjectOf,
    Origin,
    Plain,
    Question,
    Template,
    ValueSpec,
    values_inside,
)
from coordwatch.sources.paths import Getter, Path, path_expression, present_expression

# Each stands inside the last one, and Python reads brackets in brackets to a depth of its own.
_CHOICES_IN_A_ROW = 20


def compile_value(spec: ValueSpec, build: Build, item_is_dict: bool = False) -> Getter:
    """Make the function that gives the value, None when it is missing."""
    code = Code(item_is_dict=item_is_dict, let=build.named)
    return code.getter(value_expression(spec, build, code))


def compile_named(name: str, spec: ValueSpec, build: Build) -> Getter:
    """Make the function of a name of `let`, which knows the piece only, whoever asks for it first and where.

    What it makes it puts down, and nothing before that, for a name that is made of itself.
    """
    code = Code(item_is_dict=True, let=build.named)
    value, known = value_expression(spec, build, code), code.name(name)
    lines = [f"let[{known}] = None", f"let[{known}] = v = {value}", "return v"]
    if any(_looks_around(each) for each in values_inside([spec])):
        lines.insert(0, "each, time, scope.each, scope.time = scope.each, scope.time, None, 0")
        lines.insert(-1, "scope.each, scope.time = each, time")
    return code.function(lines)


def _looks_around(spec: ValueSpec) -> bool:
    """Whether a value is another one inside a loop, or once it is known when the event happened."""
    origin = spec.origin
    paths = origin.parts if isinstance(origin, Template) else (getattr(origin, "path", None),)
    each = any(isinstance(path, Path) and path.root == "each" for path in (*paths, *_asked(spec.when)))
    return each or isinstance(origin, AfterEvent)


def _asked(condition: Condition | None) -> Iterator[Path | str]:
    if isinstance(condition, Question):
        yield condition.path
    for part in condition.conditions if isinstance(condition, Junction) else ():
        yield from _asked(part)


def value_expression(spec: ValueSpec, build: Build, code: Code) -> str:
    """Write out a value, None when it is missing."""
    return conditional(_changed(spec, origin_expression(spec.origin, build, code), build, code), spec, code)


def conditional(value: str, spec: ValueSpec, code: Code) -> str:
    """Write out a value that is missing unless what the mapping asks for it holds."""
    return value if spec.when is None else f"({value} if {condition_expression(spec.when, code)} else None)"


def is_unchanged(spec: ValueSpec) -> bool:
    """Tell whether nothing is done with a value, whatever is asked before it is taken."""
    return replace(spec, when=None) == ValueSpec(spec.origin, spec.place)


def compile_raw(spec: ValueSpec, build: Build) -> Getter:
    """Make the function that gives what the payload holds before anything is done with it, to say what was wrong."""
    code = Code()
    return code.getter(raw_expression(spec, build, code))


def raw_expression(spec: ValueSpec, build: Build, code: Code) -> str:
    """Write out what the payload holds before anything is done with it, where all that is asked of it holds."""
    named = _behind_let(spec, build)
    value = conditional(_raw_origin(named.origin, build, code), named, code)
    return value if named is spec else conditional(value, spec, code)


def _raw_origin(origin: Origin, build: Build, code: Code) -> str:
    if not isinstance(origin, FirstOf):
        return origin_expression(origin, build, code)
    if len(origin.choices) <= _CHOICES_IN_A_ROW and not any(
        isinstance(_behind_let(one, build).origin, FirstOf) for one in origin.choices
    ):
        return first_expression([raw_expression(one, build, code) for one in origin.choices], code)
    return f"{code.name(first_of([compile_raw(choice, build) for choice in origin.choices]))}(scope)"


def constant_of(spec: ValueSpec) -> Plain | None:
    """Give the value that stands in the mapping as it is; None when anything is asked or done."""
    origin = spec.origin
    return origin.value if isinstance(origin, Constant) and spec.when is None and is_unchanged(spec) else None


def path_text(spec: ValueSpec, build: Build) -> str | None:
    """Give the place in the payload that a person should look at for this value."""
    origin = _behind_let(spec, build).origin
    if isinstance(origin, FromPath) and origin.path.root == "let":
        return _text_behind_let(origin.path, build)
    if isinstance(origin, FromPath | EachOf):
        return _without_let(origin.path, build)
    if isinstance(origin, FromJmes):
        return origin.text
    if isinstance(origin, Template):
        return next((part.text for part in origin.parts if not isinstance(part, str)), None)
    inner = origin.choices if isinstance(origin, FirstOf) else ()
    inner = origin.parts if isinstance(origin, DigestOf | AllOf) else inner
    return next((text for part in inner if (text := path_text(part, build))), None)


def _without_let(path: Path, build: Build) -> str:
    """Give a path inside something that `let` named as the path from the payload."""
    if path.root != "let" or not path.steps or path.steps[0] not in build.let:
        return path.text
    name = str(path.steps[0])
    earlier = dict(takewhile(lambda pair: pair[0] != name, build.let.items()))
    named = path_text(build.let[name], replace(build, let=earlier))
    rest = path.text.removeprefix(f"$let.{name}").removeprefix(".")
    return f"{named}.{rest}" if named and rest else named or path.text


def _behind_let(spec: ValueSpec, build: Build) -> ValueSpec:
    """Give the value behind a name of `let`, which only looks at what was named before it."""
    for _ in build.let:
        origin = spec.origin
        if not isinstance(origin, FromPath) or origin.path.root != "let" or len(origin.path.steps) != 1:
            break
        spec = build.let.get(str(origin.path.steps[0]), spec)
    return spec


def _text_behind_let(path: Path, build: Build) -> str:
    """Give a path that goes on from a name of `let` as one from the payload: of `$let.e.id`, `event-data.id`."""
    name = str(path.steps[0]) if path.steps else ""
    earlier = dict(takewhile(lambda item: item[0] != name, build.let.items()))
    begin = path_text(build.let[name], replace(build, let=earlier)) if name in build.let else None
    rest = path.text.removeprefix(f"$let.{name}")
    return path.text if begin is None else rest.removeprefix(".") if begin == "$" else begin + rest


def origin_expression(origin: Origin, build: Build, code: Code) -> str:
    """Write out where a value comes from; what needs a loop is a function of its own."""
    match origin:
        case FromPath(path):
            return path_expression(path, code)
        case Constant(value):
            return code.name(value)
        case Template():
            return _template(origin, code)
        case FirstOf(choices) if len(choices) <= _CHOICES_IN_A_ROW:
            return first_expression([_choice(one, build, code) for one in choices], code)
        case AllOf(parts):
            return f"{code.name(all_of)}({_parts(parts, build, code)})"
        case DigestOf(parts):
            return f"{code.name(digest_of)}({_parts(parts, build, code)})"
        case ObjectOf(fields):
            return f"{code.name(object_of)}({code.name(tuple(fields))}, {_parts(fields.values(), build, code)})"
    return f"{code.name(_looped(origin, build, code.item_is_dict))}(scope)"


def _choice(spec: ValueSpec, build: Build, code: Code) -> str:
    """One of several choices; choices among choices are a function of their own, so that no expression grows too deep."""
    if isinstance(spec.origin, FirstOf):
        return f"{code.name(compile_value(spec, build, code.item_is_dict))}(scope)"
    return value_expression(spec, build, code)


def _looped(origin: Origin, build: Build, is_dict: bool) -> Getter:
    match origin:
        case FromJmes(text):
            return jmes_getter(text)
        case FirstOf(choices):
            return first_of([compile_value(one, build, is_dict) for one in choices])
        case EachOf(path, fields):
            return _each(path, fields, build, is_dict)
        case AfterEvent(length):
            return after_event(compile_value(length, build, is_dict))
    raise AssertionError(f"{origin} is no loop")


def _each(path: Path, fields: Mapping[str, ValueSpec], build: Build, is_dict: bool) -> Getter:
    code = Code(item_is_dict=is_dict, let=build.named)
    elements = path_expression(path, code)
    code.each_is_local = True
    rows = [(code.name(name), value_expression(spec, build, code), "v") for name, spec in fields.items()]
    return code.function(each_lines(elements, f"{code.name(no_list)}(elements)", rows))


def _parts(specs: Iterable[ValueSpec], build: Build, code: Code) -> str:
    """Write out several values; those that are made of others are functions of their own, so that nothing grows too deep."""
    return f"[{', '.join(_part(spec, build, code) for spec in specs)}]"


def _part(spec: ValueSpec, build: Build, code: Code) -> str:
    choices = spec.origin.choices if isinstance(spec.origin, FirstOf) else (spec,)
    if len(choices) <= _CHOICES_IN_A_ROW and all(
        isinstance(one.origin, FromPath | Constant | Template) for one in choices
    ):
        return value_expression(spec, build, code)
    return f"{code.name(compile_value(spec, build, code.item_is_dict))}(scope)"


def _template(template: Template, code: Code) -> str:
    texts: list[str] = []
    missing: list[str] = []
    for part in template.parts:
        if isinstance(part, str):
            texts.append(code.name(part))
            continue
        found, text = code.temporary(), code.temporary()
        texts.append(text)
        plain = f"type({found} := {path_expression(part, code)}) is str and ({text} := {found}.strip())"
        slow = f"({text} := {code.name(_something)}({found})) is None"
        missing.append(f"(not ({plain} and {text}[0] not in {code.name(NOTHING_BEGINS)}) and {slow})")
    whole = " + ".join(texts)
    return f"(None if {' or '.join(missing)} else {whole})" if missing else whole


def _something(value: Any) -> str | None:
    """A part of a template; with "undefined" inside, it would name the same thing for everybody."""
    text = text_of(value)
    return None if text is None or is_nothing(text) else text


def first_expression(choices: list[str], code: Code) -> str:
    """Write out the first of several values that is there."""
    whole = "None"
    for choice in reversed(choices):
        present, found = present_expression(choice, code)
        whole = f"({found} if {present} else {whole})"
    return whole


def _changed(spec: ValueSpec, value: str, build: Build, code: Code) -> str:
    """Put the changes of a value behind it: on each element of a list, then on the whole."""
    changes = tuple(changes_of(spec, build))
    straight = straight_changes(spec, build)
    if changes and straight:
        # A text needs no look at what else it might be, and each change of it is one call.
        found = code.temporary()
        text = straight_expression(found, straight, code)
        slow = f"{code.name(_through(changes))}({found})"
        value = f"({text} if type({found} := {value}) is str else None if {found} is None else {slow})"
    elif changes:
        value = f"{code.name(_through(changes))}({value})"
    if spec.default is None:
        return value
    present, found = present_expression(value, code)
    return f"({found} if {present} else {code.name(spec.default)})"


def _through(changes: tuple[Change, ...]) -> Change:
    only = changes[0]

    def one(value: Any) -> Any:
        return value if value is None or type(value) is Unreadable else only(value)

    def all_of_them(value: Any) -> Any:
        for change in changes:
            if value is None or type(value) is Unreadable:
                return value
            value = change(value)
        return value

    return one if len(changes) == 1 else all_of_them
