"""Verdicts: what people say stays what they said last, an undo takes it back, and a rule's precision follows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.alerts.alert import ActionRefused, Order, carry_out
from coordwatch.alerts.lifecycle import HUMAN_ACTIONS, AlertAction, AlertStatus
from coordwatch.alerts.verdict import Judged, Verdict, judged_after, precision_of, verdict_of, wilson
from tests.alerts.test_lifecycle import an_alert
from tests.build import NOW

PEOPLE = st.tuples(st.sampled_from(sorted(HUMAN_ACTIONS)), st.none() | st.sampled_from(Verdict))


@settings(max_examples=60)
@given(st.lists(PEOPLE, max_size=25))
def test_an_alert_marked_as_no_conflict_has_a_verdict_that_says_so_and_no_other_has(sequence):
    alert, judged, last = an_alert(), Judged(), None
    for action, said in sequence:
        try:
            alert, entry = carry_out(alert, Order(action, "ada", NOW, verdict=said))
        except ActionRefused:
            continue
        judged = judged_after(judged, action, said, last)
        last = entry.action
        wrong = judged.verdict is not None and judged.verdict.is_wrong
        assert wrong == (alert.status is AlertStatus.NOT_A_CONFLICT)


@pytest.mark.parametrize("action", [AlertAction.JUDGE, AlertAction.VERDICT, AlertAction.REOPEN])
def test_an_undo_takes_a_verdict_back(action):
    for stood in (None, *Verdict):
        before = Judged(stood)
        after = judged_after(before, action, None, None)
        assert judged_after(after, AlertAction.UNDO, None, action).verdict is stood


def test_an_undo_of_something_else_leaves_the_verdict():
    judged = judged_after(Judged(), AlertAction.JUDGE, None, None)
    assert judged_after(judged, AlertAction.UNDO, None, AlertAction.RESOLVE) == judged


def test_a_verdict_is_given_by_the_action_that_is_for_it():
    assert verdict_of(AlertAction.JUDGE, Verdict.UNSURE) is Verdict.UNSURE
    assert verdict_of(AlertAction.RESOLVE, None) is None
    for action, said in (
        (AlertAction.JUDGE, Verdict.INTENDED),
        (AlertAction.VERDICT, Verdict.CONFLICT),
        (AlertAction.RESOLVE, Verdict.CONFLICT),
    ):
        with pytest.raises(ActionRefused):
            carry_out(an_alert(), Order(action, "ada", NOW, verdict=said))


def test_what_was_said_stands_in_the_history_when_it_is_not_the_usual():
    _, entry = carry_out(
        an_alert(), Order(AlertAction.VERDICT, "ada", NOW, note="she asked for it", verdict=Verdict.INTENDED)
    )
    assert entry.note == "intended: she asked for it"
    _, entry = carry_out(an_alert(), Order(AlertAction.JUDGE, "ada", NOW, verdict=Verdict.CONFLICT))
    assert entry.note == ""


def test_precision_counts_what_people_were_sure_of():
    assert precision_of({}) is None
    assert precision_of({"unsure": 4}) is None
    found = precision_of({"conflict": 8, "intended": 1, "too_wide": 1, "unsure": 90})
    assert (found.right, found.judged, found.share) == (8, 10, 0.8)
    assert (found.low, found.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@settings(max_examples=60)
@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_holds_the_share_and_narrows_with_more(part, more):
    whole = part + more
    low, high = wilson(part, whole)
    assert 0 <= low <= part / whole <= high <= 1
    closer = wilson(part * 10, whole * 10)
    assert closer[1] - closer[0] < high - low
