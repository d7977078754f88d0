"""From an alert to its channels and back: what is said, what is changed, what stands in the history."""

import hmac
from hashlib import sha256

import pytest

from coordwatch.adapters.channels.pagerduty import PagerDuty
from coordwatch.adapters.channels.slack import Slack
from coordwatch.adapters.channels.webhook import Webhook
from coordwatch.adapters.pages.telling import told_words
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.events.times import HOUR, MINUTE, SECOND
from coordwatch.notify.channel import Channel, ChannelKind, Match
from tests.channels.house import House, at_noon, poster
from tests.channels.receivers import HttpReceiver, Reply, said

SECRET = "a-secret-of-the-test"
SITE = "https://coordwatch.example.com"
ACCEPTED = said({"status": "success", "dedup_key": "k"}, 202)
POSTED = said({"ok": True, "channel": "C0123", "ts": "1700000000.000100"})


@pytest.fixture
def house_of(tmp_path, receiver):
    """A house with one channel of a kind."""
    made = []

    def one(kind: ChannelKind, name: str = "on-call", timeout: float = 30.0, **more) -> House:
        clock = at_noon()
        send = poster(clock, timeout)
        receivers = {
            ChannelKind.WEBHOOK: lambda: Webhook(send, receiver.url + "/in", SECRET, SITE),
            ChannelKind.PAGERDUTY: lambda: PagerDuty(send, "key-of-the-test", SITE, receiver.url),
            ChannelKind.SLACK: lambda: Slack(send, "xoxb-test", "C0123", SITE, receiver.url),
        }
        receiver.usual = {ChannelKind.PAGERDUTY: ACCEPTED, ChannelKind.SLACK: POSTED}.get(kind, Reply())
        made.append(House(tmp_path / f"{len(made)}.db", clock, {Channel(name, kind, **more): receivers[kind]()}))
        made[-1].sent_by = send
        return made[-1]

    yield one
    for house in made:
        house.store.close()


def test_a_webhook_is_signed_and_a_repeat_has_the_same_id(house_of, receiver):
    house = house_of(ChannelKind.WEBHOOK)
    (alert,) = house.raise_alerts(["c-1"])
    receiver.script.append(Reply(500))
    assert house.tell() == 1
    house.pass_time(10 * SECOND)
    assert house.send() == 1
    first, second = receiver.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    signed = second.headers["coordwatch-timestamp"].encode() + b"." + second.body
    assert second.headers["coordwatch-signature"] == "v1=" + hmac.new(SECRET.encode(), signed, sha256).hexdigest()
    assert second.json["title"].startswith("Journeys sent Spring sale 2 h 10 min after complaint K-1042")
    assert second.json["link"] == f"{SITE}/alerts/{alert}"
    assert b"c-1" not in second.body
    (told,) = house.history(alert)
    assert told_words(told) == ("told at 12:00 UTC", "200 {}")


def test_pagerduty_triggers_acknowledges_and_resolves_under_one_key(house_of, receiver):
    house = house_of(ChannelKind.PAGERDUTY)
    (alert,) = house.raise_alerts(["c-1"])
    house.tell()
    house.act(alert, AlertAction.ACKNOWLEDGE)
    house.tell()
    house.act(alert, AlertAction.RESOLVE)
    house.tell()
    house.act(alert, AlertAction.REOPEN)
    house.tell()
    asked = [(one.json["event_action"], one.json["dedup_key"]) for one in receiver.requests]
    assert asked == [("trigger", alert), ("acknowledge", alert), ("resolve", alert), ("trigger", alert)]
    payload = receiver.requests[0].json["payload"]
    assert (payload["severity"], payload["source"]) == ("error", "Journeys")
    assert [one.reason for one in house.history(alert)] == ["new", "acknowledged", "resolved", "reopened"]


def test_slack_posts_with_buttons_and_edits_the_message_when_it_is_over(house_of, receiver):
    house = house_of(ChannelKind.SLACK)
    (alert,) = house.raise_alerts(["c-1"], campaign="<!channel> & <https://evil.example|sale>")
    house.tell()
    (post,) = receiver.requests
    assert (post.path, post.headers["authorization"]) == ("/chat.postMessage", "Bearer xoxb-test")
    buttons = post.json["blocks"][-1]["elements"]
    assert [(one["action_id"], one.get("value")) for one in buttons] == [
        ("acknowledge", alert), ("snooze", alert), ("resolve", alert), ("open", None),
    ]  # fmt: skip
    assert "<" not in post.json["text"]
    assert "&lt;!channel&gt;" in post.json["text"]
    texts = [one["text"] for one in post.json["blocks"] if one["type"] == "section"]
    assert {one["type"] for one in texts} == {"plain_text"}
    house.retract("c-1", house.clock.now())
    house.tell()
    edit = receiver.requests[-1]
    assert (edit.path, edit.json["ts"], edit.json["channel"]) == ("/chat.update", "1700000000.000100", "C0123")
    assert "no conflict" not in edit.json["text"]
    assert edit.json["text"].startswith("[retracted]")


def test_slack_says_anew_what_opens_again(house_of, receiver):
    house = house_of(ChannelKind.SLACK)
    (alert,) = house.raise_alerts(["c-1"])
    house.tell()
    house.act(alert, AlertAction.SNOOZE, until=house.clock.now() + HOUR)
    house.tell()
    house.pass_time(HOUR)
    house.tell()
    assert [one.path for one in receiver.requests] == ["/chat.postMessage", "/chat.update", "/chat.postMessage"]


def test_a_refusal_for_good_stops_and_says_so(house_of, receiver):
    house = house_of(ChannelKind.SLACK)
    (alert,) = house.raise_alerts(["c-1"])
    receiver.script.append(said({"ok": False, "error": "not_in_channel"}))
    house.tell()
    house.pass_time(HOUR)
    assert house.send() == 0
    what, note = told_words(house.history(alert)[0])
    assert what == "not told: the channel refused it for good"
    assert note.startswith("not_in_channel: invite the app")
    (view,) = house.sending.views()
    assert (view.refused, view.waiting) == (1, 0)
    assert house.sending.retry("on-call", house.clock.now()) == 1
    assert house.send() == 1
    assert told_words(house.history(alert)[0])[0] == "told at 13:00 UTC"


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (said({}, 429, Retry_After="120"), "429"),
        (Reply(500, b"oops"), "500 oops"),
        (Reply(fault="hang"), "did not answer within"),
        (Reply(fault="drip"), "did not answer within"),
        (Reply(fault="reset"), "does not answer"),
        (Reply(200, b"<html>welcome</html>"), "not as PagerDuty does"),
        (Reply(202, b"<html>welcome</html>"), "not as PagerDuty does"),
    ],
    ids=["429", "500", "hang", "drip", "reset", "lie", "lie-202"],
)
def test_what_may_work_later_is_tried_again_and_loses_nothing(house_of, receiver, reply, answer):
    # Patience is short only where nobody ever answers: a busy machine is no reason for another try to fail.
    house = house_of(ChannelKind.PAGERDUTY, timeout=1.0 if reply.fault in ("hang", "drip") else 30.0)
    (alert,) = house.raise_alerts(["c-1"])
    receiver.script.append(reply)
    house.tell()
    assert house.send() == 0
    object.__setattr__(house.sent_by, "timeout", 30.0)
    (told,) = house.history(alert)
    assert told_words(told)[0] == "not told yet"
    assert "tried 1 times" in told_words(told)[1]
    assert answer in told.answer or "is no answer of PagerDuty" in told.answer
    if reply.status == 429:
        assert told.next_at - house.clock.now() >= 120 * SECOND
        house.pass_time(119 * SECOND)
        assert house.send() == 0
    house.pass_time(5 * MINUTE)
    assert house.send() == 1
    assert house.history(alert)[0].delivered_at == house.clock.now()


def test_a_redirect_is_not_followed(house_of, receiver):
    elsewhere = HttpReceiver()
    house = house_of(ChannelKind.WEBHOOK)
    house.raise_alerts(["c-1"])
    receiver.script.append(Reply(307, headers=(("Location", elsewhere.url),)))
    house.tell()
    assert elsewhere.requests == []
    assert house.sending.views()[0].answer.startswith("307")
    elsewhere.close()


def test_a_large_answer_is_not_read_to_its_end(house_of, receiver):
    house = house_of(ChannelKind.WEBHOOK)
    (alert,) = house.raise_alerts(["c-1"])
    receiver.script.append(Reply(500, b"x" * 5_000_000))
    house.tell()
    assert len(house.history(alert)[0].answer) <= 300


def test_what_is_over_before_it_is_said_is_not_said(house_of, receiver):
    house = house_of(ChannelKind.PAGERDUTY)
    (alert,) = house.raise_alerts(["c-1"])
    house.decide()
    house.act(alert, AlertAction.RESOLVE)
    house.tell()
    assert receiver.requests == []
    assert told_words(house.history(alert)[0])[0] == "not told: it was over before it was said"


def test_what_happens_again_to_a_snoozed_alert_says_why_nobody_is_told(house_of):
    house = house_of(ChannelKind.WEBHOOK)
    (alert,) = house.raise_alerts(["c-1"])
    house.tell()
    house.act(alert, AlertAction.SNOOZE, until=house.clock.now() + 9 * HOUR)
    house.tell()
    house.pass_time(MINUTE)
    house.raise_alerts(["c-1"])
    house.tell()
    assert told_words(house.history(alert)[-1]) == ("not told: snoozed", "")


def test_an_alert_that_no_channel_takes_says_so(house_of, receiver):
    house = house_of(ChannelKind.WEBHOOK, match=Match(severity=frozenset({"critical"})))
    (alert,) = house.raise_alerts(["c-1"])
    house.tell()
    assert receiver.requests == []
    assert told_words(house.history(alert)[0])[0] == "not told: no channel takes this rule"


def test_a_storm_is_a_handful_of_messages_that_say_what_they_hold(house_of, receiver):
    house = house_of(ChannelKind.WEBHOOK)
    names = [f"c-{number}" for number in range(600)]
    for start in range(0, len(names), 60):
        house.raise_alerts_quietly(names[start : start + 60])
        house.pass_time(SECOND)
        house.tell()
    house.pass_time(5 * MINUTE)
    house.tell()
    assert len(receiver.requests) <= 20
    assert sum(one.json["total"] for one in receiver.requests) == 600
    many = [one.json for one in receiver.requests if one.json["total"] > 1]
    assert all("of Promotion sent while a complaint is open, told together" in one["title"] for one in many)
