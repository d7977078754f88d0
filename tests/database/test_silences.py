"""Silences in the database, from the decision that they hold back to the one that follows; on SQLite and PostgreSQL."""

from dataclasses import replace

import pytest

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.alert import Order, VersionConflict
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.alerts.matchers import parse_matchers
from coordwatch.alerts.once import Once
from coordwatch.alerts.silence import Draft, SilenceState
from coordwatch.clock import ManualClock
from coordwatch.embedded.telling import ToOutbox
from coordwatch.events.times import HOUR
from coordwatch.notify.channel import Channel, ChannelKind
from coordwatch.notify.decide import NotifyPolicy
from coordwatch.ports import Effects
from coordwatch.processor.telling import Telling
from tests.build import CARDS, NOW, a_cancellation, a_promo, raised

ADA = "ada@ops.test"
PROMOS = Draft(parse_matchers("rule=promo-during-open-complaint"), NOW, NOW + 2 * HOUR, "Spring sale is being stopped")


class Desk:
    """A store with one channel, and whoever was told of what."""

    def __init__(self, place, quiet=None):
        self.store = SqlStore(place, CARDS, durable=False)
        self.silences = self.store.silences()
        self.told = []
        outbox = self.store.outbox([Channel("pager", ChannelKind.PAGERDUTY)])
        self.sending = self.store.sending()
        deciding = ToOutbox(outbox, CARDS, ManualClock(NOW), [])
        self.telling = Telling(
            CARDS,
            lambda one: self.told.append(one.rule),
            NotifyPolicy(),
            lambda _: None,
            deciding,
            self.store.holding(quiet),
        )

    def chores(self, now):
        self.told.clear()
        self.telling.chores(self.store, lambda _, now: now, now)
        return list(self.told)

    def history(self, alert):
        return [(one.channel, one.reason, one.note) for one in self.store.alert(alert).tellings]

    def close(self):
        self.store.close()


@pytest.fixture
def desk(place):
    one = Desk(place)
    yield one
    one.close()


def test_a_silenced_alert_is_told_when_the_silence_ends_and_its_history_says_both(desk):
    desk.silences.create(PROMOS, ADA, NOW)
    desk.store.commit(Effects(changes=[raised(a_promo("c", NOW)), raised(a_cancellation("c", NOW))]), NOW)
    assert desk.chores(NOW) == ["cancellation-without-notice"]
    (silent,) = (row.id for row in desk.store.alerts({"rule": "promo-during-open-complaint"}, 9, None)[0])
    words = "until 2 Mar 2026 14:00 UTC, by ada@ops.test: Spring sale is being stopped"
    assert desk.history(silent) == [("", "silenced", words)]
    assert desk.chores(NOW + HOUR) == []
    assert desk.chores(NOW + 2 * HOUR) == ["promo-during-open-complaint"]
    assert desk.history(silent) == [("", "silenced", words), ("pager", "new", "")]
    assert desk.chores(NOW + 3 * HOUR) == []


def test_a_silence_that_is_ended_or_made_longer_decides_anew_and_loses_nothing(desk):
    silence = desk.silences.create(PROMOS, ADA, NOW)
    desk.store.commit(Effects(changes=[raised(a_promo("c", NOW))]), NOW)
    assert desk.chores(NOW) == []
    longer = desk.silences.change(silence.id, replace(PROMOS, ends_at=NOW + 9 * HOUR), ADA, NOW + 1, 1)
    assert desk.chores(NOW + 1) == desk.chores(NOW + 3 * HOUR) == []
    with pytest.raises(VersionConflict):
        desk.silences.expire(silence.id, ADA, NOW + 3 * HOUR, 1)
    desk.silences.expire(silence.id, ADA, NOW + 3 * HOUR, longer.version)
    assert desk.chores(NOW + 3 * HOUR) == ["promo-during-open-complaint"]


def test_an_alert_that_somebody_takes_while_it_is_silent_is_not_told_afterwards(desk):
    desk.silences.create(PROMOS, ADA, NOW)
    desk.store.commit(Effects(changes=[raised(a_promo("c", NOW))]), NOW)
    desk.chores(NOW)
    (row,) = desk.store.alerts({}, 9, None)[0]
    desk.store.act(row.id, Order(AlertAction.ACKNOWLEDGE, ADA, NOW + 1))
    assert desk.chores(NOW + 2 * HOUR) == []
    desk.store.act(row.id, Order(AlertAction.UNDO, ADA, NOW + 3 * HOUR))
    assert desk.chores(NOW + 3 * HOUR) == ["promo-during-open-complaint"]


def test_an_alert_that_opens_again_in_a_silence_calls_nobody(desk):
    desk.store.commit(Effects(changes=[raised(a_promo("c", NOW))]), NOW)
    assert len(desk.chores(NOW)) == 1
    (row,) = desk.store.alerts({}, 9, None)[0]
    desk.store.act(row.id, Order(AlertAction.RESOLVE, ADA, NOW + 1))
    desk.chores(NOW + 1)
    desk.silences.create(PROMOS, ADA, NOW + 2)
    desk.store.act(row.id, Order(AlertAction.REOPEN, ADA, NOW + 3))
    desk.chores(NOW + 3)
    assert desk.sending.claim("pager", "a sender", NOW + HOUR, 9) == []
    assert [reason for _, reason, _ in desk.history(row.id)][-1] == "silenced"


def test_silences_are_listed_and_kept_and_the_same_request_makes_one(desk):
    once = Once("key", "digest")
    made = desk.silences.create(PROMOS, ADA, NOW, once)
    assert desk.silences.create(PROMOS, ADA, NOW + 5, once) == made
    later = desk.silences.create(replace(PROMOS, starts_at=NOW + HOUR), ADA, NOW)
    assert desk.silences.silences(NOW) == [made, later]
    assert desk.silences.silence(made.id) == made
    assert desk.silences.silence("none") is desk.silences.expire("none", ADA, NOW, None) is None
    ended = desk.silences.expire(later.id, "ben@ops.test", NOW + 1, 1)
    assert [one.state(NOW + 1) for one in desk.silences.silences(NOW + 1)] == [
        SilenceState.ACTIVE, SilenceState.EXPIRED,
    ]  # fmt: skip
    assert ended.updated_by == "ben@ops.test"
