"""Whether somebody is told, and why."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.adapters.memory import MemoryStore
from coordwatch.alerts.alert import Alert
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.events.times import HOUR, MINUTE
from coordwatch.notify.decide import NotifyPolicy, NotifyReason, decide, notification
from coordwatch.ports import Effects
from tests.build import CANCEL, CARDS, NOW, PROMO, a_promo, raised

POLICY = NotifyPolicy()
CANCELLABLE = replace(PROMO, cancelling=("customer.consent.changed",))


def an_alert(**changes) -> Alert:
    store = MemoryStore(CARDS)
    store.commit(Effects(changes=[raised(a_promo("customer-01", NOW - HOUR))]), NOW)
    (alert,) = store.undecided(1)
    return replace(alert, **changes)


def test_a_new_alert_is_told_at_once_when_nothing_can_cancel_it():
    assert decide(an_alert(), PROMO, NOW - 2 * HOUR, NOW, POLICY) is NotifyReason.NEW


def test_an_alert_that_opened_again_says_so():
    assert decide(an_alert(version=3), PROMO, NOW, NOW, POLICY) is NotifyReason.REOPENED


@pytest.mark.parametrize(
    ("proven", "waited", "reason"),
    [
        (NOW - HOUR - 1, 0, NotifyReason.SETTLING),
        (NOW - HOUR - 1, 2 * MINUTE - 1, NotifyReason.SETTLING),
        (NOW - HOUR - 1, 2 * MINUTE, NotifyReason.NEW),
        (NOW - HOUR, 0, NotifyReason.NEW),
    ],
)
def test_rules_33_an_immediate_rule_waits_for_its_cancelling_sources_at_most_settle(proven, waited, reason):
    assert decide(an_alert(), CANCELLABLE, proven, NOW + waited, POLICY) is reason


def test_a_rule_with_a_deadline_has_waited_already():
    card = replace(CANCEL, cancelling=("customer.consent.changed",))
    assert decide(an_alert(), card, NOW - 9 * HOUR, NOW, POLICY) is NotifyReason.NEW


@given(st.sampled_from(AlertStatus), st.integers(-5, 5), st.integers(0, 5))
def test_only_an_open_alert_is_told_and_every_no_has_a_reason(status, proven, waited):
    reason = decide(an_alert(status=status), CANCELLABLE, NOW - HOUR + proven, NOW + waited * MINUTE, POLICY)
    assert (reason.tells or reason.waits) == (status is AlertStatus.OPEN)
    assert not (reason.tells and reason.waits)


def test_the_notification_carries_both_tools_and_the_sentence():
    told = notification(an_alert(), PROMO, NotifyReason.NEW)
    assert (told.act_tool, told.evidence_tool, told.campaign, told.severity) == (
        "Journeys", "Deskflow", "Spring sale", "high",
    )  # fmt: skip
    assert told.sentence.startswith("Journeys sent Spring sale 2 h 10 min after")
