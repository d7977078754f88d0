"""Instants and durations: RFC 3339 text and `1d12h` words to whole microseconds, and back.

Every instant in the program is an int of microseconds since 1970 UTC; further digits of a time are cut, not rounded.
"""

import re
from datetime import UTC, date, datetime

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_UNITS = {"ms": 1000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_DURATION = re.compile(r"([0-9]+)(ms|s|m|h|d|w)")
_DURATION_WHOLE = re.compile(r"(?:[0-9]{1,12}(?:ms|s|m|h|d|w))+")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:([Zz])|([+-])(\d\d):?(\d\d))")
_EPOCH_DAY = date(1970, 1, 1).toordinal()
TIME_MIN = (date(1, 1, 1).toordinal() - _EPOCH_DAY) * DAY
TIME_MAX = (date(9999, 12, 31).toordinal() - _EPOCH_DAY + 1) * DAY - 1
# Times come in the order in which things happened: many in one hour.
_REMEMBERED_MAX = 20_000
_CLOCK = [f"{second // 60:02d}:{second % 60:02d}" for second in range(3600)]
_SECONDS = {text: second * SECOND for second, text in enumerate(_CLOCK)}
_hours: dict[str, int] = {}
_zones: dict[str, int] = {"Z": 0, "+00:00": 0}
_hour_texts: dict[int, str] = {}


def parse_time(text: str) -> int:
    """The instant of an RFC 3339 text.

    Units:  microseconds since 1970 UTC; further digits are cut
    Raises: ValueError when it is no time, or a time without a zone
    """
    if len(text) >= 20 and type(text) is str:
        hour, second = _hours.get(text[:14]), _SECONDS.get(text[14:19])
        if hour is not None and second is not None:
            # What an hour of a day and a zone are worth is known once they were read.
            instant, zone = hour + second, text[19:]
            if zone == "Z":
                return instant
            if zone[:1] == ".":
                cut = -1 if zone[-1] == "Z" else -6
                digits, zone = zone[1:cut], zone[cut:]
                if not (digits.isdigit() and digits.isascii()):
                    return _parse_time_slowly(text)
                instant += int(digits[:6].ljust(6, "0"))
            ahead = _zones.get(zone)
            if ahead is not None and TIME_MIN <= instant - ahead <= TIME_MAX:
                return instant - ahead
    return _parse_time_slowly(text)


def _parse_time_slowly(text: str) -> int:
    found = _TIME.fullmatch(text)
    if found is None or not text.isascii():
        raise ValueError(f"not a time with a zone such as 2026-01-31T09:30:00Z: {text[:40]!r}")
    day_text, hour, minute, second, digits, _, sign, zone_hour, zone_minute = found.groups()
    if hour > "23" or minute > "59" or second > "59":
        raise ValueError(f"no such time of day: {text[:40]!r}")
    try:
        day = (date.fromisoformat(day_text).toordinal() - _EPOCH_DAY) * DAY
    except ValueError:
        raise ValueError(f"no such day: {text[:40]!r}") from None
    begin = day + int(hour) * HOUR
    if len(_hours) < _REMEMBERED_MAX:
        _hours[text[:14]] = begin
    instant = begin + _SECONDS[f"{minute}:{second}"] + int((digits or "0")[:6].ljust(6, "0"))
    if sign:
        if zone_hour > "23" or zone_minute > "59":
            raise ValueError(f"no such zone offset: {text[:40]!r}")
        ahead = (int(zone_hour) * 60 + int(zone_minute)) * (MINUTE if sign == "+" else -MINUTE)
        _zones[f"{sign}{zone_hour}:{zone_minute}"] = ahead
        instant -= ahead
    if not TIME_MIN <= instant <= TIME_MAX:
        raise ValueError(f"outside the years 1 to 9999: {text[:40]!r}")
    return instant


def format_time(instant: int) -> str:
    """An instant as RFC 3339 with Z; microseconds only when there are any.

    Units: microseconds since 1970 UTC
    """
    if not TIME_MIN <= instant <= TIME_MAX:
        instant = min(max(instant, TIME_MIN), TIME_MAX)
    hours, rest = divmod(instant, HOUR)
    seconds, micros = divmod(rest, SECOND)
    hour = _hour_texts.get(hours)
    if hour is None:
        day = date.fromordinal(hours // 24 + _EPOCH_DAY).isoformat().rjust(10, "0")
        hour = f"{day}T{hours % 24:02d}:"
        if len(_hour_texts) < _REMEMBERED_MAX:
            _hour_texts[hours] = hour
    return f"{hour}{_CLOCK[seconds]}.{micros:06d}Z" if micros else f"{hour}{_CLOCK[seconds]}Z"


def to_datetime(instant: int) -> datetime:
    """An instant as an aware UTC datetime, for libraries that need one."""
    days, rest = divmod(min(max(instant, TIME_MIN), TIME_MAX), DAY)
    seconds, micros = divmod(rest, SECOND)
    day = date.fromordinal(days + _EPOCH_DAY)
    return datetime(day.year, day.month, day.day, seconds // 3600, seconds // 60 % 60, seconds % 60, micros, UTC)


def parse_duration(text: str) -> int:
    """The length of a duration such as `90s`, `1d12h` or `2w`; a day is 24 hours.

    Units:  microseconds
    Raises: ValueError when it is no duration
    """
    if _DURATION_WHOLE.fullmatch(text) is None:
        raise ValueError(f"not a duration such as 10m, 72h or 1d12h: {text[:40]!r}")
    length = sum(int(count) * _UNITS[unit] for count, unit in _DURATION.findall(text))
    if length > 10_000 * 366 * DAY:
        raise ValueError(f"longer than ten thousand years: {text[:40]!r}")
    return length


def format_duration(length: int) -> str:
    """A duration as it would be written in a rule: `1d12h`, `10m`, `0s`.

    Units: microseconds
    """
    words: list[str] = []
    rest = abs(length)
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _UNITS[unit])
        if count:
            words.append(f"{count}{unit}")
    return ("-" if length < 0 else "") + ("".join(words) or "0s")
