"""The wire form: one CloudEvents 1.0 JSON text a line to an Event, and back.

Bytes that are no canonical event become `Rejected` with a reason that is also the metric label.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from coordwatch.codec import NotJson, decode_json, encode_json
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import format_time, parse_time
from coordwatch.events.vocabulary import PREFIX

LINE_MAX = 1_000_000
_ATTRIBUTES = ("id", "source", "type", "time")


class RejectReason(StrEnum):
    """Why bytes are not a canonical event; the values are metric label values."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    SPECVERSION = "specversion"
    MISSING_ATTRIBUTE = "missing_attribute"
    BAD_ATTRIBUTE = "bad_attribute"
    UNKNOWN_TYPE = "unknown_type"
    BAD_TIME = "bad_time"
    BAD_DATA = "bad_data"


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why something was refused: the reason, a sentence, and the field it is about."""

    reason: RejectReason
    detail: str
    path: str | None = None


def decode_event(line: bytes) -> Event | Rejected:
    """Read one canonical event from its JSON text; never raises."""
    if len(line) > LINE_MAX:
        return Rejected(RejectReason.TOO_LARGE, f"longer than {LINE_MAX:,} bytes")
    if not line or line.isspace():
        return Rejected(RejectReason.EMPTY, "an empty line")
    try:
        raw = decode_json(line)
    except NotJson as error:
        return Rejected(RejectReason.NOT_JSON, str(error))
    return event_from(raw)


def event_from(raw: Any) -> Event | Rejected:
    """Read one canonical event from decoded JSON; never raises."""
    if not isinstance(raw, dict):
        return Rejected(RejectReason.NOT_AN_OBJECT, "a canonical event is a JSON object")
    if raw.get("specversion", "1.0") != "1.0":
        return Rejected(RejectReason.SPECVERSION, "specversion must be 1.0", "specversion")
    for name in _ATTRIBUTES:
        value = raw.get(name)
        if type(value) is not str or not value:
            if value is None:
                return Rejected(RejectReason.MISSING_ATTRIBUTE, f"'{name}' is missing", name)
            return Rejected(RejectReason.BAD_ATTRIBUTE, f"'{name}' must be a text that is not empty", name)
    event_type = raw["type"].removeprefix(PREFIX)
    if event_type not in TYPES:
        return Rejected(RejectReason.UNKNOWN_TYPE, f"no canonical event type is called '{event_type[:80]}'", "type")
    return _event(raw, event_type)


def _event(raw: Mapping[str, Any], event_type: str) -> Event | Rejected:
    subject = raw.get("subject")
    if subject is not None and (not isinstance(subject, str) or not subject):
        return Rejected(RejectReason.BAD_ATTRIBUTE, "'subject' must be a text that is not empty", "subject")
    data = raw.get("data")
    if data is not None and not isinstance(data, dict):
        return Rejected(RejectReason.BAD_DATA, "'data' must be an object", "data")
    name = "time"
    try:
        time = parse_time(raw["time"])
        name = "recordedtime"
        recorded = raw.get("recordedtime")
        observed_at = time if recorded is None else parse_time(recorded)
    except (ValueError, TypeError) as error:
        return Rejected(RejectReason.BAD_TIME, str(error), name)
    return Event(raw["source"], raw["id"], event_type, time, observed_at, subject, data or {})


def event_to_plain(event: Event, subject: str | None = None) -> dict[str, Any]:
    """An event as the plain data of its JSON text, with the type's full name; with another `subject` if one is given."""
    plain: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": PREFIX + event.type,
        "time": format_time(event.time),
        "recordedtime": format_time(event.observed_at),
        "datacontenttype": "application/json",
    }
    if subject is None:
        subject = event.subject
    if subject is not None:
        plain["subject"] = subject
    plain["data"] = dict(event.data)
    return plain


def encode_event(event: Event) -> bytes:
    """Write one canonical event as a line of JSON, without the line end."""
    return encode_json(event_to_plain(event))
