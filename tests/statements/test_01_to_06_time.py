"""Statements 1 to 6: time and edges."""

import pytest

from tests.statements.scene import Judge, acts, evidence, on, told

AFTER = """
when: {promo: {event: sent}}
after: {complaint: {event: case, within: 2h}}
"""
EXPECT = """
when: {cancelled: {event: order, where: status == "cancelled"}}
expect: {notice: {event: sent, same: order, within: 30m}}
"""


@pytest.mark.parametrize(("shift", "expected"), [(-1, []), (0, []), (1, ["promo"])])
def test_rule_01_window_looking_back_is_open_at_its_far_end(judge: Judge, shift: int, expected: list[str]) -> None:
    assert acts(told(judge, AFTER, [on("case", "0h", shift), on("sent", "2h", id="promo")])) == expected


@pytest.mark.parametrize(("shift", "expected"), [(-1, ["promo"]), (0, ["promo"]), (1, [])])
def test_rule_01_window_looking_back_is_closed_at_the_act(judge: Judge, shift: int, expected: list[str]) -> None:
    assert acts(told(judge, AFTER, [on("case", "2h", shift), on("sent", "2h", id="promo")])) == expected


def test_rule_01_an_unless_window_has_the_same_edges(judge: Judge) -> None:
    rule = "{when: {promo: {event: sent}}, unless: {solved: {event: status, within: 2h}}}"
    assert len(told(judge, rule, [on("status", "0h"), on("sent", "2h")])) == 1
    assert len(told(judge, rule, [on("status", "0h", 1), on("sent", "2h")])) == 0
    assert len(told(judge, rule, [on("status", "2h"), on("sent", "2h")])) == 0
    assert len(told(judge, rule, [on("status", "2h", 1), on("sent", "2h")])) == 1


@pytest.mark.parametrize(("shift", "expected"), [(-1, []), (0, []), (1, ["x"])])
def test_rule_02_the_deadline_instant_belongs_to_the_window(judge: Judge, shift: int, expected: list[str]) -> None:
    events = [on("order", "0h", id="x", order="O1", status="cancelled"), on("sent", "30m", shift, order="O1")]
    assert acts(told(judge, EXPECT, events, until="1h")) == expected


@pytest.mark.parametrize(("shift", "expected"), [(-1, ["x"]), (0, []), (1, [])])
def test_rule_02_the_window_after_the_act_begins_with_the_act(judge: Judge, shift: int, expected: list[str]) -> None:
    events = [on("order", "0h", id="x", order="O1", status="cancelled"), on("sent", "0h", shift, order="O1")]
    assert acts(told(judge, EXPECT, events, until="1h")) == expected


@pytest.mark.parametrize(("shift", "expected"), [(-1, ["x"]), (0, []), (1, [])])
def test_rule_02_early_moves_the_start_of_the_window(judge: Judge, shift: int, expected: list[str]) -> None:
    rule = EXPECT.replace("within: 30m", "within: 30m, early: 5m")
    events = [on("order", "0h", id="x", order="O1", status="cancelled"), on("sent", "-5m", shift, order="O1")]
    assert acts(told(judge, rule, events, until="1h")) == expected


@pytest.mark.parametrize("first", ["a", "z"])
def test_rule_03_two_events_at_one_instant_are_each_before_and_after_the_other(judge: Judge, first: str) -> None:
    """Whatever their ids say about the order of printing."""
    events = [on("case", "1h", id=first), on("sent", "1h", id="m", order="O1")]
    assert acts(told(judge, AFTER, events)) == ["m"]
    order_and_notice = [
        on("order", "1h", id="m", order="O1", status="cancelled"),
        on("sent", "1h", id=first, order="O1"),
    ]
    assert told(judge, EXPECT, order_and_notice, until="3h") == []


@pytest.mark.parametrize(("shift", "expected"), [(-1, ["promo"]), (0, ["promo"]), (1, [])])
def test_rule_04_grace_on_after_moves_the_near_end_back(judge: Judge, shift: int, expected: list[str]) -> None:
    rule = AFTER.replace("within: 2h", "within: 2h, grace: 10m")
    assert acts(told(judge, rule, [on("case", "1h", shift), on("sent", "70m", id="promo")])) == expected


def test_rule_04_the_far_end_stays_open_with_grace(judge: Judge) -> None:
    rule = AFTER.replace("within: 2h", "within: 2h, grace: 10m")
    assert told(judge, rule, [on("case", "0h"), on("sent", "2h")]) == []
    assert len(told(judge, rule, [on("case", "0h", 1), on("sent", "2h")])) == 1


SINCE = """
when: {promo: {event: sent}}
after: {complaint: {event: case, within: 2h}}
unless: {solved: {event: status, since: complaint}}
"""


@pytest.mark.parametrize(("shift", "count"), [(-1, 1), (0, 0), (1, 0)])
def test_rule_05_since_a_step_begins_with_that_step(judge: Judge, shift: int, count: int) -> None:
    assert len(told(judge, SINCE, [on("case", "0h"), on("status", "0h", shift), on("sent", "1h")])) == count


@pytest.mark.parametrize(("shift", "count"), [(-1, 0), (0, 0), (1, 1)])
def test_rule_05_since_ends_with_the_act(judge: Judge, shift: int, count: int) -> None:
    assert len(told(judge, SINCE, [on("case", "0h"), on("sent", "1h"), on("status", "1h", shift)])) == count


@pytest.mark.parametrize(("shift", "count"), [(-1, 0), (0, 0), (1, 1)])
def test_rule_05_since_runs_to_the_deadline_in_a_rule_with_expect(judge: Judge, shift: int, count: int) -> None:
    rule = EXPECT + "unless: {back: {event: status, since: cancelled}}"
    events = [on("order", "0h", order="O1", status="cancelled"), on("status", "30m", shift)]
    assert len(told(judge, rule, events, until="2h")) == count
    assert len(told(judge, rule, [events[0], on("status", "0h", -1)], until="2h")) == 1


def test_rule_05_within_and_since_both_hold(judge: Judge) -> None:
    rule = SINCE.replace("since: complaint", "since: complaint, within: 10m")
    assert len(told(judge, rule, [on("case", "0h"), on("status", "50m"), on("sent", "1h")])) == 1
    assert len(told(judge, rule, [on("case", "0h"), on("status", "50m", 1), on("sent", "1h")])) == 0


def test_rule_05_forever_is_spelled_out_and_has_no_far_end(judge: Judge) -> None:
    rule = AFTER.replace("within: 2h", "within: forever")
    assert len(told(judge, rule, [on("case", "-900d"), on("sent", "0h")])) == 1


BY = """
when: {promise: {event: promise}}
expect: {refund: {event: payment, by: 'promise.due_at + duration("15m")'}}
"""
DUE = "2026-03-02T14:00:00Z"


@pytest.mark.parametrize(("shift", "expected"), [(-1, []), (0, []), (1, ["x"])])
def test_rule_06_by_is_a_time_expression_over_the_act(judge: Judge, shift: int, expected: list[str]) -> None:
    events = [on("promise", "0h", id="x", due_at=DUE), on("payment", "2h15m", shift)]
    assert acts(told(judge, BY, events, until="9h")) == expected


def test_rule_06_with_within_too_the_earlier_counts(judge: Judge) -> None:
    rule = BY.replace("{event: payment,", "{event: payment, within: 1h,")
    events = [on("promise", "0h", due_at=DUE), on("payment", "2h")]
    assert len(told(judge, BY, events, until="9h")) == 0
    assert [one["at"] - one["act"]["time"] for one in told(judge, rule, events, until="9h")] == [3600 * 10**6]


def test_rule_06_an_unknown_by_is_ignored_beside_within_and_else_leaves_the_act_unjudged(judge: Judge) -> None:
    rule = BY.replace("{event: payment,", "{event: payment, within: 1h,")
    assert len(told(judge, rule, [on("promise", "0h")], until="9h")) == 1
    assert told(judge, BY, [on("promise", "0h")], until="9h") == []
    assert told(judge, BY, [on("promise", "0h", due_at=None)], until="9h") == []


def test_rule_06_a_deadline_before_the_act_is_the_acts_time(judge: Judge) -> None:
    events = [on("promise", "0h", due_at="2026-03-01T00:00:00Z")]
    assert [one["at"] for one in told(judge, BY, events)] == [events[0]["time"]]
    answered = [*events, on("payment", "0h", id="p")]
    assert told(judge, BY, answered) == []
    late = told(judge, BY, [*events, on("payment", "0h", 1, id="p")])
    assert [(one["status"], evidence(one)) for one in late] == [("made_good", [("refund", "p")])]
