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


FORMATS: Mapping[str, ReadTime] = {
    "iso": read_iso,
    "epoch_s": _epoch(SECOND),
    "epoch_ms": _epoch(1000),
    "epoch_us": _epoch(1),
    "epoch_ns": _epoch(1, 1000),
    "rfc2822": _read_rfc2822,
}
FORMAT_NAMES = (*FORMATS, "local")


def time_reader(name: str, zone_name: str | None = None) -> ReadTime:
    """Give the reader of a format; `local` needs the name of a zone.

    Raises: ValueError when there is no such format or zone
    """
    if name == "local":
        return _local(zone_name or "")
    return FORMATS[name]
