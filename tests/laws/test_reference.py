"""Law 3: the engine equals the naive reference, on generated rules and histories, whatever the focus of the rule."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.laws import subject
from tests.laws.histories import Case, cases
from tests.laws.rules import FOCUS, SHARED
from tests.reference import evaluator

EXAMPLES = int(os.environ.get("COORDWATCH_EXAMPLES", "2400"))
anything = st.sampled_from(sorted(FOCUS)).flatmap(cases)
CI = os.environ.get("CI") == "true"


@pytest.mark.parametrize("focus", sorted(FOCUS))
def test_the_engine_equals_the_reference(focus: str) -> None:
    """Split by focus, so that the workers can share the examples; and the examples must not be about nothing."""
    seen: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES // len(FOCUS), deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases(focus))
    def equal(case: Case) -> None:
        expected = evaluator.replay(case.rules, case.events, case.until, SHARED)
        seen.update(["examples", *(["with detections"] if expected else [])])
        assert subject.replay(case.rules, case.events, case.until, SHARED) == expected
        assert subject.replay_lines(case.rules, case.events, case.until, SHARED) == expected

    (seed(f"coordwatch {focus}")(equal) if CI else equal)()
    assert seen["with detections"] * 10 >= seen["examples"], f"too few examples raise anything: {seen}"


@settings(max_examples=EXAMPLES // 10, deadline=None, suppress_health_check=list(HealthCheck))
@given(anything, st.data())
def test_the_first_of_two_contents_is_kept(case: Case, data: st.DataObject) -> None:
    """RULES 31, in bulk: the order of the lines decides, as in the reference, and nothing else does."""
    other = data.draw(st.sampled_from(case.events))
    alike = [event for event in case.events if event["type"] == other["type"]]
    changed = {
        **data.draw(st.sampled_from(alike)),
        "source": other["source"],
        "id": other["id"],
        "subject": other["subject"],
    }
    at = data.draw(st.integers(0, len(case.events)))
    events = [*case.events[:at], changed, *case.events[at:]]
    expected = evaluator.replay(case.rules, events, case.until, SHARED)
    assert subject.replay(case.rules, events, case.until, SHARED) == expected
    assert subject.replay_lines(case.rules, events, case.until, SHARED) == expected


@settings(max_examples=EXAMPLES // 20, deadline=None, suppress_health_check=list(HealthCheck))
@given(anything, st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(case: Case, chance: object) -> None:
    """Law 2, in bulk: a history is a set."""
    shuffled = list(case.events)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    once = subject.replay(case.rules, case.events, case.until, SHARED)
    assert subject.replay(case.rules, shuffled, case.until, SHARED) == once
    assert subject.replay(case.rules, [*shuffled, *case.events], case.until, SHARED) == once
