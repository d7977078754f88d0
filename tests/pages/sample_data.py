"""Invented data, rich enough to look at: every shipped rule, absence, in flight, made good, long gaps, many lanes.

What enters: nothing. What leaves: a filled MemoryStore, the customers behind it, and a PagesContext over both.
The next room: the page tests and the screenshots.
"""

import math
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coordwatch.adapters.files import load_rules, shipped
from coordwatch.adapters.pages.router import PagesContext
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.alert import Order
from coordwatch.alerts.card import cards_of
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.alerts.matchers import parse_matchers
from coordwatch.alerts.silence import Draft
from coordwatch.clock import ManualClock
from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND, parse_time
from coordwatch.ports import (
    Count,
    CustomerView,
    DeadLetter,
    Effects,
    ExplainStep,
    FactView,
    SettingView,
    SourceView,
    StateView,
    ToolView,
    WaitingView,
)
from coordwatch.rules.detection import Attribution, Detection, DetectionChange, DetectionStatus, Evidence, RetractReason

_FOLDERS: list["tempfile.TemporaryDirectory[str]"] = []
NOW = parse_time("2026-03-03T14:20:00Z")
SPECS = {spec.id: spec for spec in load_rules(None).specs}
CUSTOMERS = [f"cust-{0x3A91 + 7919 * index & 0xFFFFF:05x}" for index in range(48)]
CAMPAIGNS = ("Spring sale", "Members' weekend", "New arrivals", "Last chance: boots")
MAIN = CUSTOMERS[0]
"""The customer whose context is complete: states, facts of eight tools, something due, something let go."""


def step(rule: str, kind: str, index: int = 0) -> str:
    """The name of a rule's step, so that a rule may rename it: `when`, `expect`, or one of `after`, `while_`, `given`."""
    found = getattr(SPECS[rule], kind)
    name = (found if kind in ("when", "expect") else found[index]).name
    return str(name)


def an_event(step: str, type: str, tool: str, at: int, delay: int = 2 * SECOND, /, **data: Any) -> Evidence:
    """One event as evidence; it reached the log `delay` after it happened."""
    name = next((str(value) for value in data.values() if isinstance(value, str)), "e")
    return Evidence(
        step,
        f"/{tool.lower()}",
        f"{type.split('.')[-2]}-{name}-{at // SECOND % 10**6}",
        type,
        at,
        at + delay,
        tool,
        data,
    )


def detected(rule: str, customer: str, act: Evidence, evidence: Sequence[Evidence], **changes: Any) -> Detection:
    """A detection whose attribution follows from what reached the log when."""
    base = Detection(rule, "1", customer, act, act.time, tuple(evidence), DetectionStatus.OPEN)
    if evidence and "at" not in changes:
        seen = max(one.observed_at for one in evidence)
        known = seen <= act.time
        base = replace(
            base,
            attribution=Attribution.IGNORED if known else Attribution.COULD_NOT_KNOW,
            known_for=act.time - seen if known else None,
        )
    return replace(base, **changes)


def _promo(name: str, at: int, number: int, **data: Any) -> Evidence:
    return an_event(
        name, "marketing.message.sent", "Journeys", at,
        message=f"M-{number}", channel="email", category="promotional", campaign=CAMPAIGNS[number % 4], **data,
    )  # fmt: skip


def promo_complaint(customer: str, at: int, number: int, gap: int = 130 * MINUTE, delay: int = 2 * SECOND) -> Detection:
    """A promotion while a complaint is open."""
    opened = an_event(
        step("promo-during-open-complaint", "while_"), "service.case.opened", "Deskflow", at - gap, delay,
        case=f"K-{1042 + number}", kind="complaint", topic="delivery",
    )  # fmt: skip
    return detected(
        "promo-during-open-complaint",
        customer,
        _promo(step("promo-during-open-complaint", "when"), at, number),
        [opened],
    )


def promo_chat(customer: str, at: int, number: int) -> Detection:
    """A promotion while the bot deals with a complaint."""
    wrote = an_event(
        step("promo-while-bot-resolving", "while_"), "bot.message.received", "Parley", at - 4 * MINUTE - 20 * SECOND,
        conversation=f"V-{300 + number}", intent="complain", turn=2,
    )  # fmt: skip
    return detected(
        "promo-while-bot-resolving", customer, _promo(step("promo-while-bot-resolving", "when"), at, number), [wrote]
    )


def bot_loop(customer: str, at: int, number: int, repeats: int = 2) -> Detection:
    """The same answer again and again."""
    data = {"conversation": f"V-{500 + number}", "response_id": "utter_ask_order", "fallback": False}
    earlier = [
        an_event(
            step("bot-loop", "after"),
            "bot.message.sent",
            "Parley",
            at - 70 * SECOND * back,
            1 * SECOND,
            turn=9 - back,
            **data,
        )
        for back in range(repeats, 0, -1)
    ]
    act = an_event(step("bot-loop", "when"), "bot.message.sent", "Parley", at, 1 * SECOND, turn=9, **data)
    return detected("bot-loop", customer, act, earlier)


def bot_resolved(customer: str, at: int, number: int) -> Detection:
    """The bot says resolved, the case stays open."""
    conversation = f"V-{700 + number}"
    opened = an_event(
        step("bot-resolved-case-open", "while_"), "service.case.opened", "Deskflow", at - 52 * MINUTE, case=f"K-{2100 + number}", kind="question",
        conversation=conversation,
    )  # fmt: skip
    act = an_event(
        step("bot-resolved-case-open", "when"),
        "bot.conversation.ended",
        "Parley",
        at - 30 * MINUTE,
        conversation=conversation,
        outcome="resolved",
        turns=11,
    )
    return detected("bot-resolved-case-open", customer, act, [opened], at=at)


def cancelled(customer: str, at: int, number: int, late: int | None = None) -> Detection:
    """An order cancelled with no notice; `late` after the deadline a notice came."""
    order = f"O-{88120 + number}"
    act = an_event(
        step("cancelled-without-notice", "when"), "commerce.order.changed", "Shopline", at - HOUR, order=order, status="cancelled",
        cancel={"initiator": "merchant", "reason": "inventory"},
    )  # fmt: skip
    if late is None:
        return detected("cancelled-without-notice", customer, act, [], at=at)
    notice = an_event(
        step("cancelled-without-notice", "expect"), "marketing.message.sent", "Mailcart", at + late, message=f"N-{number}", order=order, channel="email",
        category="transactional", purpose="cancellation_notice",
    )  # fmt: skip
    return detected("cancelled-without-notice", customer, act, [notice], at=at, status=DetectionStatus.MADE_GOOD)


def delayed(customer: str, at: int, number: int) -> Detection:
    """A parcel late and nobody said so."""
    act = an_event(
        step("delay-without-notice", "when"), "fulfilment.shipment.changed", "Parcelway", at - 4 * HOUR, 11 * MINUTE,
        shipment=f"PW{7700310 + number}", order=f"O-{88500 + number}", status="delayed",
    )  # fmt: skip
    return detected("delay-without-notice", customer, act, [], at=at)


def ad_returned(customer: str, at: int, number: int) -> Detection:
    """An ad for what was sent back as defective, twelve days before."""
    item = f"KETTLE-{number % 3 + 1}"
    back = an_event(
        step("ad-for-returned-defective-item", "after"), "fulfilment.return.changed", "Returns Desk", at - 12 * DAY - 5 * HOUR, 40 * SECOND,
        item=item, order=f"O-{81000 + number}", status="received", reason="defective",
    )  # fmt: skip
    act = an_event(
        step("ad-for-returned-defective-item", "when"),
        "marketing.audience.changed",
        "Adreach",
        at,
        item=item,
        audience="Kitchen, viewed",
        action="added",
        platform="search",
    )
    return detected("ad-for-returned-defective-item", customer, act, [back])


def stock_gone(customer: str, at: int, number: int) -> Detection:
    """A promotion for what the store no longer has."""
    stock = an_event(
        step("promo-local-stock-gone", "given"), "inventory.level.changed", "Stockroom", at - 3 * HOUR - 12 * MINUTE, 5 * MINUTE,
        item=f"BOOT-{number}", location="Lyon Part-Dieu", available=0,
    )  # fmt: skip
    act = _promo(step("promo-local-stock-gone", "when"), at, number, item=f"BOOT-{number}", location="Lyon Part-Dieu")
    return detected("promo-local-stock-gone", customer, act, [stock])


def asked_again(customer: str, at: int, number: int) -> Detection:
    """An agent asks what the bot already knew; the bot's detail reached the log late."""
    contact = f"T-{910 + number}"
    told = an_event(
        step("details-asked-again", "after"),
        "bot.detail.captured",
        "Parley",
        at - 9 * MINUTE,
        11 * MINUTE,
        conversation=f"V-{900 + number}",
        field="order_number",
    )
    over = an_event(
        step("details-asked-again", "after", 1),
        "bot.handoff.completed",
        "Parley",
        at - 3 * MINUTE,
        contact=contact,
        transcript_attached=False,
    )
    act = an_event(
        step("details-asked-again", "when"),
        "agent.detail.requested",
        "Voicewell",
        at,
        contact=contact,
        field="order_number",
        via="speech",
    )
    return detected("details-asked-again", customer, act, [told, over])


def refund_missing(customer: str, at: int, number: int) -> Detection:
    """A refund promised six days ago and not made."""
    act = an_event(
        step("refund-promised-not-made", "when"), "service.commitment.made", "Deskflow", at - 6 * DAY, commitment=f"P-{number}", order=f"O-{70100 + number}",
        kind="refund", made_by="agent", amount=129.0, currency="EUR",
    )  # fmt: skip
    return detected("refund-promised-not-made", customer, act, [], at=at)


def records_differ(customer: str, at: int, number: int) -> Detection:
    """Two systems, two addresses."""
    other = an_event(
        step("conflicting-customer-records", "after"),
        "customer.profile.changed",
        "Deskflow",
        at - 8 * HOUR - 31 * DAY,
        field="postal_address",
        system="deskflow",
        value_hash="a3",
    )
    act = an_event(
        step("conflicting-customer-records", "when"),
        "customer.profile.changed",
        "Shopline",
        at - 8 * HOUR,
        field="postal_address",
        system="shopline",
        value_hash="7c",
    )
    return detected("conflicting-customer-records", customer, act, [other], at=at)


MAKERS: tuple[tuple[Callable[[str, int, int], Detection], int], ...] = (
    (promo_complaint, 9), (promo_chat, 4), (bot_loop, 5), (bot_resolved, 4), (cancelled, 5), (delayed, 6),
    (ad_returned, 4), (stock_gone, 6), (asked_again, 5), (refund_missing, 3), (records_differ, 3),
)  # fmt: skip


def detections() -> list[Detection]:
    """Some sixty detections over the last two days, oldest first."""
    chance = random.Random(8484)
    found = []
    for maker, count in MAKERS:
        for index in range(count):
            age = int((chance.random() ** 2) * 40 * HOUR) + 2 * MINUTE
            customer = CUSTOMERS[chance.randrange(1, len(CUSTOMERS))]
            found.append(maker(customer, NOW - age // SECOND * SECOND, index + 10 * chance.randrange(1, 40)))
    found.append(promo_complaint(MAIN, NOW - 3 * MINUTE, 0))
    found.append(cancelled(CUSTOMERS[3], NOW - 9 * HOUR, 7, late=2 * HOUR + 5 * MINUTE))
    found.append(promo_complaint(CUSTOMERS[4], NOW - 35 * MINUTE, 61, gap=41 * MINUTE, delay=52 * MINUTE))
    found.append(promo_complaint(CUSTOMERS[6], NOW - 50 * MINUTE, 66, gap=3 * DAY))
    found.append(bot_loop(CUSTOMERS[5], NOW - 20 * MINUTE, 77, repeats=9))
    return sorted(found, key=lambda one: (one.at, one.id))


def new_store() -> SqlStore:
    """An empty database in a folder of its own, which goes with the process."""
    folder = tempfile.TemporaryDirectory(prefix="coordwatch-pages-")
    _FOLDERS.append(folder)
    return SqlStore(Path(folder.name) / "pages.db", cards_of(SPECS.values()), durable=False)


def filled_store() -> SqlStore:
    """The store, with everything filed, some alerts handled, counts and dead letters."""
    store = new_store()
    found = detections()
    for detection in found:
        made_good = detection.status is DetectionStatus.MADE_GOOD
        changes = [DetectionChange("raised", replace(detection, status=DetectionStatus.OPEN))] if made_good else []
        changes.append(DetectionChange("made_good" if made_good else "raised", detection))
        store.commit(Effects(changes=changes), detection.at + MINUTE)
    undone = promo_complaint(CUSTOMERS[9], NOW - 7 * HOUR, 95)
    store.commit(Effects(changes=[DetectionChange("raised", undone)]), NOW - 7 * HOUR)
    retracted = DetectionChange("retracted", undone, RetractReason.EVIDENCE_CHANGED)
    store.commit(Effects(changes=[retracted]), NOW - 6 * HOUR)
    _handle(store)
    _silence(store)
    _place(store)
    store.commit(Effects(counts=_counts(found), dead_letters=_dead_letters(), tallies=_TALLIES), NOW)
    return store


def _handle(store: SqlStore) -> None:
    rows, _ = store.alerts({"sort": "oldest"}, 100, None)
    for index, row in enumerate(rows):
        if (
            row.customer in (MAIN, CUSTOMERS[3], CUSTOMERS[4], CUSTOMERS[5], CUSTOMERS[6], CUSTOMERS[9])
            or index % 5 < 3
        ):
            continue
        note = ("asked the campaign team", "", "known, fixed in the next release")[index % 3]
        action, until = (
            (AlertAction.ACKNOWLEDGE, None), (AlertAction.RESOLVE, None), (AlertAction.SNOOZE, NOW + 3 * HOUR),
            (AlertAction.ACKNOWLEDGE, None), (AlertAction.VERDICT, None), (AlertAction.RESOLVE, None),
        )[index // 5 % 6]  # fmt: skip
        store.act(row.id, Order(action, "operator", min(row.at + 25 * MINUTE, NOW), None, note, until))


def _silence(store: SqlStore) -> None:
    desk = store.silences()
    for matchers, start, length, why in (
        ('rule="conflicting-customer-records"', NOW - HOUR, 4 * HOUR, "the address service is being moved"),
        ('campaign=~"Last chance.*", severity=high', NOW - DAY, 2 * HOUR, "paused already"),
    ):
        desk.create(Draft(parse_matchers(matchers), start, start + length, why), "operator", start)


def _place(store: SqlStore) -> None:
    store.holding().prepare(NOW)
    while store.incidents().refresh(NOW):
        pass


SETTINGS = (
    SettingView("database", "/var/lib/coordwatch/coordwatch.db", "coordwatch.yaml, line 1"),
    SettingView("token", "set, and hidden", "environment, COORDWATCH_TOKEN"),
    SettingView("identity.mode", "graph", "default"),
)
"""A few settings, each from somewhere else."""
_TALLIES = {"in": 48_214, "applied": 47_102, "duplicate": 611, "dropped": 402, "parked": 96, "dead_lettered": 3}


def _counts(found: Sequence[Detection]) -> list[Count]:
    """Acts by hour over three days with a daily wave, and the detections where they happened."""
    counts = []
    chance = random.Random(12)
    tools = {one.rule: one.act.tool or "" for one in found}
    for rule, tool in tools.items():
        many = 1 if rule in ("conflicting-customer-records", "refund-promised-not-made") else 4
        for back in range(72):
            wave = 1 + math.sin((NOW // HOUR - back) % 24 / 24 * 2 * math.pi)
            amount = int(many * wave * (0.5 + chance.random()))
            counts.append(Count(rule, NOW // HOUR - back, tool, "", "acts", amount))
        counts.append(Count(rule, NOW // HOUR - 3, tool, "", "in_flight", chance.randrange(0, 25)))
        counts.append(Count(rule, NOW // HOUR - 3, tool, "", "missing_key", chance.randrange(0, 9)))
    for one in found:
        others = [evidence.tool for evidence in one.evidence if evidence.time < one.at]
        counts.append(
            Count(one.rule, one.at // HOUR, one.act.tool or "", others[0] or "" if others else "", "detections", 1)
        )
    return counts


def _dead_letters() -> list[DeadLetter]:
    return [
        DeadLetter("d1", "deskflow", "decode", "not_json", "the bytes end inside a string", None, NOW - 2 * HOUR, b'{"ticket": {"id": 88'),
        DeadLetter("d2", "journeys", "map", "missing_time", "no time at `event.timestamp`", "event.timestamp", NOW - 5 * HOUR,
                   b'{"event": {"type": "send", "campaign": "Spring sale"}}'),
        DeadLetter("d3", "parcelway", "decode", "not_utf8", "byte 0xff at 0", None, NOW - DAY, b"\xff\xfe\x00\x01tracker"),
    ]  # fmt: skip


# ---- customers


def _fact(event: Evidence) -> FactView:
    return FactView(event.source, event.id, event.type, event.time, event.observed_at, event.tool, event.data)


def main_customer() -> CustomerView:
    """The customer with everything: eight tools over nine days."""
    alert = promo_complaint(MAIN, NOW - 3 * MINUTE, 0)
    opened = alert.evidence[0]
    story = [
        an_event("", "commerce.order.changed", "Shopline", NOW - 9 * DAY, order="O-88001", status="placed"),
        an_event(
            "",
            "marketing.message.sent",
            "Mailcart",
            NOW - 9 * DAY + 4 * MINUTE,
            message="N-1",
            category="transactional",
        ),
        an_event(
            "", "fulfilment.shipment.changed", "Parcelway", NOW - 8 * DAY, shipment="PW7700001", status="in_transit"
        ),
        an_event(
            "",
            "fulfilment.shipment.changed",
            "Parcelway",
            NOW - 6 * DAY,
            3 * HOUR,
            shipment="PW7700001",
            status="delayed",
        ),
        an_event(
            "",
            "marketing.message.sent",
            "Journeys",
            NOW - 5 * DAY,
            message="M-7",
            category="promotional",
            campaign="New arrivals",
        ),
        an_event("", "bot.conversation.started", "Parley", NOW - 150 * MINUTE, conversation="V-311", channel="web"),
        an_event("", "bot.message.received", "Parley", NOW - 149 * MINUTE, conversation="V-311", intent="complain"),
        an_event("", "bot.detail.captured", "Parley", NOW - 147 * MINUTE, conversation="V-311", field="order_number"),
        an_event("", "bot.handoff.requested", "Parley", NOW - 141 * MINUTE, conversation="V-311"),
        an_event("", "bot.handoff.completed", "Parley", NOW - 138 * MINUTE, conversation="V-311", contact="T-88"),
        opened,
        an_event("", "service.case.updated", "Deskflow", NOW - 95 * MINUTE, case="K-1042", priority="high"),
        an_event("", "marketing.journey.changed", "Journeys", NOW - 62 * MINUTE, journey="Spring", action="entered"),
        an_event(
            "",
            "service.commitment.made",
            "Deskflow",
            NOW - 44 * MINUTE,
            commitment="P-9",
            kind="refund",
            order="O-88001",
        ),
        alert.act,
    ]
    return CustomerView(
        key=MAIN,
        facts=[_fact(event) for event in story],
        states=[
            StateView(alert.rule, opened.step, "case K-1042", (opened.source, opened.id), opened.time, None, "Deskflow"),
            StateView("promo-while-bot-resolving", step("promo-while-bot-resolving", "while_"), "conversation V-311", ("/parley", "x"), NOW - 149 * MINUTE,
                      NOW - 138 * MINUTE, "Parley"),
        ],
        waiting=[
            WaitingView("refund-promised-not-made", ("/deskflow", "P-9"), "service.commitment.made", NOW + 3 * DAY),
            WaitingView("delay-without-notice", ("/parcelway", "PW"), "fulfilment.shipment.changed", NOW - 20 * MINUTE,
                        "not_yet_provable", "Mailcart is read only up to 13:48 UTC"),
        ],
        truncated=["marketing.message.sent"],
        warming=["details-asked-again"],
        aliases=["anon-19f2"],
        too_late=2,
    )  # fmt: skip


def lingering_customer() -> CustomerView:
    """A complaint that was closed five hours before the promotion, and was still felt."""
    alert = promo_complaint(CUSTOMERS[6], NOW - 50 * MINUTE, 66, gap=3 * DAY)
    opened = alert.evidence[0]
    return CustomerView(
        CUSTOMERS[6],
        [_fact(opened), _fact(alert.act)],
        [
            StateView(
                alert.rule,
                "complaint",
                "case K-1108",
                (opened.source, opened.id),
                opened.time,
                alert.act.time - 5 * HOUR,
                "Deskflow",
            )
        ],
    )


def customers() -> dict[str, CustomerView]:
    """Every customer's context by key: full for the main one, their own evidence for the others."""
    known: dict[str, CustomerView] = {}
    for one in detections():
        before = known.get(one.customer, CustomerView(one.customer))
        facts = {(fact.source, fact.id): fact for fact in [*before.facts, *map(_fact, one.evidence), _fact(one.act)]}
        states = [*before.states, *_open_complaints(one)]
        known[one.customer] = replace(before, facts=sorted(facts.values(), key=lambda fact: fact.time), states=states)
    return {**known, MAIN: main_customer(), CUSTOMERS[6]: lingering_customer()}


def _open_complaints(detection: Detection) -> list[StateView]:
    return [
        StateView(detection.rule, one.step, f"case {one.data['case']}", (one.source, one.id), one.time, None, one.tool)
        for one in detection.evidence
        if detection.rule == "promo-during-open-complaint"
    ]


# ---- everything else a page reads


def sources() -> list[SourceView]:
    """Eight sources: six read, one late, one dark for the last forty minutes."""
    quarter = 15 * MINUTE
    start = NOW // quarter * quarter - 95 * quarter

    def slots(*bad: tuple[int, int, str]) -> list[tuple[int, str]]:
        status = ["read"] * 96
        for first, last, word in bad:
            status[first:last] = [word] * (last - first)
        return [(start + index * quarter, word) for index, word in enumerate(status)]

    def tally(many: int) -> dict[str, int]:
        return {"in": many, "applied": many - many // 50, "duplicate": many // 80, "dropped": many // 50 - many // 80}

    return [
        SourceView("deskflow", "read", NOW - 4 * SECOND, NOW - 31 * SECOND, ["Deskflow"], tally(9_120), (0, 0), slots()),
        SourceView("journeys", "read", NOW - 3 * SECOND, NOW - 6 * SECOND, ["Journeys"], tally(17_450), (312, 17_101), slots((10, 13, "late"))),
        SourceView("mailcart", "late", NOW - 32 * MINUTE, NOW - 33 * MINUTE, ["Mailcart"], tally(6_300), (11, 6_180), slots((93, 96, "late"))),
        SourceView("parley", "read", NOW - 2 * SECOND, NOW - 9 * SECOND, ["Parley"], tally(8_804), (0, 0), slots((40, 44, "dark"))),
        SourceView("parcelway", "dark", NOW - 40 * MINUTE, NOW - 41 * MINUTE, ["Parcelway"], tally(2_200), (0, 0), slots((93, 96, "dark")),
                   "silent for 40 min; usually one event every 20 s"),
        SourceView("shopline", "read", NOW - 5 * SECOND, NOW - 20 * SECOND, ["Shopline", "Returns Desk"], tally(3_150), (0, 0), slots()),
        SourceView("stockroom", "idle", None, None, ["Stockroom"], {}, (0, 0), slots((0, 96, "idle"))),
        SourceView("adreach", "read", NOW - 50 * SECOND, NOW - 2 * MINUTE, ["Adreach"], tally(1_190), (0, 0), slots((0, 8, "idle"))),
    ]  # fmt: skip


def tools() -> list[ToolView]:
    """The tools as mappings know them; one of them never sent anything."""
    return [
        ToolView("Journeys", "marketing", "lifecycle-marketing", "journeys", ("marketing.message.sent", "marketing.journey.changed")),
        ToolView("Parley", "bot", "conversational-ai", "parley", ("bot.message.sent",)),
        ToolView("Mailcart", "marketing", "", "mailcart", ("marketing.message.sent",)),
        ToolView("Unheard", "crm", "", "unheard", ("service.case.opened",)),
    ]  # fmt: skip


def rule_texts() -> dict[str, str]:
    """The YAML of every shipped rule."""
    texts = (
        path.read_text(encoding="utf-8") for path in sorted(shipped("rules").rglob("*.yaml")) if path.name[0] != "_"
    )
    return {text.split("id: ", 1)[1].split("\n", 1)[0].strip(): text for text in texts}


def no_steps(rule: str, customer: str, act: tuple[str, str]) -> Sequence[ExplainStep]:
    """No explanation from an engine: the pages derive one."""
    return ()


def nothing_again(letters: Sequence[DeadLetter], actor: str) -> str:
    """Nothing can be used that could not before."""
    return f"0 of {len(letters)} could be used now."


@dataclass(frozen=True, slots=True)
class Sample:
    """A store and the context over it."""

    store: SqlStore
    context: PagesContext


def sample() -> Sample:
    """Everything the pages read, filled with invented data."""
    store = filled_store()
    known = customers()
    context = PagesContext(
        reader=store,
        desk=store,
        shelf=store.shelf(),
        rules=SPECS,
        sentences={},
        rule_texts=rule_texts(),
        customer=known.get,
        explain=no_steps,
        sources=sources,
        clock=ManualClock(NOW),
        tools=tools,
        silences=store.silences(),
        incidents=store.incidents(),
        trail=store.trail(),
        settings=SETTINGS,
        replay=nothing_again,
    )
    return Sample(store, context)


def empty_sample() -> Sample:
    """A first start: rules, and nothing else."""
    store = new_store()
    full = sample().context
    desks = {"silences": store.silences(), "incidents": store.incidents(), "trail": store.trail()}
    empty = replace(full, reader=store, desk=store, shelf=store.shelf(), **desks)
    return Sample(store, replace(empty, customer=lambda key: None, sources=list, settings=()))
