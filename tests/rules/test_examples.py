"""Tests inside rules: their events, what is compared, and what an example must notice."""

from dataclasses import replace

import pytest

from coordwatch.adapters.files import load_rules
from coordwatch.engine.replay import replay_events
from coordwatch.events.times import HOUR, format_time
from coordwatch.rules.examples import CUSTOMER, EXAMPLE_START, compare, coverage, example_events, run_examples
from coordwatch.rules.parse import parse_rules
from coordwatch.rules.spec import RuleStatus
from tests.rules.test_parse import HEAD, SHARED

PROMISE = """
when: {promise: {event: service.commitment.made, where: kind == "refund"}}
unless: {back: {event: service.commitment.closed, where: outcome == "withdrawn", same: commitment, since: promise}}
expect: {paid: {event: commerce.payment.changed, where: status == "refunded", same: order, by: promise.due_at, early: 1h}}
"""


def rule(tests, body=PROMISE):
    (spec,) = parse_rules(HEAD + body + "tests:\n" + tests, "rule.yaml", SHARED)
    return spec


def results(tests, body=PROMISE):
    return [result.differences for result in run_examples(rule(tests, body), replay_events)]


def detection(at, status="open", steps=()):
    evidence = [{"step": step, "source": "example", "id": "e1"} for step in steps]
    return {"at": format_time(EXAMPLE_START + at), "status": status, "evidence": evidence}


def test_an_event_has_a_customer_an_id_and_a_time_of_its_own():
    spec = rule(
        "  - name: a\n    expect: []\n    events:\n"
        "      - {at: 1h, service.commitment.made: {kind: refund, due_at: 48h}}\n"
        "      - {at: 2h, id: X, source: crm, subject: other, observed: 3h, commerce.payment.changed: {order: O1}}\n"
        "      - {at: 2h, inventory.level.changed: }\n"
    )
    first, second, third = example_events(spec, spec.tests[0])
    assert (first.id, first.source, first.subject, first.time) == ("e1", "example", CUSTOMER, EXAMPLE_START + HOUR)
    assert first.data == {"kind": "refund", "due_at": format_time(EXAMPLE_START + 48 * HOUR)}
    assert (second.id, second.source, second.subject) == ("X", "crm", "other")
    assert (second.observed_at, second.time) == (EXAMPLE_START + 3 * HOUR, EXAMPLE_START + 2 * HOUR)
    assert (third.subject, third.data) == (None, {})


def test_statement_41_without_until_every_deadline_passes_and_until_moves_the_clock():
    promised = "{at: 0h, service.commitment.made: {commitment: P1, kind: refund, order: O1, due_at: 9000w}}"
    assert results(f"  - {{name: a, events: [{promised}], expect: [{{at: 9000w}}]}}\n") != [()]
    promised = promised.replace("9000w", "48h")
    assert results(f"  - {{name: a, events: [{promised}], expect: [{{at: 48h}}]}}\n") == [()]
    assert results(f"  - {{name: a, events: [{promised}], until: 48h, expect: [{{at: 48h}}]}}\n") == [()]
    assert results(f"  - {{name: a, events: [{promised}], until: 47h59m, expect: []}}\n") == [()]


@pytest.mark.parametrize(
    ("expect", "found", "words"),
    [
        ("[]", [], []),
        ("[{at: 1h}]", [detection(HOUR)], []),
        ("[{}]", [detection(HOUR)], []),
        ("[{}, {at: 1h}]", [detection(HOUR), detection(2 * HOUR)], []),
        ("[{at: 1h, status: open}, {at: 1h, status: made_good}]", [detection(HOUR, "made_good"), detection(HOUR)], []),
        ("[{at: 1h}]", [], ["expected a detection at 1h, and there is none"]),
        ("[{}]", [], ["expected a detection, and there is none"]),
        ("[]", [detection(HOUR)], ["not expected: a detection at 1h, open"]),
        ("[{at: 1h, status: open}]", [detection(HOUR, "made_good")], ["the detection at 1h should be open, and is made_good"]),
        ("[{at: 1h, evidence: [paid]}]", [detection(HOUR)], ["the detection at 1h should name paid, and names nothing"]),
        ("[{at: 1h, evidence: []}]", [detection(HOUR, steps=["paid"])], ["the detection at 1h should name nothing, and names paid"]),
        ("[{at: 1h, evidence: [paid]}]", [detection(HOUR, steps=["paid", "paid"])], []),
        ("[{at: 1h}]", [detection(2 * HOUR)], ["expected a detection at 1h, and there is none", "not expected: a detection at 2h, open"]),
    ],
)  # fmt: skip
def test_differences_are_told_in_words(expect, found, words):
    spec = rule(f"  - {{name: a, events: [], expect: {expect}}}\n")
    assert compare(spec.tests[0], found) == words


def test_an_engine_that_depends_on_the_order_is_found_out():
    seen = []

    def by_arrival(specs, events, until):
        seen.append([event.id for event in events])
        return [detection(HOUR)] if seen[-1][0] == "e1" else []

    spec = rule(
        "  - {name: a, events: [{at: 0h, feedback.received: }, {at: 1h, feedback.received: }], expect: [{at: 1h}]}\n"
    )
    (result,) = run_examples(spec, by_arrival)
    assert not result.passed
    assert result.differences[0].startswith("reversed, the events raise something else")
    assert seen == [["e1", "e2"], ["e2", "e1"]]


def test_a_retired_rule_must_still_do_what_its_tests_say():
    tests = "  - {name: a, events: [{at: 0h, service.commitment.made: {kind: refund, order: O1, due_at: 1h}}], expect: [{at: 1h}]}\n"
    spec = replace(rule(tests), status=RuleStatus.RETIRED)
    assert [result.passed for result in run_examples(spec, replay_events)] == [True]


def test_a_clause_that_no_example_needs_is_told():
    raised = "  - {name: a, events: [{at: 0h, service.commitment.made: {kind: refund, order: O1, due_at: 1h}}], expect: [{at: 1h}]}\n"

    def uncovered(tests):
        return {clause.name for clause, covered in coverage(rule(tests), replay_events) if not covered}

    clauses = {clause.name for clause, _ in coverage(rule(raised), replay_events)}
    assert clauses == {
        "when.promise.where", "unless.back", "unless.back.where", "unless.back.same",
        "expect.paid.where", "expect.paid.same", "expect.paid.early",
    }  # fmt: skip
    assert uncovered(raised) == clauses
    withdrawn = raised + (
        "  - name: b\n    expect: []\n    events:\n"
        "      - {at: 0h, service.commitment.made: {commitment: P1, kind: refund, order: O1, due_at: 2h}}\n"
        "      - {at: 1h, service.commitment.closed: {commitment: P1, outcome: withdrawn}}\n"
        "  - name: c\n    expect: []\n    events:\n"
        "      - {at: 0h, service.commitment.made: {kind: callback, order: O1, due_at: 2h}}\n"
    )
    assert uncovered(withdrawn) == {
        "unless.back.where", "unless.back.same", "expect.paid.where", "expect.paid.same", "expect.paid.early",
    }  # fmt: skip


@pytest.mark.parametrize("spec", load_rules().specs, ids=lambda spec: spec.id)
def test_the_tests_of_every_rule_that_ships_pass_in_every_order(spec):
    assert [
        (result.name, result.differences) for result in run_examples(spec, replay_events) if not result.passed
    ] == []
