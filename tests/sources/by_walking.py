"""A mapping by walking: the tree of a mapping file read anew for every piece, as its reference describes it, and nothing written out.

Enters: a SourceMapping and the Scope of a piece. Leaves: what becomes of it. Slow and plain; the law in `test_by_walking` holds what
`sources` writes out as code equal to it. It shares with the code what is a function there too: the changes of a value, and what a
field does with a value that is not plainly right.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import jmespath

from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.sources.canonical import pass_through
from coordwatch.sources.changes import Build, Unreadable, changes_of, is_nothing, text_of
from coordwatch.sources.conditions import _JMES_ERRORS, _answer
from coordwatch.sources.emit import OWNED_REFS, _fan_out, _for_each, merged, source_of
from coordwatch.sources.fields import _converted, _missing
from coordwatch.sources.fill import _add_identifier
from coordwatch.sources.kinds import converter, converter_of
from coordwatch.sources.loops import after_event, all_of, digest_of
from coordwatch.sources.mapping import (
    AfterEvent,
    AllOf,
    Condition,
    Constant,
    DigestOf,
    EachOf,
    Emission,
    FirstOf,
    FromJmes,
    FromPath,
    Junction,
    ObjectOf,
    Origin,
    Parts,
    Question,
    SourceMapping,
    Template,
    ValueSpec,
)
from coordwatch.sources.paths import Named, Path, Scope, is_missing, walk
from coordwatch.sources.record import DropReason, MapRejectReason, RefusedError, Stage
from coordwatch.sources.stamps import DAY_ONLY, EVENT, checked_id, settle
from coordwatch.sources.timestamps import EARLIEST, LATEST, is_date, time_reader
from coordwatch.sources.values import path_text


@dataclass
class Walk:
    """One piece of one tool."""

    mapping: SourceMapping
    build: Build
    scope: Scope
    let: dict[str, Any] = field(default_factory=dict)

    def outcome(self) -> list[Event] | DropReason:
        self.scope.let = names = Named()
        names.getters = {name: lambda _, name=name: self.named(name) for name in self.mapping.let}
        names.scope = self.scope
        for drop in self.mapping.drop_if:
            if self.holds(drop.when):
                return drop.reason
        events: list[Event] = []
        for emission in self.mapping.emit:
            if self.holds(emission.when):
                events += self.events(emission)
                break
        for emission in self.mapping.also:
            if self.holds(emission.when):
                events += self.events(emission)
        if not events:
            raise RefusedError(MapRejectReason.NOT_RECOGNISED, Stage.MAP, None, "")
        return events

    # what stands where

    def named(self, name: str) -> Any:
        if name not in self.let and name in self.mapping.let:
            self.let[name] = None
            outer = self.scope.each, self.scope.time
            self.scope.each, self.scope.time = None, 0
            self.let[name] = self.value(self.mapping.let[name])
            self.scope.each, self.scope.time = outer
        return self.let.get(name)

    def at(self, path: Path | str) -> Any:
        if isinstance(path, str):
            with suppress(*_JMES_ERRORS):
                return jmespath.search(path, self.scope.item)
            return None
        if path.root == "let" and path.steps and isinstance(path.steps[0], str):
            return walk(self.named(path.steps[0]), path.steps[1:])
        return walk(getattr(self.scope, path.root or "item"), path.steps)

    def holds(self, condition: Condition | None) -> bool:
        if isinstance(condition, Junction):
            parts = [self.holds(part) for part in condition.conditions]
            return any(parts) if condition.kind == "any" else all(parts) if condition.kind == "all" else not any(parts)
        return condition is None or self.answer(condition)

    def answer(self, asked: Question) -> bool:
        value, wanted = self.at(asked.path), asked.argument
        wanted_all = wanted if isinstance(wanted, tuple) else (wanted,)
        elements = value if isinstance(value, list) else [value]
        match asked.operator:
            case "present":
                return (not is_missing(value)) is wanted
            case "contains":
                if isinstance(value, str):
                    return isinstance(wanted, str) and wanted in value
                return isinstance(value, list) and any(map(_answer("is", wanted), value))
            case "not":
                return not any(map(_answer("in", wanted_all), elements))
            case "is" | "in" | "starts_with" | "ends_with" if not self.through_list(asked):
                plain = all(
                    isinstance(one, str) or (asked.operator == "is" and isinstance(one, bool)) for one in wanted_all
                )
                elements = [value] if plain else elements
        return any(map(_answer(asked.operator, wanted), elements))

    def through_list(self, asked: Question) -> bool:
        return isinstance(asked.path, str) or None in asked.path.steps

    def value(self, spec: ValueSpec) -> Any:
        if not self.holds(spec.when):
            return None
        value = self.origin(spec.origin)
        for change in changes_of(spec, self.build):
            if value is None or isinstance(value, Unreadable):
                break
            value = change(value)
        return spec.default if spec.default is not None and is_missing(value) else value

    def raw(self, spec: ValueSpec) -> Any:
        asked, origin = [spec.when], spec.origin
        while isinstance(origin, FromPath) and origin.path.root == "let" and len(origin.path.steps) == 1:
            spec = self.mapping.let[str(origin.path.steps[0])]
            asked, origin = [*asked, spec.when], spec.origin
        if not all(self.holds(one) for one in asked):
            return None
        if isinstance(origin, FirstOf):
            return next((found for one in origin.choices if not is_missing(found := self.raw(one))), None)
        return self.origin(origin)

    def origin(self, origin: Origin) -> Any:
        match origin:
            case FromPath(path):
                return self.at(path)
            case FromJmes(text):
                return self.at(text)
            case Constant(value):
                return value
            case Template(parts):
                texts = [one if isinstance(one, str) else text_of(self.at(one)) for one in parts]
                missing = any(
                    text is None or (not isinstance(part, str) and is_nothing(text))
                    for part, text in zip(parts, texts, strict=True)
                )
                return None if missing else "".join(map(str, texts))
            case FirstOf(choices):
                return next((found for one in choices if not is_missing(found := self.value(one))), None)
            case AllOf(parts):
                return all_of([self.value(part) for part in parts])
            case DigestOf(parts):
                return digest_of([self.value(part) for part in parts])
            case ObjectOf(fields):
                return self.object(fields)
            case EachOf(path, fields):
                return self.objects(self.at(path), fields)
            case AfterEvent(length):
                return after_event(lambda _: self.value(length))(self.scope)

    def object(self, fields: Any) -> Any:
        return {name: found for name, spec in fields.items() if (found := self.value(spec)) is not None} or None

    def objects(self, elements: Any, fields: Any) -> Any:
        if not isinstance(elements, list) or len(elements) > 1000:
            return Unreadable(elements) if isinstance(elements, list) else None
        outer, found = self.scope.each, []
        for self.scope.each in elements:
            found.append(self.object(fields))
        self.scope.each = outer
        return [one for one in found if one is not None] or None

    # what is made of it

    def events(self, emission: Emission) -> list[Event]:
        one = pass_through() if emission.type is None else lambda _: self.event(emission)
        if emission.fan_out is not None:
            make = _fan_out(emission.fan_out, one, self.build)
        else:
            make = self.somebodys(one)
        return make(self.scope) if emission.for_each is None else _for_each(emission.for_each, make)(self.scope)

    def somebodys(self, make: Callable[[Scope], Event]) -> Callable[[Scope], list[Event]]:
        def one(scope: Scope) -> list[Event]:
            event = make(scope)
            known = TYPES[event.type]
            named = known.broadcast or event.subject or "identifiers" in event.data
            if not named and ("identifiers" in known.required or OWNED_REFS.isdisjoint(event.data)):
                raise RefusedError(MapRejectReason.NO_CUSTOMER, Stage.VALIDATE, "identifiers", "")
            return [event]

        return one

    def event(self, emission: Emission) -> Event:
        kind, parts = TYPES[emission.type or ""], merged(self.mapping.shared, emission.parts)
        assert parts.id is not None
        beside = emission.parts.id is None and emission in self.mapping.also
        event_id = checked_id(self.value(parts.id), path_text(parts.id, self.build)) + f"/{emission.name}" * beside
        self.scope.time, basis = self.stamp(parts)
        data: dict[str, Any] = {"tool": dict(self.mapping.tool)}
        data |= {
            name: converter(kind.fields[name])(said)
            for name, (said, _) in parts.constant.items()
            if name in kind.fields
        }
        data["time_basis"] = basis
        for name, spec in {**parts.refs, **parts.set}.items():
            if name in kind.fields:
                self.put(name, spec, emission, data)
        if "category" in kind.fields and "category" not in parts.constant:
            basis = "payload" if "category" in data else "default"
            data.setdefault("category", "unknown")
            data["category_basis"] = basis
        self.identify(parts, data)
        if self.scope.attributes.get("backfill") is True:
            data["backfill"] = True
        time, observed = self.scope.time, self.scope.observed
        return Event(
            source_of(self.mapping), event_id, kind.name, time, time if observed is None else observed, None, data
        )

    def stamp(self, parts: Parts) -> tuple[int, str]:
        for spec in parts.time:
            name, value = spec.format or "iso", self.raw(spec)
            instant = None if value is None else time_reader(name, spec.zone)(value)
            if instant is not None and EARLIEST <= instant < LATEST:
                return settle(instant, self.scope.observed, DAY_ONLY if is_date(name) else EVENT)
        if self.scope.observed is None:
            path = next((text for spec in parts.time if (text := path_text(spec, self.build))), None)
            raise RefusedError(MapRejectReason.BAD_TIME, Stage.MAP, path, "")
        return self.scope.observed, "broker"

    def put(self, name: str, spec: ValueSpec, emission: Emission, data: dict[str, Any]) -> None:
        kind, path, value = TYPES[emission.type or ""], path_text(spec, self.build), self.value(spec)
        if value is not None:
            value = _converted(value, converter_of(name, kind.fields[name]), name, path)
        if value is not None:
            data[name] = value
        elif name in kind.required and name != "category":
            _missing(name, lambda _: self.raw(spec), path)(self.scope)

    def identify(self, parts: Parts, data: dict[str, Any]) -> None:
        found: list[dict[str, str]] = []
        for one in parts.identifiers or ():
            value, kind = self.value(one.value), self.value(one.type)
            namespace = None if one.namespace is None else self.value(one.namespace)
            if value is not None and value != "":
                _add_identifier(found, value, kind, namespace, path_text(one.value, self.build))
        if found:
            data["identifiers"] = found
