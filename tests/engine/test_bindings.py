"""Bindings: the latest one is named over every choice of key values, whichever choice is tried first."""

from coordwatch.engine.replay import replay_events
from coordwatch.events.event import Event
from coordwatch.events.times import parse_time
from coordwatch.rules.parse import parse_rules

NOON = parse_time("2026-03-01T12:00:00Z")
RULE = """
id: r
title: A rule
status: live
severity: low
owner: nobody
why: A test.
when: {act: {event: marketing.message.sent}}
after: {first: {event: marketing.message.sent, within: 10m}}
given: {fact: {event: marketing.message.sent, where: category == "promotional", same: case}}
"""


def sent(name: str, case: object) -> Event:
    data = {"message": name, "channel": "email", "category": "promotional", "case": case}
    return Event("crm", name, "marketing.message.sent", NOON, NOON, "C1", data)


def test_a_choice_of_key_values_begins_with_nothing_bound() -> None:
    """The first choice (K1) binds e3; the second (K2) must be able to bind it again, and is then the latest."""
    events = [sent("e0", ["K1", "K2"]), sent("e1", "K1"), sent("e2", "K1"), sent("e3", "K2")]
    rows = replay_events(parse_rules(RULE, "rule.yaml"), events)
    found = next(row for row in rows if row["act"]["id"] == "e0")
    assert [(one["step"], one["id"]) for one in found["evidence"]] == [("first", "e3"), ("fact", "e3")]
