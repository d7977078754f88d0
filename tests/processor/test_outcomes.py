"""Outcomes survive their way through Kafka, and what is none is said to be none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.engine.ledger import CountLine, Reach, ReachLine, TallyLine
from coordwatch.processor.outcomes import (
    BadRecord,
    alias_of,
    alias_value,
    amount_of,
    change_of,
    detection_record,
    line_key,
    line_of,
    line_value,
    reach_of,
)
from coordwatch.rules.detection import DetectionChange, RetractReason
from tests.build import NOW, a_cancellation, a_promo, raised

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PLACES = st.builds(lambda topic, partition: f"{topic}/{partition}", WORDS, st.integers(0, 10**6))
LINES = st.one_of(
    st.builds(CountLine, WORDS, WORDS, st.integers(-(10**6), 10**7), WORDS, WORDS, WORDS),
    st.builds(TallyLine, WORDS, WORDS, WORDS),
    st.builds(ReachLine, WORDS, PLACES),
)


@pytest.mark.parametrize(
    "change",
    [
        raised(a_promo("c", NOW)),
        DetectionChange("made_good", a_cancellation("c", NOW, late=5)),
        DetectionChange("retracted", a_promo("c", NOW), RetractReason.CANCELLED),
    ],
    ids=lambda change: change.kind,
)
def test_a_change_of_a_detection_comes_back_as_it_was(change):
    record = detection_record("d", change)
    assert record.value is not None
    assert change_of(record.value) == change


def test_two_customers_of_one_act_share_one_key():
    """So that Kafka keeps the order in which the act's old and new owner spoke."""
    before, after = a_promo("old", NOW), a_promo("old", NOW)
    moved = type(after)(**{name: getattr(after, name) for name in after.__dataclass_fields__} | {"customer": "new"})
    assert detection_record("d", raised(before)).key == detection_record("d", raised(moved)).key


@given(LINES)
def test_a_row_of_the_ledger_keeps_any_name(line):
    assert line_of(line_key(line)) == line


def test_the_keys_are_the_ones_that_others_read():
    assert line_key(CountLine("3", "a/b", 7, "Desk flow", "", "acts")) == b"count/3/a%2Fb/7/Desk%20flow//acts"
    assert line_key(TallyLine("ingest", "shop.orders/0", "in")) == b"tally/ingest/shop.orders%2F0/in"
    assert line_key(ReachLine("shop", "shop.orders/0")) == b"progress/shop/shop.orders/0"


def test_amounts_reaches_and_aliases_come_back():
    assert amount_of(line_value(-7)) == -7
    assert reach_of(line_value(Reach(1, 2, 3))) == Reach(1, 2, 3)
    assert alias_of(alias_value("new")) == "new"


@pytest.mark.parametrize("key", [b"", b"count/1/r", b"tally", b"count/0/r/x/a/b/acts", b"\xff", b"other/1", b"a%FF/b"])
def test_a_key_of_something_else_is_refused(key):
    with pytest.raises(BadRecord):
        line_of(key)


@pytest.mark.parametrize("value", [b"", b"{}", b"[1,2]", b'"x"', b"true", b"1.5", b"\xff"])
def test_a_value_of_something_else_is_refused(value):
    for read in (change_of, amount_of, reach_of, alias_of):
        with pytest.raises(BadRecord):
            read(value)


def test_a_kind_that_is_not_known_is_refused():
    record = detection_record("d", DetectionChange("praised", a_promo("c", NOW)))
    assert record.value is not None
    with pytest.raises(BadRecord, match="praised"):
        change_of(record.value)
