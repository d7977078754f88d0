"""Channels put together: each with its receiver, its secret and its pace; and the sender that feeds them.

What enters: Settings, a store. What leaves: a Desk of channels, or a PermanentError with the next move and never a secret.
The next rooms: `one_process` and `worker_side`, which begin the sender.
"""

import importlib
import logging
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from coordwatch.adapters.audit_anchor import Anchor, Pruning
from coordwatch.adapters.channels.alertmanager import Alertmanager
from coordwatch.adapters.channels.mail import Mail, Mailbox
from coordwatch.adapters.channels.masked import Masked
from coordwatch.adapters.channels.pagerduty import PagerDuty
from coordwatch.adapters.channels.receiver import Receiver, attempt
from coordwatch.adapters.channels.sender import Nowhere, Post, Sender
from coordwatch.adapters.channels.slack import Slack
from coordwatch.adapters.channels.webhook import Webhook
from coordwatch.adapters.egress import Egress
from coordwatch.adapters.http_api.slack_actions import REPLIES, SlackDoor, SlackRoom
from coordwatch.adapters.posting import Poster
from coordwatch.adapters.prometheus import Amounts, of_channels, of_trail
from coordwatch.adapters.sql.sending import SqlSending
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import RuleCard
from coordwatch.app.quiet import quiet_of
from coordwatch.app.routing import route_of
from coordwatch.audit.trail import Trail
from coordwatch.clock import Clock, SystemClock
from coordwatch.codec import encode_json
from coordwatch.embedded.telling import Tell, ToOutbox
from coordwatch.errors import PermanentError
from coordwatch.notify.channel import Channel, ChannelKind, Match, Pace
from coordwatch.notify.decide import NotifyPolicy
from coordwatch.notify.delivery import Outcome
from coordwatch.notify.route import Route
from coordwatch.processor.telling import Holding, Telling
from coordwatch.settings import (
    AlertmanagerChannel,
    AppriseChannel,
    ChannelSettings,
    EmailChannel,
    PagerDutyChannel,
    Settings,
    SlackChannel,
    WebhookChannel,
    channel_key,
    channel_variable,
    signing_key,
)

CANARY = "canary"
_log = logging.getLogger("coordwatch.channels")
_SECRET_MAX = 4096
_WEBHOOK_SECRET_MIN = 16


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything about channels that one process has."""

    deciding: ToOutbox
    sending: SqlSending
    sender: Sender
    door: SlackDoor
    wall: Clock
    cards: Mapping[str, RuleCard]
    policy: NotifyPolicy
    holding: Holding
    way: Route | None
    trail: Trail
    anchor: Anchor | None
    pruning: Pruning | None

    def telling(self, tell: Tell, note: Callable[[int], None]) -> Telling:
        """Who is told of alerts, beside whom `tell` tells; `note` hears what time it is."""

        def noted(now: int) -> None:
            note(now)
            if self.anchor is not None:
                self.anchor.note(self.wall.now())
            if self.pruning is not None:
                self.pruning.note(self.wall.now())

        return Telling(self.cards, tell, self.policy, noted, self.deciding, self.holding, self.way)

    def amounts(self) -> dict[str, Amounts]:
        """How the channels stand and how far the audit trail goes, for /metrics."""
        return {**of_channels(self.sending.views(), self.wall.now()), **of_trail(self.trail.head())}


def desk_of(settings: Settings, store: SqlStore, cards: Mapping[str, RuleCard], *, alone: bool) -> Desk:
    """Put the channels of a process together; nothing is sent yet.

    Takes:  `alone`, that no other process sends from this database, so that what a dead one had is free at once
    Raises: PermanentError
    """
    wall = SystemClock()
    posts = [*posts_of(settings, wall), Post(Channel(CANARY, ChannelKind.CANARY), Nowhere())]
    outbox, sending = store.outbox([post.channel for post in posts]), store.sending()
    if alone:
        sending.release(wall.now())
    canaries = [CANARY, *([] if settings.canary_channel is None else [settings.canary_channel])]
    return Desk(
        deciding=ToOutbox(outbox, cards, wall, canaries),
        sending=sending,
        sender=Sender(sending, posts, wall, f"{platform.node()} {os.getpid()}"),
        door=SlackDoor(store, store, wall, _rooms(settings), _reply_by(poster_of(settings, wall)), store.act_on_told),
        wall=wall,
        cards=cards,
        policy=NotifyPolicy(settings.settle),
        holding=store.holding(quiet_of(settings)),
        way=route_of(settings),
        trail=store.trail(),
        anchor=None
        if settings.audit.anchor is None
        else Anchor(settings.audit.anchor, store.trail(), settings.audit.every),
        pruning=None if settings.audit.keep is None else Pruning(store.trail(), settings.audit.keep),
    )


def posts_of(settings: Settings, wall: Clock) -> list[Post]:
    """The channels of the settings with their receivers.

    Raises: PermanentError when a secret is missing, or is there for nobody
    """
    known = {channel_key(one.name) for one in settings.channels}
    known |= {signing_key(one.name) for one in settings.channels if isinstance(one, SlackChannel)}
    unknown = sorted(settings.channel_secrets.keys() - known)
    if unknown:
        raise PermanentError(f"{channel_variable(unknown[0])} is set, and no channel has that name")
    made = _Maker(settings, poster_of(settings, wall))
    return [
        Post(channel_of(one), made.receiver(one) if one.show_personal_data else Masked(made.receiver(one)))
        for one in settings.channels
    ]


def channel_of(one: ChannelSettings) -> Channel:
    """A channel as the core knows it."""
    match = Match(
        *(frozenset(values) for values in (one.match.severity, one.match.owner, one.match.rule, one.match.tag))
    )
    pace = Pace(one.singles, one.per, one.gather, max(one.gather, Pace().gather_most))
    resend = one.resend if isinstance(one, AlertmanagerChannel) else None
    return Channel(one.name, ChannelKind(one.kind), match, pace, resend)


def _rooms(settings: Settings) -> dict[str, SlackRoom]:
    """The channels of Slack whose buttons are answered: those with a signing secret."""
    rooms: dict[str, SlackRoom] = {}
    for one in settings.channels:
        found = settings.channel_secrets.get(signing_key(one.name))
        if isinstance(one, SlackChannel) and found is not None:
            parts = urlsplit(one.url)
            replies = (*REPLIES, f"{parts.scheme}://{parts.netloc}/")
            rooms[one.name] = SlackRoom(one.name, one.channel, found.get_secret_value().strip(), replies)
    return rooms


def _reply_by(poster: Poster) -> Callable[[str, str], None]:
    """Says something to whoever pressed a button, beside the message, which stays as it is."""

    def reply(url: str, words: str) -> None:
        body = encode_json({"response_type": "ephemeral", "replace_original": False, "text": words})
        answer = attempt(lambda: poster.post(url, body, {"Content-Type": "application/json"}).answer())
        if answer.outcome is not Outcome.DELIVERED:
            _log.warning("a button in Slack came too late, and whoever pressed it was not told: %s", answer.words)

    return reply


def poster_of(settings: Settings, wall: Clock) -> Poster:
    """What sends to the outside, behind the egress guard of the settings."""
    return Poster(Egress(settings.egress.networks), wall, settings.egress.ca)


@dataclass(frozen=True, slots=True)
class _Maker:
    settings: Settings
    poster: Poster

    @property
    def site(self) -> str:
        return (self.settings.public_url or "").rstrip("/")

    def receiver(self, one: ChannelSettings) -> Receiver:
        if isinstance(one, SlackChannel):
            return Slack(
                self.poster, self._needed(one, "the bot token, xoxb-..."), one.channel, self.site, one.url.rstrip("/")
            )
        if isinstance(one, PagerDutyChannel):
            return PagerDuty(self.poster, self._needed(one, "the routing key of the integration"), self.site, one.url)
        if isinstance(one, AlertmanagerChannel):
            labels = tuple(sorted(one.labels.items()))
            return Alertmanager(self.poster, one.url, one.resend, self.site, self._secret(one), labels)
        if isinstance(one, WebhookChannel):
            secret = self._needed(one, "the secret that signs; make one with: openssl rand -hex 32")
            if len(secret) < _WEBHOOK_SECRET_MIN:
                raise PermanentError(f"channel '{one.name}': its secret has at least {_WEBHOOK_SECRET_MIN} characters")
            return Webhook(self.poster, one.url, secret, self.site)
        if isinstance(one, EmailChannel):
            return self._mail(one)
        return self._apprise(one)

    def _mail(self, one: EmailChannel) -> Receiver:
        password = self._needed(one, f"the password of {one.login}") if one.login is not None else None
        box = Mailbox(one.host, one.port, one.security, one.sender, one.to, one.login, password)
        return Mail(box, self.poster.egress, self.poster.tls, self.site)

    def _apprise(self, one: AppriseChannel) -> Receiver:
        if find_spec("apprise") is None:
            raise PermanentError(f"channel '{one.name}': Apprise is not installed: pip install 'coordwatch[notify]'")
        urls = tuple(self._needed(one, "the URLs of Apprise, one a line").split())
        long_tail = importlib.import_module("coordwatch.adapters.channels.long_tail")
        receiver: Receiver = long_tail.Apprise(urls, self.site, self.poster.egress)
        return receiver

    def _needed(self, one: ChannelSettings, what: str) -> str:
        found = self._secret(one)
        if not found:
            variable = channel_variable(channel_key(one.name))
            raise PermanentError(
                f"channel '{one.name}' needs a secret, {what}: set {variable}, or write the file {variable.lower()} in the "
                "folder COORDWATCH_SECRETS_DIR, or name a file under secret_file"
            )
        return found

    def _secret(self, one: ChannelSettings) -> str | None:
        found = self.settings.channel_secrets.get(channel_key(one.name))
        if found is not None:
            return found.get_secret_value().strip()
        if one.secret_file is None:
            return None
        try:
            text = one.secret_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            words = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise PermanentError(
                f"channel '{one.name}': the secret file {one.secret_file} cannot be read: {words}"
            ) from None
        if len(text) > _SECRET_MAX:
            raise PermanentError(f"channel '{one.name}': the secret file {one.secret_file} is too long to be a secret")
        return text.strip()


def names_of(settings: Settings) -> Sequence[str]:
    """The channels of the settings, by name."""
    return [one.name for one in settings.channels]
