"""What an event may change is told from a few numbers; an act that lacks a key is judged where some alternative can do without."""

from typing import Any

from tests.laws.subject import Running
from tests.statements.scene import acts, at, document, on

EITHER = """
when: {gone: {event: order, where: status == "cancelled"}}
expect: {notice: {any: [{event: sent, same: order}, {event: asked, same: conversation}], within: 30m}}
"""
CONDITION = """
when: {promo: {event: sent}}
after: {before: {any: [{event: case, same: order}, {event: asked}], within: 2h}}
"""


def run(rule: str, events: list[dict[str, Any]]) -> Running:
    running = Running([document(rule)])
    for event in events:
        running.feed([event], at("9h"))
    running.settle(at("9h"))
    return running


def test_an_act_that_lacks_the_key_of_one_alternative_is_judged_by_the_other() -> None:
    running = run(EITHER, [on("order", "0h", id="a", status="cancelled", conversation="V1")])
    assert acts(running.standing()) == ["a"]
    running = run(EITHER, [on("order", "0h", id="b", status="cancelled")])
    assert running.standing() == []
    (counted,) = running.store.rule_counts()
    assert (counted.acts, counted.missing_key) == (1, 1)


def test_an_act_without_a_key_is_a_conflict_by_the_alternative_that_asks_for_none() -> None:
    running = run(CONDITION, [on("asked", "0h", field="email"), on("sent", "1h", id="m")])
    assert acts(running.standing()) == ["m"]


def test_an_act_that_can_never_be_a_conflict_leaves_nothing_behind_but_its_count() -> None:
    rule = "{when: {promo: {event: sent}}, after: {before: {event: case, same: order, within: 2h}}}"
    running = run(rule, [on("case", "0h", order="O1"), on("sent", "1h", id="m")])
    assert running.processor.state("C1").entries == {}
    (counted,) = running.store.rule_counts()
    assert (counted.acts, counted.missing_key) == (1, 1)
