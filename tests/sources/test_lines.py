"""Lines of a recorded stream, and lines that are none."""

from typing import Any

import pytest

from coordwatch.codec import encode_json
from coordwatch.events.times import parse_time
from coordwatch.sources.lines import record_of_line
from coordwatch.sources.record import Record

AT = parse_time("2026-06-01T06:00:03.125Z")


def test_a_record_line_gives_its_record() -> None:
    line = {
        "topic": "shop", "timestamp": "2026-06-01T06:00:03.125Z", "headers": {"X-Topic": "orders", "odd": 5}, "key": "k",
        "partition": 2, "offset": 7, "value": {"id": 1},
    }  # fmt: skip
    assert Record(b'{"id":1}', "shop", 2, 7, b"k", {"X-Topic": "orders"}, AT) == record_of_line(encode_json(line))


@pytest.mark.parametrize(
    ("value", "expected"), [("not json", b"not json"), (None, None), ([], b"[]"), (0, b"0"), (False, b"false")]
)
def test_a_value_is_text_as_it_is_null_a_tombstone_and_json_otherwise(value: Any, expected: bytes | None) -> None:
    record = record_of_line(encode_json({"topic": "t", "value": value}))
    assert record is not None
    assert expected == record.value


@pytest.mark.parametrize(
    ("timestamp", "expected"), [(1780293603125, AT), ("soon", None), (None, None), (True, None), ({}, None)]
)
def test_the_timestamp_is_text_or_milliseconds(timestamp: Any, expected: int | None) -> None:
    record = record_of_line(encode_json({"topic": "t", "value": {}, "timestamp": timestamp}))
    assert record is not None
    assert expected == record.timestamp


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{", b"[]", b"null", b'"value"', b'{"value": 1}', b'{"topic": "t"}', b'{"topic": 1, "value": 1}',
        b'{"topic": "t", "value": 1, "id": "a payload that happens to have both"}',
        b'{"topic": "t", "value": ' + b"[" * 400 + b"]" * 400 + b"}",
    ],
)  # fmt: skip
def test_anything_else_is_a_payload_by_itself(line: bytes) -> None:
    assert record_of_line(line) is None
