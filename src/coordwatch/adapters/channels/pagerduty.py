"""PagerDuty by its Events API v2: trigger, acknowledge, resolve, all under one dedup key.

What enters: Work. What leaves: one event each; a repeat under the same key changes nothing there.
Source: https://developer.pagerduty.com/docs/send-alert-event. The next room: `sender`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from coordwatch.adapters.channels.receiver import attempt
from coordwatch.adapters.posting import Poster
from coordwatch.codec import NotJson, decode_json, encode_json
from coordwatch.events.times import format_time
from coordwatch.notify.delivery import Answer, again, delivered
from coordwatch.notify.message import Message
from coordwatch.notify.outbox import Work
from coordwatch.notify.wording import link_of, sentences_of, shares_of, title_of

URL = "https://events.pagerduty.com/v2/enqueue"
_SUMMARY_MAX = 1024
_SEVERITY = {"critical": "critical", "high": "error", "medium": "warning", "low": "info"}


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """One service of PagerDuty."""

    poster: Poster
    key: str = field(repr=False)
    site: str = ""
    url: str = URL
    at_once: int = 1

    def deliver(self, works: Sequence[Work]) -> Sequence[Answer]:
        """Send one event for each message."""
        return [attempt(partial(self._send, work)) for work in works]

    def _send(self, work: Work) -> Answer:
        body = event_of(work.message, self.key, self.site)
        reply = self.poster.post(self.url, encode_json(body), {"Content-Type": "application/json"})
        answer = reply.answer()
        if reply.status != 202:
            return again(f"answered {answer.words}, which is no answer of PagerDuty") if reply.status < 300 else answer
        try:
            key = decode_json(reply.body).get("dedup_key")
        except (NotJson, AttributeError):
            return again("it answered 202, and not as PagerDuty does")
        return delivered(f"{body['event_action']} accepted", str(key))


def event_of(message: Message, key: str, site: str) -> dict[str, Any]:
    """The event of a message, as PagerDuty takes it."""
    event: dict[str, Any] = {"routing_key": key, "event_action": action_of(message), "dedup_key": message.subject[:255]}
    if event["event_action"] != "trigger":
        return event
    link = link_of(message, site)
    line = message.lines[0] if message.lines else None
    details = {"alerts": message.total, "by rule": shares_of(message), "sentences": sentences_of(message)}
    event["payload"] = {
        "summary": title_of(message)[:_SUMMARY_MAX],
        "source": (line.act_tool if line else "") or "coordwatch",
        "severity": _SEVERITY[message.severity],
        "timestamp": format_time(message.since),
        "component": line.evidence_tool if line else "",
        "group": line.owner if line else "",
        "class": line.rule if line and not message.many else "several",
        "custom_details": details,
    }
    event["client"] = "coordwatch"
    if link:
        event["client_url"] = link
        event["links"] = [{"href": link, "text": "Open in coordwatch"}]
    return event


def action_of(message: Message) -> str:
    """What is asked of PagerDuty: a snoozed alert is somebody's already."""
    if message.is_over:
        return "resolve"
    return "acknowledge" if message.status in ("acknowledged", "snoozed") else "trigger"
