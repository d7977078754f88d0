"""The way of alerts through a database: who is told now, who later, and nobody twice, whoever is killed in between."""

import random
import secrets
import subprocess
import threading
from functools import partial

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from coordwatch.adapters.pages.telling import told_words
from coordwatch.adapters.sql.grouping import read_body
from coordwatch.adapters.sql.outbox_tables import messages
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.alerts.matchers import parse_all, parse_matchers
from coordwatch.alerts.silence import Draft
from coordwatch.app.routing import route_of
from coordwatch.clock import ManualClock
from coordwatch.events.times import HOUR, MINUTE, parse_time
from coordwatch.notify.channel import Channel, ChannelKind
from coordwatch.notify.delivery import delivered
from coordwatch.notify.hours import Hours, Span
from coordwatch.notify.route import Escalation, Receiver, Route, ways_of
from coordwatch.rules.calendars import zone_named
from coordwatch.settings import read_settings
from tests.build import NOW
from tests.channels.house import House

PAGER, LEADS, DESK = (Channel(one, ChannelKind.WEBHOOK) for one in ("pager", "leads", "desk"))
TO = {one.name: Receiver(one.name, (one.name,)) for one in (PAGER, LEADS, DESK)}
OFFICE = Hours("office", (Span(zone_named("Europe/Berlin"), times=((540, 1080),), weekdays=((0, 4),)),))
WAY = Route("route", TO["pager"], escalate=(Escalation(15 * MINUTE, TO["leads"]), Escalation(HOUR, TO["desk"])))


class Heard:
    """A receiver that takes everything and remembers it."""

    at_once = 50

    def __init__(self):
        self.said = []

    def deliver(self, works):
        self.said += [(work.message.subject, work.message.version) for work in works]
        return [delivered("heard") for _ in works]


class Site:
    """A house that may be left and entered again; the channels outlive it."""

    def __init__(self, place, way=WAY, now=NOW):
        self.place, self.way, self.clock = place, way, ManualClock(now)
        self.heard = {one: Heard() for one in (PAGER, LEADS, DESK)}
        self.house = self.enter()

    def enter(self):
        return House(self.place, self.clock, self.heard, way=self.way)

    def restart(self):
        self.house.store.close()
        self.house = self.enter()

    def after(self, length):
        self.clock.move_to(self.clock.now() + length)
        self.house.tell()
        return self.counts()

    def counts(self):
        return tuple(len(self.heard[one].said) for one in (PAGER, LEADS, DESK))


@pytest.fixture
def site(place):
    made = []

    def one(way=WAY, now=NOW):
        made.append(Site(place, way, now))
        return made[-1]

    yield one
    for each in made:
        each.house.store.close()


def test_nobody_looks_and_the_next_ones_are_told_each_once_over_restarts(site):
    here = site()
    (alert,) = here.house.raise_alerts(["c-1"])
    assert here.after(0) == (1, 0, 0)
    assert here.after(15 * MINUTE - 1) == (1, 0, 0)
    assert [(one.channel, *told_words(one)) for one in here.house.history(alert)][1:] == [
        ("leads", "will be told at 12:15 UTC", "unless somebody has looked by then"),
        ("desk", "will be told at 13:00 UTC", "unless somebody has looked by then"),
    ]
    here.restart()
    assert here.after(1) == (1, 1, 0)
    here.restart()
    assert here.after(0) == (1, 1, 0)
    assert here.after(45 * MINUTE) == (1, 1, 1)
    here.restart()
    assert here.after(10 * HOUR) == (1, 1, 1)
    lines = here.house.history(alert)
    assert [(one.channel, one.reason) for one in lines] == [
        ("pager", "new"),
        ("leads", "escalated"),
        ("desk", "escalated"),
    ]
    assert told_words(lines[1]) == ("told at 12:15 UTC", "nobody had looked at it; heard")
    kinds = [(link.kind, link.actor) for link in here.house.store.trail().links()]
    assert kinds == [("alert.raise", "coordwatch"), ("alert.escalate", "coordwatch"), ("alert.escalate", "coordwatch")]


def test_whoever_acknowledges_stops_it_and_what_opens_again_begins_anew(site):
    here = site()
    (alert,) = here.house.raise_alerts(["c-1"])
    here.after(0)
    here.after(14 * MINUTE)
    here.house.act(alert, AlertAction.ACKNOWLEDGE)
    assert [one.state for one in here.house.history(alert)] == ["done"], "nobody else is called any more"
    leads = here.counts()[1]
    assert here.after(MINUTE)[1] == leads, "acknowledged in the same minute: nobody is called"
    assert here.after(5 * HOUR)[1:] == (0, 0)
    here.house.act(alert, AlertAction.SNOOZE, until=here.clock.now() + HOUR)
    here.after(HOUR)
    assert here.counts()[1:] == (0, 0)
    assert here.after(15 * MINUTE)[1:] == (1, 0)


def test_a_silence_holds_the_next_step_back_until_it_ends(site):
    here = site()
    (alert,) = here.house.raise_alerts(["c-1"])
    here.after(0)
    now = here.clock.now()
    silences = here.house.store.silences()
    made = silences.create(Draft(parse_matchers("severity=high"), now, now + 2 * HOUR, "we know"), "ada", now)
    assert here.after(15 * MINUTE) == (1, 0, 0)
    assert here.after(MINUTE) == (1, 0, 0)
    silences.expire(made.id, "ada", here.clock.now(), None)
    assert here.after(4 * MINUTE) == (1, 1, 0)
    assert [(one.reason, one.state) for one in here.house.history(alert)] == [
        ("new", "done"), ("escalated", "done"), ("escalated", "step"),
    ]  # fmt: skip


def test_outside_its_hours_an_alert_waits_and_says_so(site):
    here = site(
        Route("route", TO["pager"], routes=(Route("route.routes[0]", TO["leads"], active=(OFFICE,)),)),
        parse_time("2026-03-02T23:00:00Z"),
    )
    (alert,) = here.house.raise_alerts(["c-1"])
    assert here.after(0) == (0, 0, 0)
    (line,) = here.house.history(alert)
    assert told_words(line) == (
        "not told: outside its hours", "outside the hours of route.routes[0]; asked again at 3 Mar 2026 08:00 UTC",
    )  # fmt: skip
    assert here.after(9 * HOUR - 1) == (0, 0, 0)
    assert here.after(1) == (0, 1, 0)
    assert here.after(HOUR) == (0, 1, 0)


def test_what_one_way_tells_at_night_the_other_hears_in_the_morning(site):
    way = Route("route", TO["desk"], routes=(
        Route("route.routes[0]", TO["pager"], parse_all(["severity=high"]), goes_on=True),
        Route("route.routes[1]", TO["leads"], active=(OFFICE,)),
    ))  # fmt: skip
    here = site(way, parse_time("2026-03-02T23:00:00Z"))
    first, second = here.house.raise_alerts(["c-1", "c-2"])
    assert here.after(0) == (2, 0, 0)
    here.house.act(second, AlertAction.RESOLVE)
    assert here.after(9 * HOUR)[1:] == (1, 0)
    assert [one.reason for one in here.house.history(first)] == ["new", "hours_began"]


def test_an_alert_for_the_inbox_alone_says_so(site):
    here = site(Route("route", Receiver("inbox")))
    (alert,) = here.house.raise_alerts(["c-1"])
    assert here.after(0) == (0, 0, 0)
    (line,) = here.house.history(alert)
    assert (line.reason, line.note) == ("no_channel", "route: the inbox alone")


def test_two_processes_at_once_take_each_step_once(new_place):
    here = Site(new_place("postgres"))
    here.house.raise_alerts([f"c-{number}" for number in range(20)])
    here.after(0)
    here.clock.move_to(here.clock.now() + 15 * MINUTE)
    houses = [here.house, *(here.enter() for _ in range(2))]
    ready = threading.Barrier(3)

    def decide(house):
        ready.wait()
        for _ in range(3):
            house.decide()

    threads = [threading.Thread(target=partial(decide, one)) for one in houses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    here.house.send()
    reasons = [
        line.reason
        for row in here.house.store.alerts({}, 100, None)[0]
        for line in here.house.history(row.id)
        if line.state != "step"
    ]
    assert sorted(reasons) == ["escalated"] * 20 + ["new"] * 20
    assert len([one for one in here.house.store.trail().links() if one.kind == "alert.escalate"]) == 20
    for one in houses:
        one.store.close()


DEEDS = st.one_of(
    st.sampled_from([0, MINUTE, 14 * MINUTE, 15 * MINUTE, 50 * MINUTE]),
    st.sampled_from([AlertAction.ACKNOWLEDGE, AlertAction.UNDO, AlertAction.REOPEN, AlertAction.RESOLVE]),
    st.just("restart"),
)


@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(st.lists(DEEDS, max_size=12))
def test_no_step_is_taken_twice_in_one_opening_and_none_once_somebody_looked(tmp_path_factory, deeds):
    here = Site(tmp_path_factory.mktemp("steps") / f"{secrets.token_hex(4)}.db")
    (alert,) = here.house.raise_alerts(["c-1"])
    here.after(0)
    opened_at, told = here.clock.now(), here.counts()
    for deed in deeds:
        if deed == "restart":
            here.restart()
            continue
        if isinstance(deed, AlertAction):
            view = here.house.store.alert(alert)
            try:
                here.house.act(alert, deed)
            except Exception:
                continue
            here.after(0)
            status = here.house.store.alert(alert).row.status
            if status == "open" and view.row.status != "open":
                opened_at = here.clock.now()
            told = here.counts()
            continue
        before = here.clock.now()
        after = here.after(deed)
        status = here.house.store.alert(alert).row.status
        wanted = tuple(
            1 if status == "open" and before < opened_at + step.after <= here.clock.now() else 0
            for step in WAY.escalate
        )
        assert (after[1] - told[1], after[2] - told[2]) == wanted
        told = after
    here.house.store.close()


RECEIVERS = ("pager", "leads", "desk", "inbox")


def a_tree(chance, depth, root=False):
    written = {"receiver": chance.choice(RECEIVERS)} if root or chance.random() < 0.7 else {}
    if not root:
        matchers = [
            f"{name}{operator}{value}"
            for name, value in (("severity", chance.choice(["high", "low"])), ("owner", chance.choice(["a.*", "b"])))
            if chance.random() < 0.5
            for operator in [chance.choice(["=", "!=", "=~", "!~"])]
        ]
        written |= {"matchers": matchers} if matchers else {}
        written |= {"continue": True} if chance.random() < 0.5 else {}
    below = [a_tree(chance, depth - 1) for _ in range(chance.randint(1, 3))] if depth else []
    return written | ({"routes": below} if below else {})


def test_the_real_alertmanager_sends_every_alert_the_same_way(tmp_path, amtool):
    """The same tree, in the same words, is asked of Alertmanager's own tool."""
    chance = random.Random(6)
    for number in range(4):
        tree = a_tree(chance, 2, root=True)
        theirs, ours = tmp_path / f"{number}.am.yaml", tmp_path / f"{number}.cw.yaml"
        theirs.write_text(yaml.safe_dump({"route": tree, "receivers": [{"name": one} for one in RECEIVERS]}))
        channels = [{"name": one, "kind": "webhook", "url": "https://example.com"} for one in RECEIVERS[:3]]
        ours.write_text(yaml.safe_dump({"route": tree, "channels": channels}))
        way = route_of(read_settings(ours))
        for severity, owner in (("high", "ab"), ("low", "b"), ("high", "c")):
            asked = [
                amtool,
                "config",
                "routes",
                "test",
                f"--config.file={theirs}",
                f"severity={severity}",
                f"owner={owner}",
            ]
            said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
            found = ways_of(way, {"severity": (severity,), "owner": (owner,)})
            assert [one.receiver.name for one in found] == said.split(","), (tree, severity, owner)


TOGETHER = Route("route", TO["pager"], group_by=("rule", "campaign"), group_wait=MINUTE)


def titles(site):
    with site.house.store._read() as connection:
        bodies = connection.execute(select(messages.c.body, messages.c.sent).where(messages.c.many)).all()
    return sorted((read_body(body).total, sent) for body, sent in bodies)


def test_alerts_that_are_alike_are_told_together_at_the_end_of_their_stretch(site):
    here = site(TOGETHER)
    here.house.raise_alerts_quietly(["c-1", "c-2"], campaign="Spring sale")
    assert here.after(0) == (0, 0, 0)
    here.house.raise_alerts_quietly(["c-3"], campaign="Spring sale")
    here.house.raise_alerts_quietly(["c-4"], campaign="Boots")
    assert here.after(MINUTE // 2) == (0, 0, 0)
    here.restart()
    assert here.after(MINUTE // 2) == (2, 0, 0)
    assert titles(here) == [(1, 1), (3, 1)]
    here.house.raise_alerts_quietly(["c-5"], campaign="Spring sale")
    assert here.after(0) == (2, 0, 0)
    assert here.after(MINUTE) == (3, 0, 0)


def test_an_alert_never_joins_a_message_that_a_sender_has_already(site):
    here = site(TOGETHER)
    here.house.raise_alerts_quietly(["c-1"])
    here.house.decide()
    ahead = here.house.sending.claim("pager", "a clock ahead", NOW + MINUTE, 10)
    assert len(ahead) == 1
    here.house.raise_alerts_quietly(["c-2"])
    here.house.decide()
    here.house.sending.finish("a clock ahead", [(ahead[0], delivered("heard"))], None, NOW + MINUTE)
    here.after(2 * MINUTE)
    assert titles(here) == [(1, 1), (1, 1)]


def test_a_storm_of_many_groups_is_a_handful_of_messages_all_the_same(tmp_path):
    here = Site(tmp_path / "a.db", TOGETHER)
    for number in range(60):
        here.house.raise_alerts_quietly([f"c-{number}"], campaign=f"Sale {number}")
    here.after(0)
    assert here.after(HOUR)[0] <= 20
    assert sum(total for total, _ in titles(here)) == 60
    here.house.store.close()
