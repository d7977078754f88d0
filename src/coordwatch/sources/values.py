"""Values: where a value comes from and what is done with it, as data in; one function of a Scope out.

What enters: `ValueSpec` of a mapping, its tables, the key for hashes. What leaves: a Getter that gives None for what is
missing and never raises. The next room: `kinds`, which checks the value against the canonical field.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile
from typing import Any

from coordwatch.codec import encode_json
from coordwatch.events.times import format_time, parse_duration
from coordwatch.sources.changes import Build, Change, Unreadable, changes_of, is_nothing, text_of
from coordwatch.sources.conditions import compile_condition, jmes_getter
from coordwatch.sources.mapping import (
    AfterEvent,
    AllOf,
    Constant,
    DigestOf,
    EachOf,
    FirstOf,
    FromJmes,
    FromPath,
    ObjectOf,
    Origin,
    Template,
    ValueSpec,
)
from coordwatch.sources.paths import Getter, Path, Scope, compile_path, is_missing

EACH_MAX = 1000


def compile_value(spec: ValueSpec, build: Build) -> Getter:
    """Make the function that gives the value, None when it is missing."""
    return _under_condition(spec, _changed(spec, _compile_origin(spec.origin, build), build))


def compile_raw(spec: ValueSpec, build: Build) -> Getter:
    """Make the function that gives what the payload holds before anything is done with it, to say what was wrong."""
    spec = _behind_let(spec, build)
    if isinstance(spec.origin, FirstOf):
        return _first_of([compile_raw(choice, build) for choice in spec.origin.choices])
    return _under_condition(spec, _compile_origin(spec.origin, build))


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


def _under_condition(spec: ValueSpec, get: Getter) -> Getter:
    if spec.when is None:
        return get
    holds = compile_condition(spec.when)
    return lambda scope: get(scope) if holds(scope) else None


def _compile_origin(origin: Origin, build: Build) -> Getter:
    match origin:
        case FromPath(path):
            return compile_path(path)
        case FromJmes(text):
            return jmes_getter(text)
        case Constant(value):
            return lambda scope: value
        case Template():
            return _template(origin)
        case FirstOf(choices):
            return _first_of([compile_value(choice, build) for choice in choices])
        case AllOf(parts):
            return _all_of([compile_value(part, build) for part in parts])
        case DigestOf(parts):
            return _digest_of([compile_value(part, build) for part in parts])
        case ObjectOf(fields):
            return _object_of(fields, build)
        case EachOf():
            return _each_of(origin, build)
        case AfterEvent(length):
            return _after_event(compile_value(length, build))


def _template(template: Template) -> Getter:
    parts = tuple(part if isinstance(part, str) else compile_path(part) for part in template.parts)

    def get(scope: Scope) -> Any:
        whole = ""
        for part in parts:
            if type(part) is str:
                whole += part
                continue
            text = text_of(part(scope))  # type: ignore[operator]
            # With "undefined" inside, it would name the same thing for everybody.
            if text is None or is_nothing(text):
                return None
            whole += text
        return whole

    return get


def _first_of(choices: list[Getter]) -> Getter:
    def get(scope: Scope) -> Any:
        for choice in choices:
            value = choice(scope)
            if not is_missing(value):
                return value
        return None

    return get


def _all_of(parts: list[Getter]) -> Getter:
    def get(scope: Scope) -> Any:
        found: list[Any] = []
        for part in parts:
            value = part(scope)
            if isinstance(value, list):
                found += value
            elif not is_missing(value):
                found.append(value)
        return found or None

    return get


def _digest_of(parts: list[Getter]) -> Getter:
    def get(scope: Scope) -> Any:
        values = [part(scope) for part in parts]
        if all(value is None for value in values):
            return None
        try:
            return hashlib.sha256(encode_json(values, sort=True)).hexdigest()[:32]
        except TypeError:  # nested too deep to be written down, so no name for anything
            return Unreadable(values)

    return get


def _object_of(fields: Mapping[str, ValueSpec], build: Build) -> Getter:
    getters = [(name, compile_value(spec, build)) for name, spec in fields.items()]

    def get(scope: Scope) -> Any:
        found = {name: value for name, getter in getters if (value := getter(scope)) is not None}
        return found or None

    return get


def _each_of(origin: EachOf, build: Build) -> Getter:
    find, make = compile_path(origin.path), _object_of(origin.fields, build)

    def get(scope: Scope) -> Any:
        elements = find(scope)
        if not isinstance(elements, list):
            return None
        if len(elements) > EACH_MAX:
            return Unreadable(elements)
        outer, found = scope.each, []
        for element in elements:
            scope.each = element
            made = make(scope)
            if made is not None:
                found.append(made)
        scope.each = outer
        return found or None

    return get


def _after_event(length: Getter) -> Getter:
    def get(scope: Scope) -> Any:
        text = length(scope)
        try:
            return format_time(scope.time + parse_duration(text)) if isinstance(text, str) else None
        except ValueError:
            return Unreadable(text)

    return get


def _changed(spec: ValueSpec, get: Getter, build: Build) -> Getter:
    """Put the changes of a value behind its getter: on each element of a list, then on the whole."""
    changes = tuple(changes_of(spec, build))
    if changes:
        get = _through(changes, get)
    default = spec.default
    if default is not None:
        inner = get
        return lambda scope: default if is_missing(value := inner(scope)) else value
    return get


def _through(changes: tuple[Change, ...], get: Getter) -> Getter:
    def changed(scope: Scope) -> Any:
        value = get(scope)
        for change in changes:
            if value is None or type(value) is Unreadable:
                return value
            value = change(value)
        return value

    return changed
