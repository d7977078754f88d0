"""What the form of an alert says of a snooze: for a while, or until something has come true."""

from coordwatch.adapters.pages.act import SNOOZES, order_of, snoozes_of
from coordwatch.alerts.waking import Condition, WakeWhen
from coordwatch.events.times import HOUR
from tests.build import NOW

CASE = Condition(WakeWhen.CASE_CLOSED, "desk:K-1")


def asked(snooze: str, verb: str = "snooze"):
    order = order_of([("verb", verb), ("snooze", snooze), ("version", "1")], NOW)
    assert order is not None
    return order.until, order.when


def test_what_an_alert_can_wait_for_stands_below_the_times_and_comes_back_as_it_was() -> None:
    found = snoozes_of([CASE])
    assert list(found)[: len(SNOOZES)] == list(SNOOZES)
    name = list(found)[-1]
    assert found[name][0] == "until case desk:K-1 is closed, a week at most"
    assert asked(name) == (None, CASE)
    assert asked(name, "acknowledge") == (None, None)


def test_a_time_is_a_time_and_what_nobody_offered_is_the_usual_one() -> None:
    assert asked("1h") == (NOW + HOUR, None)
    for wrong in ("when:tomorrow:K-1", "when:case_closed:", "when:", "case_closed:K-1"):
        assert asked(wrong) == (NOW + 4 * HOUR, None)
    assert asked("repeat") == (None, None)
