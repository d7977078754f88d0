"""The schemas that ship: made from the taxonomy, held to real events, never out of date."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from coordwatch.codec import decode_json
from coordwatch.events.event import Event
from coordwatch.events.schemas import event_schemas
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import Field
from coordwatch.events.wire import decode_event, encode_event
from tests.schemas import SCHEMAS, drifted, generated

HOUR = 3_600_000_000
SAMPLE: dict[str, Any] = {
    "string": "x",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "timestamp": "2026-03-01T00:00:00Z",
    "strings": ["A", "B"],
    "any": {"deep": [None]},
}


def a_value(field: Field) -> Any:
    if field.kind in ("object", "objects"):
        inside = {name: a_value(each) for name, each in field.fields.items()}
        return [inside] if field.kind == "objects" else inside
    return field.values[0] if field.values else SAMPLE[field.kind]


def a_full_event(name: str) -> Event:
    """Give an event of the type with every field that it can have."""
    data = {field: a_value(kind) for field, kind in TYPES[name].fields.items()}
    return Event("tests", "E1", name, HOUR, 2 * HOUR, None if TYPES[name].broadcast else "C1", data)


def problems(name: str, plain: Any) -> list[str]:
    validator = Draft202012Validator(event_schemas()[name], format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(plain)]


def test_every_type_has_its_schema_and_the_schema_is_one() -> None:
    schemas = event_schemas()
    assert schemas.keys() == TYPES.keys()
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", TYPES)
def test_what_the_program_writes_fits_the_schema_and_comes_back(name: str) -> None:
    event = a_full_event(name)
    line = encode_event(event)
    assert problems(name, decode_json(line)) == []
    assert decode_event(line) == event


@pytest.mark.parametrize("name", TYPES)
def test_a_required_field_is_required(name: str) -> None:
    """The schema asks producers for what the rules live on; the reader takes what comes."""
    for field in TYPES[name].required:
        plain = decode_json(encode_event(a_full_event(name)))
        del plain["data"][field]
        assert problems(name, plain) == [f"'{field}' is a required property"]


def test_a_schema_refuses_what_no_rule_could_use() -> None:
    plain = decode_json(encode_event(a_full_event("service.case.opened")))
    plain["data"]["kind"] = "grumble"
    plain["data"]["case"] = 7
    plain["id"] = ""
    assert len(problems("service.case.opened", plain)) == 3


def test_a_ref_is_one_text_or_several_and_new_fields_are_welcome() -> None:
    plain = decode_json(encode_event(a_full_event("service.case.opened")))
    plain["data"]["order"] = "O1"
    plain["data"]["a_field_of_tomorrow"] = 1
    assert problems("service.case.opened", plain) == []


def test_the_files_are_what_the_models_say() -> None:
    assert drifted(generated()) == []


def test_drift_is_seen() -> None:
    """A changed text, a missing file and a file of no type are each named."""
    changed = SCHEMAS / "events" / "customer.erased.json"
    expected = {**generated(), changed: "{}", SCHEMAS / "events" / "new.json": "{}"}
    del expected[SCHEMAS / "events" / "outage.changed.json"]
    assert {path.name for path in drifted(expected)} == {changed.name, "new.json", "outage.changed.json"}
