"""`POST /v1/channels/NAME/slack`: somebody in Slack pressed a button, and the alert does what it says.

What enters: what Slack posts, after its own signature check. What leaves: an order at the desk of alerts, in the name of who
pressed. The message itself is edited by the outbox, in the same way whoever acted. The next room: the store.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask

from coordwatch.adapters.http_api.hooks.proofs import DoubtError, Sent
from coordwatch.adapters.http_api.hooks.schemes import check_named
from coordwatch.adapters.http_api.problems import Refused
from coordwatch.alerts.alert import ActionRefused, Order
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.alerts.words import time_words
from coordwatch.clock import Clock
from coordwatch.codec import NotJson, decode_json
from coordwatch.errors import TemporaryError
from coordwatch.events.times import HOUR, MINUTE
from coordwatch.events.words import number_words
from coordwatch.ports import AlertDesk, AlertReader, AlertView

PATH = "/v1/channels/{name}/slack"
# Where Slack takes replies: https://docs.slack.dev/interactivity/handling-user-interaction
REPLIES = ("https://hooks.slack.com/", "https://hooks.slack-gov.com/")
WINDOW, BODY_MAX = 5 * MINUTE, 256 * 1024
SNOOZE = 4 * HOUR
_ACTIONS = {"acknowledge": AlertAction.ACKNOWLEDGE, "snooze": AlertAction.SNOOZE, "resolve": AlertAction.RESOLVE}
_ALL, _NOTE = "acknowledge_all", "by a button in Slack"
_log = logging.getLogger("coordwatch.channels")


@dataclass(frozen=True, slots=True)
class SlackRoom:
    """A channel whose buttons are answered. `secret` is the signing secret of the app.

    Replies go only to addresses that begin with one of `replies`, whatever a payload says.
    """

    name: str
    channel: str
    secret: str
    replies: tuple[str, ...] = REPLIES

    def __repr__(self) -> str:
        return f"SlackRoom({self.name!r})"


@dataclass(frozen=True, slots=True)
class SlackDoor:
    """Where buttons are answered: the desk of alerts, who reads them, and the clock of the wall that Slack signs by.

    `reply` says something to whoever pressed, and to nobody else; it is called after Slack has its answer. `together` does
    something to all open alerts of a message of a channel, and gives to how many; None when there is no such message.
    """

    desk: AlertDesk
    reader: AlertReader
    wall: Clock
    rooms: Mapping[str, SlackRoom]
    reply: Callable[[str, str], None]
    together: Callable[[str, str, Order], int | None] | None = None

    @property
    def paths(self) -> frozenset[str]:
        """The paths at which Slack's signature takes the place of a token."""
        return frozenset(PATH.format(name=name) for name in self.rooms)


@dataclass(frozen=True, slots=True)
class Press:
    """A button that somebody pressed."""

    action: AlertAction
    alert: str
    actor: str
    reply_to: str = ""
    all_of_it: bool = False


def slack_router(door: SlackDoor, clock: Clock) -> APIRouter:
    """The address that an app of Slack calls interactivity request URL. Takes: `clock`, that of the alerts."""
    router = APIRouter(tags=["channels"])

    @router.post(PATH)
    async def press(request: Request, name: str) -> JSONResponse:
        """Do what the button says, once Slack's signature is checked."""
        room = door.rooms.get(name)
        if room is None:
            raise Refused(404, f"no channel of Slack with a signing secret is called '{name[:48]}'")
        body = await _read(request)
        _believe(room, Sent(dict(request.headers.items()), body), door.wall.now())
        pressed = _pressed(body, room)
        if pressed is None:
            return JSONResponse({})
        if pressed.all_of_it:
            # A storm takes longer than Slack waits for an answer.
            return JSONResponse({}, background=BackgroundTask(_act_on_all, door, name, pressed, clock.now()))
        late = await run_in_threadpool(_act, door, pressed, clock.now())
        if late is None or not pressed.reply_to:
            return JSONResponse({})
        return JSONResponse({}, background=BackgroundTask(door.reply, pressed.reply_to, late))

    return router


async def _read(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_MAX:
            raise Refused(413, "more than Slack ever posts")
        parts.append(part)
    return b"".join(parts)


def _believe(room: SlackRoom, sent: Sent, now: int) -> None:
    try:
        proof = check_named("slack", [room.secret])(sent)
    except DoubtError as error:
        raise Refused(401, str(error), reason=error.doubt.value) from None
    if proof.at is None or abs(now - proof.at) > WINDOW:
        raise Refused(401, "this was signed more than 5 min from now: it is old, or one of the two clocks is wrong")


def _pressed(body: bytes, room: SlackRoom) -> Press | None:
    """The button of a payload; None for what asks nothing of us, such as the button that opens the page.

    Raises: Refused
    """
    try:
        payload = decode_json(parse_qs(body.decode("utf-8"), max_num_fields=10)["payload"][0])
        if payload["type"] != "block_actions":
            return None
        button, user = payload["actions"][0], payload["user"]
        all_of_it = button["action_id"] == _ALL
        action = AlertAction.ACKNOWLEDGE if all_of_it else _ACTIONS.get(button["action_id"])
        if action is None:
            return None
        if _channel_of(payload) not in ("", room.channel):
            raise Refused(403, "this button was pressed in another channel than the one of this address")
        who = f"slack:{user.get('username') or user.get('name') or user['id']}"[:80]
        reply_to = str(payload.get("response_url") or "")
        to = reply_to if reply_to.startswith(room.replies) else ""
        return Press(action, str(button["value"])[:80], who, to, all_of_it)
    except (NotJson, KeyError, IndexError, TypeError, AttributeError, ValueError):
        raise Refused(400, "this is no payload of an interactive message") from None


def _channel_of(payload: Mapping[str, Any]) -> str:
    channel = payload.get("channel") or {}
    return str(channel.get("id") or "")


def _act(door: SlackDoor, press: Press, now: int) -> str | None:
    """Do what the button says; the words for whoever pressed when it came too late."""
    until = now + SNOOZE if press.action is AlertAction.SNOOZE else None
    order = Order(action=press.action, actor=press.actor, now=now, note=_NOTE, until=until)
    try:
        if door.desk.act(press.alert, order) is not None:
            return None
        _log.warning("a button in Slack names an alert that is not here")
        return "Nothing was changed: this alert is not here any more."
    except ActionRefused as error:
        _log.info("a button in Slack came too late: %s", error)
        view = door.reader.alert(press.alert)
        return "Nothing was changed: this alert is not here any more." if view is None else late_words(view)


def _act_on_all(door: SlackDoor, name: str, press: Press, now: int) -> None:
    """Acknowledge whatever is open of a message about many, and say to whoever pressed what came of it."""
    order = Order(action=press.action, actor=press.actor, now=now, note=_NOTE)
    try:
        many = None if door.together is None else door.together(name, press.alert, order)
    except TemporaryError as error:
        _log.warning("a button in Slack could not be answered: %s", error)
        words = "Nothing was changed: the database does not answer. Press again in a moment."
    else:
        words = all_words(many)
    if press.reply_to:
        door.reply(press.reply_to, words)


def all_words(many: int | None) -> str:
    """What somebody reads who acknowledged a message about many."""
    if many is None:
        return "Nothing was changed: these alerts are not here any more."
    if many == 0:
        return "Nothing was changed: all of these alerts are acknowledged, snoozed or over already."
    return f"{number_words(many)} {'alert is' if many == 1 else 'alerts are'} acknowledged by you now."


def late_words(view: AlertView) -> str:
    """What somebody reads whose button came too late: how the alert stands, since when and by whom."""
    status = view.row.status.replace("_", " ")
    last = view.audit[-1] if view.audit else None
    by = "" if last is None else f", by {last.actor} at {time_words(last.at)}"
    return f"Nothing was changed: this alert is {status} already{by}."
