"""The laws of telling: every alert in exactly one message or with a reason why not, and storms in a handful of messages."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.alerts.alert import Alert, Standing
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.alerts.say import face_of
from coordwatch.events.times import MINUTE, SECOND
from coordwatch.notify.channel import Channel, ChannelKind, Match, Pace
from coordwatch.notify.decide import NotifyReason
from coordwatch.notify.delivery import CAP, RETRY_AFTER_MOST, Outcome, by_status, next_try
from coordwatch.notify.message import Message, message_from_plain, message_to_plain
from coordwatch.notify.pace import Window
from coordwatch.notify.plan import Decided, Telling, plan, recounted
from coordwatch.notify.route import Group
from coordwatch.notify.wording import text_of, title_of
from tests.build import NOW, PROMO, a_promo

FACE = face_of(PROMO, a_promo("c-1", NOW))
ALERT = Alert("", PROMO.id, ("c",), "d", AlertStatus.OPEN, 1, NOW, NOW, NOW, Standing(1), FACE)
PAGER = Channel("pager", ChannelKind.PAGERDUTY)


def new(name: str) -> Decided:
    return Decided(replace(ALERT, id=name), PROMO, NotifyReason.NEW)


class Outbox:
    """What a store keeps of one channel, in a dict."""

    def __init__(self, channel: Channel) -> None:
        self.channel, self.window = channel, Window()
        self.messages: dict[str, Message] = {}
        self.tellings: list[Telling] = []

    def decide(self, decisions: list[Decided], now: int) -> None:
        done = plan(self.channel, self.window, self.standing(), decisions, now)
        self.window = done.window
        self.messages |= done.messages
        self.tellings += done.tellings

    def standing(self) -> dict[str, Message]:
        by_alert = {one.alert: self.messages[one.message] for one in self.tellings if one.message}
        return (
            by_alert
            | {
                one.alert: self.messages[one.message]
                for one in self.tellings
                if one.message and not self.messages[one.message].many
            }
            | dict(self.messages)
        )


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 40)), max_size=12), st.integers(0, 12))
def test_every_alert_is_in_exactly_one_message(steps, singles):
    outbox = Outbox(replace(PAGER, pace=Pace(singles=singles)))
    now, number = NOW, 0
    for passed, count in steps:
        now += passed * SECOND
        outbox.decide([new(f"a-{number + one}") for one in range(count)], now)
        number += count
    assert sum(one.total for one in outbox.messages.values()) == number
    assert sorted(one.alert for one in outbox.tellings) == sorted(f"a-{one}" for one in range(number))
    assert all(one.message in outbox.messages for one in outbox.tellings)


def test_ten_thousand_alerts_in_ten_seconds_are_at_most_twenty_messages_that_say_what_they_hold():
    outbox = Outbox(PAGER)
    for tick in range(40):
        outbox.decide([new(f"a-{tick}-{one}") for one in range(250)], NOW + tick * SECOND // 4)
    assert len(outbox.messages) <= 20
    many = [one for one in outbox.messages.values() if one.many]
    assert sum(one.total for one in outbox.messages.values()) == 10_000
    assert sum(share.count for one in many for share in one.shares) == sum(one.total for one in many)
    assert all(f"{one.total:,}".replace(",", "\u2009") in title_of(one) for one in many)
    assert max(len(text_of(one, "https://x.example")) for one in many) < 8000


def test_a_storm_that_goes_on_is_told_more_and_more_seldom_and_ends():
    outbox = Outbox(PAGER)
    for second in range(3600):
        outbox.decide([new(f"a-{second}")], NOW + second * SECOND)
    assert len(outbox.messages) <= 24
    later = NOW + 3600 * SECOND + 12 * MINUTE
    outbox.decide([new("after")], later)
    assert outbox.messages[outbox.tellings[-1].message].many is False


def test_a_channel_that_does_not_take_a_rule_hears_nothing():
    outbox = Outbox(replace(PAGER, match=Match(tag=frozenset({"bank"}))))
    outbox.decide([new("a")], NOW)
    assert (outbox.messages, outbox.tellings) == ({}, [])
    tagged = replace(PROMO, tags=("retail", "bank"))
    outbox.decide([Decided(replace(ALERT, id="b"), tagged, NotifyReason.NEW)], NOW)
    assert [one.alert for one in outbox.tellings] == ["b"]


def test_a_message_about_many_is_over_with_its_last_alert_and_opens_again():
    outbox = Outbox(replace(PAGER, pace=Pace(singles=0)))
    outbox.decide([new("a"), new("b")], NOW)
    (message,) = outbox.messages.values()
    over = recounted(message, 0)
    assert (over.status, over.version, over.is_over) == ("over", 2, True)
    assert recounted(message, 1).version == 1
    assert recounted(over, 1).status == "open"
    assert message_from_plain(message_to_plain(over)) == over


@given(st.text(min_size=1), st.integers(1, 10_000), st.one_of(st.none(), st.integers(0, 10**12)))
def test_a_try_waits_between_its_bounds_and_never_less_than_asked(name, attempts, asked):
    waits = next_try(name, attempts, asked)
    assert SECOND <= waits <= max(CAP * 5 // 4, RETRY_AFTER_MOST)
    assert waits >= min(asked or 0, RETRY_AFTER_MOST)
    assert waits == next_try(name, attempts, asked)


def test_what_a_status_means():
    meant = {
        status: by_status(status, "").outcome for status in (200, 202, 301, 307, 400, 401, 403, 404, 408, 429, 500, 503)
    }
    assert [status for status, one in meant.items() if one is Outcome.DELIVERED] == [200, 202]
    assert [status for status, one in meant.items() if one is Outcome.AGAIN] == [408, 429, 500, 503]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 3)), max_size=25), st.integers(0, 12))
def test_of_those_that_are_alike_every_one_is_in_exactly_one_message(steps, singles):
    outbox = Outbox(replace(PAGER, pace=Pace(singles=singles)))
    now, names = NOW, []
    for number, (seconds, kind) in enumerate(steps):
        now += seconds * SECOND
        names.append(f"a-{number}")
        group = {"pager": Group(f"kind-{kind}", MINUTE)} if kind else {}
        outbox.decide([replace(new(names[-1]), groups=group)], now)
    assert sorted(one.alert for one in outbox.tellings) == sorted(names)
    held = [one.message for one in outbox.tellings]
    assert all(outbox.messages[message].total == held.count(message) for message in held)
    for message in outbox.messages.values():
        if message.subject.startswith("group:"):
            kinds = {steps[int(one.alert.removeprefix("a-"))][1] for one in message.lines}
            assert len(kinds) == 1
