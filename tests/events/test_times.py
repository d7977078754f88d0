"""Instants: what a text says is the same whatever was read before it, and what the calendar says."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from coordwatch.events import times
from coordwatch.events.times import TIME_MAX, TIME_MIN, parse_time

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59)
MARKS = st.sampled_from([*"Zz.+-:059 ", "٣", ""])


def read(text: str) -> int | str:
    try:
        return parse_time(text)
    except ValueError as error:
        return str(error)


@st.composite
def texts(draw: st.DrawFn) -> str:
    moment = draw(st.datetimes())
    digits = draw(st.sampled_from([0, 1, 3, 6]))
    fraction = f".{moment.microsecond:06d}"[: digits + 1] if digits else ""
    ahead = draw(OFFSETS)
    sign, minutes = "-" if ahead < 0 else "+", abs(ahead)
    zone = draw(st.sampled_from(["Z", f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"]))
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}{fraction}{zone}"


@given(texts())
def test_a_time_is_what_the_calendar_says(text: str) -> None:
    moment = datetime.fromisoformat(text)
    zone = moment.utcoffset() or timedelta()
    # By hand, since a datetime cannot leave the years 1 to 9999 on its way to UTC.
    length = moment.replace(tzinfo=UTC) - EPOCH - zone
    instant = (length.days * 86_400 + length.seconds) * 1_000_000 + length.microseconds
    wanted = instant if TIME_MIN <= instant <= TIME_MAX else f"outside the years 1 to 9999: {text!r}"
    assert read(text) == read(text) == wanted


@given(texts(), st.integers(14, 32), MARKS, st.booleans())
def test_what_was_read_before_changes_nothing(text: str, at: int, mark: str, instead: bool) -> None:
    """Hours and zones are remembered; a text that is no time must not become one by what is known of its beginning."""
    odd = text[:at] + mark + text[at + instead :]
    times._hours.clear()
    cold = read(odd)
    parse_time(f"{text[:14]}00:00Z")
    assert read(odd) == cold
