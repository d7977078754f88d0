"""A button in Slack that comes too late: whoever pressed it is told how the alert stands, and nobody else hears of it."""

import hmac
import json
from hashlib import sha256
from urllib.parse import urlencode

import pytest

from coordwatch.adapters.channels.slack import Slack
from coordwatch.adapters.http_api.application import Health, health_application
from coordwatch.adapters.http_api.guard import Door
from coordwatch.adapters.http_api.slack_actions import REPLIES, SlackDoor, SlackRoom, slack_router
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.app.channels import _reply_by
from coordwatch.events.times import MINUTE, SECOND
from coordwatch.notify.channel import Channel, ChannelKind
from tests.api.build import Client
from tests.channels.house import House, at_noon, poster
from tests.channels.receivers import HttpReceiver, said

SECRET = "shh-signing"


@pytest.fixture
def slack():
    made = HttpReceiver(said({"ok": True, "channel": "C0123", "ts": "1700000000.000100"}))
    yield made
    made.close()


@pytest.fixture
def house(tmp_path, slack):
    clock = at_noon()
    channel = Channel("cx", ChannelKind.SLACK)
    made = House(tmp_path / "a.db", clock, {channel: Slack(poster(clock), "xoxb-test", "C0123", "", slack.url)})
    yield made
    made.store.close()


@pytest.fixture
def press(house, slack):
    """Press a button as somebody, as Slack would post it."""
    replies = (*REPLIES, f"{slack.url}/")
    door = SlackDoor(
        house.store,
        house.store,
        house.clock,
        {"cx": SlackRoom("cx", "C0123", SECRET, replies)},
        _reply_by(poster(house.clock)),
        house.store.act_on_told,
    )
    app = health_application(Health(lambda: None, lambda: None, lambda: (b"", "")), Door(signed=door.paths))
    app.include_router(slack_router(door, house.clock))

    def one(alert: str, action: str, who: str, reply_to: str | None = None) -> int:
        payload = {
            "type": "block_actions", "user": {"id": "U1", "username": who}, "channel": {"id": "C0123"},
            "actions": [{"action_id": action, "value": alert}], "response_url": reply_to or f"{slack.url}/actions/T1/1/x",
        }  # fmt: skip
        body = urlencode({"payload": json.dumps(payload)}).encode()
        stamp = str(house.clock.now() // SECOND)
        mark = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, sha256).hexdigest()
        headers = {"x-slack-signature": f"v0={mark}", "x-slack-request-timestamp": stamp}
        return Client(app).post("/v1/channels/cx/slack", content=body, headers=headers).status_code

    return one


def replies(slack):
    return [one.json for one in slack.requests if one.path.startswith("/actions/")]


def test_of_two_who_press_one_is_told_that_the_other_was_faster(house, slack, press):
    (alert,) = house.raise_alerts(["c-1"])
    house.tell()
    assert press(alert, "resolve", "ada") == 200
    assert replies(slack) == []
    house.pass_time(MINUTE)
    assert press(alert, "acknowledge", "bo") == 200
    (told,) = replies(slack)
    assert (told["response_type"], told["replace_original"]) == ("ephemeral", False)
    assert told["text"] == "Nothing was changed: this alert is resolved already, by slack:ada at 2 Mar 2026 12:00 UTC."
    assert [entry.actor for entry in house.store.alert(alert).audit] == ["coordwatch", "slack:ada"]


def test_what_was_retracted_or_forgotten_meanwhile_says_so(house, slack, press):
    (alert,) = house.raise_alerts(["c-1"])
    house.retract("c-1", house.clock.now())
    assert press(alert, "resolve", "bo") == 200
    assert press("gone", "resolve", "bo") == 200
    first, second = (one["text"] for one in replies(slack))
    assert first == "Nothing was changed: this alert is retracted already, by coordwatch at 2 Mar 2026 12:00 UTC."
    assert second == "Nothing was changed: this alert is not here any more."


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/x", "https://hooks.slack.com.evil.example/", "http://169.254.169.254/"]
)
def test_a_reply_goes_to_slack_alone(house, slack, press, elsewhere):
    (alert,) = house.raise_alerts(["c-1"])
    house.act(alert, AlertAction.RESOLVE)
    assert press(alert, "resolve", "bo", elsewhere) == 200
    assert replies(slack) == []


def test_a_reply_that_does_not_arrive_changes_nothing(house, slack, press):
    (alert,) = house.raise_alerts(["c-1"])
    house.act(alert, AlertAction.RESOLVE)
    slack.usual = said({}, 500)
    assert press(alert, "resolve", "bo") == 200
    assert len(replies(slack)) == 1


def test_a_message_about_many_is_acknowledged_by_one_button_with_all_that_it_holds(house, slack, press):
    alerts = house.raise_alerts([f"c-{number}" for number in range(40)])
    house.tell()
    house.pass_time(MINUTE)
    house.send()
    storm = next(one.json for one in slack.requests if "told together" in one.body.decode())
    (button, *_) = storm["blocks"][-1]["elements"]
    assert (button["action_id"], button["text"]["text"]) == ("acknowledge_all", "Acknowledge all 30")
    held = [one for one in alerts if any(line.many for line in house.history(one))]
    assert len(held) == 30
    house.act(held[0], AlertAction.RESOLVE)
    assert press(button["value"], "acknowledge_all", "ada") == 200
    assert press(button["value"], "acknowledge_all", "bo") == 200
    assert press("another", "acknowledge_all", "bo") == 200
    assert [one["text"] for one in replies(slack)] == [
        "29 alerts are acknowledged by you now.",
        "Nothing was changed: all of these alerts are acknowledged, snoozed or over already.",
        "Nothing was changed: these alerts are not here any more.",
    ]
    last = house.store.alert(held[1]).audit[-1]
    assert (last.actor, last.action, last.note) == ("slack:ada", "acknowledge", "by a button in Slack")
    assert [house.store.alert(one).row.status for one in alerts].count("acknowledged") == 29
