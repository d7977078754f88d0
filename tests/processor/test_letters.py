"""Dead letters on their topic, and marks: everything that is written can be read again, exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.processor.letters import Origin, again, letters_of, read_again, read_letter
from coordwatch.processor.mapping import Refusal
from coordwatch.processor.marks import Mark, later, mark_of, mark_records
from coordwatch.processor.outcomes import BadRecord, Reach
from coordwatch.processor.stage import Place

NAMES = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["cw-id", "cw-topic", "cw-partition", "cw-offset", "cw-key", "cw-timestamp", "content-type"]),
)
HEADERS = st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=8)), max_size=6).map(tuple)
ORIGINS = st.builds(
    Origin,
    st.builds(Place, st.text(min_size=1, max_size=8), st.integers(0, 99)),
    st.integers(0, 2**62),
    st.integers(0, 2**60),
    st.none() | st.binary(max_size=40),
    st.none() | st.binary(max_size=8),
    HEADERS,
    st.text(max_size=8),
)
REFUSAL = Refusal("map", "missing_id", "no id here", "order.id")


@given(ORIGINS, st.builds(Refusal, st.just("map"), st.text(max_size=9), st.text(max_size=20), st.none() | st.text()))
def test_a_letter_holds_its_record_untouched_and_says_why(origin: Origin, refusal: Refusal) -> None:
    (written,) = letters_of("letters", origin, [refusal])
    assert written.value == origin.value
    assert tuple(written.headers[: len(origin.headers)]) == origin.headers
    letter = read_letter(written.value, written.headers)
    assert letter is not None
    assert (letter.origin, letter.refusal, letter.pieces) == (origin, refusal, 1)
    assert letter.id.encode() == written.key


@given(ORIGINS)
def test_what_is_sent_round_again_says_where_it_stood(origin: Origin) -> None:
    (written,) = letters_of("letters", origin, [REFUSAL])
    letter = read_letter(written.value, written.headers)
    assert letter is not None
    sent = again("replayed", letter)
    assert (sent.topic, sent.key, sent.value) == ("replayed", written.key, origin.value)
    assert read_again(sent.value, sent.headers) == origin


@given(st.none() | st.binary(max_size=9), HEADERS)
def test_what_is_no_letter_is_no_letter_and_no_error(
    value: bytes | None, headers: tuple[tuple[str, bytes | None], ...]
):
    for read in (read_letter, read_again):
        found = read(value, headers)
        assert found is None or any(name == "cw-offset" for name, _ in headers)


def test_a_batch_of_bad_pieces_is_one_letter_for_each_reason() -> None:
    origin = Origin(Place("shop", 3), 7, 1, b"[1,2]")
    other = Refusal("map", "bad_time", "no time here")
    outputs = letters_of("letters", origin, [REFUSAL, REFUSAL, other, REFUSAL])
    letters = [read_letter(one.value, one.headers) for one in outputs]
    assert [(one.refusal.reason, one.pieces) for one in letters if one] == [("missing_id", 3), ("bad_time", 1)]
    assert len({one.key for one in outputs}) == 2


def test_the_same_record_failing_again_is_the_same_letter() -> None:
    origin = Origin(Place("shop", 3), 7, 1, b"{")
    (first,), (second,) = letters_of("a", origin, [REFUSAL]), letters_of("a", origin, [REFUSAL._replace(detail="x")])
    (elsewhere,) = letters_of("a", Origin(Place("shop", 3), 8, 1, b"{"), [REFUSAL])
    assert first.key == second.key != elsewhere.key


def test_a_mark_goes_to_every_partition_and_says_what_was_read() -> None:
    mark = Mark({"mail": {"mail.events/0": Reach(5, 6, 7), "mail.events/1": Reach(-(2**62), 0, 0)}}, "3", 8)
    records = mark_records("events", 3, mark)
    assert [(one.key, one.partition, one.headers) for one in records] == [
        (None, n, (("cw-kind", b"mark"),)) for n in range(3)
    ]
    assert {mark_of(one.value or b"") == mark for one in records} == {True}
    assert later(Reach(5, 6, 7), Reach(4, 9, 7)) == Reach(5, 9, 7)


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'{"by":"","of":1,"progress":{"a":{"b":[1]}}}'])
def test_what_is_no_mark_is_told(value: bytes) -> None:
    with pytest.raises(BadRecord, match="not a mark"):
        mark_of(value)
