"""A small stage for the examples: short names for events, a rule as YAML text, and what to look at afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

import yaml

from tests.reference.expression import duration

NOON = 1_772_452_800 * 10**6  # Monday 2026-03-02T12:00:00Z
TYPES = {
    "sent": "marketing.message.sent",
    "case": "service.case.opened",
    "status": "service.case.status_changed",
    "order": "commerce.order.changed",
    "return": "fulfilment.return.changed",
    "captured": "bot.detail.captured",
    "asked": "agent.detail.requested",
    "bot": "bot.message.sent",
    "promise": "service.commitment.made",
    "statement": "service.statement.made",
    "stock": "inventory.level.changed",
    "flag": "inventory.item.flagged",
    "payment": "commerce.payment.changed",
    "shipment": "fulfilment.shipment.changed",
}
HEAD = {"title": "An example", "status": "live", "severity": "low", "owner": "nobody", "why": "It is an example."}

Judge = Callable[..., list[dict[str, Any]]]
_numbers = count(1)


def at(text: str, us: int = 0) -> int:
    """`2h`, `-10m`: a time relative to noon, a few microseconds aside."""
    return NOON + (-duration(text[1:]) if text.startswith("-") else duration(text)) + us


def on(kind: str, time: str, us: int = 0, /, **words: Any) -> dict[str, Any]:
    """One event: its short type, when, and its data; `id`, `source`, `who` and `seen` are about the envelope."""
    moment = at(time, us)
    return {
        "source": words.pop("source", "crm"),
        "id": words.pop("id", None) or f"n{next(_numbers)}",
        "type": TYPES[kind],
        "time": moment,
        "observed_at": words.pop("seen", moment),
        "subject": words.pop("who", "C1"),
        "data": words,
    }


def document(text: str, number: int = 1) -> dict[str, Any]:
    """A rule document from YAML text, its short types made long and the common head added."""
    text = re.sub(r"\bevent: (\w+)", lambda found: f"event: {TYPES[found[1]]}", text)
    return {"id": f"rule-{number}", **HEAD, **yaml.safe_load(text)}


def told(judge: Judge, rule: str, events: Sequence[Mapping[str, Any]], **words: Any) -> list[dict[str, Any]]:
    """What stands for one rule; `until` is a time relative to noon."""
    until = words.pop("until", None)
    return judge([document(rule)], events, None if until is None else at(until), words.pop("shared", None))


def acts(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of the acts detected."""
    return [one["act"]["id"] for one in found]


def evidence(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The evidence of one detection: step and event id."""
    return [(one["step"], one["id"]) for one in found["evidence"]]
