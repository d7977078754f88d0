"""Laws of mapping: whatever the bytes, no exception, an exact account, and events that survive the wire.

What is drawn here by chance, `test_bad_input` tries with a fixed corpus: each wrong kind in every place of every mapping.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.codec import encode_json
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.wire import decode_event, encode_event
from coordwatch.sources.record import MapRejectReason, MapResult, Record
from tests.sources.corpus import bodies, places, put
from tests.sources.shipped import SOURCES, shipped_mapper

EXAMPLES = 300
LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20),
    st.sampled_from(["", " ", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2025-10-09T12:00:00Z", "x" * 2000, "{", "[]", '{"id": 1}', "1e400"]),
)  # fmt: skip
WORDS = sorted(
    {"id", "event", "type", "time", "data", "body", "headers", "payload", "schema", "after", "op", "result", "status", "email", "detail",
     "Message", "TopicArn", "Type", "specversion", "source", "sender_id", "timestamp", "sg_message_id", "line_items", "refund", "order_id",
     "affected_customers", "identifiers", "items", "name", "value", "trackers", "object", "tags"}
)  # fmt: skip


KEY = st.one_of(st.sampled_from(WORDS), st.text(max_size=6))
TREE = st.recursive(
    LEAF, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEY, inner, max_size=5)), max_leaves=12
)
SOURCE = st.sampled_from(SOURCES)
WITH_JSON = st.sampled_from([source for source in SOURCES if bodies(source)])


def check(result: MapResult) -> None:
    assert result.pieces == result.applied + len(result.dropped) + len(result.rejected) >= 1
    assert result.applied <= result.pieces
    assert bool(result.events) == bool(result.applied)
    for one in result.rejected:
        assert one.reason is not MapRejectReason.INTERNAL, one.detail
        assert one.detail
    for event in result.events:
        assert event == decode_event(encode_event(event))
        assert [] == [name for name in TYPES[event.type].required if name not in event.data]


@settings(max_examples=EXAMPLES)
@given(source=SOURCE, value=st.binary(max_size=200), key=st.binary(max_size=4), at=st.integers(-(2**70), 2**70))
def test_any_bytes_end_in_the_account(source: str, value: bytes, key: bytes, at: int) -> None:
    check(shipped_mapper().map_record(Record(value, "any", key=key, timestamp=at), source))
    check(shipped_mapper().map_record(Record(value, f"{source}.events", headers=[("ce_id", value)])))


@settings(max_examples=EXAMPLES)
@given(
    source=SOURCE,
    body=TREE,
    headers=st.dictionaries(
        st.sampled_from(["X-Shopify-Topic", "content-type", "ce_type", "ce_id", "ce_source", "ce_specversion"]),
        st.text(max_size=12),
    ),
)
def test_any_json_ends_in_the_account(source: str, body: Any, headers: dict[str, str]) -> None:
    check(shipped_mapper().map_record(Record(encode_json(body), headers=headers), source))


@settings(max_examples=EXAMPLES * 2)
@given(source=WITH_JSON, data=st.data())
def test_a_payload_with_anything_anywhere_ends_in_the_account(source: str, data: st.DataObject) -> None:
    record, body = data.draw(st.sampled_from(bodies(source)))
    for _ in range(data.draw(st.integers(1, 3))):
        body = put(body, data.draw(st.sampled_from(places(body))), data.draw(TREE))
    check(
        shipped_mapper().map_record(
            Record(encode_json(body), headers=record.headers, timestamp=record.timestamp), source
        )
    )


@pytest.mark.parametrize("source", SOURCES)
def test_a_payload_cut_off_anywhere_ends_in_the_account(source: str) -> None:
    for record, _ in bodies(source):
        value = record.value or b""
        for end in range(0, len(value), 7):
            check(shipped_mapper().map_record(Record(value[:end], headers=record.headers), source))
