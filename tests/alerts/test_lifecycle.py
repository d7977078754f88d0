"""The alert's life follows its table under any sequence of actions."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.alerts.alert import ActionRefused, Alert, Order, Standing, VersionConflict, carry_out, moved_by_engine
from coordwatch.alerts.lifecycle import (
    HUMAN_ACTIONS,
    TRANSITIONS,
    AlertAction,
    AlertStatus,
    allowed_actions,
    next_status,
)
from coordwatch.alerts.say import face_of
from coordwatch.events.times import HOUR
from tests.build import NOW, PROMO, a_promo

ENGINE_ACTIONS = [action for action in AlertAction if action not in HUMAN_ACTIONS] + [AlertAction.WAKE]


def an_alert(status: AlertStatus = AlertStatus.OPEN) -> Alert:
    return Alert(
        id="a", rule=PROMO.id, key=("c", "k"), anchor="d", status=status, version=1, raised_at=NOW, first_at=NOW,
        last_at=NOW, standing=Standing(open=1), face=face_of(PROMO, a_promo("customer-01", NOW)),
    )  # fmt: skip


def orders(now: int) -> st.SearchStrategy[Order]:
    return st.builds(
        Order,
        action=st.sampled_from(AlertAction),
        actor=st.just("ada@ops.test"),
        now=st.just(now),
        version=st.none() | st.integers(0, 6),
        until=st.none() | st.sampled_from([now - 1, now, now + 1, now + HOUR]),
    )


@given(st.lists(orders(NOW) | st.sampled_from(ENGINE_ACTIONS), max_size=40))
def test_any_sequence_of_actions_stays_on_the_table(sequence):
    alert = an_alert()
    undo = None
    for step in sequence:
        before = alert
        if isinstance(step, AlertAction):
            alert, entry = moved_by_engine(alert, step, NOW, "")
            wakes = step is AlertAction.REPEAT and before.status is AlertStatus.SNOOZED and before.wake_on_repeat
            wanted = next_status(before.status, AlertAction.WAKE if wakes else step)
            assert alert.status is (wanted or before.status)
            assert (entry is None) == (wanted is None)
            assert alert.version == before.version + (alert.status is not before.status)
            undo = undo if alert.status is before.status else None
        else:
            try:
                alert, entry = carry_out(alert, step)
            except VersionConflict as error:
                told = error.version
                assert told == before.version != step.version
                continue
            except ActionRefused:
                past = step.action is AlertAction.SNOOZE and step.until is not None and step.until <= step.now
                allowed = allowed_actions(before.status, before.undo is not None)
                assert past or step.action not in allowed
                continue
            assert alert.version == before.version + 1
            assert entry.action is step.action
            if step.action is AlertAction.UNDO:
                assert alert.status is undo
                undo = None
            else:
                assert alert.status is TRANSITIONS[before.status, step.action]
                undo = before.status
        assert alert.undo is undo


@given(st.sampled_from(AlertStatus), st.sampled_from(sorted(HUMAN_ACTIONS - {AlertAction.UNDO})))
def test_undo_leads_back_to_where_a_person_began(status, action):
    alert = replace(an_alert(status), snooze_until=NOW + HOUR if status is AlertStatus.SNOOZED else None)
    if next_status(status, action) is None:
        return
    moved, _ = carry_out(alert, Order(action, "ada@ops.test", NOW, until=NOW + 2 * HOUR))
    back, _ = carry_out(moved, Order(AlertAction.UNDO, "ada@ops.test", NOW))
    assert back.status is status
    assert back.version == 3
    if action is not AlertAction.SNOOZE:
        assert back.snooze_until == alert.snooze_until


def test_every_status_but_the_retracted_can_be_left_by_a_person():
    for status in AlertStatus:
        assert (allowed_actions(status, False) == ()) == (status is AlertStatus.RETRACTED)


def test_a_verdict_outlives_everything_that_the_engine_finds_later():
    for action in (AlertAction.REPEAT, AlertAction.RETRACT, AlertAction.MADE_GOOD):
        assert next_status(AlertStatus.NOT_A_CONFLICT, action) is AlertStatus.NOT_A_CONFLICT


def test_a_snooze_until_the_next_detection_ends_with_it():
    asleep, _ = carry_out(an_alert(), Order(AlertAction.SNOOZE, "ada@ops.test", NOW))
    assert asleep.wake_on_repeat
    awake, entry = moved_by_engine(asleep, AlertAction.REPEAT, NOW + HOUR, "")
    assert awake.status is AlertStatus.OPEN
    assert entry is not None
    assert entry.action is AlertAction.WAKE


def test_a_snooze_with_an_end_sleeps_through_the_next_detection():
    asleep, _ = carry_out(an_alert(), Order(AlertAction.SNOOZE, "ada@ops.test", NOW, until=NOW + HOUR))
    still, _ = moved_by_engine(asleep, AlertAction.REPEAT, NOW, "")
    assert (still.status, still.snooze_until) == (AlertStatus.SNOOZED, NOW + HOUR)


def test_a_refusal_says_what_can_be_done_instead():
    with pytest.raises(ActionRefused, match="that is resolved cannot take 'acknowledge'; it can take: verdict, reopen"):
        carry_out(an_alert(AlertStatus.RESOLVED), Order(AlertAction.ACKNOWLEDGE, "ada@ops.test", NOW))
