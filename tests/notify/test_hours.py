"""Hours: within or not as the clock on the wall there says, and the first instant at which they begin."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.events.times import DAY, MINUTE, parse_time, to_datetime
from coordwatch.notify.hours import Hours, Span, is_open, opens_at
from coordwatch.rules.calendars import zone_named

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
OFFICE = Hours("office", (Span(zone_named("Europe/Berlin"), times=((540, 1080),), weekdays=((0, 4),)),))
MINUTES = st.integers(0, 1439)
SPANS = st.builds(
    Span,
    zone=st.sampled_from(ZONES).map(zone_named),
    times=st.lists(
        st.tuples(MINUTES, st.integers(1, 400)).map(lambda one: (one[0], min(1440, sum(one)))), max_size=2
    ).map(tuple),
    weekdays=st.sampled_from([(), ((0, 4),), ((5, 6),), ((2, 2), (4, 4))]),
    days=st.sampled_from([(), ((1, 15),), ((-3, -1),), ((10, -10),), ((29, 31),)]),
    months=st.sampled_from([(), ((2, 3),), ((12, 12),)]),
)
HOURS = st.lists(st.builds(Hours, st.just("h"), st.lists(SPANS, min_size=1, max_size=2).map(tuple)), max_size=2)
# A whole year around both changes of the clock.
INSTANTS = st.integers(parse_time("2026-01-01T00:00:00Z") // MINUTE, parse_time("2027-01-01T00:00:00Z") // MINUTE)


@settings(max_examples=60)
@given(HOURS, HOURS, INSTANTS, st.data())
def test_hours_begin_at_the_first_minute_at_which_they_hold(active, mute, minute, data):
    now = minute * MINUTE
    opens = opens_at(active, mute, now)
    if is_open(active, mute, now):
        assert opens == now
        return
    end = now + 30 * DAY if opens is None else opens
    if opens is not None:
        assert is_open(active, mute, opens)
        assert not is_open(active, mute, opens - MINUTE)
    between = data.draw(st.lists(st.integers(now // MINUTE, end // MINUTE - 1), max_size=30))
    assert not any(is_open(active, mute, one * MINUTE) for one in between)


@settings(max_examples=60)
@given(SPANS, INSTANTS)
def test_a_span_holds_as_the_clock_on_the_wall_there_says(span, minute):
    local = to_datetime(minute * MINUTE).astimezone(span.zone)
    tomorrow_month = (
        datetime(local.year + local.month // 12, local.month % 12 + 1, 1, tzinfo=UTC)
        - datetime(local.year, local.month, 1, tzinfo=UTC)
    ).days
    from_end = local.day - tomorrow_month - 1

    def day(first, last):
        return (local.day >= first if first > 0 else from_end >= first) and (
            local.day <= last if last > 0 else from_end <= last
        )

    expected = (
        (not span.times or any(first <= local.hour * 60 + local.minute < end for first, end in span.times))
        and (not span.weekdays or any(first <= local.weekday() <= last for first, last in span.weekdays))
        and (not span.months or any(first <= local.month <= last for first, last in span.months))
        and (not span.days or any(day(*one) for one in span.days))
    )
    assert span.holds(minute * MINUTE) == expected


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-02T07:59:00Z", "2026-03-02T08:00:00Z"),
        ("2026-03-02T17:00:00Z", "2026-03-03T08:00:00Z"),
        ("2026-03-27T17:00:00Z", "2026-03-30T07:00:00Z"),  # summer time began on the Sunday between
        ("2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z"),
    ],
)
def test_office_hours_begin_by_the_clock_of_their_place(now, opens):
    assert opens_at([OFFICE], [], parse_time(now)) == parse_time(opens)
    assert is_open([], [OFFICE], parse_time(opens)) is False


def test_a_time_that_the_clock_leaps_over_begins_with_the_leap():
    leap = Hours("leap", (Span(zone_named("Europe/Berlin"), times=((150, 240),), days=((29, 29),), months=((3, 3),)),))
    assert opens_at([leap], [], parse_time("2026-03-29T00:00:00Z")) == parse_time("2026-03-29T01:00:00Z")


def test_hours_that_never_come_are_said_so():
    never = Hours("never", (Span(zone_named("UTC"), years=((1999, 1999),)),))
    assert opens_at([never], [], parse_time("2026-03-02T08:00:00Z")) is None
