"""The rule language as a JSON Schema, for editors: nothing in, a schema that completes words and marks mistakes out.

It knows the words and where they stand. What only the whole rule can tell (names of steps, kinds of fields) is told by
`parse` and `lint`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import COMMON, PREFIX
from coordwatch.rules.parse import ALERT, EXCEPTION, REQUIRED, RULE
from coordwatch.rules.parse_examples import ENVELOPE, EXPECTED, STATUSES, TEST
from coordwatch.rules.parse_steps import AFTER, EXPECT, GIVEN, STATE, UNLESS, UNLESS_STATE, WHEN
from coordwatch.rules.spec import RuleStatus, Severity

Schema = dict[str, Any]
_NAMES = {"propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$"}}
_TEXT: Schema = {"type": ["string", "number"], "minLength": 1}
_TEXTS: Schema = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_DAY: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_EXPRESSION: Schema = {"type": ["string", "boolean"], "minLength": 1}
_KINDS: Mapping[str, Schema] = {
    "string": {"type": ["string", "number", "boolean", "null"]},
    "strings": {},
    "integer": {"type": ["integer", "null"]},
    "number": {"type": ["number", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "timestamp": {
        "type": ["string", "null"],
        "description": "An instant, or a duration after the start of the example.",
    },
    "object": {},
    "objects": {},
    "any": {},
}
# One sentence a word; an editor shows it when the pointer rests on the word.
_SAYS: Mapping[str, str] = {
    "id": "The rule's name for ever: detections and alerts carry it.",
    "title": "What went wrong, in a few words.",
    "status": "draft and shadow are counted only; live raises alerts; retired is skipped.",
    "severity": "How bad it is for the customer.",
    "owner": "Who must act: normally the team behind the act.",
    "tags": "Words to find the rule by.",
    "why": "What it does to the customer, in one sentence.",
    "when": "The act that is judged: exactly one step.",
    "after": "Events that happened before the act.",
    "while": "States that held at the act.",
    "given": "Reference facts as they were known at the act.",
    "unless": "What cancels: an event, or a state.",
    "expect": "The one event that must follow; its absence is the violation.",
    "exceptions": "Named exceptions, each with a reason, an owner and an end.",
    "alert": "How detections fold into alerts, and the sentence of an alert.",
    "runbook": "What the person on call does, the first step first.",
    "references": "Where the reason is written down.",
    "false_positives": "When the rule is known to be wrong.",
    "tests": "Examples that raise a detection, and examples that must not.",
    "event": "The event type.",
    "where": "A condition over the event's fields and the steps before it. Quote it when it holds [, { or a comma.",
    "same": "Keys whose value must be the same: a name, {name: path}, or a list of these.",
    "any": "One of several events, each with its own event, where and same.",
    "within": "How far back, or how long after the act: 72h, forever, or {open: 2h, calendar: support-hours}.",
    "at_least": "Count this many events instead of binding one.",
    "distinct": "Count different values of this field.",
    "grace": "Anything this fresh was already in flight.",
    "since": "Only events at or after that step's event.",
    "opened": "What opens the state.",
    "closed": "What closes it.",
    "reopened": "What opens it again, once it was open before.",
    "linger": "How long the state is felt after it closed.",
    "at_most": "When the state ends without a closing: 180d if it is left out, or forever.",
    "per": "One fact for each value of these keys.",
    "by": "The deadline as a time of the act: promise.due_at.",
    "early": "How far before the act the event may lie, for tools with coarse clocks.",
    "repair": "How late the event may come and still make it good: 30d if it is left out.",
    "once_per": "One alert for each value of these keys.",
    "quiet": "How long an alert takes further detections in.",
    "say": "The sentence of an alert, with {step.field}, {gap}, {customer}, {deadline} and the like.",
}


def rule_schema() -> Schema:
    """The JSON Schema (2020-12) of one document of a rule file."""
    properties: dict[str, Schema] = {
        "id": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"},
        "status": {"enum": [each.value for each in RuleStatus]},
        "severity": {"enum": [each.value for each in Severity]},
        "tags": _TEXTS,
        "when": {**_steps(_step(WHEN)), "minProperties": 1, "maxProperties": 1},
        "after": _steps({**_step(AFTER), "required": ["within"]}),
        "while": _steps(_ref("state")),
        "given": _steps(_step(GIVEN)),
        "unless": _steps({"anyOf": [_step(UNLESS), _ref("cancellingState")]}),
        "expect": {**_steps(_step(EXPECT)), "maxProperties": 1},
        "exceptions": {"type": "array", "items": _exception()},
        "alert": _closed(ALERT, {"once_per": _TEXTS, "quiet": _ref("duration")}),
        "references": _TEXTS,
        "false_positives": _TEXTS,
        "tests": {"type": "array", "items": _ref("test")},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:coordwatch:rule",
        "title": "A rule of coordwatch",
        **_closed(RULE, properties, required=REQUIRED),
        "$defs": _definitions(),
    }


def _definitions() -> Schema:
    state = {
        "opened": _step(("event", "where", "same", "any")),
        "closed": _step(("event", "where", "any")),
        "reopened": _step(("event", "where", "any")),
        "at_most": {"anyOf": [_ref("duration"), {"const": "forever"}]},
        "grace": _ref("duration"),
        "linger": _ref("duration"),
    }
    alternative = _closed(("event", "where", "same"), _MATCH, required=("event",))
    return {
        "duration": {
            "type": "string",
            "pattern": "^([0-9]{1,12}(ms|s|m|h|d|w))+$",
            "examples": ["10m", "72h", "1d12h"],
        },
        "window": {"anyOf": [_ref("duration"), {"const": "forever"}, _open_window()]},
        "keys": {"anyOf": [_TEXT, _ref("paths"), {"type": "array", "items": {"anyOf": [_TEXT, _ref("paths")]}}]},
        "paths": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
        # With the prefix the name is as good; without it an editor completes it.
        "event": {"anyOf": [{"enum": list(TYPES)}, {"type": "string", "pattern": f"^{re.escape(PREFIX)}"}]},
        "alternatives": {"type": "array", "minItems": 1, "items": alternative},
        "state": _closed(STATE, state, required=("opened", "closed")),
        "cancellingState": _closed(UNLESS_STATE, state, required=("opened", "closed")),
        "test": _test(),
        "common": {"properties": {name: _field(COMMON[name].kind, COMMON[name].values) for name in COMMON}},
        "data": {name: _data(name) for name in TYPES},
    }


_MATCH: Mapping[str, Schema] = {
    "event": {"$ref": "#/$defs/event"},
    "where": _EXPRESSION,
    "same": {"$ref": "#/$defs/keys"},
    "any": {"$ref": "#/$defs/alternatives"},
    "within": {"$ref": "#/$defs/window"},
    "at_least": {"type": "integer", "minimum": 1},
    "distinct": {"type": "string", "minLength": 1},
    "grace": {"$ref": "#/$defs/duration"},
    "since": {"type": "string", "minLength": 1},
    "per": {"$ref": "#/$defs/keys"},
    "by": {"type": "string", "minLength": 1},
    "early": {"$ref": "#/$defs/duration"},
    "repair": {"$ref": "#/$defs/duration"},
}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _closed(words: Iterable[str], special: Mapping[str, Schema], *, required: Iterable[str] = ()) -> Schema:
    """A map that knows these words only; a word without a schema of its own is a text."""
    properties: Schema = {}
    for word in words:
        schema = dict(special.get(word, _MATCH.get(word, _TEXT)))
        if word in _SAYS:
            schema["description"] = _SAYS[word]
        properties[word] = schema
    found: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    wanted = list(required)
    return {**found, "required": wanted} if wanted else found


def _steps(step: Schema) -> Schema:
    return {"type": "object", **_NAMES, "additionalProperties": step}


def _step(words: Iterable[str]) -> Schema:
    choice = [
        {"required": ["event"], "not": {"required": ["any"]}},
        {"required": ["any"], "not": {"required": ["event"]}},
    ]
    return {**_closed(words, _MATCH), "oneOf": choice}


def _open_window() -> Schema:
    return _closed(("open", "calendar"), {"open": _ref("duration")}, required=("open", "calendar"))


def _exception() -> Schema:
    return _closed(EXCEPTION, {"until": _DAY}, required=EXCEPTION)


def _test() -> Schema:
    event = {
        **_closed((*ENVELOPE, *TYPES), {"at": _ref("duration"), "observed": _ref("duration"), **_data_refs()}),
        "patternProperties": {f"^{re.escape(PREFIX)}": {"type": ["object", "null"]}},
        "required": ["at"],
        "minProperties": 2,
    }
    expected = _closed(EXPECTED, {"at": _ref("duration"), "status": {"enum": list(STATUSES)}, "evidence": _TEXTS})
    lists = {"events": {"type": "array", "items": event}, "expect": {"type": "array", "items": expected}}
    return _closed(TEST, {**lists, "until": _ref("duration")}, required=("name", "events", "expect"))


def _data_refs() -> dict[str, Schema]:
    return {name: _ref(f"data/{name}") for name in TYPES}


def _data(event_type: str) -> Schema:
    own = {name: field for name, field in TYPES[event_type].fields.items() if COMMON.get(name) is not field}
    return {
        "description": TYPES[event_type].summary,
        "type": ["object", "null"],
        "allOf": [_ref("common")],
        "properties": {name: _field(field.kind, field.values) for name, field in own.items()},
        "unevaluatedProperties": False,
    }


def _field(kind: str, values: tuple[str, ...]) -> Schema:
    # A test may hold a value that no tool should send: the list is for completion, so it is not an enum.
    return {**_KINDS[kind], "examples": list(values)} if values else dict(_KINDS[kind])
