"""Hours: when a way is open, in Alertmanager's words: times of day, days of the week, of the month, months, years, a place.

What enters: an instant.
What leaves: whether it lies within, and when that changes next.
The next room: `route`, which lets alerts wait for open hours.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from coordwatch.events.times import MINUTE
from coordwatch.rules.calendars import local_datetime

# Most hours open within days; only for the rest a whole year is looked through.
_LOOKS = (9, 400)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Span:
    """Which instants are meant: all conditions must hold, of each list one range. Nothing listed means every one.

    `times` are minutes of the day, the end left out; `weekdays` count from Monday, 0; `days` of the month may be counted from
    its end, -1 being the last. Ranges hold both ends but for `times`.
    """

    zone: tzinfo
    times: tuple[Range, ...] = ()
    weekdays: tuple[Range, ...] = ()
    days: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()

    def holds(self, instant: int) -> bool:
        """Whether an instant is meant. Units: microseconds since 1970 UTC."""
        local = local_datetime(instant, self.zone)
        if local is None or not self._day(local.date()):
            return False
        minute = local.hour * 60 + local.minute
        return not self.times or any(first <= minute < end for first, end in self.times)

    def _day(self, day: date) -> bool:
        _, length = monthrange(day.year, day.month)
        return (
            _within(self.weekdays, day.weekday())
            and _within(self.months, day.month)
            and _within(self.years, day.year)
            and _within([_month_day(one, length) for one in self.days], day.day)
        )

    def edges(self, instant: int, days: int) -> Iterator[int]:
        """Every instant of so many days, from the day before this one on, at which something may change, in order."""
        local = local_datetime(instant, self.zone)
        if local is None:
            return
        minutes = sorted({0, *(edge % 1440 for one in self.times for edge in one)})
        for ahead in range(-1, days):
            day = local.date() + timedelta(days=ahead)
            for minute in minutes:
                yield _instant(datetime.combine(day, time(minute // 60, minute % 60), self.zone))


def _month_day(one: Range, length: int) -> Range:
    first, last = (length + 1 + edge if edge < 0 else edge for edge in one)
    return max(first, 1), min(last, length)


def _within(ranges: Sequence[Range], value: int) -> bool:
    return not ranges or any(first <= value <= last for first, last in ranges)


def _instant(local: datetime) -> int:
    return (local.astimezone(UTC) - _EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours with a name: within when one of its spans holds."""

    name: str
    spans: tuple[Span, ...]

    def holds(self, instant: int) -> bool:
        """Whether an instant lies within. Units: microseconds since 1970 UTC."""
        return any(one.holds(instant) for one in self.spans)


def is_open(active: Sequence[Hours], mute: Sequence[Hours], instant: int) -> bool:
    """Whether a way is open: within one of the active hours, where there are any, and within none of the mute ones."""
    return (not active or any(one.holds(instant) for one in active)) and not any(one.holds(instant) for one in mute)


def opens_at(active: Sequence[Hours], mute: Sequence[Hours], instant: int) -> int | None:
    """The first instant from this one on at which a way is open; None when it is not within a year.

    Units: microseconds since 1970 UTC, exact to the minute
    """
    if is_open(active, mute, instant):
        return instant
    before = instant
    for days in _LOOKS:
        for edge in _edges((*active, *mute), before, days):
            if is_open(active, mute, edge):
                return _first_open(active, mute, before, edge)
            before = edge
    return None


def _edges(hours: Sequence[Hours], instant: int, days: int) -> list[int]:
    found = {edge for one in hours for span in one.spans for edge in span.edges(instant, days)}
    return sorted(edge for edge in found if edge > instant)


def _first_open(active: Sequence[Hours], mute: Sequence[Hours], shut: int, opened: int) -> int:
    """Between two edges nothing changes but where a clock is put forward: then it opens at that moment."""
    while opened - shut > MINUTE:
        middle = (shut + opened) // 2 // MINUTE * MINUTE
        if not shut < middle < opened:
            break
        if is_open(active, mute, middle):
            opened = middle
        else:
            shut = middle
    return opened
