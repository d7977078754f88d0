"""Calendars, naively (RULES 24): an instant and a plain calendar dict enter, an instant leaves.

Decisions where RULES.md leaves a choice: edges are the local wall times of the zone (the first of two equal ones);
no open time at all within two years is an error; a business day is a local date with open hours that is no holiday;
`addBusinessDays` keeps the local time of day and never counts the starting date; zero days change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def edge(day: date, text: str, zone: ZoneInfo) -> int:
    hours, minutes = (int(part) for part in text.split(":"))
    if hours == 24:
        day, hours = day + timedelta(days=1), 0
    return micros(datetime.combine(day, time(hours, minutes), zone).astimezone(UTC))


def hours_of(day: date, calendar: Mapping[str, Any]) -> list[str]:
    if str(day) in [str(holiday) for holiday in calendar.get("holidays", [])]:
        return []
    return sorted(calendar["weekly"].get(DAYS[day.weekday()], []))


def local_date(us: int, calendar: Mapping[str, Any]) -> date:
    return (EPOCH + timedelta(microseconds=us)).astimezone(ZoneInfo(calendar["zone"])).date()


def open_times(start: int, calendar: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """Every [open, close) from the day before `start` on, oldest first."""
    zone, first = ZoneInfo(calendar["zone"]), local_date(start, calendar) - timedelta(days=1)
    for offset in range(740):
        for text in hours_of(first + timedelta(days=offset), calendar):
            opening, closing = text.split("-")
            yield (
                edge(first + timedelta(days=offset), opening, zone),
                edge(first + timedelta(days=offset), closing, zone),
            )


def add_open(start: int, span: int, calendar: Mapping[str, Any]) -> int:
    """The instant at which `span` of open time from `start` is used up."""
    left = span
    for opening, closing in open_times(start, calendar):
        begin = max(opening, start)
        if begin < closing and left <= closing - begin:
            return begin + left
        left -= max(0, closing - begin)
    raise ValueError("the calendar never opens")


def open_between(start: int, end: int, calendar: Mapping[str, Any]) -> int:
    """How much of [start, end) is open."""
    total = 0
    for opening, closing in open_times(start, calendar):
        if opening >= end:
            break
        total += max(0, min(closing, end) - max(opening, start))
    return total


def add_business_days(start: int, count: int, calendar: Mapping[str, Any]) -> int:
    """The same local time of day, `count` business days later."""
    if count == 0:
        return start
    zone = ZoneInfo(calendar["zone"])
    local = (EPOCH + timedelta(microseconds=start)).astimezone(zone)
    day, left = local.date(), count
    while left:
        day += timedelta(days=1)
        left -= bool(hours_of(day, calendar))
    return micros(datetime.combine(day, local.time(), zone).astimezone(UTC))
