"""Open hours and time zones: an instant and a calendar in, the instant at which open time is used up out (RULES 24).

Zone data come from the pinned `tzdata` package, never from the system, so that a calendar means the same everywhere.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata  # type: ignore[import-untyped]

from coordwatch.events.times import DAY, TIME_MAX, TIME_MIN, to_datetime
from coordwatch.rules.spec import Calendar

TZDATA_VERSION: str = tzdata.IANA_VERSION
# Far enough for any deadline of a rule, near enough that a hostile duration ends.
SEARCH_DAYS = 3_700
_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
_FIRST_DAY, _LAST_DAY = date(1, 1, 2).toordinal(), date(9999, 12, 30).toordinal()


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every name of a time zone in the pinned data."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@lru_cache(maxsize=2_000)
def zone_named(name: str) -> tzinfo | None:
    """The zone of an IANA name or of a fixed offset such as `+02:00`; None for anything else."""
    offset = _OFFSET.fullmatch(name)
    if offset:
        sign, hours, minutes = offset.groups()
        length = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(length if sign == "+" else -length)
    if name not in zone_names():
        return None
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def local_datetime(instant: int, zone: tzinfo) -> datetime | None:
    """An instant on the clock of a zone; None beyond the years 1 to 9999."""
    try:
        return to_datetime(instant).astimezone(zone)
    except OverflowError:
        return None


def add_open(calendar: Calendar, instant: int, length: int) -> int:
    """The instant at which `length` of open time after `instant` is used up; it may be a closing edge.

    Units: microseconds since 1970 UTC, and microseconds; the end of time when ten years are not enough
    """
    hours = _hours(calendar)
    for opens, closes in hours.spans_from(instant):
        opens = max(opens, instant)
        if closes - opens >= length:
            return opens + length
        length -= closes - opens
    return TIME_MAX


def subtract_open(calendar: Calendar, instant: int, length: int) -> int:
    """The latest instant from which there is `length` of open time until `instant`.

    Units: microseconds since 1970 UTC, and microseconds; the beginning of time when ten years are not enough
    """
    if length <= 0:
        return instant
    hours = _hours(calendar)
    for opens, closes in hours.spans_before(instant):
        closes = min(closes, instant)
        if closes - opens >= length:
            return closes - length
        length -= closes - opens
    return TIME_MIN


def add_business_days(calendar: Calendar, instant: int, count: int) -> int:
    """The same time of day, `count` days later, counting only days on which the calendar opens.

    Units: microseconds since 1970 UTC; the end of time when ten years are not enough
    """
    if count == 0:
        return instant
    hours = _hours(calendar)
    local = local_datetime(instant, hours.zone)
    if local is None or abs(count) > SEARCH_DAYS:
        return TIME_MAX if count > 0 else TIME_MIN
    step = 1 if count > 0 else -1
    day, left = local.date().toordinal(), abs(count)
    for _ in range(SEARCH_DAYS):
        day += step
        if not _FIRST_DAY <= day <= _LAST_DAY:
            break
        left -= bool(hours.spans(day))
        if left == 0:
            return hours.instant(day, local.time())
    return TIME_MAX if count > 0 else TIME_MIN


class OpenHours:
    """The open spans of one calendar, day by day, each worked out once."""

    def __init__(
        self, zone: tzinfo, weekly: tuple[tuple[int, tuple[tuple[int, int], ...]], ...], holidays: frozenset[str]
    ):
        self.zone = zone
        self.weekly = dict(weekly)
        self.holidays = holidays
        self._days: dict[int, tuple[tuple[int, int], ...]] = {}

    def spans(self, day: int) -> tuple[tuple[int, int], ...]:
        """The open spans that begin on a local day, as instants."""
        known = self._days.get(day)
        if known is None:
            if len(self._days) > 2 * SEARCH_DAYS:
                self._days.clear()
            known = self._days[day] = self._work_out(day)
        return known

    def _work_out(self, day: int) -> tuple[tuple[int, int], ...]:
        local = date.fromordinal(day)
        if local.isoformat() in self.holidays:
            return ()
        spans = [
            (self._edge(day, opens), self._edge(day, closes)) for opens, closes in self.weekly.get(local.weekday(), ())
        ]
        # Where a clock skips an hour in spring, a span may end before it begins: then it has no length.
        return tuple((opens, closes) for opens, closes in spans if opens < closes)

    def _edge(self, day: int, offset: int) -> int:
        days, rest = divmod(offset, DAY)
        seconds, micros = divmod(rest, 1_000_000)
        clock = time(seconds // 3600, seconds // 60 % 60, seconds % 60, micros)
        return self.instant(day + days, clock)

    def instant(self, day: int, clock: time) -> int:
        """The instant of a local day and time; a time that comes twice in autumn is the first of the two."""
        local = datetime.combine(date.fromordinal(day), clock.replace(tzinfo=None, fold=0), self.zone)
        return (local.astimezone(UTC) - _EPOCH) // _MICROSECOND

    def spans_from(self, instant: int) -> Iterator[tuple[int, int]]:
        """Every open span that ends after an instant, in order."""
        first = max(instant // DAY + _EPOCH_DAY - 1, _FIRST_DAY)
        for day in range(first, min(first + SEARCH_DAYS, _LAST_DAY + 1)):
            for opens, closes in self.spans(day):
                if closes > instant:
                    yield opens, closes

    def spans_before(self, instant: int) -> Iterator[tuple[int, int]]:
        """Every open span that begins before an instant, the latest first."""
        last = min(instant // DAY + _EPOCH_DAY + 1, _LAST_DAY)
        for day in range(last, max(last - SEARCH_DAYS, _FIRST_DAY - 1), -1):
            for opens, closes in reversed(self.spans(day)):
                if opens < instant:
                    yield opens, closes


def _hours(calendar: Calendar) -> OpenHours:
    return _cached_hours(calendar.zone, tuple(sorted(calendar.weekly.items())), calendar.holidays)


@lru_cache(maxsize=64)
def _cached_hours(
    zone: str, weekly: tuple[tuple[int, tuple[tuple[int, int], ...]], ...], holidays: frozenset[str]
) -> OpenHours:
    return OpenHours(zone_named(zone) or UTC, weekly, holidays)
