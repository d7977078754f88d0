"""A filed event keeps its customer and the subject with which it came apart, and both come back."""

from typing import Any

import pytest

from coordwatch.codec import decode_json, encode_json
from coordwatch.events.event import Event
from coordwatch.events.filed import Filed, decode_filed, encode_filed, filed_to_plain
from coordwatch.events.wire import Rejected, RejectReason

PLAIN = Event("shop", "E1", "commerce.order.changed", 1_000_000, 2_000_000, None, {"order": "O1"})
STAMPED = Event("shop", "E1", "commerce.order.changed", 1_000_000, 2_000_000, "Customer 1", {"order": "O1"})


@pytest.mark.parametrize("event", [PLAIN, STAMPED])
def test_what_was_filed_comes_back_with_its_customer(event: Event) -> None:
    assert Filed("cust_a", event) == decode_filed(encode_filed(event, "cust_a"))


def test_on_the_wire_the_subject_is_the_customer() -> None:
    assert ("cust_a", "Customer 1") == (
        (plain := filed_to_plain(STAMPED, "cust_a"))["subject"],
        plain["stampedsubject"],
    )
    assert "stampedsubject" not in filed_to_plain(PLAIN, "cust_a")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"subject": None}, RejectReason.MISSING_ATTRIBUTE),
        ({"stampedsubject": 7}, RejectReason.BAD_ATTRIBUTE),
        ({"stampedsubject": ""}, RejectReason.BAD_ATTRIBUTE),
        ({"type": "no.such"}, RejectReason.UNKNOWN_TYPE),
    ],
)
def test_what_is_no_filed_event_is_refused_with_its_reason(changed: dict[str, Any], reason: RejectReason) -> None:
    found = decode_filed(encode_json({**decode_json(encode_filed(PLAIN, "cust_a")), **changed}))
    assert isinstance(found, Rejected)
    assert reason is found.reason


def test_bytes_that_are_no_json_are_refused() -> None:
    assert [RejectReason.NOT_JSON, RejectReason.TOO_LARGE, RejectReason.NOT_AN_OBJECT] == [
        found.reason for line in (b"", b"x" * 1_000_001, b"[]") if isinstance(found := decode_filed(line), Rejected)
    ]
