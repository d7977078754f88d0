"""Mail to a real SMTP server, alerts to a real Alertmanager, buttons from Slack, settings and the command."""

import hmac
import ipaddress
import json
import ssl
from hashlib import sha256
from urllib.parse import urlencode

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MailHandler

from coordwatch.adapters.channels.alertmanager import Alertmanager
from coordwatch.adapters.channels.mail import Mail, Mailbox
from coordwatch.adapters.channels.sender import Nowhere
from coordwatch.adapters.egress import Egress
from coordwatch.adapters.http_api.hooks.proofs import Sent
from coordwatch.adapters.http_api.problems import Refused
from coordwatch.adapters.http_api.slack_actions import SlackRoom, _believe, _pressed
from coordwatch.adapters.pages.telling import told_words
from coordwatch.adapters.posting import tls_context
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.cli import main
from coordwatch.clock import SystemClock
from coordwatch.events.times import MINUTE, SECOND
from coordwatch.notify.channel import Channel, ChannelKind, Pace
from tests.build import NOW
from tests.channels.house import LOOPBACK, House, at_noon, poster
from tests.channels.receivers import HttpReceiver, Reply
from tests.services.processes import LOOPBACK as ADDRESS
from tests.services.processes import Tied, free_port
from tests.services.waiting import ANSWER, wait_until


class Inbox(MailHandler):
    """Keeps what was handed in."""

    def __init__(self) -> None:
        super().__init__()
        self.mails = []

    def handle_message(self, message) -> None:
        self.mails.append(message)


@pytest.fixture
def smtp():
    handler = Inbox()
    controller = Controller(handler, hostname=ADDRESS, port=free_port(), ready_timeout=ANSWER)
    controller.start()
    yield controller, handler
    controller.stop()


def test_a_digest_is_one_mail_an_interval_that_nothing_in_an_event_can_change(tmp_path, smtp):
    controller, inbox = smtp
    clock = at_noon()
    box = Mailbox(ADDRESS, controller.port, "none", "cw@example.com", ("lead@example.com",))
    mail = Mail(box, LOOPBACK, tls_context(None), "https://cw.example.com")
    channel = Channel("leads", ChannelKind.EMAIL, pace=Pace(0, MINUTE, 15 * MINUTE, 15 * MINUTE))
    house = House(tmp_path / "a.db", clock, {channel: mail})
    evil = "Sale\r\nBcc: all@example.com\r\n\r\n<script>"
    house.raise_alerts([f"c-{one}" for one in range(25)], campaign=evil)
    house.tell()
    assert inbox.mails == []
    house.pass_time(15 * MINUTE)
    assert house.send() == 1
    (said,) = inbox.mails
    assert " ".join(said["Subject"].split()).startswith("[high] 25 alerts of Promotion sent while a complaint is open")
    assert (said["To"], said["Bcc"], said["Auto-Submitted"]) == ("lead@example.com", None, "auto-generated")
    plain, html = [part.get_payload(decode=True).decode() for part in said.walk() if not part.is_multipart()]
    assert "and 5 more" in plain
    assert "<script>" not in html
    assert said["Message-ID"].endswith("@example.com>")
    house.store.close()


def test_a_mail_server_without_starttls_is_refused_and_one_that_is_away_is_tried_again(tmp_path, smtp):
    controller, inbox = smtp
    clock = at_noon()
    box = Mailbox(ADDRESS, controller.port, "starttls", "cw@example.com", ("lead@example.com",))
    away = Mailbox(ADDRESS, free_port(), "none", "cw@example.com", ("lead@example.com",))
    context = tls_context(None)
    posts = {
        Channel("a", ChannelKind.EMAIL): Mail(box, LOOPBACK, context),
        Channel("b", ChannelKind.EMAIL): Mail(away, LOOPBACK, context),
    }
    house = House(tmp_path / "a.db", clock, posts)
    (alert,) = house.raise_alerts(["c-1"])
    house.tell()
    words = {one.channel: told_words(one)[0] for one in house.history(alert)}
    assert words == {"a": "not told: the channel refused it for good", "b": "not told yet"}
    assert inbox.mails == []
    assert context.verify_mode is ssl.CERT_REQUIRED
    house.store.close()


@pytest.fixture
def alertmanager(tmp_path, alertmanager_path):
    """A real Alertmanager; its address."""
    config = tmp_path / "am.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    port = free_port()
    words = [f"--config.file={config}", f"--storage.path={tmp_path / 'am'}", f"--web.listen-address={ADDRESS}:{port}"]
    server = Tied([alertmanager_path, *words, "--cluster.listen-address="], tmp_path / "am.log")
    url = f"http://{ADDRESS}:{port}"

    def ready() -> bool:
        try:
            return httpx.get(f"{url}/-/ready", timeout=ANSWER).status_code == 200
        except httpx.TransportError:
            return False

    wait_until(ready, "Alertmanager answers", 60)
    yield url
    server.stop()


def test_a_real_alertmanager_holds_what_stands_and_lets_go_of_what_is_over(tmp_path, alertmanager):
    clock = at_noon()
    clock.move_to(SystemClock().now() - MINUTE)
    receiver = Alertmanager(
        poster(clock, 10.0), alertmanager, MINUTE, "https://cw.example.com", None, (("site", "test"),)
    )
    channel = Channel("am", ChannelKind.ALERTMANAGER, resend=MINUTE)
    house = House(tmp_path / "a.db", clock, {channel: receiver})
    first, second = house.raise_alerts(["c-1", "c-2"])

    def standing() -> list[str]:
        found = httpx.get(f"{alertmanager}/api/v2/alerts", timeout=ANSWER).json()
        assert all(one["labels"]["site"] == "test" for one in found)
        return sorted(one["labels"]["coordwatch_id"] for one in found)

    house.tell()
    assert standing() == sorted([first, second])
    house.pass_time(MINUTE - SECOND)
    assert house.send() == 0
    house.pass_time(SECOND)
    assert house.send() == 2, "what stands is sent again"
    house.act(first, AlertAction.RESOLVE)
    house.tell()
    wait_until(lambda: standing() == [second], "what is over is gone", 20)
    house.store.close()


def signed(body: bytes, at: int, secret: str = "shh-signing") -> Sent:
    stamp = str(at // SECOND)
    mark = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, sha256).hexdigest()
    return Sent({"x-slack-signature": f"v0={mark}", "x-slack-request-timestamp": stamp}, body)


def pressing(action: str, channel: str = "C0123") -> bytes:
    payload = {
        "type": "block_actions", "user": {"id": "U1", "username": "ada"}, "channel": {"id": channel},
        "actions": [{"action_id": action, "value": "alert-1"}],
    }  # fmt: skip
    return urlencode({"payload": json.dumps(payload)}).encode()


ROOM = SlackRoom("cx", "C0123", "shh-signing")


def test_a_button_is_believed_by_its_signature_for_five_minutes():
    body = pressing("acknowledge")
    _believe(ROOM, signed(body, NOW), NOW + 5 * MINUTE)
    for sent in (
        signed(body, NOW - 6 * MINUTE),
        signed(body, NOW + 6 * MINUTE),
        signed(body, NOW, "other"),
        Sent({}, body),
    ):
        with pytest.raises(Refused) as refused:
            _believe(ROOM, sent, NOW)
        assert refused.value.status == 401
    pressed = _pressed(body, ROOM)
    assert (pressed.action, pressed.alert, pressed.actor) == (AlertAction.ACKNOWLEDGE, "alert-1", "slack:ada")
    assert _pressed(pressing("open"), ROOM) is None
    assert "shh" not in repr(ROOM)


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"payload=%7B", 400), (b"payload=[]", 400), (pressing("resolve", "C9"), 403)]
)
def test_what_is_no_button_of_this_channel_is_refused(body, status):
    with pytest.raises(Refused) as refused:
        _pressed(body, ROOM)
    assert refused.value.status == status


def test_the_canary_comes_through_once_a_minute(tmp_path):
    house = House(tmp_path / "a.db", at_noon(), {Channel("canary", ChannelKind.CANARY): Nowhere()})
    assert house.tell() == 1
    house.pass_time(30 * SECOND)
    assert house.tell() == 0
    house.pass_time(30 * SECOND)
    assert house.tell() == 1
    assert house.sending.views()[0].delivered_at == house.clock.now()
    house.store.close()


SETTINGS = """
database: {folder}/a.db
egress: {{allow: [127.0.0.0/8]}}
channels:
  - {{name: mine, kind: webhook, url: {url}}}
"""


def test_the_command_sends_one_test_message_and_never_shows_the_secret(tmp_path, monkeypatch, capsys):
    receiver = HttpReceiver()
    path = tmp_path / "cw.yaml"
    path.write_text(SETTINGS.format(folder=tmp_path, url=receiver.url))
    assert main(["channels", "test", "mine", "--config", str(path)]) == 2
    assert "COORDWATCH_CHANNEL_SECRETS__MINE" in capsys.readouterr().err
    monkeypatch.setenv("COORDWATCH_CHANNEL_SECRETS__MINE", "canary-of-a-secret-1")
    assert main(["channels", "test", "mine", "--config", str(path)]) == 0
    receiver.script.append(Reply(403, b"no"))
    assert main(["channels", "test", "mine", "--config", str(path)]) == 1
    said = capsys.readouterr()
    assert "mine: delivered: 200 {}" in said.out
    assert "mine: refused: 403 no" in said.out
    assert "canary-of-a-secret" not in said.out + said.err
    assert len(receiver.requests) == 2
    receiver.close()


def test_an_address_inside_must_be_allowed():
    guard = Egress([ipaddress.ip_network("10.0.0.0/8")])
    with pytest.raises(Exception, match="this machine itself"):
        guard.of_url("http://127.0.0.1:1/")
