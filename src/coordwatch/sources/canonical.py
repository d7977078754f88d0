"""Canonical events that somebody else made: checked against the taxonomy and passed through.

What enters: a Scope whose attributes are those of a CloudEvent. What leaves: the same event, holding only what the
taxonomy names. The next room: `emit`, which gives it on like any other.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import parse_time
from coordwatch.events.vocabulary import PREFIX, EventType
from coordwatch.sources.changes import text_of
from coordwatch.sources.kinds import Convert, KindError, converter_of, joined
from coordwatch.sources.paths import Scope
from coordwatch.sources.record import MapRejectReason, RefusedError, Stage
from coordwatch.sources.stamps import checked_id, settle
from coordwatch.sources.timestamps import is_placeholder, read_iso


def pass_through() -> Callable[[Scope], Event]:
    """Make the function that takes over a canonical event: its fields are checked, and what no field names is left behind."""
    tables = {name: _checked_fields(name) for name in TYPES}

    def make(scope: Scope) -> Event:
        attributes = scope.attributes
        event_type = _canonical_type(attributes.get("type"))
        source = checked_id(attributes.get("source"), "source")
        event_id = checked_id(attributes.get("id"), "id")
        observed = scope.observed if scope.observed is not None else read_iso(attributes.get("recordedtime"))
        time, basis = _canonical_time(attributes.get("time"), observed)
        if type(scope.item) is not dict:
            raise RefusedError(
                MapRejectReason.NOT_AN_OBJECT, Stage.MAP, "data", "the data of a canonical event is an object"
            )
        data: dict[str, Any] = {"tool": {"name": source}, "time_basis": basis}
        _take_over(scope.item, tables[event_type.name], data)
        data["tool"] = {"name": source, **data["tool"]}
        for name in event_type.required:
            if name not in data:
                detail = f"'{name}' is required, and nothing stands here"
                raise RefusedError(MapRejectReason.MISSING_FIELD, Stage.VALIDATE, f"data.{name}", detail)
        # A clamped time was clamped where the event entered; saying less here would hide it.
        data["time_basis"] = (
            scope.item["time_basis"] if scope.item.get("time_basis") in ("day", "broker", "clamped") else basis
        )
        subject = text_of(attributes.get("subject"))
        return Event(source, event_id, event_type.name, time, time if observed is None else observed, subject, data)

    return make


@cache
def _checked_fields(event_type: str) -> tuple[tuple[str, Convert], ...]:
    return tuple((name, converter_of(name, field)) for name, field in TYPES[event_type].fields.items())


def checked_data(event_type: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields of a canonical event that is not to be kept, checked, whether or not all of them are there.

    Raises: RefusedError with the field's path
    """
    data: dict[str, Any] = {}
    _take_over(item, _checked_fields(event_type), data)
    return data


def _canonical_type(value: Any) -> EventType:
    name = value.removeprefix(PREFIX) if isinstance(value, str) else ""
    if name in TYPES:
        return TYPES[name]
    if not name:
        raise RefusedError(MapRejectReason.UNKNOWN_TYPE, Stage.MAP, "type", "no CloudEvents type stands here")
    detail = f"no canonical event type is called '{name[:80]}'"
    raise RefusedError(MapRejectReason.UNKNOWN_TYPE, Stage.MAP, "type", detail)


def _canonical_time(value: Any, observed: int | None) -> tuple[int, str]:
    if value is None:
        if observed is not None:
            return observed, "broker"
        detail = "no time here, and the record does not say when it reached the log"
        raise RefusedError(MapRejectReason.BAD_TIME, Stage.MAP, "time", detail)
    try:
        instant = parse_time(value)
    except (ValueError, TypeError) as error:
        raise RefusedError(MapRejectReason.BAD_TIME, Stage.MAP, "time", str(error)) from None
    if is_placeholder(instant):
        raise RefusedError(
            MapRejectReason.BAD_TIME, Stage.MAP, "time", f"{value} is how tools write that there is no time"
        )
    return settle(instant, observed)


def _take_over(item: Mapping[str, Any], checks: tuple[tuple[str, Convert], ...], data: dict[str, Any]) -> None:
    for name, convert in checks:
        value = item.get(name)
        if value is None:
            continue
        try:
            checked = convert(value)
        except KindError as error:
            path = joined(f"data.{name}", error.path)
            raise RefusedError(error.reason, Stage.VALIDATE, path, f"'{name}' {error.detail}") from None
        if checked is not None:
            data[name] = checked
