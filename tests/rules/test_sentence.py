"""The sentence of a rule says what the rule does, and changes when the rule does."""

from dataclasses import replace

import pytest

from coordwatch.adapters.files import load_rules
from coordwatch.rules.clauses import without_each
from coordwatch.rules.parse import parse_rules
from coordwatch.rules.phrases import condition_words, value_words
from coordwatch.rules.sentence import sentence
from tests.rules.expressions import resolved, scope
from tests.rules.test_parse import FULL, HEAD, SHARED

SHIPPED = load_rules().specs


def said(body):
    (spec,) = parse_rules(HEAD + body, "rule.yaml", SHARED)
    return sentence(spec)


def test_a_state():
    assert said(
        "when: {promo: {event: marketing.message.sent, where: category == 'promotional'}}\n"
        "while:\n"
        "  complaint:\n"
        "    opened: {event: service.case.opened, where: kind == 'complaint'}\n"
        "    closed: {event: service.case.status_changed, where: is_over}\n"
        "    same: [case]\n    grace: 10m\n    linger: 48h\n"
    ) == (
        "It is a conflict when a message left for the customer (category is promotional), and “complaint” was open, which "
        "begins when a case was opened for the customer (kind is complaint) and ends when a case moved to another status "
        "(status is one of solved or closed), each case on its own, and is felt for 2 days after it ends, and had begun at "
        "least 10 min before."
    )


def test_an_absence():
    assert said(
        "when: {cancelled: {event: commerce.order.changed, where: status == 'cancelled'}}\n"
        "unless: {asked: {event: service.case.opened, within: 2d, same: order}}\n"
        "expect: {notice: {event: marketing.message.sent, same: order, within: {open: 1h, calendar: support-hours}}}\n"
    ) == (
        "It is a conflict when an order moved to another status (status is cancelled), and then within 1 h of open time "
        "(support-hours) it does not happen that a message left for the customer for the same order. It is none if in the "
        "2 days before, a case was opened for the customer for the same order."
    )


def test_counts_facts_names_and_exceptions():
    text = said(
        "when: {answer: {event: bot.message.sent, same: {item: items.sku}}}\n"
        "after:\n"
        "  asked: {event: bot.message.received, within: forever, at_least: 3, distinct: intent, grace: 1m}\n"
        "  told: {event: bot.detail.captured, within: 1h}\n"
        "given: {stock: {event: inventory.level.changed, where: available <= 0, same: item, per: location, within: 1d}}\n"
        "unless: {other: {event: bot.handoff.requested, where: time > told.time, since: told}}\n"
        "exceptions: [{name: a-test, where: response_id == 'utter_test', reason: r, owner: o, until: 2026-12-31}]\n"
    )
    assert text == (
        "It is a conflict when the bot wrote to the customer (the answer), and at least 3 times at any time before, the "
        "customer wrote to the bot, each time with another intent, but not in the last 1 min; and in the 1 h before, the bot "
        "learned a detail from the customer (the told); and the latest that was known then is that the stock of an item at a "
        "location changed (available is at most 0) for the same item, for each location, no older than 1 day. It is none if "
        "the bot asked for a human (time is after the told's time), at any time since the told. Excepted until 2026-12-31 "
        "(a test): the answer's response id is utter_test."
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("!(category == 'a' && channel in ['sms', 'voice'])", "category is not a or channel is none of sms or voice"),
        ("category == 'a' && (channel == 'b' || has(item))", "category is a and (channel is b or item is known)"),
        ("!has(item) || !(backfill == true)", "item is not known or backfill is not true"),
        ("backfill || !backfill", "backfill is true or backfill is false"),
        ("items.exists(i, i.sku == 'A-1' && i.quantity > 1)", "for some i of items, i's sku is “A-1” and i's quantity is more than 1"),
        ("!items.all(i, has(i.sku))", "for some i of items, i's sku is not known"),
        ("promo.time - time < duration('30m')", "the promo's time minus time is less than 30 min"),
        ("!(time < promo.time)", "time is not before the promo's time"),
        ("offer_price * 2 + 1 >= 10", "(offer_price times 2) plus 1 is at least 10"),
        ("template.startsWith('x') && !template.matches('^A+$')", "template starts with x and template does not match “^A+$”"),
        ("size(items) == 0 || size(template) == 1", "the number of items is 0 or the length of template is 1"),
        ("time.getHours(recipient_tz) < 8 && time.getDayOfWeek() != 0",
         "the hour of time in recipient tz is less than 8 and the day of the week of time in UTC is not 0"),
        ("time > timestamp('2026-01-02T00:00:00Z')", "time is after 2026-01-02T00:00:00Z"),
        ("'A' in item && !('B' in item)", "“A” is in item and “B” is not in item"),
    ],
)  # fmt: skip
def test_conditions(text, words):
    where = scope(promo="marketing.message.sent")
    assert condition_words(resolved(text, where)) == words.replace("offer_price", "offer price")


def test_times():
    where = scope("service.commitment.made", SHARED)
    assert (
        value_words(resolved("addOpen(due_at, duration('2h'), 'support-hours')", where))
        == "due at plus 2 h of open time (support-hours)"
    )
    assert (
        value_words(resolved("addBusinessDays(due_at, 7, 'support-hours')", where))
        == "7 business days (support-hours) after due at"
    )


@pytest.mark.parametrize("spec", [*SHIPPED, *parse_rules(FULL, "rule.yaml", SHARED)], ids=lambda spec: spec.id)
def test_a_change_of_any_clause_changes_the_sentence(spec):
    before = sentence(spec)
    for clause, changed in without_each(spec):
        assert sentence(changed) != before, clause.name
    assert sentence(replace(spec, title="Other", owner="other", runbook="Other.")) == before
