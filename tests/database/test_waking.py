"""A snooze until something has come true, from the event to the alert that is open again; on SQLite and PostgreSQL."""

import json

import pytest

from coordwatch.adapters.files import load_rules
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.alert import ActionRefused, Order
from coordwatch.alerts.card import cards_of
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.alerts.waking import Condition, WakeWhen
from coordwatch.clock import ManualClock
from coordwatch.context.progress import SourceProgress
from coordwatch.embedded.incident_keeper import IncidentKeeper, Look
from coordwatch.errors import Elsewhere
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import HOUR, parse_time
from coordwatch.ports import SourceView
from coordwatch.processor import CANONICAL, Input, Processor, ProcessorSettings
from coordwatch.sources.record import Record

NOW = parse_time("2026-03-02T12:30:00Z")
CASE = Condition(WakeWhen.CASE_CLOSED, "K-1")


class Site:
    """A processor on a database, a keeper beside it, and sources that can fall silent."""

    def __init__(self, place):
        specs = load_rules().specs
        self.store = SqlStore(place, cards_of(specs), durable=False)
        sources = [SourceProgress("http", frozenset(TYPES))]
        self.processor = Processor(specs, self.store, ProcessorSettings(), sources=sources)
        self.clock, self.dark, self.away = ManualClock(NOW), [], False
        look = Look(lambda: [SourceView(one, "dark", tools=("Deskflow",)) for one in self.dark], self.customer, 0.0)
        self.keeper = IncidentKeeper(self.store.incidents(), self.store.waking(), self.clock, look)

    def customer(self, key):
        if self.away:
            raise Elsewhere("kept by another worker")
        return self.processor.customer(key, self.clock.now())

    def happens(self, id, type, at, tool, **data):
        event = {
            "specversion": "1.0", "id": id, "source": "/x", "type": f"org.coordwatch.{type}", "time": at, "subject": "c1",
            "data": {**data, "tool": {"name": tool}},
        }  # fmt: skip
        record = Record(json.dumps(event).encode(), topic="http")
        self.processor.handle([Input(record, CANONICAL, "http")], self.clock.now())

    def alert(self):
        (row,) = self.store.alerts({}, 9, None)[0]
        return row

    def snooze(self, when, **more):
        return self.store.act(
            self.alert().id, Order(AlertAction.SNOOZE, "ada@ops.test", self.clock.now(), when=when, **more)
        )


@pytest.fixture
def site(place):
    one = Site(place)
    one.happens("1", "service.case.opened", "2026-03-02T10:00:00Z", "Deskflow", case="K-1", kind="complaint")
    sent = {"message": "M1", "channel": "email", "category": "promotional", "campaign": "Spring sale"}
    one.happens("2", "marketing.message.sent", "2026-03-02T12:00:00Z", "Journeys", **sent)
    yield one
    one.store.close()


def test_an_alert_sleeps_until_its_case_is_closed(site):
    assert site.store.conditions(site.alert().id) == [CASE]
    asleep = site.snooze(CASE)
    assert (asleep.status, asleep.snoozed_for) == ("snoozed", "case K-1 is closed")
    site.keeper.turn()
    assert site.alert().status == "snoozed"
    site.happens("3", "service.case.status_changed", "2026-03-02T12:20:00Z", "Deskflow", case="K-1", status="solved")
    site.away = True
    site.keeper.turn()
    assert site.alert().status == "snoozed"
    site.away = False
    site.keeper.turn()
    assert (site.alert().status, site.alert().snoozed_for) == ("open", "")
    last = site.store.alert(site.alert().id).audit[-1]
    assert (last.actor, last.action, last.note) == ("coordwatch", "condition_met", "case K-1 is closed")
    assert site.store.waking().waiting() == []
    assert not site.store.waking().wake(site.alert().id, CASE, NOW)


def test_the_limit_wakes_it_at_the_latest(site):
    site.snooze(CASE, until=NOW + HOUR)
    site.store.wake_snoozed(NOW + HOUR - 1)
    assert site.alert().status == "snoozed"
    site.store.wake_snoozed(NOW + HOUR)
    assert site.alert().status == "open"
    site.happens("3", "service.case.status_changed", "2026-03-02T12:20:00Z", "Deskflow", case="K-1", status="solved")
    site.keeper.turn()
    assert [one.action for one in site.store.alert(site.alert().id).audit] == ["raise", "snooze", "wake"]


def test_an_alert_sleeps_until_the_source_that_is_dark_is_read_again(site):
    back = Condition(WakeWhen.SOURCE_BACK, "desk")
    with pytest.raises(ActionRefused, match="it can wait for: case_closed K-1"):
        site.snooze(back)
    site.dark = ["desk"]
    site.keeper.turn()
    site.snooze(back)
    site.keeper.turn()
    assert site.alert().status == "snoozed"
    site.dark = []
    site.keeper.turn()
    assert site.alert().status == "open"


def test_what_nothing_could_ever_end_is_refused(site):
    for wrong in (Condition(WakeWhen.CASE_CLOSED, "K-2"), Condition(WakeWhen.ORDER_DELIVERED, "O-1")):
        with pytest.raises(ActionRefused, match="cannot wait for"):
            site.snooze(wrong)
    assert site.alert().status == "open"
