"""The shipped mappings, held to the last byte by golden files and by the examples inside them."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from coordwatch.adapters.mapping_files import load_mappings
from coordwatch.codec import decode_json
from coordwatch.events.schemas import event_schemas
from coordwatch.events.vocabulary import PREFIX
from coordwatch.events.wire import decode_event, encode_event, event_to_plain
from coordwatch.sources.examples import run_examples
from coordwatch.sources.mapping import Example, SourceMapping
from coordwatch.sources.record import MapResult, Record
from tests.sources.golden import accounts
from tests.sources.shipped import GOLDEN, SOURCES, golden_records, shipped_mapper

MAPPINGS = {mapping.name: mapping for mapping in load_mappings()}
EXAMPLES = [(mapping, example) for mapping in MAPPINGS.values() for example in mapping.examples]
SCHEMAS = {name: Draft202012Validator(schema) for name, schema in event_schemas().items()}
# Words of the payloads above and below that are free text or a person's own: none may come out at the other end.
PRIVATE = (
    "hurry",
    "broke at once",
    "fell apart",
    "furious",
    "Example Road",
    "Broken",
    "still broken",
    "not json",
    "useragent",
)


def schema_of(event_type: str) -> Draft202012Validator:
    name = event_type.removeprefix(PREFIX)
    return next(
        schema for file, schema in SCHEMAS.items() if file.removesuffix(".json").removesuffix(".schema").endswith(name)
    )


def test_these_are_the_mappings_that_ship() -> None:
    assert list(SOURCES) == sorted(MAPPINGS)


@pytest.mark.parametrize("source", SOURCES)
def test_the_golden_records_become_what_was_agreed(source: str) -> None:
    expected = (GOLDEN / f"{source}.expected.jsonl").read_bytes().splitlines()
    found = accounts(source)
    assert [decode_json(line) for line in expected] == [decode_json(line) for line in found]


@pytest.mark.parametrize("mapping", MAPPINGS.values(), ids=MAPPINGS.keys())
def test_the_examples_inside_a_mapping_hold(mapping: SourceMapping) -> None:
    results = run_examples(mapping)
    assert len(results) >= 3, "each mapping ships a few examples"
    assert [] == [(str(result.place), result.differences) for result in results if result.differences]


def results_of(source: str) -> list[MapResult]:
    mapped = [shipped_mapper().map_record(record) for record in golden_records(source)]
    for mapping, example in EXAMPLES:
        if mapping.name == source:
            mapped.append(shipped_mapper().map_record(_record(example), source))
    return mapped


def _record(example: Example) -> Record:
    payload = example.payload
    value = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
    return Record(value, headers=example.record.get("headers") or {})


@pytest.mark.parametrize("source", SOURCES)
def test_every_event_satisfies_the_schema_of_its_type_and_survives_the_wire(source: str) -> None:
    events = [event for result in results_of(source) for event in result.events]
    assert events
    for event in events:
        plain: dict[str, Any] = event_to_plain(event)
        schema_of(plain["type"]).validate(plain)
        assert event == decode_event(encode_event(event))


@pytest.mark.parametrize("source", SOURCES)
def test_the_account_is_exact_and_every_event_has_its_own_identity(source: str) -> None:
    for result in results_of(source):
        assert result.pieces == result.applied + len(result.dropped) + len(result.rejected)
        assert "internal" not in {one.reason for one in result.rejected}
        identities = [(event.source, event.id) for event in result.events]
        assert len(identities) == len(set(identities))


@pytest.mark.parametrize("source", SOURCES)
def test_no_free_text_comes_out(source: str) -> None:
    lines = b"\n".join(encode_event(event) for result in results_of(source) for event in result.events).decode()
    assert [] == [word for word in PRIVATE if word in lines]


@pytest.mark.parametrize("source", SOURCES)
def test_mapping_a_record_twice_gives_the_same_events(source: str) -> None:
    assert accounts(source) == accounts(source)
