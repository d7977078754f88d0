"""What leaves the house: every kind of channel, put together from settings, says no mail address and no telephone number."""

import json
from dataclasses import replace
from email.header import decode_header, make_header

import pytest
from aiosmtpd.controller import Controller

from coordwatch.access.masking import mask_text
from coordwatch.adapters.channels.masked import masked
from coordwatch.app.channels import posts_of
from coordwatch.notify.message import SENTENCE_MAX, message_to_plain, single
from coordwatch.settings import read_settings
from tests.build import CARDS
from tests.channels.house import House, at_noon
from tests.channels.receivers import Reply, said
from tests.channels.test_channels import Inbox
from tests.services.processes import LOOPBACK, free_port
from tests.services.waiting import ANSWER

ADDRESS, NUMBER = "ada.canary@example.com", "+1-555-0100123"
CAMPAIGN = f"Hello {ADDRESS} or {NUMBER}, now"
KINDS = {
    "slack": "channel: C0123ABCD, url: {url}",
    "pagerduty": "url: {url}",
    "alertmanager": "url: {url}",
    "webhook": "url: {url}",
    "email": "host: 127.0.0.1, port: {port}, security: none, from: cw@example.com, to: [lead@example.com], singles: 5",
    "apprise": "singles: 5",
}
ANSWERS = {
    "slack": said({"ok": True, "channel": "C0123ABCD", "ts": "1.1"}),
    "pagerduty": said({"status": "success", "dedup_key": "k"}, 202),
}


@pytest.fixture
def smtp():
    """Starts a real SMTP server that hands its mail to a handler; gives its port."""
    started = []

    def one(handler):
        started.append(Controller(handler, hostname=LOOPBACK, port=free_port(), ready_timeout=ANSWER))
        started[-1].start()
        return started[-1].port

    yield one
    for controller in started:
        controller.stop()


def texts_of(receiver):
    """Everything that was sent over HTTP, as a person would read it."""
    return [json.dumps(one.json, ensure_ascii=False) for one in receiver.requests]


@pytest.mark.parametrize("kind", KINDS)
def test_no_channel_is_told_personal_data_unless_its_settings_say_so(kind, tmp_path, receiver, monkeypatch, request):
    inbox = Inbox()
    port = request.getfixturevalue("smtp")(inbox) if kind == "email" else 0
    receiver.usual = ANSWERS.get(kind, Reply())
    secret = receiver.url.replace("http://", "json://") if kind == "apprise" else "a-secret-of-the-test"
    own = KINDS[kind].format(url=receiver.url, port=port)
    rows = [f"{{name: {name}, kind: {kind}, {own}{more}}}" for name, more in (("hides", ""), ("shows", SHOWS))]
    if kind != "email":
        for name in ("hides", "shows"):
            monkeypatch.setenv(f"COORDWATCH_CHANNEL_SECRETS__{name.upper()}", secret)
    path = tmp_path / "cw.yaml"
    path.write_text(f"egress: {{allow: [127.0.0.0/8]}}\nchannels: [{', '.join(rows)}]\n")
    clock = at_noon()
    posts = {post.channel: post.receiver for post in posts_of(read_settings(path), clock)}
    house = House(tmp_path / "a.db", clock, posts)
    house.raise_alerts(["c-1"], campaign=CAMPAIGN)
    assert house.tell() == 2
    house.store.close()
    sent = [
        str(make_header(decode_header(mail["Subject"]))) + "".join(words_of(mail)) for mail in inbox.mails
    ] or texts_of(receiver)
    hides, shows = sent
    assert ADDRESS not in hides
    assert "canary" not in hides
    assert "0100123" not in hides
    assert "Hello a•••" in hides
    assert "•••23" in hides
    assert "K-1042" in hides, "all else is there"
    assert ADDRESS in shows
    assert NUMBER in shows


SHOWS = ", show_personal_data: true"


def words_of(mail):
    return [part.get_payload(decode=True).decode() for part in mail.walk() if not part.is_multipart()]


def test_an_address_that_was_cut_in_the_middle_is_masked_too(tmp_path):
    house = House(tmp_path / "a.db", at_noon(), {})
    (alert,) = house.raise_alerts(["c-1"])
    found = house.store.undecided(1)[0]
    house.store.close()
    sentence = "x" * (SENTENCE_MAX - 12) + f" {ADDRESS} was asked"
    message = single("any", replace(found, face=replace(found.face, sentence=sentence)), CARDS[found.rule])
    assert message.lines[0].sentence.endswith(" ada.canary@")
    words = json.dumps(message_to_plain(masked(message)))
    assert alert in words
    assert "canary" not in words


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Hello ada.canary@exam… 2 h after", "Hello a••• 2 h after"),
        ("Hello ada.canary@… 2 h after", "Hello a••• 2 h after"),
        ("call +1-555-01… 2 h after", "call ••• 2 h after"),
        ("Spring sa… 2 h after @noon …", "Spring sa… 2 h after @noon …"),
    ],
)
def test_half_an_address_is_known_as_one(said, shown):
    assert mask_text(said) == shown
