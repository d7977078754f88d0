"""What the statements want counted: acts, in flight, missing keys, events of nobody, conflicting duplicates, wrong kinds."""

from __future__ import annotations

from typing import Any

from coordwatch.ports import RuleCounts
from tests.laws.subject import Running
from tests.statements.scene import at, document, on

EXPECT = "when: {gone: {event: order}}\nexpect: {notice: {event: sent, same: order, within: 30m}}"
STATE = """
when: {promo: {event: sent}}
while: {open: {opened: {event: case}, closed: {event: status}, grace: 10m}}
"""


def run(rule: str, events: list[dict[str, Any]]) -> Running:
    running = Running([document(rule)])
    running.feed(events, at("9h"))
    running.settle(at("9h"))
    return running


def counts(rule: str, events: list[dict[str, Any]]) -> RuleCounts:
    (found,) = run(rule, events).store.rule_counts()
    return found


def test_rule_12_an_act_without_the_key_is_counted_missing_key() -> None:
    found = counts(EXPECT, [on("order", "0h"), on("order", "0h", order="O1")])
    assert (found.acts, found.missing_key, found.detections) == (2, 1, 1)


def test_rule_06_an_act_whose_by_is_unknown_is_counted_missing_key() -> None:
    rule = "when: {promise: {event: promise}}\nexpect: {refund: {event: payment, by: promise.due_at}}"
    found = counts(rule, [on("promise", "0h"), on("promise", "0h", due_at="2026-03-02T13:00:00Z")])
    assert (found.acts, found.missing_key, found.detections) == (2, 1, 1)


def test_rule_17_an_act_soon_after_the_opening_is_counted_in_flight() -> None:
    found = counts(STATE, [on("case", "0h"), on("sent", "5m"), on("sent", "15m"), on("sent", "-5m")])
    assert (found.acts, found.in_flight, found.detections) == (3, 1, 1)


def test_rule_25_a_second_binding_and_a_repeat_are_counted_once() -> None:
    events = [on("case", "0h"), on("case", "1m"), on("sent", "1h"), on("sent", "2h")]
    found = counts(STATE, [*events, *events])
    assert (found.acts, found.detections) == (2, 2)


def test_rule_27_what_was_made_good_is_counted_and_what_was_retracted_too() -> None:
    running = Running([document(EXPECT)])
    running.feed(
        [on("order", "0h", order="O1"), on("order", "0h", order="O2"), on("order", "0h", order="O3")], at("9h")
    )
    running.settle(at("9h"))
    running.feed([on("sent", "20m", order="O1"), on("sent", "2h", order="O2")], at("9h"))
    (found,) = running.store.rule_counts()
    assert (found.acts, found.detections, found.made_good, found.retracted) == (3, 2, 1, 1)


def test_rule_30_an_event_of_nobody_is_counted() -> None:
    tallies = run(EXPECT, [on("order", "0h", who=None)]).store.tallies()
    assert tallies.get("dropped.no_customer", 0) + tallies.get("parked", 0) == 1


def test_rule_31_a_conflicting_duplicate_is_counted_apart_from_an_equal_one() -> None:
    order = on("order", "0h", id="a", order="O1")
    tallies = run(EXPECT, [order, order, {**order, "data": {"order": "O2"}}]).store.tallies()
    assert (tallies["in"], tallies["applied"], tallies["duplicate"]) == (3, 1, 2)
    assert tallies["duplicate.conflicting_duplicate"] == 1


def test_rule_22_a_wrong_kind_is_counted() -> None:
    rule = "when: {said: {event: statement, where: value > 0}}"
    running = run(rule, [on("statement", "0h", value="a"), on("statement", "0h", value=1)])
    assert running.processor.plan.runtime.mismatches == 1
