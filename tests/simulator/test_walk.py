"""From the tools' own words to detections: the shipped mappings, identity and rules against the simulator's truth."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from coordwatch.adapters.files import load_rules
from coordwatch.codec import decode_json
from coordwatch.events.event import Event, event_with
from coordwatch.rules.parse import parse_rules
from coordwatch.rules.spec import RuleSpec
from coordwatch.simulator import narrator
from coordwatch.simulator.hours import SUPPORT_HOURS
from coordwatch.simulator.labels import Which
from coordwatch.simulator.score import Score, score
from coordwatch.simulator.world import CAMPAIGNS, NOTICES
from tests.simulator.shop import customers, detect, detect_canonical, mapped, shop_catalogue, specs, week

UNREAD = {"value_hash", "identifiers"}


def says(found: object, meant: object) -> bool:
    """Tell whether a mapped value says at least what was meant."""
    if isinstance(meant, dict):
        return isinstance(found, dict) and all(says(found.get(name), value) for name, value in meant.items())
    if isinstance(meant, list):
        return isinstance(found, list) and len(found) == len(meant) and all(map(says, found, meant))
    return meant in found if isinstance(found, list) else found == meant


def test_no_record_is_rejected_or_dropped():
    assert [result for result in mapped() if result.rejected or result.dropped] == []
    assert sum(result.pieces for result in mapped()) == sum(result.applied for result in mapped())


def test_the_shipped_mappings_make_of_every_record_what_it_means():
    for record, result in zip(week()[0], mapped(), strict=True):
        found = {(event.source, event.id): event for event in result.events}
        for meant in record.events:
            event = found[meant.source, meant.id]
            assert (event.type, event.time, event.observed_at) == (meant.type, meant.time, meant.observed_at)
            assert [
                name for name in meant.data.keys() - UNREAD if not says(event.data.get(name), meant.data[name])
            ] == []


def test_every_tool_is_named_as_people_name_it():
    names = {event.tool for result in mapped() for event in result.events}
    assert names >= {"SendGrid", "Rasa", "Zendesk", "Shopify", "EasyPost", "Agent desktop", "Warehouse"}
    assert not any(name is None or name[:1].islower() for name in names)


def test_the_catalogue_knows_every_campaign_but_the_one_that_nobody_listed():
    listed = {tag for entry in shop_catalogue().entries for tag in entry.patterns["tag"]}
    wanted = {one.name: one for one in (*CAMPAIGNS, *NOTICES.values())}
    assert listed == {name for name, campaign in wanted.items() if campaign.listed}
    for entry in shop_catalogue().entries:
        for tag in entry.patterns["tag"]:
            campaign = wanted[tag]
            assert (entry.category, entry.purpose, entry.owner_team) == (
                campaign.category,
                campaign.purpose,
                campaign.team,
            )


def test_identity_finds_each_customer_once_and_never_two_as_one():
    truth = {(event.source, event.id): event.subject for record in week()[0] for event in record.events}
    keys: defaultdict[str, set[str]] = defaultdict(set)
    people: defaultdict[str, set[str]] = defaultdict(set)
    for event, customer in customers():
        person = truth.get((event.source, event.id))
        if person is not None and customer is not None:
            keys[customer].add(person)
            people[person].add(customer)
    assert len(people) > 200
    assert {key: found for key, found in keys.items() if len(found) > 1} == {}
    assert {person: found for person, found in people.items() if len(found) > 1} == {}


def test_only_mails_to_a_shared_mailbox_stay_without_a_customer():
    nameless = {
        event.type for event, customer in customers() if customer is None and event.type.startswith("marketing")
    }
    others = {event.type for event, customer in customers() if customer is None} - nameless
    assert nameless == {"marketing.message.sent", "marketing.message.engaged"}
    assert others == {"inventory.level.changed"}


def perfect(scores: list[Score]) -> dict[str, list[str]]:
    """Give what is wrong by rule, in words."""
    return {one.rule: [miss.reason for miss in (*one.missed, *one.invented)] for one in scores if not one.is_perfect}


@pytest.mark.parametrize("shape", ["vendor", "canonical"])
def test_every_rule_finds_everything_that_was_published_and_nothing_else(shape: str):
    records, labels = week()
    rows = detect(specs(), customers()) if shape == "vendor" else detect_canonical(specs(), records)
    scores = score(labels, rows)
    assert perfect(scores) == {}
    assert [(one.rule, one.precision, one.recall) for one in scores] == [
        (rule, 1.0, 1.0) for rule in sorted(spec.id for spec in specs())
    ]


def test_what_the_logs_cannot_show_is_counted_apart():
    scores = {one.rule: one for one in score(week()[1], detect(specs(), customers()))}
    silent = {miss.label.which for miss in scores[narrator.PROMO_COMPLAINT].unpublished if miss.label}
    assert silent == {Which.EVIDENCE_UNPUBLISHED, Which.SHARED_MAILBOX}
    assert all(miss.detection is None for miss in scores[narrator.PROMO_COMPLAINT].unpublished)
    assert all(miss.detection is not None for miss in scores[narrator.CANCELLED].unpublished)


def rule(name: str) -> RuleSpec:
    """Give a shipped rule."""
    return next(spec for spec in specs() if spec.id == name)


def without_grace(spec: RuleSpec) -> RuleSpec:
    return replace(
        spec,
        while_=tuple(replace(state, grace=0) for state in spec.while_),
        after=tuple(replace(step, grace=0) for step in spec.after),
    )


def with_any_fact(spec: RuleSpec) -> RuleSpec:
    (given,) = spec.given
    text = "stock: {event: inventory.level.changed, where: available <= 0, same: [item, location]}"
    (loose,) = parse_rules(
        "id: loose\ntitle: t\nstatus: live\nseverity: low\nowner: o\nwhy: w.\n"
        "when: {promo: {event: marketing.message.sent, same: {item: items.sku}}}\n"
        f"given:\n  {text}\n",
        "loose.yaml",
    )
    return replace(spec, given=(replace(given, matches=loose.given[0].matches),))


def without_where(spec: RuleSpec) -> RuleSpec:
    return replace(
        spec, when=replace(spec.when, matches=tuple(replace(match, where=None) for match in spec.when.matches))
    )


def without_unless(spec: RuleSpec) -> RuleSpec:
    return replace(spec, unless=())


def fallen_into(name: str, rows: list[dict[str, Any]]) -> set[Which | None]:
    """Give the traps of a rule whose acts were raised."""
    (found,) = [one for one in score(week()[1], rows) if one.rule == name]
    return {miss.label.which for miss in found.invented if miss.label}


@pytest.mark.parametrize(
    ("name", "weaken", "trap"),
    [
        (narrator.PROMO_COMPLAINT, without_grace, Which.IN_FLIGHT),
        (narrator.PROMO_COMPLAINT, without_where, Which.UNKNOWN_CATEGORY),
        (narrator.PROMO_CHAT, without_grace, Which.IN_FLIGHT),
        (narrator.PROMO_STOCK, with_any_fact, Which.IN_FLIGHT),
        (narrator.AD_RETURNED, without_grace, Which.IN_FLIGHT),
        (narrator.ASKED_AGAIN, without_where, Which.ASKED_FOR_SECURITY),
        (narrator.CANCELLED, without_unless, Which.CUSTOMER_CANCELLED),
        (narrator.REFUND, without_unless, Which.WITHDRAWN),
    ],
)
def test_a_weaker_rule_falls_into_the_trap(name: str, weaken: Callable[[RuleSpec], RuleSpec], trap: Which):
    assert trap in fallen_into(name, detect([weaken(rule(name))], customers()))


def test_counting_copies_falls_into_the_trap():
    told: set[tuple[str, str]] = set()
    events: list[tuple[Event, str | None]] = []
    for event, customer in customers():
        is_copy = (event.source, event.id) in told
        told.add((event.source, event.id))
        events.append((event_with(event, id=event.id + " again") if is_copy else event, customer))
    assert Which.DUPLICATED in fallen_into(narrator.BOT_LOOP, detect([rule(narrator.BOT_LOOP)], events))


@pytest.mark.parametrize(
    ("name", "trap"),
    [
        (narrator.CANCELLED, Which.LATE),
        (narrator.DELAYED, Which.LATE),
        (narrator.REFUND, Which.LATE),
    ],
)
def test_trusting_the_order_of_the_log_falls_into_the_trap(name: str, trap: Which):
    by_arrival = [(event_with(event, time=event.observed_at), customer) for event, customer in customers()]
    assert trap in fallen_into(name, detect([rule(name)], by_arrival))


def test_trusting_the_address_falls_into_the_trap():
    owners: dict[str, str] = {}
    for event, customer in customers():
        for one in event.data.get("identifiers", ()):
            if one["type"] == "email" and customer is not None:
                owners.setdefault(one["value"], customer)
    guessed = [
        (event, customer or owners.get(next((one["value"] for one in event.data.get("identifiers", ())), "")))
        for event, customer in customers()
    ]
    assert Which.SHARED_MAILBOX in fallen_into(
        narrator.PROMO_COMPLAINT, detect([rule(narrator.PROMO_COMPLAINT)], guessed)
    )


def test_the_narrator_and_the_rules_mean_the_same_numbers():
    (complaint,) = rule(narrator.PROMO_COMPLAINT).while_
    assert (complaint.grace, complaint.linger) == (narrator.COMPLAINT_FRESH, narrator.COMPLAINT_FELT)
    (chat,) = rule(narrator.PROMO_CHAT).while_
    assert (chat.grace, chat.at_most) == (narrator.CHAT_FRESH, narrator.CHAT_AT_MOST)
    (sent_back,) = rule(narrator.AD_RETURNED).after
    assert sent_back.within is not None
    assert (sent_back.grace, sent_back.within.length) == (narrator.RETURN_FRESH, narrator.RETURN_FELT)
    (repeats,) = rule(narrator.BOT_LOOP).after
    assert repeats.within is not None
    assert repeats.within.length == narrator.LOOP_WITHIN
    told = rule(narrator.ASKED_AGAIN).after[0]
    assert told.within is not None
    assert told.within.length == narrator.TOLD_FELT


def test_the_shop_has_the_hours_that_the_rules_name():
    shared = load_rules(None).specs[0].shared
    assert shared is not None
    assert shared.calendars == {"support-hours": SUPPORT_HOURS}


def test_payloads_are_json_and_name_nobody_real():
    for record in week()[0]:
        text = (record.record.value or b"").decode()
        decode_json(text)
        assert "@" not in text.replace("@mail.example", "")
