"""The small alphabet of the generated histories: a dozen event types, few ids, times on a coarse grid around window edges.

Enters: chance (Hypothesis). Leaves: events as plain dicts, for the reference as they are and for the engine through
`subject.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

MINUTE = 60 * 10**6
GRID = 10 * MINUTE
MIDNIGHT = 1_772_409_600 * 10**6  # 2026-03-02T00:00:00Z, inside the histories, so that dates of exceptions cut them
BASE = MIDNIGHT - 4 * GRID
STEPS = 12

ABSENT = object()


@dataclass(frozen=True)
class Kind:
    """One event type: the values its fields take here, and where its keys stand."""

    name: str
    fields: dict[str, tuple[Any, ...]]
    keys: dict[str, str]
    tests: tuple[str, ...]
    broadcast: bool = False
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)


_ITEMS: tuple[Any, ...] = (
    [{"sku": "A"}],
    [{"sku": "A"}],
    ABSENT,
    [{"sku": "B"}],
    [{"sku": "A"}, {"sku": "B"}],
    [{"quantity": 2}],
    [],
)
_ORDER = ("O1", "O1", "O1", "O2", ["O1", "O2"], ABSENT, None)
_CASE = ("K1", "K1", "K1", "K2", ["K1", "K2"], ABSENT)
_TALK = ("V1", "V1", "V1", "V2", ABSENT)
_ON_ITEMS: tuple[Any, ...] = (
    'items.exists(i, i.sku == "A")',
    'items.all(i, i.sku == "A")',
    "size(items) > 1",
    "has(items)",
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "marketing.message.sent",
            {
                "message": ("M1", "M2"), "channel": ("email", "sms"), "items": _ITEMS, "case": _CASE, "order": _ORDER,
                "category": ("promotional", "promotional", "transactional", ABSENT, None),
                "purpose": ("promo", "cancellation_notice", ABSENT),
            },
            {"case": "case", "order": "order", "item": "items.sku"},
            ('category == "promotional"', 'category != "promotional"', 'purpose in ["promo", "survey"]',
             '!(purpose == "promo")', 'category == "promotional" || channel == "sms"', *_ON_ITEMS),
        ),
        Kind(
            "service.case.opened",
            {
                "case": _CASE, "kind": ("complaint", "complaint", "question"), "severity": ("high", "low", ABSENT),
                "order": _ORDER, "items": _ITEMS,
            },
            {"case": "case", "order": "order", "item": "items.sku"},
            ('kind == "complaint"', 'severity == "high" && kind == "complaint"', 'severity != "low"', "has(severity)",
             'severity in ["high", "medium"]', 'severity.startsWith("h")'),
        ),
        Kind(
            "service.case.status_changed",
            {"case": _CASE, "status": ("solved", "closed", "open", "reopened"), "order": _ORDER, "items": _ITEMS},
            {"case": "case", "order": "order", "item": "items.sku"},
            ('status in ["solved", "closed"]', 'status == "reopened"', '!(status in ["solved", "closed"])',
             'status == "solved"', 'status.matches("^(sol|clo)")'),
        ),
        Kind(
            "commerce.order.changed",
            {
                "order": _ORDER, "status": ("placed", "cancelled", "delivered"), "items": _ITEMS,
                "total": (10, 20, 20.5, ABSENT),
                "promised_delivery": (ABSENT, "2026-03-02T00:30:00Z", "2026-03-01T23:40:00Z"),
            },
            {"order": "order", "item": "items.sku"},
            ('status == "cancelled"', "total > 10", "total <= 20", "total * 2 == 41", "promised_delivery > time",
             'status != "placed" && !(total < 20)', *_ON_ITEMS),
        ),
        Kind(
            "fulfilment.return.changed",
            {
                "order": _ORDER, "return": (ABSENT, "R1"), "status": ("requested", "received", "refunded"),
                "items": _ITEMS, "reason": ("defective", ABSENT, "size"),
            },
            {"order": "order", "item": "items.sku"},
            ('status == "received"', 'reason == "defective"', '!(reason == "defective")', *_ON_ITEMS),
        ),
        Kind(
            "bot.detail.captured",
            {"conversation": _TALK, "field": ("email", "order_number"), "verified": (True, False, ABSENT)},
            {"field": "field", "conversation": "conversation"},
            ("verified", "!verified", "verified == true", 'field == "email"', "has(verified) && verified"),
        ),
        Kind(
            "agent.detail.requested",
            {"contact": ("T1",), "conversation": _TALK, "field": ("email", "order_number"), "via": ("screen", ABSENT)},
            {"field": "field", "conversation": "conversation"},
            ('field == "email"', 'via == "screen"', "has(via)", 'field.contains("order")'),
        ),
        Kind(
            "bot.message.sent",
            {
                "conversation": _TALK, "turn": (1, 2, 2, 3), "fallback": (True, True, False, ABSENT),
                "response_id": ("utter_a", "utter_a", "utter_b", ABSENT),
            },
            {"conversation": "conversation", "turn": "turn"},
            ("fallback", "turn > 1", "turn % 2 == 1", 'response_id == "utter_a"', "fallback || turn == 1"),
        ),
        Kind(
            "service.commitment.made",
            {
                "commitment": ("Y1", "Y2"), "kind": ("refund", "callback"), "order": _ORDER, "amount": (20, 20.0, 5, ABSENT),
                "due_at": ("2026-03-02T00:10:00Z", "2026-03-01T23:50:00Z", "2026-03-01T20:00:00Z", ABSENT, None),
            },
            {"order": "order", "commitment": "commitment"},
            ('kind == "refund"', "amount == 20", "due_at > time", 'due_at - time > duration("30m")', "has(due_at)"),
        ),
        Kind(
            "service.statement.made",
            {"about": ("order", "refund"), "field": ("email", "status"), "value": (1, True, "1", 1.0, 0, False, None, ABSENT)},
            {"field": "field", "value": "value"},
            ("value == 1", "value == true", "value != 1", 'value == "1"', "value in [1, 2]", "!(value == true)"),
        ),
        Kind(
            "inventory.level.changed",
            {"item": ("A", "A", "B", ABSENT), "location": ("paris", "lyon", ABSENT), "available": (0, 0, 3, -1, ABSENT)},
            {"item": "item", "location": "location"},
            ("available <= 0", "available > 0", "available == 0"),
            broadcast=True,
        ),
        Kind(
            "inventory.item.flagged",
            {"item": ("A", "B", ["A", "B"]), "flag": ("recalled", "recalled", "cleared")},
            {"item": "item"},
            ('flag == "recalled"', 'flag != "cleared"'),
            broadcast=True,
        ),
    )
}  # fmt: skip

# A condition and field values that make it true, so that generated histories often come near a detection.
TRUE_WITH: dict[str, dict[str, Any]] = {
    'category == "promotional"': {"category": "promotional"},
    'category != "promotional"': {"category": "transactional"},
    'purpose in ["promo", "survey"]': {"purpose": "promo"},
    '!(purpose == "promo")': {"purpose": "cancellation_notice"},
    'category == "promotional" || channel == "sms"': {"channel": "sms"},
    'kind == "complaint"': {"kind": "complaint"},
    'severity == "high" && kind == "complaint"': {"severity": "high", "kind": "complaint"},
    'severity != "low"': {"severity": "high"},
    "has(severity)": {"severity": "high"},
    'severity in ["high", "medium"]': {"severity": "high"},
    'severity.startsWith("h")': {"severity": "high"},
    'status in ["solved", "closed"]': {"status": "solved"},
    'status == "reopened"': {"status": "reopened"},
    '!(status in ["solved", "closed"])': {"status": "reopened"},
    'status == "solved"': {"status": "solved"},
    'status.matches("^(sol|clo)")': {"status": "closed"},
    'status == "cancelled"': {"status": "cancelled"},
    "total > 10": {"total": 20},
    "total <= 20": {"total": 20},
    "total * 2 == 41": {"total": 20.5},
    "promised_delivery > time": {"promised_delivery": "2026-03-02T00:30:00Z"},
    'status != "placed" && !(total < 20)': {"status": "cancelled", "total": 20},
    'status == "received"': {"status": "received"},
    'reason == "defective"': {"reason": "defective"},
    '!(reason == "defective")': {"reason": "size"},
    "verified": {"verified": True},
    "!verified": {"verified": False},
    "verified == true": {"verified": True},
    "has(verified) && verified": {"verified": True},
    'field == "email"': {"field": "email"},
    'via == "screen"': {"via": "screen"},
    "has(via)": {"via": "screen"},
    'field.contains("order")': {"field": "order_number"},
    "fallback": {"fallback": True},
    "turn > 1": {"turn": 2},
    "turn % 2 == 1": {"turn": 3},
    'response_id == "utter_a"': {"response_id": "utter_a"},
    "fallback || turn == 1": {"turn": 1},
    'kind == "refund"': {"kind": "refund"},
    "amount == 20": {"amount": 20.0},
    "due_at > time": {"due_at": "2026-03-02T00:10:00Z"},
    'due_at - time > duration("30m")': {"due_at": "2026-03-02T00:10:00Z"},
    "has(due_at)": {"due_at": "2026-03-02T00:10:00Z"},
    "value == 1": {"value": 1.0},
    "value == true": {"value": True},
    "value != 1": {"value": True},
    'value == "1"': {"value": "1"},
    "value in [1, 2]": {"value": 1},
    "!(value == true)": {"value": 1},
    "available <= 0": {"available": 0},
    "available > 0": {"available": 3},
    "available == 0": {"available": 0},
    'flag == "recalled"': {"flag": "recalled"},
    'flag != "cleared"': {"flag": "recalled"},
    'items.exists(i, i.sku == "A")': {"items": [{"sku": "A"}, {"sku": "B"}]},
    'items.all(i, i.sku == "A")': {"items": [{"sku": "A"}]},
    "size(items) > 1": {"items": [{"sku": "A"}, {"sku": "B"}]},
    "has(items)": {"items": [{"sku": "A"}]},
    "is_over": {"status": "closed"},
    "!is_over": {"status": "reopened"},
    "status in closed_states": {"status": "closed"},
    "is_promo": {"category": "promotional"},
    "is_promo && has(items)": {"category": "promotional", "items": [{"sku": "B"}]},
}

JOURNAL = tuple(name for name, kind in KINDS.items() if not kind.broadcast)
FACTS = tuple(name for name, kind in KINDS.items() if kind.broadcast)

JITTER = (0, 0, 0, 0, 0, 0, 0, -1, 1)
times = st.builds(lambda step, shift: BASE + step * GRID + shift, st.integers(0, STEPS), st.sampled_from(JITTER))
SOURCES = ("crm", "shop")
WRONG: tuple[Any, ...] = (7, 7.5, "7", True, {"sku": "A"}, [], [1, True, "A", None], [{"sku": ["A", "B"]}, "A"], {}, "")


@st.composite
def event(draw: st.DrawFn, types: Sequence[str]) -> dict[str, Any]:
    """One event without an id: the history numbers its events."""
    type_ = draw(st.sampled_from(types))
    subject = draw(st.sampled_from((None, None, "C1", "C2") if KINDS[type_].broadcast else (*("C1",) * 9, "C2", None)))
    return made(draw, type_, draw(times), subject)


def made(draw: st.DrawFn, type_: str, time: int, subject: str | None) -> dict[str, Any]:
    data = {name: draw(st.sampled_from(values)) for name, values in KINDS[type_].fields.items()}
    if draw(st.integers(0, 11)) == 11:  # a tool that does not keep its word
        data[draw(st.sampled_from(sorted(data)))] = draw(st.sampled_from(WRONG))
    return {
        "source": draw(st.sampled_from(SOURCES)),
        "type": type_,
        "time": time,
        "observed_at": time + draw(st.sampled_from((0, 1, GRID))),
        "subject": subject,
        "data": {name: value for name, value in data.items() if value is not ABSENT},
    }


LATE = (BASE + 18 * GRID, BASE + 24 * GRID, BASE + 5000 * GRID)
clocks = st.one_of(st.none(), times, st.sampled_from(LATE), st.sampled_from(LATE))
