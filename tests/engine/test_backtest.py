"""Backtest: two versions of rules over one history, and what differs between them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from coordwatch.codec import encode_json
from coordwatch.engine.backtest import Change, Compared, both_versions, compare
from coordwatch.engine.replay import Replay, replay_events
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.spec import RuleSpec, RuleStatus
from tests.laws.subject import engine_event, specs
from tests.simulator import shop
from tests.statements.scene import document, on

PROMO = "when: {promo: {event: sent}}\nafter: {complaint: {event: case, same: case, within: %s}}"
EVENTS = [
    on("case", "0h", id="k1", case="K1"),
    on("case", "1h", id="k2", case="K1"),
    on("sent", "2h", id="m", case="K1"),
    on("sent", "9h", id="late", case="K1"),
    on("sent", "2h", id="other", case="K9", who="C2"),
]


def rule(text: str, number: int = 1) -> RuleSpec:
    return specs([document(text, number)])[0]


def backtest(now: Sequence[RuleSpec], was: Sequence[RuleSpec], events: Sequence[dict[str, Any]]) -> list[Compared]:
    replay = Replay(compile_rules(both_versions(now, was)), counting=True)
    for event in events:
        replay.add(engine_event(event))
    return compare(now, map(encode_json, replay.finish()), replay.counts.acts)


def told(one: Compared) -> list[tuple[Change, str]]:
    return [(each.change, each.row["act"]["id"]) for each in one.differences]


def test_a_longer_window_adds_and_a_shorter_one_removes() -> None:
    short, long = rule(PROMO % "3h"), rule(PROMO % "10h")
    (added,) = backtest([long], [short], EVENTS)
    assert (added.rule, added.acts_was, added.acts_now, added.was, added.now) == ("rule-1", 3, 3, 1, 2)
    assert told(added) == [(Change.ADDED, "late")]
    assert added.customers == {"C1"}
    (removed,) = backtest([short], [long], EVENTS)
    assert told(removed) == [(Change.REMOVED, "late")]
    assert removed.differences[0].row["rule"] == "rule-1"


def test_other_evidence_for_the_same_act_is_a_change() -> None:
    other = rule((PROMO % "3h").replace("same: case", "where: 'kind == \"old\"'"))
    events = [*EVENTS[1:], on("case", "0h", id="k0", case="K1", kind="old")]
    (one,) = backtest([other], [rule(PROMO % "3h")], events)
    assert told(one) == [(Change.CHANGED, "m")]
    difference = one.differences[0]
    assert difference.now is not None
    assert difference.was is not None
    assert difference.now["evidence"][0]["id"] == "k0"
    assert difference.was["evidence"][0]["id"] == "k2"
    assert difference.was["rule"] == "rule-1"


def test_a_new_rule_adds_all_and_a_retired_one_removes_all() -> None:
    here = rule(PROMO % "10h")
    (new,) = backtest([here], [], EVENTS)
    assert [change for change, _ in told(new)] == [Change.ADDED] * 2
    assert (new.acts_was, new.acts_now) == (0, 3)
    (gone,) = backtest([replace(here, status=RuleStatus.RETIRED)], [here], EVENTS)
    assert [change for change, _ in told(gone)] == [Change.REMOVED] * 2
    assert (gone.acts_was, gone.acts_now) == (3, 0)


def test_a_rule_that_only_the_old_version_has_is_left_alone() -> None:
    here = rule(PROMO % "10h")
    (one,) = backtest([here], [here, rule("when: {x: {event: sent}}", 2)], EVENTS)
    assert one.rule == "rule-1"
    assert one.differences == []


def test_the_versions_do_not_know_of_each_other() -> None:
    """Each says what it says alone, on a shop's week with every shipped rule, and with rules that forgive less."""
    events = [event for record in shop.week()[0] for event in record.events if event.subject]
    stricter = [replace(spec, exceptions=(), unless=()) for spec in shop.specs()]
    replay = Replay(compile_rules(both_versions(stricter, shop.specs())), counting=True)
    for event in events:
        replay.add(event)
    rows = replay.finish()
    was = [{**row, "rule": row["rule"].removeprefix("was:")} for row in rows if row["rule"].startswith("was:")]
    now = [row for row in rows if not row["rule"].startswith("was:")]
    assert now == replay_events(stricter, events)
    assert was == replay_events(shop.specs(), events)
    assert len(now) > len(was) > 0
    compared = compare(stricter, map(encode_json, rows), replay.counts.acts)
    assert sum(one.now for one in compared) == len(now)
    assert sum(one.was for one in compared) == len(was)
    assert sum(one.counts[Change.ADDED] - one.counts[Change.REMOVED] for one in compared) == len(now) - len(was)
