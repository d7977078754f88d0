"""Statements 29 and 32 to 36: the running engine: attribution, proof of absence, clamping, forgetting, changed rules."""

from __future__ import annotations

from typing import Any

import pytest

from coordwatch.context.progress import Progress, SourceProgress
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY, HOUR, MINUTE
from coordwatch.sources.stamps import settle
from tests.laws.subject import Running
from tests.statements.scene import at, document, on

AFTER = """
when: {promo: {event: sent}}
after: {complaint: {event: case, within: 2h, grace: 10m}}
"""
EXPECT = """
when: {gone: {event: order, where: status == "cancelled"}}
expect: {notice: {event: sent, same: order, within: 30m}}
"""
UNLESS = EXPECT + "unless: {again: {event: status, since: gone}}\n"


def gone(time: str = "0h", **words: Any) -> dict[str, Any]:
    return on("order", time, order="O1", status="cancelled", **words)


def standing(rule: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    """The one detection that stands, with all that is kept of it."""
    running = Running([document(rule)])
    running.feed(events, at("9h"))
    running.settle(at("9h"))
    (found,) = running.store.standing_detections()
    return found


@pytest.mark.parametrize(
    ("seen", "attribution", "known_for"),
    [
        ("61m", "could_not_know", None),
        ("60m", "in_flight", 0),
        ("51m", "in_flight", 9 * MINUTE),
        ("50m", "ignored", 10 * MINUTE),
        ("0h", "ignored", HOUR),
    ],
)
def test_rule_32_attribution_compares_when_the_evidence_was_seen_with_the_act(
    seen: str, attribution: str, known_for: int | None
) -> None:
    found = standing(AFTER, [on("case", "0h", seen=at(seen)), on("sent", "1h")])
    assert found["attribution"] == attribution
    if attribution == "ignored":
        assert found["known_for"] == known_for, "with the time it lay there"


@pytest.mark.parametrize("order", [("61m", "50m"), ("50m", "61m")])
def test_rule_31_of_observed_at_the_smallest_counts_for_attribution(order: tuple[str, str]) -> None:
    copies = [on("case", "0h", id="k", seen=at(seen)) for seen in order]
    assert standing(AFTER, [*copies, on("sent", "1h")])["attribution"] == "ignored"
    assert standing(AFTER, [copies[0], on("sent", "1h"), copies[1]])["attribution"] == "ignored"


def test_rule_19_a_fact_that_comes_late_is_read_as_of_the_act() -> None:
    rule = "{when: {promo: {event: sent}}, given: {stock: {event: stock, where: available <= 0}}}"
    running = Running([document(rule)])
    running.feed([on("sent", "1h", id="m"), on("sent", "3h", id="n")], at("4h"))
    assert running.standing() == []
    running.feed([on("stock", "0h", who=None, available=0)], at("4h"))
    assert [one["act"]["id"] for one in running.standing()] == ["m", "n"]
    running.feed([on("stock", "2h", who=None, available=5)], at("4h"))
    assert [one["act"]["id"] for one in running.standing()] == ["m"]


def two_tools() -> tuple[SourceProgress, SourceProgress]:
    notices = SourceProgress("mail", frozenset({"marketing.message.sent"}), publishing_delay=0)
    rest = SourceProgress(
        "shop", frozenset(TYPES) - {"marketing.message.sent", "service.case.status_changed"}, publishing_delay=0
    )
    return notices, rest


def test_rule_33_violated_needs_the_source_of_the_expected_type_proven_up_to_the_deadline() -> None:
    running = Running([document(EXPECT)], sources=two_tools())
    running.feed([gone()], at("9h"), "shop")
    running.settle(at("9h"), "shop")
    assert running.standing() == [], "the shop is read, the mail is not"
    running.settle(at("30m", -1), "mail")
    assert running.standing() == []
    running.settle(at("30m"), "mail")
    assert [one["at"] for one in running.standing()] == [at("30m")]


def test_rule_33_and_every_source_of_a_cancelling_type() -> None:
    desk = SourceProgress("desk", frozenset({"service.case.status_changed"}), publishing_delay=0)
    running = Running([document(UNLESS)], sources=(*two_tools(), desk))
    running.feed([gone()], at("9h"), "shop")
    running.settle(at("9h"), "shop", "mail")
    assert running.standing() == []
    running.settle(at("9h"), "desk")
    assert len(running.standing()) == 1


def test_rule_33_several_sources_of_one_type_must_all_be_proven() -> None:
    progress = Progress(
        [SourceProgress("a", frozenset({"x"}), through=5), SourceProgress("b", frozenset({"x", "y"}), through=3)]
    )
    assert progress.proof(["x"], 9).through == 3
    assert progress.proof(["y"], 9).through == 3
    assert progress.proof(["x", "z"], 9).through <= 3


def test_rule_34_a_future_time_is_clamped_once_against_when_it_was_seen() -> None:
    seen = at("0h")
    assert settle(seen + HOUR, seen) == (seen, "clamped")
    assert settle(seen - HOUR, seen) == (seen - HOUR, "event")


def test_rule_34_the_clamp_is_written_into_the_event_and_does_not_depend_on_when_it_is_handled() -> None:
    stray = {**on("sent", "0h", id="m", seen=at("1h")), "time": at("0h") + 70 * 366 * DAY}
    results = []
    for now in ("2h", "5h"):
        running = Running([document("when: {promo: {event: sent}}")])
        running.feed([stray], at(now))
        running.feed([stray], at("9h"))
        results.append(running.standing())
    assert [one["act"]["time"] for one in results[0]] == [at("1h")]
    assert results[0] == results[1]


def test_rule_34_a_future_time_never_advances_progress() -> None:
    source = SourceProgress("mail", frozenset({"x"}), disorder=MINUTE)
    here = source.seen(at("1h"), at("2h"))
    assert here.through == at("1h") - MINUTE
    assert here.seen(at("0h") + 70 * 366 * DAY, at("2h")).through == here.through


def promos(count: int, time: str = "0h") -> list[dict[str, Any]]:
    return [on("sent", time, number, id=f"m{number:05}") for number in range(count)]


def test_rule_35_pruning_keeps_the_newest_and_the_journal_says_so() -> None:
    running = Running([document("when: {promo: {event: sent}}")], cap=10)
    running.feed(reversed(promos(30)), at("1h"))
    view = running.processor.state("C1")
    assert [fact[2] for fact in view.journal.facts] == [f"m{number:05}" for number in range(20, 30)]
    assert "marketing.message.sent" in view.journal.truncated


def test_rule_35_forgetting_never_retracts() -> None:
    """The complaint is forgotten under a flood; judging the act again must not take the detection back."""
    rule = "{when: {promo: {event: sent}}, after: {complaint: {event: case, within: forever}}}"
    running = Running([document(rule)], cap=10)
    promo = on("sent", "1h", id="m", seen=at("2h"))
    running.feed([on("case", "0h", id="k", case="K0"), promo], at("3h"))
    before = running.standing()
    assert len(before) == 1
    running.feed([on("case", "2h", number, case="K1") for number in range(40)], at("3h"))
    running.feed([{**promo, "observed_at": at("1h")}], at("3h"))
    assert running.standing() == before


def test_rule_35_an_older_event_is_counted_too_late_and_marks_the_context() -> None:
    running = Running([document("when: {promo: {event: sent}}")], lateness=7 * DAY)
    running.feed([on("sent", "0h", id="new")], at("0h"))
    running.feed([{**on("sent", "0h", id="old"), "time": at("0h") - 8 * DAY}], at("0h"))
    assert [one["act"]["id"] for one in running.standing()] == ["new"]
    assert running.store.tallies().get("too_late") == 1


def test_rule_35_an_act_that_was_let_go_is_not_judged_a_second_time() -> None:
    running = Running([document("when: {promo: {event: sent}}")], cap=10)
    events = promos(30)
    running.feed(events, at("1h"))
    before = [(count.rule, count.acts) for count in running.store.rule_counts()]
    running.feed(events[:5], at("1h"))
    assert [(count.rule, count.acts) for count in running.store.rule_counts()] == before
    assert len(running.standing()) == 30


def changed(**words: Any) -> dict[str, Any]:
    return {**document(EXPECT), **words}


def test_rule_36_editing_text_owner_severity_or_status_changes_neither_state_nor_detections() -> None:
    running = Running([document(EXPECT)])
    running.feed([gone(id="a"), gone("5m", id="b")], at("32m"))
    running.settle(at("32m"))
    assert [one["act"]["id"] for one in running.standing()] == ["a"]
    running.restart(
        [changed(title="Another title", owner="somebody", severity="critical", status="shadow", runbook="1. Look.")]
    )
    assert [one["act"]["id"] for one in running.standing()] == ["a"]
    running.settle(at("9h"))
    assert [one["act"]["id"] for one in running.standing()] == ["a", "b"], "the deadline that ran still runs"


def test_rule_36_a_change_of_matching_parts_ends_open_deadlines_as_superseded() -> None:
    running = Running([document(EXPECT)])
    running.feed([gone(id="a")], at("10m"))
    running.settle(at("10m"))
    running.restart([document(EXPECT.replace("30m", "20m"))])
    running.settle(at("9h"))
    assert running.standing() == []
    assert running.processor.state("C1").next_deadline() is None, "nothing waits any more"
    running.feed([gone("9h", id="b")], at("9h"))
    running.settle(at("12h"))
    assert [(one["act"]["id"], one["at"]) for one in running.standing()] == [("b", at("9h20m"))]


def test_rule_36_what_stands_keeps_standing_under_a_new_revision() -> None:
    running = Running([document(EXPECT)])
    running.feed([gone(id="a")], at("1h"))
    running.settle(at("1h"))
    before = running.standing()
    running.restart([document(EXPECT.replace("30m", "20m"))])
    running.settle(at("9h"))
    assert len(before) == 1
    assert running.standing() == before


def test_rule_36_a_retired_rule_closes_its_alerts_as_rule_retired() -> None:
    running = Running([document(EXPECT)])
    running.feed([gone(id="a")], at("1h"))
    running.settle(at("1h"))
    (row,), _ = running.store.alerts({}, 10, None)
    assert row.status == "open"
    running.restart([changed(status="retired")])
    running.store.close_rules_that_ended(at("2h"))
    (row,), _ = running.store.alerts({}, 10, None)
    assert row.status == "resolved"
    view = running.store.alert(row.id)
    assert view is not None
    assert "rule_retired" in [entry.note for entry in view.audit]


def test_rule_29_detections_fold_into_alerts_and_stay_themselves() -> None:
    head = "when: {promo: {event: sent}}\nafter: {complaint: {event: case, within: 2h}}\n"
    folded = Running([document(head + "alert: {once_per: [customer], quiet: 24h}")])
    apart = Running([document(head + "alert: {once_per: [message], quiet: 24h}")])
    events = [on("case", "0h"), *(on("sent", f"{n}m", message=f"M{n}") for n in range(1, 5))]
    for running in (folded, apart):
        running.feed(events, at("9h"))
        assert len(running.standing()) == 4
    assert folded.standing() == apart.standing()
    assert len(folded.store.alerts({}, 10, None)[0]) == 1
    assert len(apart.store.alerts({}, 10, None)[0]) == 4
