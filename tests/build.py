"""Invented data, built by hand: detections, rule cards, and a store that pages and the API can be looked at with."""

from collections.abc import Mapping
from typing import Any

from coordwatch.adapters.memory import MemoryStore
from coordwatch.alerts.alert import Order
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.events.times import DAY, HOUR, MINUTE, parse_time
from coordwatch.ports import Count, DeadLetter, Effects
from coordwatch.rules.detection import (
    Attribution,
    Detection,
    DetectionChange,
    DetectionStatus,
    Evidence,
    RetractReason,
)
from coordwatch.rules.spec import Severity

NOW = parse_time("2026-03-02T12:00:00Z")

PROMO = RuleCard(
    id="promo-during-open-complaint",
    title="Promotion sent while a complaint is open",
    severity=Severity.HIGH,
    owner="lifecycle-marketing",
    once_per=("customer", "case"),
    say="{promo.tool} sent {promo.campaign} {gap} after complaint {complaint.case} was opened; it is still open.",
    steps=("promo", "complaint"),
)
CANCEL = RuleCard(
    id="cancellation-without-notice",
    title="Order cancelled and nobody told the customer",
    severity=Severity.CRITICAL,
    owner="fulfilment",
    once_per=("customer", "order"),
    say="{cancel.tool} cancelled order {cancel.order}; no notice was sent by {deadline}.",
    steps=("cancel", "notice"),
    expects="notice",
)
LOOP = RuleCard(
    id="bot-loop",
    title="The bot says that it did not understand, again and again",
    severity=Severity.MEDIUM,
    owner="conversational-ai",
    once_per=("customer", "conversation"),
    quiet=HOUR,
    say="{answer.tool} failed {earlier.count} times before this answer in conversation {answer.conversation}.",
    steps=("answer", "earlier"),
)
STOCK = RuleCard(
    id="promo-for-sold-out-item",
    title="Promotion for an item that is sold out where the customer shops",
    severity=Severity.LOW,
    owner="merchandising",
    once_per=("customer", "item"),
    say="{promo.tool} promoted {promo.item}, of which {stock.available} are left at {stock.location}.",
    steps=("promo", "stock"),
)
CARDS: Mapping[str, RuleCard] = {card.id: card for card in (PROMO, CANCEL, LOOP, STOCK)}


def an_event(
    step: str, type: str, time: int, /, tool: str = "Journeys", id: str | None = None, **data: Any
) -> Evidence:
    """One event as evidence; it reached the log two seconds after it happened."""
    return Evidence(
        step=step,
        source=f"/{tool.lower()}",
        id=id or f"{type}-{time}",
        type=type,
        time=time,
        observed_at=data.pop("observed_at", time + 2_000_000),
        tool=tool,
        data=data,
    )


def a_promo(customer: str, at: int, /, case: str = "K-1042", gap: int = 130 * MINUTE, **changes: Any) -> Detection:
    """A promotion `gap` after a complaint was opened."""
    campaign = changes.pop("campaign", "Spring sale")
    act = an_event(
        "promo", "marketing.message.sent", at, "Journeys", f"M-{customer}-{at}",
        message=f"M-{customer}-{at}", campaign=campaign, category="promotional", channel="email",
    )  # fmt: skip
    opened = an_event(
        "complaint",
        "service.case.opened",
        at - gap,
        "Deskflow",
        f"C-{case}",
        case=case,
        kind="complaint",
        channel="web",
    )
    return Detection(
        rule=PROMO.id,
        revision="1",
        customer=customer,
        act=act,
        at=at,
        evidence=(opened,),
        status=changes.pop("status", DetectionStatus.OPEN),
        attribution=changes.pop("attribution", Attribution.IGNORED),
        known_for=changes.pop("known_for", gap - 2_000_000),
    )


def a_cancellation(customer: str, at: int, /, order: str = "O-77", late: int | None = None) -> Detection:
    """An order cancelled two hours before `at`, with no notice by then; `late` makes it good that long after."""
    act = an_event(
        "cancel", "commerce.order.changed", at - 2 * HOUR, "Shopline", f"{order}-cancelled",
        order=order, status="cancelled", cancel={"initiator": "company"},
    )  # fmt: skip
    evidence: tuple[Evidence, ...] = ()
    if late is not None:
        evidence = (an_event("notice", "marketing.message.sent", at + late, "Mailcart", f"N-{order}", order=order),)
    status = DetectionStatus.OPEN if late is None else DetectionStatus.MADE_GOOD
    return Detection(CANCEL.id, "1", customer, act, at, evidence, status)


def a_loop(customer: str, at: int, /, times: int = 3, conversation: str = "conv-5") -> Detection:
    """A bot that failed `times` times before it failed again."""
    act = an_event("answer", "bot.message.sent", at, "Chatline", f"B-{conversation}-{at}", conversation=conversation)
    earlier = tuple(
        an_event(
            "earlier", "bot.message.sent", at - n * MINUTE, "Chatline", f"B-{conversation}-{at}-{n}", fallback=True
        )
        for n in range(times, 0, -1)
    )
    return Detection(LOOP.id, "1", customer, act, at, earlier, DetectionStatus.OPEN, Attribution.IGNORED, MINUTE)


def a_sold_out(customer: str, at: int, /, item: str = "SKU-BOOT-42") -> Detection:
    """A promotion for an item without stock, of which the tool could not know yet."""
    act = an_event(
        "promo", "marketing.message.sent", at, "Adserve", f"A-{customer}-{at}", item=[item], campaign="Boots"
    )
    stock = an_event(
        "stock", "inventory.level.changed", at - 5 * MINUTE, "Stockroom", f"S-{item}",
        observed_at=at + MINUTE, item=[item], available=0, location="Lyon",
    )  # fmt: skip
    return Detection(STOCK.id, "1", customer, act, at, (stock,), DetectionStatus.OPEN, Attribution.COULD_NOT_KNOW)


def raised(detection: Detection) -> DetectionChange:
    """The detection is there."""
    return DetectionChange("raised", detection)


def retracted(detection: Detection, reason: RetractReason = RetractReason.CANCELLED) -> DetectionChange:
    """The detection no longer stands."""
    return DetectionChange("retracted", detection, reason)


def fill(store: Any) -> None:
    """Fill any store with what a busy day leaves: every status, several tools, a ledger, dead letters."""
    day = NOW - DAY
    changes = [raised(a_promo(f"customer-{n:02d}", day + n * 40 * MINUTE, case=f"K-{1040 + n}")) for n in range(12)]
    changes += [raised(a_cancellation(f"customer-{n:02d}", day + n * HOUR, order=f"O-{n}")) for n in range(4)]
    changes += [raised(a_cancellation("customer-05", day + 9 * HOUR, order="O-99", late=3 * HOUR))]
    changes += [raised(a_loop("customer-07", day + n * 20 * MINUTE, times=3 + n)) for n in range(4)]
    changes += [raised(a_sold_out(f"customer-{n:02d}", day + n * 90 * MINUTE)) for n in range(6)]
    changes += [retracted(a_promo("customer-11", day + 11 * 40 * MINUTE, case="K-1051"))]
    effects = Effects(
        changes=changes,
        counts=[_count(rule, hour, kind) for rule in CARDS for hour in range(24) for kind in ("acts", "detections")],
        dead_letters=[
            DeadLetter(
                f"dead-{n}", "webhook", "decode", "not_json", "unexpected end of data", None, day + n, b'{"broken":'
            )
            for n in range(3)
        ],
        positions={"file:/inbox/events.ndjson": "4096"},
        tallies={"in": 1000, "applied": 960, "duplicate": 20, "dropped": 17, "parked": 0, "dead_lettered": 3},
    )
    store.commit(effects, NOW - HOUR)
    rows, _ = store.alerts({"rule": PROMO.id, "status": "open"}, 10, None)
    orders = [
        Order(AlertAction.ACKNOWLEDGE, "ada@ops.test", NOW - 50 * MINUTE, note="looking"),
        Order(AlertAction.SNOOZE, "ada@ops.test", NOW - 45 * MINUTE, until=NOW + DAY),
        Order(AlertAction.RESOLVE, "ben@ops.test", NOW - 40 * MINUTE, note="campaign paused"),
        Order(AlertAction.VERDICT, "ben@ops.test", NOW - 35 * MINUTE, note="the customer asked for it"),
    ]
    for row, order in zip(rows, orders, strict=False):
        store.act(row.id, order)


def _count(rule: str, hour: int, kind: str) -> Count:
    amount = 40 + hour if kind == "acts" else hour % 3
    return Count(rule, (NOW - DAY) // HOUR + hour, "Journeys", "Deskflow", kind, amount)


def a_filled_store() -> MemoryStore:
    """A store in memory with what `fill` puts there."""
    store = MemoryStore(CARDS)
    fill(store)
    return store
