"""Paths into a payload: text such as `detail.tags[0]` in, a function that looks there out.

What enters: the text of a path, and at run time a Scope: the piece, the record it came in, and what was named on the way.
What leaves: what stands there, None when nothing does. The next room: `values`, which makes something of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from coordwatch.codec import Struct, struct_field
from coordwatch.sources.code import Code

Getter = Callable[["Scope"], Any]
Step = str | int | None
DEPTH_MAX = 32
ROOTS = ("whole", "headers", "query", "attributes", "each", "let", "topic", "key", "partition", "offset")
_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^.\[\]"\s]+))?((?:\[(?:-?[0-9]{1,6}|\*)\])*)(\.|$)')
_EMPTY: list[Any] = []
_INDEX = re.compile(r"\[(-?[0-9]+|\*)\]")


class Named(dict[str, Any]):
    """What a mapping names under `let`: each made when it is first asked for, and at most once for a piece."""

    __slots__ = ("getters", "scope")
    getters: Mapping[str, Getter]
    scope: "Scope"

    def __missing__(self, name: str) -> Any:
        try:
            get, scope = self.getters[name], self.scope
        except (KeyError, AttributeError):
            return None
        self[name] = None  # for a name that is made of itself
        value = self[name] = get(scope)
        return value


class Scope(Struct):
    """Everything a path can see, and when the record reached the log.

    Units: `time` (0 until the event's time is known) and `observed` (None when unknown) in microseconds since 1970 UTC
    """

    item: Any
    whole: Any = None
    headers: Mapping[str, str] = {}
    query: Mapping[str, Any] = {}
    attributes: Mapping[str, Any] = {}
    topic: str = ""
    key: str | None = None
    partition: int = 0
    offset: int = 0
    each: Any = None
    let: Named = struct_field(default_factory=Named)
    time: int = 0
    observed: int | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path: where it begins (None is the piece itself) and its steps; None as a step is every element."""

    text: str
    root: str | None
    steps: tuple[Step, ...]


def parse_path(text: str) -> Path:
    """Parse a path such as `event.current`, `line_items[*].sku`, `$headers.x-topic` or `"odd.name".x`.

    Raises: ValueError with what is wrong
    """
    if not text or len(text) > 300:
        raise ValueError("a path is a text of 1 to 300 characters")
    steps: list[Step] = []
    position = 0
    while position < len(text) or not steps:
        found = _TOKEN.match(text, position)
        if found is None or (found[1] is None and found[2] is None and not found[3]):
            raise ValueError(f"not a path at character {position + 1}: write it like detail.tags[0] or items[*].sku")
        if found[1] is not None:
            steps.append(re.sub(r"\\(.)", r"\1", found[1]))
        elif found[2] is not None:
            steps.append(found[2])
        steps += [None if index == "*" else int(index) for index in _INDEX.findall(found[3])]
        position = found.end()
        if found[4] == "." and position == len(text):
            raise ValueError("a path does not end with a dot")
    if len(steps) > DEPTH_MAX:
        raise ValueError(f"a path has at most {DEPTH_MAX} steps")
    return _rooted(text, steps)


def _rooted(text: str, steps: list[Step]) -> Path:
    first = steps[0]
    if text.lstrip().startswith('"') or not isinstance(first, str) or not first.startswith("$"):
        return Path(text, None, tuple(steps))
    root = first[1:]
    if not root:
        return Path(text, None, tuple(steps[1:]))
    if root not in ROOTS:
        raise ValueError(f"'{first}' is no place to begin: one of $, {', '.join('$' + name for name in ROOTS)}")
    rest = steps[1:]
    if root == "headers" and rest and isinstance(rest[0], str):
        rest[0] = rest[0].lower()
    return Path(text, root, tuple(rest))


def compile_path(path: Path) -> Getter:
    """Make the function that looks at the path; a step through a list wants `[*]` or an index."""
    code = Code()
    return code.getter(path_expression(path, code))


def path_expression(path: Path, code: Code) -> str:
    """Write out what stands at a path."""
    place = "each" if path.root == "each" and code.each_is_local else f"scope.{path.root or 'item'}"
    known, steps = path.root is None and code.item_is_dict, path.steps
    fixed = path.root not in ("each", "let")
    if known:
        place = "item"
    if path.root == "let" and path.steps and isinstance(path.steps[0], str):
        place = _named(path.steps[0], code)
        steps = path.steps[1:]
    if None in steps:
        return f"{code.name(walk)}({place}, {code.name(steps)})"
    for step in steps:
        if known:
            place, known = f"{place}.get({code.name(step)})" if isinstance(step, str) else "None", False
            continue
        if fixed and isinstance(step, str):
            place = f"{code.object_at(place)}.get({code.name(step)})"
            continue
        inner = code.temporary()
        kind, found = "dict", f"{inner}.get({code.name(step)})"
        if isinstance(step, int):
            kind, found = f"list and {-step - 1 if step < 0 else step} < len({inner})", f"{inner}[{step}]"
        place = f"({found} if type({inner} := {place}) is {kind} else None)"
    return place


def _named(name: str, code: Code) -> str:
    """Write out what a mapping names; what was not asked for yet is made by its function."""
    make, known = code.let.get(name), code.name(name)
    if not code.item_is_dict or make is None:
        return f"scope.let[{known}]"
    return f"(let[{known}] if {known} in let else {code.name(make)}(scope))"


def present_expression(value: str, code: Code) -> tuple[str, str]:
    """Write out whether a value is there, and the variable that then holds it."""
    found = code.temporary()
    return (
        f"(({found} := {value}) or ({found} is not None and {found} != '' and {found} != {code.name(_EMPTY)}))",
        found,
    )


def is_missing(value: Any) -> bool:
    """Tell whether a value is as good as not there: null, an empty text or an empty list."""
    return value is None or value in ("", [])


def walk(value: Any, steps: tuple[Step, ...]) -> Any:
    """Follow the steps from a value; `[*]` gives the flat list of everything found through it."""
    for number, step in enumerate(steps):
        if type(value) is dict:
            value = value.get(step) if type(step) is str else None
        elif type(value) is not list:
            return None
        elif step is None:
            return _through(value, steps[number + 1 :])
        else:
            value = value[step] if type(step) is int and -len(value) <= step < len(value) else None
    return value


def _through(elements: list[Any], rest: tuple[Step, ...]) -> list[Any]:
    found: list[Any] = []
    for element in elements:
        inner = walk(element, rest) if rest else element
        if inner is None:
            continue
        if None in rest:
            found += inner
        else:
            found.append(inner)
    return found
