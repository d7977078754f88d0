"""The zoo of timestamps: what a tool writes as a time, to an instant.

What enters: a number or a text, and the name of its format. What leaves: whole microseconds since 1970 UTC, or None.
The next room: `values` for times inside the data, `stamps` for the time of the event itself.
"""

import functools
import importlib.resources
import math
import re
import zoneinfo
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from coordwatch.events.times import DAY, SECOND, TIME_MAX, TIME_MIN, parse_time

ReadTime = Callable[[Any], int | None]
_NUMBER = re.compile(r"\s*(-?)([0-9]{1,20})(?:\.([0-9]{1,20}))?\s*")
_UTC = re.compile(r"\s*(?:UTC|GMT)$")
_SPACED_ZONE = re.compile(r"\s+(?=(?:[+-][0-9]{2}:?[0-9]{2}|Z)$)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_EPOCH = 10**20
_DATE = re.compile(r"\s*([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})\s*")
_DIRECTIVES = ("%Y", "%y", "%m", "%b", "%B", "%d", "%H", "%I", "%p", "%M", "%S", "%f", "%z", "%a", "%A", "%%")
_DIRECTIVE = re.compile("|".join(_DIRECTIVES))
_TIME_OF_DAY = ("%H", "%I")
_DAYS = tuple((year, month, "%d") for year in ("%Y", "%y") for month in ("%m", "%b", "%B"))
# The first day of the epoch and the last year of the calendar are how tools write "no date".
EARLIEST = DAY
LATEST = parse_time("9999-01-01T00:00:00Z")


def is_placeholder(instant: int) -> bool:
    """Tell whether an instant stands for "never" or "none", such as the year 1, 0 or 9999-12-31."""
    return not EARLIEST <= instant < LATEST


def _epoch(numerator: int, denominator: int = 1) -> ReadTime:
    def read(value: Any) -> int | None:
        if isinstance(value, bool):
            return None
        if isinstance(value, int):
            return _bounded(value * numerator // denominator)
        if isinstance(value, float):
            scaled = value * numerator / denominator
            return _bounded(round(scaled)) if math.isfinite(scaled) else None
        found = _NUMBER.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return None
        # Digit by digit: a float would lose the microseconds of a long text.
        digits = int(found[2]) * 10**20 + int((found[3] or "").ljust(20, "0"))
        instant = digits * numerator // (denominator * 10**20)
        return _bounded(-instant if found[1] else instant)

    return read


def _bounded(instant: int) -> int | None:
    return instant if TIME_MIN <= instant <= TIME_MAX else None


def read_iso(value: Any) -> int | None:
    """Read a time with its zone: `T` or a blank between, `Z`, `UTC` or an offset, with or without a blank before it."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    text = value.strip()
    try:
        return parse_time(text)
    except ValueError:
        text = _SPACED_ZONE.sub("", _UTC.sub("Z", text))
    try:
        return parse_time(text)
    except ValueError:
        return _lenient(text)


def _lenient(text: str) -> int | None:
    try:
        return _instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def _instant(moment: datetime) -> int | None:
    if moment.tzinfo is None:
        return None
    length = moment - _EPOCH
    return (length.days * 86_400 + length.seconds) * SECOND + length.microseconds


def _read_rfc2822(value: Any) -> int | None:
    if not isinstance(value, str) or len(value) > 100:
        return None
    try:
        return _instant(parsedate_to_datetime(value))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


@functools.cache
def zone(name: str) -> zoneinfo.ZoneInfo:
    """Give a time zone from the pinned `tzdata` package, so that a local time means the same on every machine.

    Raises: ValueError when there is no such zone
    """
    if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", name):
        raise ValueError(f"no time zone is called '{name}'")
    place = importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    if not place.is_file():
        raise ValueError(f"no time zone is called '{name}'")
    with place.open("rb") as file:
        return zoneinfo.ZoneInfo.from_file(file, key=name)


def _any_epoch(value: Any) -> int | None:
    """Read an epoch whose unit nobody says, by its size: each unit covers the years from 1973 to 5138."""
    seconds = _epoch(SECOND)(value)
    size = abs(seconds) // SECOND if seconds is not None else _size(value)
    for limit, read in _BY_SIZE:
        if size < limit:
            return read(value)
    return None


def _size(value: Any) -> int:
    """How large a number is that is no time in seconds."""
    if isinstance(value, str) and (found := _NUMBER.fullmatch(value)):
        return int(found[2])
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return abs(int(value))
    return _NO_EPOCH


def _epoch_days(value: Any) -> int | None:
    """Read the days since 1970, as Debezium and Avro write a date."""
    return _bounded(value * DAY) if isinstance(value, int) and not isinstance(value, bool) else None


def _date(zone_name: str) -> ReadTime:
    """Make the reader of a date without a time of day: the beginning of that day in a zone."""
    here = zone(zone_name)

    def read(value: Any) -> int | None:
        found = _DATE.fullmatch(value) if isinstance(value, str) and len(value) <= 20 else None
        if found is None:
            return None
        try:
            return _instant(datetime(int(found[1]), int(found[3]), int(found[4]), tzinfo=here))
        except (ValueError, OverflowError):
            return None

    return read


def _patterned(pattern: str, zone_name: str) -> ReadTime:
    """Make the reader of a pattern such as `%d/%m/%Y %H:%M`; a zone in the text wins over the one configured."""
    here = zone(zone_name)

    def read(value: Any) -> int | None:
        if not isinstance(value, str) or len(value) > 100:
            return None
        try:
            moment = datetime.strptime(value.strip(), pattern)  # noqa: DTZ007  (the zone follows)
            return _instant(moment if moment.tzinfo else moment.replace(tzinfo=here))
        except (ValueError, OverflowError):
            return None

    return read


def _local(zone_name: str) -> ReadTime:
    here = zone(zone_name)

    def read(value: Any) -> int | None:
        if not isinstance(value, str) or len(value) > 64:
            return None
        try:
            moment = datetime.fromisoformat(value.strip())
            return _instant(moment if moment.tzinfo else moment.replace(tzinfo=here))
        except (ValueError, OverflowError):
            return None

    return read


UNITS: Mapping[str, int] = {"epoch_s": SECOND, "epoch_ms": 1000, "epoch_us": 1}
"""The formats of a number whose unit is so many microseconds long."""

FORMATS: Mapping[str, ReadTime] = {
    "iso": read_iso,
    "epoch_any": _any_epoch,
    **{name: _epoch(unit) for name, unit in UNITS.items()},
    "epoch_ns": _epoch(1, 1000),
    "epoch_days": _epoch_days,
    "rfc2822": _read_rfc2822,
}
_BY_SIZE = (
    (10**11, FORMATS["epoch_s"]),
    (10**14, FORMATS["epoch_ms"]),
    (10**17, FORMATS["epoch_us"]),
    (_NO_EPOCH, FORMATS["epoch_ns"]),
)
_IN_A_ZONE: Mapping[str, Callable[[str], ReadTime]] = {"local": _local, "date": _date}
FORMAT_NAMES = (*FORMATS, *_IN_A_ZONE)


def is_pattern(name: str) -> bool:
    """Tell whether a format is a pattern of its own, such as `%d/%m/%Y %H:%M`."""
    return "%" in name


def takes_zone(name: str) -> bool:
    """Tell whether what a format reads may stand without a zone, so that the mapping has to name one."""
    return name in _IN_A_ZONE or is_pattern(name)


def is_date(name: str) -> bool:
    """Tell whether a format says the day only, and not when on it."""
    return name in ("date", "epoch_days") or (is_pattern(name) and not any(word in name for word in _TIME_OF_DAY))


def time_reader(name: str, zone_name: str | None = None) -> ReadTime:
    """Give the reader of a format; one that `takes_zone` needs the name of it.

    Raises: ValueError when there is no such format or zone
    """
    if is_pattern(name):
        _try_pattern(name)
        return _patterned(name, zone_name or "")
    make = _IN_A_ZONE.get(name)
    return FORMATS[name] if make is None else make(zone_name or "")


def _try_pattern(pattern: str) -> None:
    """Raises: ValueError when a pattern cannot be used, or does not say the day."""
    if len(pattern) > 60 or _DIRECTIVE.sub("", pattern).count("%"):
        raise ValueError(f"'{pattern[:60]}' is no pattern for times: it may use {' '.join(_DIRECTIVES)}")
    if not any(all(word in pattern for word in words) for words in _DAYS):
        raise ValueError(f"the pattern '{pattern}' does not say the day: it wants %Y, %m (or %b, %B) and %d")
