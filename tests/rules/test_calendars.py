"""Open hours against a naive reading, and the hours that a clock skips or shows twice (RULES 24)."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.events.times import DAY, HOUR, MINUTE, TIME_MAX, TIME_MIN, format_time, parse_time
from coordwatch.rules.calendars import (
    TZDATA_VERSION,
    add_business_days,
    add_open,
    subtract_open,
    zone_named,
    zone_names,
)
from coordwatch.rules.parse import parse_shared
from coordwatch.rules.spec import Calendar
from tests.reference import calendars as naive

TEXTS: dict[str, dict[str, Any]] = {
    "desk": {
        "zone": "Europe/Paris",
        "weekly": {day: ["09:00-12:00", "13:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
        "holidays": ["2026-03-04", "2026-04-06"],
    },
    "night": {"zone": "America/New_York", "weekly": {"sat": ["22:00-24:00"], "sun": ["00:00-06:00", "06:00-06:30"]}},
    "kolkata": {"zone": "Asia/Kolkata", "weekly": {"wed": ["00:30-23:59"]}},
    "always": {
        "zone": "Pacific/Kiritimati",
        "weekly": {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
    },
}


def calendar(name: str, text: dict[str, Any]) -> Calendar:
    return parse_shared(str({"calendars": {name: text}}), "_shared.yaml").calendars[name]


CALENDARS = {name: calendar(name, text) for name, text in TEXTS.items()}
# Around both changes of the clock in Europe and in America, and around holidays.
starts = st.sampled_from(["2026-03-02", "2026-03-06", "2026-03-28", "2026-10-24", "2026-10-31", "2026-04-03"])
instants = st.builds(
    lambda day, hours, micros: parse_time(f"{day}T00:00:00Z") + hours * HOUR // 2 + micros,
    starts,
    st.integers(0, 200),
    st.sampled_from([0, 0, 1, -1, 7 * MINUTE]),
)
lengths = st.sampled_from([1, MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 7 * HOUR, 8 * HOUR, 40 * HOUR, 100 * HOUR])
names = st.sampled_from(sorted(CALENDARS))


@settings(max_examples=300)
@given(names, instants, lengths)
def test_statement_24_the_deadline_is_where_a_naive_count_ends(name: str, instant: int, length: int) -> None:
    assert add_open(CALENDARS[name], instant, length) == naive.add_open(instant, length, TEXTS[name])


@settings(max_examples=300)
@given(names, instants, lengths)
def test_statement_24_looking_back_is_the_latest_instant_with_enough_open_time(
    name: str, instant: int, length: int
) -> None:
    start = subtract_open(CALENDARS[name], instant, length)
    assert naive.open_between(start, instant, TEXTS[name]) == length
    assert naive.open_between(start + 1, instant, TEXTS[name]) < length


@settings(max_examples=300)
@given(names, instants, st.integers(0, 30))
def test_statement_24_business_days_are_counted_as_a_naive_count_does(name: str, instant: int, count: int) -> None:
    assert add_business_days(CALENDARS[name], instant, count) == naive.add_business_days(instant, count, TEXTS[name])


def test_statement_24_an_act_in_closed_time_starts_at_the_next_opening():
    desk = CALENDARS["desk"]
    friday_evening = parse_time("2026-02-27T19:00:00Z")
    assert format_time(add_open(desk, friday_evening, 10 * MINUTE)) == "2026-03-02T08:10:00Z"
    assert format_time(add_open(desk, friday_evening, 0)) == "2026-03-02T08:00:00Z"


def test_statement_24_the_deadline_may_equal_a_closing_edge():
    desk = CALENDARS["desk"]
    assert format_time(add_open(desk, parse_time("2026-03-02T09:00:00Z"), 2 * HOUR)) == "2026-03-02T11:00:00Z"
    assert format_time(add_open(desk, parse_time("2026-03-02T11:00:00Z"), 1)) == "2026-03-02T12:00:00.000001Z"


def test_statement_24_seven_business_days_pass_a_weekend_and_a_holiday():
    desk = CALENDARS["desk"]
    assert format_time(add_business_days(desk, parse_time("2026-03-27T09:00:00Z"), 7)) == "2026-04-08T08:00:00Z"
    assert format_time(add_business_days(desk, parse_time("2026-04-08T08:00:00Z"), -7)) == "2026-03-27T09:00:00Z"


@pytest.mark.parametrize(
    ("spans", "day", "opened"),
    [
        (["02:00-03:00"], "2026-03-29", 0),
        (["01:30-03:30"], "2026-03-29", 60),
        (["02:10-02:50"], "2026-03-29", 40),
        (["01:00-04:00"], "2026-10-25", 240),
    ],
)
def test_the_hour_a_clock_skips_or_shows_twice(spans, day, opened):
    night = calendar("night", {"zone": "Europe/Paris", "weekly": {"sun": spans}})
    before = parse_time(f"{day}T00:00:00Z") - 3 * HOUR
    if opened == 0:
        assert add_open(night, before, 1) > before + DAY
        return
    end = add_open(night, before, opened * MINUTE)
    assert end - before < DAY
    assert add_open(night, before, opened * MINUTE + 1) > before + DAY


def test_a_search_that_would_never_end_ends():
    assert add_open(CALENDARS["desk"], 0, 10**18) == TIME_MAX
    assert subtract_open(CALENDARS["desk"], 0, 10**18) == TIME_MIN
    assert add_business_days(CALENDARS["desk"], 0, 10**9) == TIME_MAX
    assert add_business_days(CALENDARS["desk"], 0, -(10**9)) == TIME_MIN
    for edge in (TIME_MIN, TIME_MAX):
        assert add_open(CALENDARS["always"], edge, 1) in (edge + 1, TIME_MAX, TIME_MIN + DAY + 1) or edge == TIME_MIN
        assert TIME_MIN <= subtract_open(CALENDARS["always"], edge, DAY) <= TIME_MAX
        assert TIME_MIN <= add_business_days(CALENDARS["always"], edge, 1) <= TIME_MAX


def test_zones_come_from_the_pinned_data_alone():
    assert TZDATA_VERSION[:2] == "20"
    assert "Europe/Paris" in zone_names()
    for name in ("Europe", "../Europe/Paris", "Europe/Paris/", "tzdata.zi", "", "europe/paris", "+25:00", "x" * 10_000):
        assert zone_named(name) is None
    paris, offset = zone_named("Europe/Paris"), zone_named("-08:30")
    assert paris is not None
    assert offset is not None
    assert len(list(itertools.islice(zone_names(), 400))) == 400


@pytest.mark.parametrize("name", sorted(zone_names())[::25])
def test_every_zone_can_be_read(name):
    assert zone_named(name) is not None
