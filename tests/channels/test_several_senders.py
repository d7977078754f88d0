"""Several processes send from one PostgreSQL: nothing is sent twice; one that is killed leaves at most what it had in its hands."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from coordwatch.adapters.channels.sender import Post, Sender
from coordwatch.adapters.channels.webhook import Webhook
from coordwatch.adapters.sql.database import read_database
from coordwatch.adapters.sql.sending import LEASE
from coordwatch.notify.channel import Channel, ChannelKind, Pace
from tests.build import NOW
from tests.channels.house import House, at_noon, poster
from tests.channels.receivers import HttpReceiver
from tests.services.waiting import wait_until

ALERTS, SENDERS = 40, 3
PROCESS = """
import sys
from coordwatch.adapters.channels.sender import Post, Sender
from coordwatch.adapters.channels.webhook import Webhook
from coordwatch.adapters.sql.database import read_database
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.clock import ManualClock
from coordwatch.notify.channel import Channel, ChannelKind
from coordwatch.adapters.egress import Egress
from coordwatch.adapters.posting import Poster
import ipaddress

database, url, owner, now = sys.argv[1:]
clock = ManualClock(int(now))
store = SqlStore(read_database(database), {}, durable=False)
post = Post(Channel("on-call", ChannelKind.WEBHOOK), Webhook(Poster(Egress([ipaddress.ip_network('127.0.0.0/8')]), clock, timeout=120.0), url, "a-secret-of-the-test"))
sender = Sender(store.sending(), [post], clock, owner)
print("ready", flush=True)
sys.stdin.readline()
while sender.turn(post):
    pass
store.close()
"""


class Slow(HttpReceiver):
    """Takes its time over each request, so that the senders meet; after `holds` of them it keeps everybody waiting."""

    def __init__(self):
        self.holds, self.let_go = ALERTS, threading.Event()
        super().__init__()

    def _take(self, handler):
        if len(self.requests) >= self.holds:
            self.let_go.wait(100)
        self.ended.wait(0.01)
        super()._take(handler)


@pytest.fixture
def slow():
    made = Slow()
    yield made
    made.close()


@pytest.fixture
def filled(postgres):
    """A database in which forty alerts wait to be told, each by itself."""
    url = postgres()
    channel = Channel("on-call", ChannelKind.WEBHOOK, pace=Pace(singles=120))
    house = House(read_database(url), at_noon(), {channel: Nobody()})
    house.raise_alerts_quietly([f"c-{number}" for number in range(ALERTS)])
    house.decide()
    yield url, house
    house.store.close()


class Nobody:
    at_once = 1

    def deliver(self, works):
        raise AssertionError("this process only decides")


@contextmanager
def senders(url, receiver):
    """Three processes that send, gone afterwards however the test ends."""
    words = [sys.executable, "-c", PROCESS, url, f"{receiver.url}/in"]
    running = [
        subprocess.Popen(
            [*words, f"sender {number}", str(NOW)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(SENDERS)
    ]
    try:
        for one in running:
            assert one.stdout.readline() == b"ready\n"
        for one in running:
            one.stdin.write(b"go\n")
            one.stdin.flush()
        yield running
    finally:
        for one in running:
            one.kill()
            one.communicate()


def keys(receiver):
    return Counter(one.headers["idempotency-key"] for one in receiver.requests)


def waiting(house):
    (view,) = [one for one in house.sending.views() if one.name == "on-call"]
    return view.waiting


def test_three_processes_send_nothing_twice_and_one_that_is_killed_leaves_what_it_had_to_the_others(filled, slow):
    url, house = filled
    slow.holds = 20
    with senders(url, slow) as running:
        # Each of them is at a request that the receiver does not answer: no better moment to die.
        wait_until(lambda: len(slow.requests) >= 20, "some requests", 90)
        os.kill(running[0].pid, signal.SIGKILL)
        slow.let_go.set()
        assert [one.wait(240) for one in running] == [-signal.SIGKILL, 0, 0]
    assert set(keys(slow).values()) == {1}, "nothing was sent twice"
    assert waiting(house) <= 1, "only what the dead one had in its hands"
    house.clock.move_to(NOW + LEASE)
    post = Post(house.posts[0].channel, Webhook(poster(house.clock), f"{slow.url}/in", "a-secret-of-the-test"))
    last = Sender(house.sending, [post], house.clock, "whoever comes next")
    while last.turn(post):
        pass
    found = keys(slow)
    assert (len(found), waiting(house)) == (ALERTS, 0), "nothing was lost"
    assert sum(found.values()) - ALERTS <= 1, "at most one repeat, under the key of the first try"


def test_a_killed_sender_is_noticed_by_its_lease_alone(filled):
    """No process needs to know of another: what is not answered is free when its lease ends, and not before."""
    _, house = filled
    first = house.sending.claim("on-call", "dead", NOW, 5)
    assert len(first) == 5
    rest = house.sending.claim("on-call", "alive", NOW + LEASE - 1, 100)
    assert {work.message.id for work in first}.isdisjoint(work.message.id for work in rest)
    again = house.sending.claim("on-call", "alive", NOW + LEASE, 100)
    assert {work.message.id for work in again} == {work.message.id for work in first}
