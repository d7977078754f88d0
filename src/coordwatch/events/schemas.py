"""The taxonomy as JSON Schema, one document an event type, for producers and their tools.

What enters: `TYPES`, the one table. What leaves: plain data that is written to `schemas/events/`, and held to it.
The next room: `wire` reads what a producer made from these; it asks for less than they do, on purpose.
"""

from collections.abc import Mapping
from typing import Any

from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import PREFIX, EventType, Field

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}
_INSTANT: Mapping[str, Any] = {"type": "string", "format": "date-time"}
_KINDS: Mapping[str, Mapping[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "timestamp": _INSTANT,
    # A ref is one text or several: a refund may be about two orders.
    "strings": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
    "any": {},
}


def event_schemas() -> dict[str, dict[str, Any]]:
    """Give the JSON Schema of every event type, by type name."""
    return {name: _document(event_type) for name, event_type in TYPES.items()}


def _document(event_type: EventType) -> dict[str, Any]:
    """Write one type: the CloudEvents attributes, then its data."""
    subject = "Absent: this type belongs to no customer." if event_type.broadcast else "The customer key, once known."
    return {
        "$schema": DIALECT,
        "$id": f"urn:coordwatch:event:{event_type.name}",
        "title": event_type.name,
        "description": event_type.summary,
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {**_TEXT, "description": "Unique within the source; (source, id) is the event's identity."},
            "source": dict(_TEXT),
            "type": {"enum": [PREFIX + event_type.name, event_type.name]},
            "time": {**_INSTANT, "description": "When it happened."},
            "recordedtime": {**_INSTANT, "description": "When it reached the log; without it, the same as `time`."},
            "datacontenttype": {"const": "application/json"},
            "subject": {**_TEXT, "description": subject},
            "data": _fields(event_type.fields, event_type.required),
        },
    }


def _fields(fields: Mapping[str, Field], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Write an object: more fields than these are allowed, because names are only ever added."""
    schema: dict[str, Any] = {"type": "object"}
    if required:
        schema["required"] = list(required)
    if fields:
        schema["properties"] = {name: _field(field) for name, field in fields.items()}
    return schema


def _field(field: Field) -> dict[str, Any]:
    if field.kind == "object":
        return _fields(field.fields)
    if field.kind == "objects":
        return {"type": "array", "items": _fields(field.fields)}
    if field.values:
        return {**_KINDS[field.kind], "enum": list(field.values)}
    return dict(_KINDS[field.kind])
