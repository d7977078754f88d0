"""Apprise, the long tail: the real library sends to a real address; what it cannot do is tried again, and no URL is shown."""

import ipaddress
import logging

import pytest

from coordwatch.adapters.channels.long_tail import Apprise
from coordwatch.adapters.egress import Egress, ForbiddenError
from coordwatch.adapters.pages.telling import told_words
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.cli import main
from coordwatch.errors import PermanentError
from coordwatch.events.times import MINUTE, SECOND
from coordwatch.notify.channel import Channel, ChannelKind, Pace
from tests.channels.house import House, at_noon
from tests.channels.receivers import HttpReceiver, Reply

SITE = "https://coordwatch.example.com"
TAIL = Channel("tail", ChannelKind.APPRISE)


@pytest.fixture
def address(receiver):
    """A URL of Apprise with a password in it, as such URLs have."""
    return receiver.url.replace("http://", "json://user:canary-of-a-secret@") + "/hook"


def a_house(tmp_path, *urls, channel=TAIL):
    return House(tmp_path / "a.db", at_noon(), {channel: Apprise(urls, SITE)})


def test_an_alert_is_said_in_the_same_words_as_everywhere(tmp_path, receiver, address):
    house = a_house(tmp_path, address)
    (alert,) = house.raise_alerts(["c-1"])
    assert house.tell() == 1
    (asked,) = receiver.requests
    assert (asked.method, asked.path) == ("POST", "/hook")
    assert asked.json["title"].startswith("Journeys sent Spring sale 2 h 10 min after complaint K-1042")
    assert asked.json["message"].endswith(f"{SITE}/alerts/{alert}")
    assert "high; open; owner lifecycle-marketing" in asked.json["message"]
    assert b"c-1" not in asked.body
    (line,) = house.history(alert)
    assert told_words(line) == ("told at 12:00 UTC", "handed to Apprise")
    house.store.close()


def test_it_cannot_edit_so_what_changes_is_not_said_again_and_what_opens_again_is(tmp_path, receiver, address):
    house = a_house(tmp_path, address)
    (alert,) = house.raise_alerts(["c-1"])
    house.tell()
    house.act(alert, AlertAction.ACKNOWLEDGE)
    house.tell()
    house.act(alert, AlertAction.RESOLVE)
    house.tell()
    assert len(receiver.requests) == 1
    house.act(alert, AlertAction.REOPEN)
    house.tell()
    assert len(receiver.requests) == 2
    house.store.close()


def test_an_address_that_does_not_take_it_is_tried_again(tmp_path, receiver, address, caplog):
    house = a_house(tmp_path, address)
    (alert,) = house.raise_alerts(["c-1"])
    receiver.script.append(Reply(500))
    with caplog.at_level(logging.DEBUG):
        house.tell()
        (line,) = house.history(alert)
        assert told_words(line)[0] == "not told yet"
        house.pass_time(10 * SECOND)
        house.send()
    (line,) = house.history(alert)
    assert told_words(line)[0] == "told at 12:00 UTC"
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("coordwatch")]
    assert ours
    assert not any("canary" in one for one in ours)
    house.store.close()


def test_a_storm_is_one_message_here_too(tmp_path, receiver, address):
    channel = Channel("tail", ChannelKind.APPRISE, pace=Pace(singles=1, gather=MINUTE))
    house = a_house(tmp_path, address, channel=channel)
    house.raise_alerts_quietly([f"c-{number}" for number in range(30)])
    house.decide()
    house.pass_time(MINUTE)
    house.send()
    titles = [one.json["title"] for one in receiver.requests]
    assert len(titles) == 2
    assert "29 alerts of Promotion sent while a complaint is open, told together" in titles
    house.store.close()


def test_a_url_that_apprise_does_not_know_is_refused_without_saying_it(address):
    with pytest.raises(PermanentError, match=r"does not know the 2\. of the URLs") as refused:
        Apprise((address, "canary-of-a-secret://nowhere"))
    assert "canary" not in str(refused.value)
    assert "canary" not in repr(Apprise((address,)))


def test_the_command_tries_it_with_its_secret_from_the_environment(tmp_path, receiver, address, monkeypatch, capsys):
    path = tmp_path / "cw.yaml"
    path.write_text(
        f"database: {tmp_path}/a.db\nchannels: [{{name: tail, kind: apprise}}]\negress: {{allow: [127.0.0.0/8]}}\n"
    )
    monkeypatch.setenv("COORDWATCH_CHANNEL_SECRETS__TAIL", f"{address}\n{address}2")
    assert main(["channels", "test", "tail", "--config", str(path)]) == 0
    said = capsys.readouterr()
    assert "tail: delivered: handed to Apprise" in said.out
    assert "canary-of-a-secret" not in said.out + said.err
    assert sorted(one.path for one in receiver.requests) == ["/hook", "/hook2"]


@pytest.mark.parametrize(
    "url", ["json://user:canary-of-a-secret@127.0.0.1:9/x", "jsons://169.254.169.254/", "ntfy://10.0.0.1/topic"]
)
def test_a_url_of_apprise_that_leads_inside_is_not_gone_to(url):
    with pytest.raises(ForbiddenError) as refused:
        Apprise((url,), SITE, Egress())._guarded()
    assert "canary" not in str(refused.value)
    Apprise((url,), SITE, Egress([ipaddress.ip_network("0.0.0.0/0")]))._guarded()


@pytest.mark.parametrize("wish", ["", "?redirect=yes"])
def test_apprise_follows_no_redirect(tmp_path, receiver, address, wish):
    elsewhere = HttpReceiver()
    receiver.script.append(Reply(307, headers=(("Location", elsewhere.url),)))
    house = a_house(tmp_path, address + wish)
    house.raise_alerts(["c-1"])
    house.tell()
    assert len(receiver.requests) == 1
    assert elsewhere.requests == []
    elsewhere.close()
    house.store.close()


def test_a_service_that_apprise_knows_by_name_is_no_address():
    Apprise(
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",), SITE, Egress(resolve=_nobody)
    )._guarded()


def _nobody(host, port):
    raise AssertionError(f"a part of a secret is asked for as a name: {host}")
