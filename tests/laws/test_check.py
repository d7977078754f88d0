"""Law of asking before: `check` says of an act what judging it afterwards would say, and until when, by the naive reference."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

from coordwatch.context.journal import once_each
from coordwatch.context.reference import Reference
from coordwatch.engine.check import Advice, Answer, check
from coordwatch.engine.state import fact_of
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import MINUTE
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.search import View
from tests.laws import subject
from tests.laws.histories import Case, cases
from tests.laws.rules import SHARED
from tests.reference import evaluator

EXAMPLES = int(os.environ.get("COORDWATCH_EXAMPLES", "2400"))
# The same examples each time, of which so many are held back; a longer run draws its own.
DRAWN = "COORDWATCH_EXAMPLES" in os.environ
FOCUSES = ("counts", "facts", "keys", "sequences", "states", "cancelled")

Plain = dict[str, Any]


def without_graces(doc: Plain) -> Plain:
    """A live rule that forgives nothing: who asks before the act can still know."""
    plain = json.loads(json.dumps(doc, default=str))
    for word in ("after", "while"):
        for step in plain.get(word, {}).values():
            step.pop("grace", None)
    return {**plain, "status": "live"}


def asked(rules: list[Plain], events: list[Plain], act: Plain) -> Answer:
    """The answer about an act, in a world of these events."""
    plan = compile_rules(subject.specs(rules, SHARED), display=True)
    facts = [(event, fact_of(subject.engine_event(event), plan)) for event in events]
    mine = [fact for event, fact in facts if fact is not None and event["subject"] == act["subject"]]
    wide = [fact for event, fact in facts if fact is not None and TYPES[event["type"]].broadcast]
    reference = Reference(once_each(wide)[0])
    return check(plan, View(once_each(mine)[0], act["subject"], reference), subject.engine_event(act))


def against(rules: list[Plain], events: list[Plain], act: Plain, at: int) -> set[str]:
    """The rules that the reference says are violated by an act that is done at an instant."""
    done = {**act, "time": at, "observed_at": at}
    found = evaluator.replay(rules, [*events, done], at, SHARED)
    name = (act["source"], act["id"])
    return {one["rule"] for one in found if (one["act"]["source"], one["act"]["id"]) == name}


def question(case: Case, data: st.DataObject) -> tuple[list[Plain], list[Plain], Plain]:
    """Rules without `expect`, an act of a customer, and what was known when it was asked about."""
    rules = [without_graces(doc) for doc in case.rules if "expect" not in doc]
    acts = [event for event in case.events if event["subject"] is not None]
    assume(rules and acts)
    act = data.draw(st.sampled_from(acts))
    act = {**act, "observed_at": act["time"]}
    name = (act["source"], act["id"])
    known = [one for one in case.events if one["time"] <= act["time"] and (one["source"], one["id"]) != name]
    return rules, known, act


@pytest.mark.parametrize("focus", FOCUSES)
def test_asking_before_equals_judging_after(focus: str) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES // (4 * len(FOCUSES)), deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases(focus), st.data())
    def equal(case: Case, data: st.DataObject) -> None:
        rules, known, act = question(case, data)
        answer = asked(rules, known, act)
        seen.update([answer.advice.value])
        assert {one.detection.rule for one in answer.objections} == against(rules, known, act, act["time"])
        assert asked(rules, [*known, act], act) == answer
        if answer.advice is Advice.HOLD:
            assert answer.until is not None
            assert against(rules, known, act, answer.until) == set()

    (equal if DRAWN else seed(f"check {focus}")(equal))()
    assert seen["allow"] > 5
    assert seen["hold"] + seen["deny"] > 5, seen


@pytest.mark.parametrize("focus", FOCUSES)
def test_nobody_waits_for_longer_than_the_facts_ask(focus: str) -> None:
    """Where no condition looks at the clock, every minute before the end of a hold would still be a conflict."""
    seen: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES // (4 * len(FOCUSES)), deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases(focus), st.data())
    def shortest(case: Case, data: st.DataObject) -> None:
        rules, known, act = question(case, data)
        assume("time" not in json.dumps(rules) and "observed_at" not in json.dumps(rules))
        answer = asked(rules, known, act)
        seen.update([answer.advice.value])
        if answer.until is None:
            return
        earlier = (answer.until - act["time"]) // MINUTE
        minutes = data.draw(st.lists(st.integers(0, max(0, earlier - 1)), min_size=1, max_size=4, unique=True))
        for at in (*(act["time"] + one * MINUTE for one in minutes), answer.until - 1):
            assert against(rules, known, act, at), f"nothing stands against it at {at}"

    (shortest if DRAWN else seed(f"hold {focus}")(shortest))()
    assert seen["hold"] > 2, seen
