"""What the bytes of a record may be besides JSON: forms, gzip, columns; and what they may not."""

import gzip
import json

import pytest

from coordwatch.sources.decode import FORM, RECORD_MAX
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.parse import parse_mappings
from coordwatch.sources.record import MapResult
from coordwatch.sources.snowplow import COLUMNS
from tests.sources.build import AT, mapped, payload, simple

INNER = json.dumps(payload()).encode()
FORM_BODY = f"id=1&at={AT}&email=mina%40example.com".encode()
ORDER = {"schema": "iglu:com.example-shop/OrderPlaced/jsonschema/2-1-0", "data": {"number": "O-1"}}
PERSON = {"schema": "iglu:com.example/user/jsonschema/1-0-0", "data": {"email": "mina@example.com"}}


def reason_of(result: MapResult) -> tuple[str, str | None]:
    (one,) = result.rejected
    return one.reason, one.path


def columns(**values: str) -> bytes:
    return "\t".join(values.get(name, "") for name in COLUMNS).encode()


def enriched(**more: str) -> bytes:
    known = {
        "event_id": "1",
        "collector_tstamp": "2026-01-31 09:30:00.123",
        "unstruct_event": json.dumps({"schema": "iglu:x/unstruct_event/jsonschema/1-0-0", "data": ORDER}),
        "contexts": json.dumps({"schema": "iglu:x/contexts/jsonschema/1-0-1", "data": [PERSON, PERSON]}),
    }
    return columns(**(known | more))


SNOWPLOW = """
unwrap: [snowplow_tsv]
id: event_id
time: {path: collector_tstamp, format: iso}
identifiers: [{type: email, path: "contexts_com_example_user_1[*].email"}]
refs: {order: unstruct_event_com_example_shop_order_placed_2.number}
"""


def test_a_form_body_is_read_where_its_header_says_so() -> None:
    headers = {"Content-Type": f"{FORM}; charset=utf-8"}
    (event,) = mapped(simple(), FORM_BODY, headers=headers).events
    assert [{"type": "email", "value": "mina@example.com"}] == event.data["identifiers"]
    assert ("not_json", None) == reason_of(mapped(simple(), FORM_BODY)), "without the header it may be anything"
    assert ("not_json", None) == reason_of(mapped(simple(), b"a=1&" * 2000, headers=headers)), "too many fields"
    assert ("not_json", None) == reason_of(mapped(simple(), b"a=\xff", headers=headers))


def test_what_is_packed_with_gzip_is_unpacked() -> None:
    assert mapped(simple(), INNER) == mapped(simple(), gzip.compress(INNER, mtime=0))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (gzip.compress(INNER, mtime=0)[:-9], "not_json"),
        (b"\x1f\x8bnothing", "not_json"),
        (gzip.compress(b"[" + b" " * RECORD_MAX + b"]", mtime=0), "too_large"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\0\0\0\0\x07\x02\x06abc", "binary_schema"),
    ],
)
def test_bytes_that_are_nothing_are_refused(value: bytes, reason: str) -> None:
    assert (reason, None) == reason_of(mapped(simple(), value))


def test_json_behind_the_head_of_a_registry_is_read_without_one() -> None:
    assert mapped(simple(), INNER) == mapped(simple(), b"\0\0\0\0\x07" + INNER)


def snowplow() -> Mapper:
    text = f"source: tool\nfamily: web\n{SNOWPLOW}emit: [{{event: customer.identifiers.linked}}]\n"
    return Mapper(parse_mappings(text, "tool.yaml"))


def test_the_self_describing_event_and_the_entities_stand_under_the_names_of_the_loaders() -> None:
    (event,) = mapped(snowplow(), enriched(app_id="web")).events
    assert ("1", "O-1", 1769851800123000) == (event.id, event.data["order"], event.time)
    assert [{"type": "email", "value": "mina@example.com"}] == event.data["identifiers"]


def test_columns_that_were_added_later_change_nothing() -> None:
    assert mapped(snowplow(), enriched()) == mapped(snowplow(), enriched() + b"\tnew\tnewer\n")


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("unstruct_event", "{", "bad_wrapper"),
        ("unstruct_event", '{"data": {"schema": "no", "data": {}}}', "bad_wrapper"),
        ("unstruct_event", '{"data": {"schema": "iglu:a/b/jsonschema/1-0-0"}}', "bad_wrapper"),
        ("contexts", "[]", "bad_wrapper"),
        ("derived_contexts", '{"data": [7]}', "bad_wrapper"),
        ("contexts", json.dumps({"data": [PERSON] * 1001}), "too_many"),
    ],
)
def test_a_broken_self_describing_json_is_refused_with_its_column(column: str, value: str, reason: str) -> None:
    assert (reason, column) == reason_of(mapped(snowplow(), enriched(**{column: value})))


def test_columns_without_a_mapping_that_knows_them_are_no_object() -> None:
    assert ("not_an_object", None) == reason_of(mapped(simple(), enriched()))
