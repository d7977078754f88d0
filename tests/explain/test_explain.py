"""Explain answers why and why not, for every step, and never tells another story than the verdict."""

import pytest

from coordwatch.cli.explain import explain_among
from coordwatch.events.event import Event
from coordwatch.events.times import HOUR, MINUTE, parse_time
from coordwatch.rules.explanation import Explanation
from coordwatch.rules.parse import parse_rules

START = parse_time("2026-03-01T12:00:00Z")
HEAD = "id: r\ntitle: A rule\nstatus: live\nseverity: low\nowner: nobody\nwhy: A test.\n"
COMPLAINT = (
    HEAD
    + """
when: {promo: {event: marketing.message.sent, where: category == "promotional"}}
while:
  complaint:
    opened: {event: service.case.opened, where: kind == "complaint"}
    closed: {event: service.case.status_changed, where: status == "closed"}
    same: [case]
    grace: 10m
    linger: 2h
"""
)
STEPS = (
    HEAD
    + """
when: {asked: {event: agent.detail.requested}}
after:
  told: {event: bot.detail.captured, within: 1h, same: [field]}
  handed: {event: bot.handoff.requested, within: 1h, since: told}
unless: {again: {event: bot.conversation.started, since: told}}
"""
)
NOTICE = (
    HEAD
    + """
when: {cancelled: {event: commerce.order.changed, where: status == "cancelled"}}
expect: {notice: {event: marketing.message.sent, where: purpose == "cancellation_notice", same: [order], within: 1h}}
"""
)


def event(number: int, event_type: str, at: int, **data: object) -> Event:
    return Event("test", f"e{number}", event_type, START + at, START + at, "C1", data)


def ask(rule: str, *events: Event, clock: int = 100 * HOUR) -> Explanation:
    spec = parse_rules(rule, "rule.yaml")[0]
    return explain_among(spec, [(one, one.subject) for one in events], "C1", (None, START + clock))


def opened(at: int, kind: str = "complaint") -> Event:
    return event(1, "service.case.opened", at, case="K1", kind=kind)


def promo(at: int) -> Event:
    return event(9, "marketing.message.sent", at, category="promotional", message="m", channel="email")


def held(explanation: Explanation) -> dict[str, bool | None]:
    return {step.step: step.held for step in explanation.steps}


def test_a_conflict_names_the_event_of_each_step() -> None:
    found = ask(COMPLAINT, opened(0), promo(2 * HOUR))
    assert found.outcome == "open"
    assert held(found) == {"promo": True, "complaint": True}
    assert "2 h before the act" in found.steps[1].text
    assert found.steps[1].events == [("test", "e1")]
    assert found.steps[1].stopper is not None


@pytest.mark.parametrize(
    ("events", "words", "missed_by"),
    [
        ([opened(2 * HOUR - 4 * MINUTE), promo(2 * HOUR)], "in flight", 6 * MINUTE),
        ([opened(3 * HOUR), promo(2 * HOUR)], "1 h after the act", HOUR),
        ([opened(0, "question"), promo(2 * HOUR)], "its own condition is not true", None),
        (
            [opened(0), event(2, "service.case.status_changed", HOUR, case="K1", status="closed"), promo(5 * HOUR)],
            "closed 4 h",
            2 * HOUR,
        ),
        ([promo(HOUR)], "No service.case.opened is known", None),
    ],
)
def test_a_state_that_was_not_felt_says_by_how_much(events: list[Event], words: str, missed_by: int | None) -> None:
    step = ask(COMPLAINT, *events).steps[1]
    assert step.held is False
    assert words in step.text
    assert step.missed_by == missed_by


def test_a_bound_rule_explains_every_step_with_the_binding_it_fired_on() -> None:
    found = ask(
        STEPS,
        event(1, "bot.detail.captured", 0, conversation="V", field="email"),
        event(2, "bot.handoff.requested", MINUTE, conversation="V"),
        event(3, "agent.detail.requested", 5 * MINUTE, contact="T", field="email"),
    )
    assert found.outcome == "open"
    assert held(found) == {"asked": True, "told": True, "handed": True, "again": False}


def test_what_came_closest_is_named_with_what_it_missed_by() -> None:
    found = ask(
        STEPS,
        event(1, "bot.detail.captured", 0, conversation="V", field="email"),
        event(3, "agent.detail.requested", 65 * MINUTE, contact="T", field="email"),
    )
    assert found.outcome == "none"
    assert found.steps[1].missed_by == 5 * MINUTE
    assert "too old" in found.steps[1].text
    assert held(found)["handed"] is None


def test_another_key_is_named() -> None:
    found = ask(
        STEPS,
        event(1, "bot.detail.captured", 0, conversation="V", field="name"),
        event(3, "agent.detail.requested", 5 * MINUTE, contact="T", field="email"),
    )
    assert "another field" in found.steps[1].text


def test_a_cancelling_event_is_named() -> None:
    found = ask(
        STEPS,
        event(1, "bot.detail.captured", 0, conversation="V", field="email"),
        event(2, "bot.handoff.requested", MINUTE, conversation="V"),
        event(4, "bot.conversation.started", 2 * MINUTE, conversation="W", channel="chat"),
        event(3, "agent.detail.requested", 5 * MINUTE, contact="T", field="email"),
    )
    assert found.outcome == "none"
    assert held(found)["again"] is True


@pytest.mark.parametrize(
    ("notice_at", "clock", "outcome", "is_held", "words"),
    [
        (None, 2 * HOUR, "open", False, "did not come"),
        (None, 30 * MINUTE, "pending", None, "not yet decided"),
        (90 * MINUTE, 2 * HOUR, "made_good", False, "30 min late"),
        (50 * MINUTE, 2 * HOUR, "none", True, "came at"),
    ],
)
def test_an_expected_event_in_time_late_due_or_missing(
    notice_at: int | None, clock: int, outcome: str, is_held: bool | None, words: str
) -> None:
    events = [event(1, "commerce.order.changed", 0, order="O", status="cancelled")]
    if notice_at is not None:
        events.append(event(2, "marketing.message.sent", notice_at, order="O", purpose="cancellation_notice"))
    found = ask(NOTICE, *events, clock=clock)
    step = found.steps[-1]
    assert (found.outcome, step.held) == (outcome, is_held)
    assert words in step.text


def test_no_act_is_an_answer_too() -> None:
    found = ask(COMPLAINT, opened(0))
    assert found.outcome == "no_act"
    assert found.steps[0].held is False
