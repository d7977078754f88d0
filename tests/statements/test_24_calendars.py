"""Statement 24: calendars."""

from typing import Any

import pytest

from tests.reference.expression import instant
from tests.statements.scene import TYPES, Judge, document, on, told

DESK: dict[str, Any] = {
    "calendars": {
        "desk": {
            "zone": "Europe/Paris",
            "weekly": {day: ["09:00-12:00", "13:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
            "holidays": ["2026-03-04", "2026-12-25"],
        },
        "always": {
            "zone": "Europe/Paris",
            "weekly": {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
        },
    }
}


def deadline(judge: Judge, expect: str, moment: str, calendar: dict[str, Any] = DESK) -> int:
    """When the absence of an answer to an act at `moment` is a violation."""
    act = {**on("promise", "0h"), "time": instant(moment)}
    rule = document(f"{{when: {{promise: {{event: promise}}}}, expect: {{answer: {{event: payment, {expect}}}}}}}")
    (found,) = judge([rule], [act], instant("2028-01-01T00:00:00Z"), calendar)
    return int(found["at"])


@pytest.mark.parametrize(
    ("moment", "open_time", "expected"),
    [
        ("2026-03-02T09:00:00Z", "10m", "2026-03-02T09:10:00Z"),  # Monday 10:00 in Paris
        ("2026-03-02T10:55:00Z", "10m", "2026-03-02T12:05:00Z"),  # over lunch
        ("2026-03-02T10:50:00Z", "10m", "2026-03-02T11:00:00Z"),  # may equal a closing edge
        ("2026-03-02T11:00:00Z", "10m", "2026-03-02T12:10:00Z"),  # the closing instant is closed
        ("2026-03-02T12:00:00Z", "10m", "2026-03-02T12:10:00Z"),  # the opening instant is open
        ("2026-03-02T03:00:00Z", "10m", "2026-03-02T08:10:00Z"),  # at night: starts at the next opening
        ("2026-03-03T15:55:00Z", "10m", "2026-03-05T08:05:00Z"),  # Wednesday is a holiday
        ("2026-03-06T15:59:59.999999Z", "1s", "2026-03-09T08:00:00.999999Z"),  # over the weekend
        ("2026-03-27T15:55:00Z", "10m", "2026-03-30T07:05:00Z"),  # summer time began on Sunday
        ("2026-03-02T09:00:00Z", "15h", "2026-03-05T10:00:00Z"),  # seven hours a day: 6 + 7 + holiday + 2
    ],
)  # fmt: skip
def test_rule_24_open_time_is_counted_from_the_next_opening(
    judge: Judge, moment: str, open_time: str, expected: str
) -> None:
    expect = f"within: {{open: {open_time}, calendar: desk}}"
    assert deadline(judge, expect, moment) == instant(expected)
    by = f'by: \'addOpen(promise.time, duration("{open_time}"), "desk")\''
    assert deadline(judge, by, moment) == instant(expected)


def test_rule_24_a_day_without_closing_has_23_and_25_hours(judge: Judge) -> None:
    expect = "within: {open: 24h, calendar: always}"
    assert deadline(judge, expect, "2026-03-28T23:00:00Z") == instant("2026-03-29T23:00:00Z")
    weekly = {"calendars": {"sundays": {"zone": "Europe/Paris", "weekly": {"sun": ["00:00-24:00"]}}}}
    expect = "within: {open: 24h, calendar: sundays}"
    assert deadline(judge, expect, "2026-03-28T23:00:00Z", weekly) == instant("2026-04-04T23:00:00Z"), (
        "that Sunday has 23 h"
    )
    assert deadline(judge, expect, "2026-10-24T22:00:00Z", weekly) == instant("2026-10-25T22:00:00Z"), (
        "that one has 25 h"
    )


@pytest.mark.parametrize(
    ("moment", "days", "expected"),
    [
        ("2026-03-02T09:00:00Z", 1, "2026-03-03T09:00:00Z"),
        ("2026-03-03T09:00:00Z", 1, "2026-03-05T09:00:00Z"),  # over the holiday
        ("2026-03-06T09:00:00Z", 1, "2026-03-09T09:00:00Z"),  # over the weekend
        ("2026-03-07T20:00:00Z", 1, "2026-03-09T20:00:00Z"),  # from a Saturday: Monday is the first
        ("2026-03-27T09:00:00Z", 1, "2026-03-30T08:00:00Z"),  # the same hour in Paris after the clocks changed
        ("2026-03-02T23:30:00Z", 1, "2026-03-04T23:30:00Z"),  # already Tuesday in Paris
        ("2026-03-02T09:00:00Z", 7, "2026-03-12T09:00:00Z"),
    ],
)  # fmt: skip
def test_rule_24_business_days(judge: Judge, moment: str, days: int, expected: str) -> None:
    by = f"by: 'addBusinessDays(promise.time, {days}, \"desk\")'"
    assert deadline(judge, by, moment) == instant(expected)


def test_rule_24_a_window_looking_back_counts_open_time_only(judge: Judge) -> None:
    rule = "{when: {promo: {event: sent}}, after: {complaint: {event: case, within: {open: 1h, calendar: desk}}}}"
    promo = {**on("sent", "0h"), "time": instant("2026-03-03T08:30:00Z")}  # Tuesday 09:30 in Paris

    def found(moment: str) -> int:
        return len(told(judge, rule, [{**on("case", "0h"), "time": instant(moment)}, promo], shared=DESK))

    assert found("2026-03-02T15:30:00Z") == 0, "half an hour on Monday and half an hour on Tuesday: exactly an hour old"
    assert found("2026-03-02T15:30:00.000001Z") == 1
    assert found("2026-03-02T20:00:00Z") == 1


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('time.getHours("Europe/Paris") == 23', True), ('time.getHours("America/New_York") == 17', True),
        ("time.getHours() == 22", True), ('time.getMinutes("Asia/Kolkata") == 0', True), ('time.getDayOfWeek("Europe/Paris") == 0', True),
        ('time.getDayOfWeek("Asia/Tokyo") == 1', True), ("time.getHours(recipient_tz) == 23", True),
        ('time.getHours("Mars/Olympus") >= 0', False), ('!(time.getHours("Mars/Olympus") >= 0)', False),
        ("time.getHours(recipient_state) >= 0", False),
    ],
)  # fmt: skip
def test_rule_24_local_hours_minutes_and_days(judge: Judge, where: str, expected: bool) -> None:
    act = {
        **on("sent", "0h", recipient_tz="Europe/Paris", recipient_state="nowhere"),
        "time": instant("2026-03-01T22:30:00Z"),
    }
    rule = {"when": {"it": {"event": TYPES["sent"], "where": where}}}
    assert len(judge([{**document("{}"), **rule}], [act], None, DESK)) == expected
