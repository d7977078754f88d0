"""The zoo of timestamps, each to the same microsecond."""

from typing import Any

import pytest

from coordwatch.events.times import parse_time
from coordwatch.sources.timestamps import is_date, is_placeholder, takes_zone, time_reader, zone

NOON = parse_time("2025-10-09T12:00:00Z")


@pytest.mark.parametrize(
    ("name", "value", "after"),
    [
        ("epoch_s", 1760011200, 0),
        ("epoch_s", "1760011200", 0),
        ("epoch_s", 1760011200.25, 250_000),
        ("epoch_s", "1760011200.2500019", 250_001),
        ("epoch_s", " 1760011200 ", 0),
        ("epoch_ms", 1760011200001, 1000),
        ("epoch_ms", "1760011200001", 1000),
        ("epoch_us", 1760011200000001, 1),
        ("epoch_ns", 1760011200000001999, 1),
        ("epoch_ns", "1760011200000001999", 1),
        ("iso", "2025-10-09T12:00:00Z", 0),
        ("iso", "2025-10-09T12:00:00.123456789Z", 123_456),
        ("iso", "2025-10-09T14:00:00+02:00", 0),
        ("iso", "2025-10-09 12:00:00 +00:00", 0),
        ("iso", "2025-10-09 12:00:00 UTC", 0),
        ("iso", "2025-10-09 12:00:00UTC", 0),
        ("iso", "20251009T120000Z", 0),
        ("iso", "2025-10-09T12:00Z", 0),
        ("rfc2822", "Thu, 09 Oct 2025 14:00:00 +0200", 0),
        ("rfc2822", "Thu, 09 Oct 2025 12:00:00 GMT", 0),
        ("rfc2822", "09 Oct 2025 05:00:00 -0700 (PDT)", 0),
        ("epoch_any", 1760011200, 0),
        ("epoch_any", "1760011200.25", 250_000),
        ("epoch_any", 1760011200.25, 250_000),
        ("epoch_any", 1760011200001, 1000),
        ("epoch_any", "1760011200000001", 1),
        ("epoch_any", 1760011200000001999, 1),
        ("%Y-%m-%dT%H:%M:%S%z", "2025-10-09T14:00:00+0200", 0),
    ],
)  # fmt: skip
def test_each_format_gives_the_same_instant(name: str, value: Any, after: int) -> None:
    assert NOON + after == time_reader(name, "UTC" if takes_zone(name) else None)(value)


def test_a_local_time_is_read_in_its_zone_in_summer_and_winter() -> None:
    read = time_reader("local", "Europe/Paris")
    assert NOON == read("2025-10-09 14:00:00")
    assert parse_time("2025-12-09T12:00:00Z") == read("2025-12-09T13:00:00")
    assert NOON == read("2025-10-09T12:00:00+00:00"), "a zone in the text wins"


@pytest.mark.parametrize(
    "name",
    ["iso", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "epoch_any", "epoch_days", "rfc2822", "local", "date", "%d.%m.%Y %H:%M"],
)  # fmt: skip
@pytest.mark.parametrize(
    "value",
    [None, True, False, [], {}, [1], "", "-", "abc", "1e5", 1e308, -1e308, 10**30, "9" * 400, "2025-13-45T99:99:99Z",
     "Thu, 99 Foo 20255 14:00:00 +9900", "2025-10-09T12:00:00+99:99"],
)  # fmt: skip
def test_what_is_no_time_gives_none(name: str, value: Any) -> None:
    assert time_reader(name, "Europe/Paris" if takes_zone(name) else None)(value) is None


def test_a_pattern_is_read_in_its_zone() -> None:
    assert NOON == time_reader("%d/%m/%Y %I:%M %p", "Europe/Paris")("09/10/2025 02:00 PM")
    assert NOON == time_reader("%b %d, %Y %H:%M:%S.%f", "UTC")("Oct 09, 2025 12:00:00.000000")
    assert NOON == time_reader("%Y-%m-%d %H:%M %z", "Europe/Paris")("2025-10-09 12:00 +0000"), "a zone in the text wins"


@pytest.mark.parametrize("pattern", ["%H:%M", "%Y-%m", "%Q", "%", "%d.%m.", "%Y-%m-%d %", "%x"])
def test_a_pattern_that_says_no_day_or_that_nobody_knows_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        time_reader(pattern, "UTC")


def test_a_date_is_the_beginning_of_its_day_where_it_was_written() -> None:
    assert parse_time("2025-10-08T22:00:00Z") == time_reader("date", "Europe/Paris")("2025-10-09")
    assert parse_time("2025-10-09T00:00:00Z") == time_reader("date", "UTC")(" 20251009 ")
    assert parse_time("2025-10-09T00:00:00Z") == time_reader("epoch_days")(20_370)
    assert None is time_reader("date", "UTC")("2025-10-09T10:00:00Z"), "more than a date is for another format"


def test_which_formats_say_the_day_only() -> None:
    dates = ["date", "epoch_days", "%d.%m.%Y"]
    assert dates == [name for name in (*dates, "iso", "local", "epoch_s", "%d.%m.%Y %H:%M") if is_date(name)]


@pytest.mark.parametrize(("text", "instant"), [
    ("2025-03-30 02:30:00", "2025-03-30T01:30:00Z"),  # between two and three there was no time in Paris that night
    ("2025-10-26 02:30:00", "2025-10-26T00:30:00Z"),  # and here it came twice: the first one counts
])  # fmt: skip
def test_local_times_of_the_two_odd_nights_have_one_reading(text: str, instant: str) -> None:
    assert parse_time(instant) == time_reader("local", "Europe/Paris")(text)


def test_a_time_without_a_zone_is_no_instant() -> None:
    assert time_reader("iso")("2025-10-09T12:00:00") is None
    assert time_reader("iso")("2025-10-09") is None
    assert time_reader("rfc2822")("Thu, 09 Oct 2025 14:00:00") is None


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_dates_that_mean_never_are_placeholders(text: str) -> None:
    assert is_placeholder(parse_time(text))


def test_an_ordinary_date_is_no_placeholder() -> None:
    assert not is_placeholder(NOON)


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../../etc/passwd", "", "Europe/", "/etc/localtime"])
def test_an_unknown_zone_is_said_to_be_unknown(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone is called"):
        zone(name)
