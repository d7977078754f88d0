"""What a snooze can wait for, and when it has come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.alerts.alert import ActionRefused, Order, carry_out, moved_by_engine
from coordwatch.alerts.lifecycle import AlertAction, AlertStatus, next_status
from coordwatch.alerts.waking import AWAITED, LIMIT, Condition, WakeWhen, has_come, offered
from coordwatch.engine.views import FactView
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import HOUR
from tests.alerts.test_lifecycle import an_alert
from tests.build import NOW

CASE = Condition(WakeWhen.CASE_CLOSED, "K-1")
EVERY = frozenset(TYPES)


def fact(type, at, **data):
    return FactView("/deskflow", f"{type}-{at}", type, NOW + at, NOW + at, "Deskflow", data)


def moved(at, status, case="K-1"):
    return fact("service.case.status_changed", at, case=case, status=status)


def test_every_condition_speaks_of_types_and_words_that_there_are():
    assert {*AWAITED, WakeWhen.SOURCE_BACK} == set(WakeWhen)
    for awaited in AWAITED.values():
        for type, values in awaited.values.items():
            assert awaited.thing in TYPES[type].fields
            assert not values or values <= set(TYPES[type].fields["status"].values)
        assert awaited.words.format("x").count("x") >= 1


def test_an_alert_can_wait_for_what_its_events_name_and_some_rule_reads():
    data = [{"case": "K-1", "order": "O-7"}, {"case": "K-2", "conversation": ["several"]}]
    read = {"service.case.status_changed", "commerce.payment.changed"}
    assert [(one.when, one.about) for one in offered(data, read, ["tracker"])] == [
        (WakeWhen.CASE_CLOSED, "K-1"), (WakeWhen.CASE_CLOSED, "K-2"), (WakeWhen.MONEY_REFUNDED, "O-7"),
        (WakeWhen.SOURCE_BACK, "tracker"),
    ]  # fmt: skip
    assert offered(data, frozenset()) == []
    assert CASE.words == "case K-1 is closed"


@pytest.mark.parametrize(
    ("facts", "come"),
    [
        ([], False),
        ([moved(1, "solved")], True),
        ([moved(1, "solved", "K-2")], False),
        ([moved(1, "solved"), moved(2, "reopened")], False),
        ([moved(2, "closed"), moved(1, "open")], True),
        ([fact("service.case.opened", 1, case="K-1", status="closed")], False),
    ],
)
def test_a_case_counts_as_it_stands_last(facts, come):
    assert has_come(CASE, facts) is come
    assert has_come(CASE, facts[::-1]) is come


def test_an_order_is_delivered_by_either_tool_and_stays_so():
    order = Condition(WakeWhen.ORDER_DELIVERED, "O-7")
    parcel = fact("fulfilment.shipment.changed", 1, order="O-7", shipment="S", status="delivered")
    assert has_come(order, [parcel, fact("commerce.order.changed", 2, order="O-7", status="returned")])
    assert not has_come(order, [fact("fulfilment.shipment.changed", 1, order="O-7", status="in_transit")])
    ended = fact("bot.conversation.ended", 1, conversation="V", outcome="abandoned")
    assert has_come(Condition(WakeWhen.CONVERSATION_ENDED, "V"), [ended])
    assert not has_come(Condition(WakeWhen.SOURCE_BACK, "tracker"), [parcel])


def test_a_snooze_with_a_condition_ends_within_a_week_unless_somebody_says_otherwise():
    asleep, entry = carry_out(an_alert(), Order(AlertAction.SNOOZE, "ada@ops.test", NOW, when=CASE))
    assert (asleep.snooze_until, asleep.wake_when, asleep.wake_on_repeat) == (NOW + LIMIT, CASE, False)
    assert entry.note == "until case K-1 is closed, until 9 Mar 2026 12:00 UTC at the latest"
    earlier, _ = carry_out(an_alert(), Order(AlertAction.SNOOZE, "ada@ops.test", NOW, until=NOW + HOUR, when=CASE))
    assert earlier.snooze_until == NOW + HOUR
    with pytest.raises(ActionRefused, match="must end in the future"):
        carry_out(an_alert(), Order(AlertAction.SNOOZE, "ada@ops.test", NOW, until=NOW, when=CASE))
    plain, _ = carry_out(asleep, Order(AlertAction.SNOOZE, "ada@ops.test", NOW, until=NOW + HOUR))
    assert plain.wake_when is None


@given(st.sampled_from(AlertStatus))
def test_a_condition_that_has_come_wakes_who_sleeps_and_nobody_else(status):
    assert next_status(status, AlertAction.CONDITION_MET) is (
        AlertStatus.OPEN if status is AlertStatus.SNOOZED else None
    )
    alert = an_alert(status)
    after, entry = moved_by_engine(alert, AlertAction.CONDITION_MET, NOW, CASE.words)
    assert (entry is None) == (after == alert) == (status is not AlertStatus.SNOOZED)
    with pytest.raises(ActionRefused):
        carry_out(alert, Order(AlertAction.CONDITION_MET, "ada@ops.test", NOW))
