"""A copy of a reference fact that was seen earlier changes whether the acting tool could have known."""

from typing import Any

from coordwatch.events.times import parse_time
from tests.laws.subject import Running

NOON = parse_time("2026-03-01T12:00:00Z")
MINUTE = 60_000_000
RULE = {
    "id": "r", "title": "A rule", "status": "live", "severity": "low", "owner": "nobody", "why": "A test.",
    "when": {"promo": {"event": "marketing.message.sent"}},
    "given": {"stock": {"event": "inventory.level.changed", "where": "available <= 0", "same": "item"}},
}  # fmt: skip


def event(name: str, event_type: str, at: int, seen: int, **data: object) -> dict[str, Any]:
    subject = None if event_type.startswith("inventory") else "C1"
    return {
        "source": "s",
        "id": name,
        "type": event_type,
        "time": NOON + at * MINUTE,
        "observed_at": NOON + seen * MINUTE,
        "subject": subject,
        "data": {"item": "A", **data},
    }


def attribution(running: Running) -> list[str]:
    return [change["attribution"] for change in running.store.standing_detections()]


def test_an_earlier_copy_of_a_fact_changes_the_attribution() -> None:
    running = Running([RULE])
    running.feed([event("f", "inventory.level.changed", 0, 70, available=0)], NOON + 100 * MINUTE)
    running.feed([event("m", "marketing.message.sent", 60, 60, message="m", channel="email")], NOON + 100 * MINUTE)
    assert attribution(running) == ["could_not_know"]
    running.feed([event("f", "inventory.level.changed", 0, 1, available=0)], NOON + 100 * MINUTE)
    assert attribution(running) == ["ignored"]
    running.restart()
    running.feed([event("n", "marketing.message.sent", 60, 60, message="n", channel="email")], NOON + 100 * MINUTE)
    assert attribution(running) == ["ignored", "ignored"]
