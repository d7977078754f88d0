"""Kill -9 of the sender between every two steps: nothing lost, nothing twice where the channel knows a repeat."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coordwatch.adapters.channels.pagerduty import PagerDuty
from coordwatch.adapters.channels.receiver import Receiver
from coordwatch.adapters.channels.slack import Slack
from coordwatch.adapters.pages.telling import told_words
from coordwatch.clock import ManualClock
from coordwatch.events.times import MINUTE, SECOND
from coordwatch.notify.channel import Channel, ChannelKind
from tests.build import NOW
from tests.channels.house import House, at_noon, poster
from tests.channels.receivers import HttpReceiver, said

# One process that decides and sends, and kills itself at a step: as hard as a power cut, with nothing flushed or rolled back.
PROCESS = """
import os, signal, sys
from pathlib import Path
from coordwatch.adapters.channels import slack, pagerduty
from coordwatch.clock import ManualClock
from coordwatch.notify.channel import Channel, ChannelKind
from tests.channels.house import House, poster

path, url, kind, step, now = sys.argv[1:]
clock = ManualClock(int(now))
send = poster(clock)
receiver = slack.Slack(send, "xoxb", "C0123", "", url) if kind == "slack" else pagerduty.PagerDuty(send, "k", "", url)
house = House(Path(path), clock, {Channel("on-call", ChannelKind(kind)): receiver})

def dying(name, call):
    def both(*args, **named):
        if step == "before " + name:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = call(*args, **named)
        if step == "after " + name:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
    return both

outbox = house.telling.deciding._outbox
outbox.decide = dying("decide", outbox.decide)
house.sending.claim = dying("claim", house.sending.claim)
object.__setattr__(house.posts[0], "receiver", type("R", (), {"at_once": 1, "deliver": staticmethod(dying("send", receiver.deliver))}))
house.sending.finish = dying("finish", house.sending.finish)
house.decide()
house.send()
"""
STEPS = [f"{when} {step}" for step in ("decide", "claim", "send", "finish") for when in ("before", "after")]
POSTED = said({"ok": True, "channel": "C0123", "ts": "1700000000.000100"})


def run(path: Path, receiver: HttpReceiver, kind: str, step: str, now: int) -> int:
    words = [sys.executable, "-c", PROCESS, str(path), receiver.url, kind, step, str(now)]
    return subprocess.run(words, check=False, cwd=Path(__file__).parents[2]).returncode


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_loses_nothing_and_a_repeat_has_the_same_key(tmp_path, step):
    receiver = HttpReceiver(said({"status": "success", "dedup_key": "k"}, 202))
    alert = with_one_alert(tmp_path)
    assert run(tmp_path / "a.db", receiver, "pagerduty", step, NOW) == -signal.SIGKILL
    start_again(tmp_path, PagerDuty(poster(later()), "k", "", receiver.url), ChannelKind.PAGERDUTY)
    asked = [(one.json["event_action"], one.json["dedup_key"]) for one in receiver.requests]
    assert set(asked) == {("trigger", alert)}
    assert len(asked) <= 2
    assert told(tmp_path, alert).startswith("told at 12:0")
    receiver.close()


@pytest.mark.parametrize("step", ["after claim", "after send", "before finish"])
def test_slack_is_asked_whether_the_message_came_through_before_it_is_posted_again(tmp_path, step):
    receiver = HttpReceiver(POSTED)
    alert = with_one_alert(tmp_path)
    assert run(tmp_path / "a.db", receiver, "slack", step, NOW) == -signal.SIGKILL
    posted = [one.json for one in receiver.requests]
    found = [{"ts": "1700000000.000100", "metadata": one["metadata"]} for one in posted]
    receiver.script.append(said({"ok": True, "messages": found}))
    start_again(tmp_path, Slack(poster(later()), "xoxb", "C0123", "", receiver.url), ChannelKind.SLACK)
    assert [one.path for one in receiver.requests].count("/chat.postMessage") == 1
    assert told(tmp_path, alert).startswith("told at 12:0")
    receiver.close()


def later() -> ManualClock:
    return ManualClock(NOW + 2 * MINUTE)


def start_again(tmp_path: Path, receiver: Receiver, kind: ChannelKind) -> None:
    house = House(tmp_path / "a.db", later(), {Channel("on-call", kind): receiver})
    house.tell()
    house.store.close()


def with_one_alert(tmp_path: Path) -> str:
    house = House(tmp_path / "a.db", at_noon(), {})
    (alert,) = house.raise_alerts(["c-1"])
    house.store.close()
    return alert


def told(tmp_path: Path, alert: str) -> str:
    house = House(tmp_path / "a.db", at_noon(), {})
    (line,) = house.history(alert)
    house.store.close()
    return told_words(line)[0]


def test_two_senders_on_one_database_never_have_the_same_message(place):
    class Slow:
        at_once = 5

        def deliver(self, works):
            raise AssertionError("nothing is sent here")

    clock = at_noon()
    channel = Channel("on-call", ChannelKind.WEBHOOK)
    house = House(place, clock, {channel: Slow()})
    house.raise_alerts([f"c-{number}" for number in range(9)])
    house.decide()
    one = house.sending.claim("on-call", "one", clock.now(), 5)
    two = house.sending.claim("on-call", "two", clock.now(), 5)
    three = house.sending.claim("on-call", "three", clock.now(), 5)
    ids = [work.message.id for work in (*one, *two, *three)]
    assert len(ids) == len(set(ids)) == 9
    clock.move_to(clock.now() + 89 * SECOND)
    assert house.sending.claim("on-call", "four", clock.now(), 20) == []
    clock.move_to(clock.now() + SECOND)
    again = house.sending.claim("on-call", "four", clock.now(), 20)
    assert (len(again), all(work.unsure for work in again)) == (9, True)
    house.store.close()
