"""The limit on dead letters: when a partition stops, what it says, and how it goes on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coordwatch.processor.letter_limit import LetterLimit, Window
from coordwatch.sources.mapper import Mapper
from tests.processor.ingest import (
    CRM,
    CRM_SOURCE,
    MAIL,
    MAIL_SOURCE,
    TOPICS,
    Line,
    Process,
    Shore,
    canonical,
    mail,
    site,
    source,
)
from tests.sources.build import LINKED, mapping, simple

BAD, GOOD = Line(b"{"), canonical("1", subject="C-1")
STRICT = LetterLimit(ratio=0.2, of=10, consecutive=3)


def taken(log: list[Line], limit: LetterLimit = STRICT) -> int:
    return Process(site(CRM_SOURCE, limit=limit), Shore(), [CRM]).take(CRM, log, len(log))


def test_as_many_in_a_row_as_the_limit_says_and_no_more() -> None:
    assert taken([BAD] * 3) == 3
    assert taken([BAD] * 5) == 3
    assert taken([GOOD, BAD, BAD, BAD, GOOD, BAD]) == 6, "a good record ends the row"


def test_a_share_of_the_last_records_and_no_more() -> None:
    some = [GOOD, GOOD, BAD, GOOD, GOOD, BAD, GOOD, GOOD, GOOD, GOOD]
    assert taken([*some, BAD]) == 10
    assert taken([*some, GOOD, GOOD, BAD, BAD]) == 13, "the first bad one is not among the last ten any more"
    assert taken([BAD, GOOD, BAD, GOOD, BAD, GOOD]) == 6, "too few were seen to speak of a share"


def test_by_default_one_in_twenty_of_a_thousand_or_a_hundred_in_a_row() -> None:
    assert taken([BAD] * 101, LetterLimit()) == 100
    assert taken([*[GOOD] * 1000, *[BAD] * 60], LetterLimit()) == 1050


def test_a_stopped_partition_says_where_why_and_what_to_do() -> None:
    process = Process(site(MAIL_SOURCE, limit=STRICT), Shore(), [MAIL])
    odd = mail({"event": "teleported"})
    assert process.take(MAIL, [mail({}), odd, BAD, odd, odd], 5) == 4
    assert process.stage.stopped == {
        MAIL: (
            "sendgrid.events/1 stands at offset 4: 4 records in a row could not be used, most often because of "
            "map.not_recognised. Nothing is lost: what was refused is listed by 'coordwatch dead-letters list --topic "
            "sendgrid.events'. Correct the mapping 'sendgrid' and start again, which tries this record anew; or, to go on "
            "as it is, raise kafka.dead_letter_limit"
        )
    }
    process.give()
    assert process.shore.tallies()["sendgrid.events/1"]["dead_lettered"] == 3
    process.stage.revoke([MAIL])
    assert process.stage.stopped == {}


def test_one_stopped_partition_stops_no_other() -> None:
    process = Process(site(MAIL_SOURCE, CRM_SOURCE, limit=STRICT), Shore(), [MAIL, CRM])
    assert process.take(MAIL, [BAD] * 9, 9) == 3
    assert process.take(CRM, [GOOD] * 9, 9) == 9


def test_a_restart_forgets_nothing_and_tries_the_same_record_again() -> None:
    chosen, shore, log = site(CRM_SOURCE, limit=STRICT), Shore(), [BAD] * 5
    process = Process(chosen, shore, [CRM])
    process.take(CRM, log, 2)
    process.give()
    process = Process(chosen, shore, [CRM])
    assert process.take(CRM, log, 3) == 1
    process.give()
    for _ in range(3):
        process = Process(chosen, shore, [CRM])
        assert process.take(CRM, log, 3) == 0
        assert "offset 3" in process.stage.stopped[CRM]
        process.give()
    assert len(shore.on(TOPICS.dead_letters)) == 3


def test_a_raised_limit_goes_on_from_the_stopped_record() -> None:
    shore, log = Shore(), [BAD] * 6
    process = Process(site(CRM_SOURCE, limit=STRICT), shore, [CRM])
    process.take(CRM, log, 6)
    process.give()
    process = Process(site(CRM_SOURCE, limit=LetterLimit(1.0, 10, 100)), shore, [CRM])
    assert process.take(CRM, log, 6) == 3
    process.give()
    shore.check_the_books()
    assert shore.tallies()["crm.events/0"]["dead_lettered"] == 6


def test_a_corrected_mapping_goes_on_from_the_stopped_record() -> None:
    chosen, shore = site(source("crm.events", "tool"), limit=STRICT), Shore()
    line = Line(b'{"number": "1", "at": "2026-01-31T09:30:00Z", "email": "mina@example.com", "customer": "C-1"}')
    process = Process(chosen, shore, [CRM], simple())
    assert process.take(CRM, [line] * 20, 20) == 3
    process.give()
    text = "id: number\ntime: {path: at, format: iso}\nidentifiers: [{type: customer_id, path: customer}]\n"
    fixed = Mapper([mapping(text + LINKED)])
    process = Process(chosen, shore, [CRM], fixed)
    assert process.take(CRM, [line] * 20, 20) == 17
    process.give()
    shore.check_the_books()
    assert len(shore.on(TOPICS.events)) == 17


@given(
    st.lists(st.booleans(), max_size=60),
    st.builds(LetterLimit, st.sampled_from([0.1, 0.3, 1.0]), st.integers(1, 12), st.integers(1, 12)),
)
def test_the_window_counts_what_a_list_would_count_and_survives_its_row(bad: list[bool], limit: LetterLimit) -> None:
    window, past = Window(), list[bool]()
    for is_bad in bad:
        row = (*past, True)
        in_a_row = next((n for n, one in enumerate(reversed(past)) if not one), len(past))
        share = sum(row[-limit.of :]) > limit.ratio * limit.of and len(row) >= limit.of
        assert (window.breaks(limit) is not None) is (in_a_row >= limit.consecutive or share)
        window.note("map.bad_time" if is_bad else None, limit)
        past.append(is_bad)
        window = Window(window.plain())
    assert len(window.plain()["bits"]) <= limit.of // 8 + 1
