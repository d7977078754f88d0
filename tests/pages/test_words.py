"""Words of the pages: ages, rates with their interval, what an event says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.adapters.pages.alert import DONE_WORDS
from coordwatch.adapters.pages.trail import _DONE
from coordwatch.adapters.pages.words import (
    about_words,
    age_words,
    event_words,
    interval_words,
    number_words,
    percent_words,
    rate_words,
    short_words,
    wilson,
)
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.audit.deed import DeedKind
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND, parse_time

NOON = parse_time("2026-03-03T12:00:00Z")


def test_a_rate_names_its_denominator() -> None:
    """From 200 on the counts are enough; below, the interval is said too."""
    assert "3.1 % (41 of 1\u202f322)" == rate_words(41, 1322)
    assert "7.0 % (3 of 43; 95 % interval 2.4 to 18.6 %)" == rate_words(3, 43)
    assert "nothing counted yet" == rate_words(0, 0)
    assert "" == interval_words(4, 200)
    assert interval_words(4, 199).startswith("95 % interval")


def test_the_interval_is_the_one_in_the_books() -> None:
    """Known values: 0 of 10 and 10 of 10 are mirror images, and neither is a point."""
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_interval_holds_the_rate(part: int, whole: int) -> None:
    """Whatever the counts, even senseless ones: inside 0 to 1, around the rate."""
    low, high = wilson(part, whole)
    assert 0.0 <= low <= high <= 1.0
    if whole:
        assert low - 1e-9 <= min(part, whole) / whole <= high + 1e-9


def test_small_shares_keep_a_digit_that_says_something() -> None:
    """A rate of 0.0 % with conflicts in it would be a lie."""
    assert ["0.0 %", "0.042 %", "0.42 %", "4.2 %"] == [percent_words(share) for share in (0, 0.00042, 0.0042, 0.042)]


def test_ages_are_said_to_the_minute() -> None:
    """Seconds only below a minute; what lies ahead is said as such."""
    ages = [age_words(NOON, NOON - length) for length in (0, 40 * SECOND, 3 * MINUTE + 7 * SECOND, 2 * HOUR, 3 * DAY)]
    assert ["now", "40 s ago", "3 min ago", "2 h ago", "3 days ago"] == ages
    assert "in 4 h" == age_words(NOON, NOON + 4 * HOUR)


def test_an_instant_of_today_is_a_time_of_day() -> None:
    """Another day is named."""
    assert ["11:30", "2 Mar 12:00"] == [short_words(NOON - 30 * MINUTE, NOON), short_words(NOON - DAY, NOON)]


def test_numbers_do_not_break() -> None:
    """The space between thousands is one that no line breaks at."""
    assert "1\u202f234\u202f567" == number_words(1_234_567)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_type_has_words(name: str) -> None:
    """With no field at all and with every closed value, each canonical type says something readable."""
    bare = event_words(name, {})
    assert bare
    assert "." not in bare
    assert "{" not in bare
    for field, kind in TYPES[name].fields.items():
        for value in kind.values:
            words = event_words(name, {field: value})
            assert words
            assert "_" not in words


def test_events_are_called_what_people_call_them() -> None:
    """The words that stand in the lanes."""
    sent = "marketing.message.sent"
    assert "promotion sent" == event_words(sent, {"category": "promotional", "purpose": "promo"})
    assert "delay notice sent" == event_words(sent, {"category": "transactional", "purpose": "delay_notice"})
    assert "transactional message sent" == event_words(sent, {"category": "transactional"})
    assert "complaint opened" == event_words("service.case.opened", {"kind": "complaint"})
    assert "unheard" == event_words("some.vendor.unheard", {})


def test_what_an_event_is_about_names_a_few_things() -> None:
    """The first refs in the order in which people recognise them; a list says how many more."""
    data = {"message": "M1", "order": ["O1", "O2"], "campaign": "Spring sale"}
    assert "campaign Spring sale, order O1 and 1 more" == about_words(data)
    assert "" == about_words({"kind": "complaint"})
    assert "item MUG-1 and 1 more" == about_words({"items": [{"sku": "MUG-1"}, {"sku": "MUG-2"}, {"quantity": 1}]})
    assert "campaign Spring sale" == about_words({"campaign": "Spring sale", "message": "M1"})
    assert "message M1" == about_words({"message": "M1"})


def test_nothing_that_can_be_done_is_shown_by_the_name_that_the_program_has_for_it() -> None:
    assert set(AlertAction) <= set(DONE_WORDS)
    assert {kind.value.partition(".")[2] for kind in DeedKind} <= set(_DONE)
