"""Emitting: one piece of a payload in, the canonical events it becomes out, or the reason why it becomes none.

What enters: a Scope on the piece. What leaves: Events whose every field the taxonomy allows.
The next room: `mapper`, which counts them; then `identity`.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from coordwatch.codec import encode_json
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import REFS, EventType
from coordwatch.sources.canonical import pass_through
from coordwatch.sources.catalogue import Find
from coordwatch.sources.changes import Build, text_of
from coordwatch.sources.code import Code
from coordwatch.sources.conditions import compile_condition
from coordwatch.sources.fields import Slot, field_lines
from coordwatch.sources.fill import catalogue_lines, fill_identifiers, fill_our_words, identifier_lines
from coordwatch.sources.kinds import converter
from coordwatch.sources.mapping import Emission, FanOut, ForEach, Parts, SourceMapping
from coordwatch.sources.paths import Scope, compile_path
from coordwatch.sources.record import MapRejectReason, RefusedError, Stage
from coordwatch.sources.stamps import id_lines, stamp_lines

Make = Callable[[Scope], list[Event]]
FAN_OUT_MAX = 100_000
FOR_EACH_MAX = 1000
NAME_MAX = 64
# Refs that a customer owns; a campaign or a warehouse says nothing about whose event it is.
OWNED_REFS = frozenset(REFS) - {"item", "campaign", "journey", "outage", "area", "audience", "location"}


def compile_emission(emission: Emission, mapping: SourceMapping, build: Build, find: Find) -> Make:
    """Make the function that gives the events of an emission, for a piece of which its condition holds."""
    if emission.type is None:
        return _spread(emission, pass_through(), _of_a_customer(pass_through()), build)
    own = _own(emission, mapping, build, find)
    return _spread(emission, own, own, build)


def _spread(emission: Emission, one: Callable[[Scope], Event], alone: Make, build: Build) -> Make:
    """Make one event, or one for each of those it is about, or for each element, or for each of both.

    Takes: `one` makes an event of nobody yet, `alone` gives it in a list and sees to it that it is somebody's
    """
    make = alone if emission.fan_out is None else _fan_out(emission.fan_out, one, build)
    return make if emission.for_each is None else _for_each(emission.for_each, make)


def merged(shared: Parts, own: Parts) -> Parts:
    """Give the parts of an emission: its own, over those that the mapping says for all."""
    return Parts(
        own.id or shared.id,
        own.time or shared.time,
        shared.identifiers if own.identifiers is None else own.identifiers,
        {**shared.refs, **own.refs},
        {**shared.constant, **own.constant},
        {**shared.set, **own.set},
        own.catalogue or shared.catalogue,
    )


def _own(emission: Emission, mapping: SourceMapping, build: Build, find: Find) -> Callable[[Scope], Any]:
    """Write out the function that makes an event of a piece: in a list, or bare where it fans out."""
    event_type = TYPES[emission.type or ""]
    parts = merged(mapping.shared, emission.parts)
    assert parts.id is not None, "the parser saw to it that there is an id"
    beside = emission.parts.id is None and any(emission is other for other in mapping.also)
    suffix = f"/{emission.name}" if beside else ""
    code = Code(item_is_dict=True, let=build.named)
    owned, owner = "team" in mapping.tool, code.name(build.lookups.counts(f"{mapping.name}.owner"))
    event = f"{code.name(Event)}({code.name(source_of(mapping))}, event_id, {code.name(event_type.name)}, time, observed, None, data)"
    lines = [
        *id_lines(parts.id, suffix, build, code),
        *stamp_lines(parts.time, build, code),
        "scope.time = time",
        f"data = {code.name(_constants(parts, event_type, mapping.tool))}.copy()",
        "data['time_basis'] = basis",
        *_fill_lines(parts, event_type, build, find, code),
        "if scope.attributes.get('backfill') is True:",
        "    data['backfill'] = True",
        f"{owner}[{owned} or 'owner_team' in data] += 1",
        "if observed is None:",
        "    observed = time",
        *(_customer_lines(event_type, code) if emission.fan_out is None else ()),
        f"return {event}" if emission.fan_out is not None else f"return [{event}]",
    ]
    return code.function(lines)


def source_of(mapping: SourceMapping) -> str:
    """Give the CloudEvents source of a tool's events: the mapping's name, and the instance when a site has several.

    The name that people call the tool by may change; the identity of its events may not.
    """
    return f"{mapping.name}/{mapping.tool['instance']}" if "instance" in mapping.tool else mapping.name


def _constants(parts: Parts, event_type: EventType, tool: Mapping[str, str]) -> dict[str, Any]:
    base: dict[str, Any] = {"tool": dict(tool)}
    for name, (value, _) in parts.constant.items():
        if name in event_type.fields:
            base[name] = converter(event_type.fields[name])(value)
    return base


def _fill_lines(parts: Parts, event_type: EventType, build: Build, find: Find, code: Code) -> list[str]:
    # A payload may leave the category to the catalogue, which always has an answer.
    required = set(event_type.required) - {"category"}
    lines: list[str] = []
    for name, spec in {**parts.refs, **parts.set}.items():
        if name in event_type.fields:
            lines += field_lines(Slot(name, event_type.fields[name], name in required), spec, build, code)
    ours = fill_our_words(build)
    if ours is not None:
        lines.append(f"{code.name(ours)}(scope, data)")
    if "category" in event_type.fields and "category" not in parts.constant:
        lines += catalogue_lines(parts.catalogue, find, build, code)
    if parts.identifiers:
        lines += identifier_lines(parts.identifiers, build, code)
    return lines


def _customer_lines(event_type: EventType, code: Code) -> list[str]:
    """Write out the lines that refuse an event of which nothing says whose it is."""
    if event_type.broadcast:
        return []
    owned = "" if "identifiers" in event_type.required else f" and {code.name(OWNED_REFS)}.isdisjoint(data)"
    return [f"if 'identifiers' not in data{owned}:", f"    {code.name(_refuse_nobody)}()"]


def _refuse_nobody() -> None:
    detail = "nothing says whose event this is: no identifier, and no ref that would do"
    raise RefusedError(MapRejectReason.NO_CUSTOMER, Stage.VALIDATE, "identifiers", detail)


def _of_a_customer(make: Callable[[Scope], Event]) -> Make:
    def one(scope: Scope) -> list[Event]:
        event = make(scope)
        known = TYPES[event.type]
        named = known.broadcast or event.subject or "identifiers" in event.data
        if not named and ("identifiers" in known.required or OWNED_REFS.isdisjoint(event.data)):
            _refuse_nobody()
        return [event]

    return one


def _for_each(for_each: ForEach, make: Make) -> Make:
    find, path = compile_path(for_each.path), for_each.path.text
    holds = None if for_each.when is None else compile_condition(for_each.when)

    def many(scope: Scope) -> list[Event]:
        elements = _named(find(scope))
        if len(elements) > FOR_EACH_MAX:
            detail = f"more than {FOR_EACH_MAX:,} elements, each of which would be an event"
            raise RefusedError(MapRejectReason.TOO_MANY, Stage.MAP, path, detail)
        found: dict[str, Event] = {}
        for name, scope.each in elements:
            if holds is None or holds(scope):
                for one in make(scope):
                    event_id = f"{one.id}/{name}"
                    found[event_id] = Event(
                        one.source, event_id, one.type, one.time, one.observed_at, one.subject, one.data
                    )
        scope.each = None
        return list(found.values())

    return many


def _named(elements: Any) -> list[tuple[str, Any]]:
    """Give each element with what tells it from its neighbours, wherever it stands: its name, itself, or a digest."""
    if isinstance(elements, Mapping):
        return [(_short(name), {"name": name, "value": value}) for name, value in elements.items()]
    return [(_short(element), element) for element in elements] if isinstance(elements, list) else []


def _short(element: Any) -> str:
    name = text_of(element)
    if name is not None and len(name) <= NAME_MAX:
        return name
    try:
        return hashlib.sha256(encode_json(element, sort=True)).hexdigest()[:16]
    except TypeError:  # nested too deep to be written down
        raise RefusedError(MapRejectReason.TOO_DEEP, Stage.MAP, None, "an element nested too deep") from None


def _fan_out(fan_out: FanOut, make: Callable[[Scope], Event], build: Build) -> Make:
    find, path = compile_path(fan_out.path), fan_out.path.text
    identify = fill_identifiers(fan_out.identifiers, build)

    def many(scope: Scope) -> list[Event]:
        affected = find(scope)
        if not isinstance(affected, list) or not affected:
            detail = "no list of affected customers stands here"
            raise RefusedError(MapRejectReason.MISSING_FIELD, Stage.MAP, path, detail)
        if len(affected) > FAN_OUT_MAX:
            detail = f"more than {FAN_OUT_MAX:,} affected customers in one record"
            raise RefusedError(MapRejectReason.TOO_MANY, Stage.MAP, path, detail)
        event, found = make(scope), {}
        for number, scope.each in enumerate(affected):
            one: dict[str, Any] = {}
            identify(scope, one)
            if not one:
                detail = "an affected customer without an identifier"
                raise RefusedError(MapRejectReason.NO_CUSTOMER, Stage.VALIDATE, f"{path}[{number}]", detail)
            event_id = f"{event.id}/{hashlib.sha256(encode_json(one, sort=True)).hexdigest()[:16]}"
            data = {**event.data, **one}
            found[event_id] = Event(event.source, event_id, event.type, event.time, event.observed_at, None, data)
        scope.each = None
        return list(found.values())

    return many
