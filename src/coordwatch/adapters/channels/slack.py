"""Slack by its Web API: a message with buttons, edited when the alert changes.

What enters: Work. What leaves: chat.postMessage or chat.update. Values stand in plain_text blocks, so that nothing in an event
can call a whole channel. Source: https://docs.slack.dev/reference/methods/chat.postMessage. The next room: `sender`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

from coordwatch.adapters.channels.receiver import attempt
from coordwatch.adapters.posting import Poster, Reply
from coordwatch.codec import NotJson, decode_json, encode_json
from coordwatch.errors import TemporaryError
from coordwatch.events.times import MINUTE, SECOND
from coordwatch.events.words import number_words
from coordwatch.notify.delivery import Answer, again, delivered, refused
from coordwatch.notify.message import CANARY, Message
from coordwatch.notify.outbox import Work
from coordwatch.notify.wording import facts_of, link_of, sentences_of, shares_of, title_of

URL = "https://slack.com/api"
EVENT = "coordwatch_alert"
ACTIONS: Mapping[str, str] = {"acknowledge": "Acknowledge", "snooze": "Snooze 4 h", "resolve": "Resolve"}
ALL = "acknowledge_all"
_SECTION_MAX, _TEXT_MAX = 2900, 600
_LATER = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited", "rate_limited", "team_added_to_org"}
)  # fmt: skip
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


@dataclass(frozen=True, slots=True)
class Slack:
    """One channel of one workspace."""

    poster: Poster
    token: str = field(repr=False)
    channel: str
    site: str = ""
    url: str = URL
    at_once: int = 1

    def deliver(self, works: Sequence[Work]) -> Sequence[Answer]:
        """Post or edit each message."""
        return [attempt(partial(self._send, work)) for work in works]

    def _send(self, work: Work) -> Answer:
        if work.reference is not None:
            return self._edit(work, work.reference)
        if work.unsure:
            found = self._posted(work)
            if found is not None:
                return self._edit(work, found)
        body = {
            "channel": self.channel,
            "unfurl_links": False,
            "unfurl_media": False,
            **layout(work.message, self.site),
        }
        return self._understood(self._post("chat.postMessage", body))

    def _edit(self, work: Work, reference: str) -> Answer:
        channel, _, stamp = reference.partition(":")
        reply = self._post("chat.update", {"channel": channel, "ts": stamp, **layout(work.message, self.site)})
        if _read(reply).get("error") in _GONE:
            return delivered("the message can no longer be edited there", reference)
        return self._understood(reply)

    def _posted(self, work: Work) -> str | None:
        """The message, when an earlier try came through although its answer was never heard; needs channels:history."""
        asked = {"channel": self.channel, "include_all_metadata": "true", "limit": "200"}
        oldest = max(0, work.now - 24 * 60 * MINUTE) // SECOND
        query = urlencode({**asked, "oldest": str(oldest)})
        found = _read(self.poster.get(f"{self.url}/conversations.history?{query}", self._headers()))
        if not found.get("ok"):
            if found.get("error") in _LATER:
                raise TemporaryError(f"conversations.history: {found['error']}")
            return None
        for one in found.get("messages") or ():
            payload = (one.get("metadata") or {}).get("event_payload") or {}
            if payload.get("message") == work.message.id and int(payload.get("version") or 0) > work.sent:
                return f"{self.channel}:{one['ts']}"
        return None

    def _post(self, method: str, body: Mapping[str, Any]) -> Reply:
        return self.poster.post(f"{self.url}/{method}", encode_json(body), self._headers())

    def _headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {self.token}"}

    def _understood(self, reply: Reply) -> Answer:
        if reply.status != 200:
            return reply.answer()
        found = _read(reply)
        if found.get("ok") is True and found.get("ts"):
            return delivered("posted", f"{found.get('channel') or self.channel}:{found['ts']}")
        error = str(found.get("error") or "")
        if not error:
            return again("it answered 200, and not as Slack does")
        if error in _LATER:
            return again(error, reply.retry_after, sure=error in ("ratelimited", "rate_limited"))
        return refused(f"{error}: {_MOVES.get(error, 'see docs.slack.dev/reference/methods/chat.postMessage')}")


_MOVES = {
    "not_in_channel": "invite the app into the channel: /invite @coordwatch",
    "channel_not_found": "write the channel's id, which begins with C, and invite the app into it",
    "invalid_auth": "set the bot token again, which begins with xoxb-",
    "token_revoked": "set the bot token again, which begins with xoxb-",
    "account_inactive": "set the bot token again, which begins with xoxb-",
    "missing_scope": "give the app the scope chat:write and install it again",
    "is_archived": "name another channel: this one is archived",
}


def _read(reply: Reply) -> Mapping[str, Any]:
    try:
        found = decode_json(reply.body)
    except NotJson:
        return {}
    return found if isinstance(found, dict) else {}


def layout(message: Message, site: str) -> dict[str, Any]:
    """The blocks of a message, the line for notifications, and what says later which message this is."""
    title = title_of(message)
    blocks: list[dict[str, Any]] = [_section(title)]
    if message.many:
        blocks.append(_section("\n".join(shares_of(message))))
        blocks.append(_section("\n".join(f"- {one}" for one in sentences_of(message))))
    blocks.append({"type": "context", "elements": [_plain(facts_of(message)[:_SECTION_MAX])]})
    buttons = [*_buttons(message), *_link(message, site)]
    if buttons:
        blocks.append({"type": "actions", "block_id": "coordwatch", "elements": buttons})
    over = f"[{message.status.replace('_', ' ')}] " if message.status != "open" else ""
    payload = {"message": message.id, "version": message.version, "subject": message.subject}
    return {
        "text": escaped(f"{over}{title}"[:_TEXT_MAX]),
        "blocks": blocks,
        "metadata": {"event_type": EVENT, "event_payload": payload},
    }


def escaped(text: str) -> str:
    """Text in which Slack sees no link, no mention and no call."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _buttons(message: Message) -> list[dict[str, Any]]:
    if message.many and not message.is_over:
        # Its value is the message: it may hold more alerts than it names.
        words = _plain(f"Acknowledge all {number_words(message.total)}")
        return [{"type": "button", "action_id": ALL, "value": message.id, "text": words}]
    if message.many or message.is_over or not message.lines or message.subject.startswith(CANARY):
        return []
    offered = [name for name in ACTIONS if not (name == "acknowledge" and message.status == "acknowledged")]
    value = message.lines[0].alert
    return [{"type": "button", "action_id": name, "value": value, "text": _plain(ACTIONS[name])} for name in offered]


def _link(message: Message, site: str) -> list[dict[str, Any]]:
    link = link_of(message, site)
    return [{"type": "button", "action_id": "open", "url": link, "text": _plain("Open")}] if link else []


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain(text[:_SECTION_MAX] or "-")}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text or "-", "emoji": False}
