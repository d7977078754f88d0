"""Alertmanager by its API v2: what stands is sent again and again, what is over is sent once more with its end.

What enters: Work, many at once. What leaves: one request; Alertmanager knows an alert by its labels.
The next room: `sender`, which sends again after `resend`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from coordwatch.adapters.channels.receiver import attempt
from coordwatch.adapters.posting import Poster
from coordwatch.codec import encode_json
from coordwatch.events.times import format_time
from coordwatch.notify.delivery import Answer
from coordwatch.notify.message import Message
from coordwatch.notify.outbox import Work
from coordwatch.notify.wording import link_of, shares_of, status_words, title_of

PATH = "/api/v2/alerts"


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """One Alertmanager. Takes: `labels`, put on every alert. Units: `resend` in microseconds."""

    poster: Poster
    url: str
    resend: int
    site: str = ""
    token: str | None = field(default=None, repr=False)
    labels: tuple[tuple[str, str], ...] = ()
    at_once: int = 100

    def deliver(self, works: Sequence[Work]) -> Sequence[Answer]:
        """Send all of them in one request; they share its answer."""
        answer = attempt(lambda: self._send(works))
        return [answer for _ in works]

    def _send(self, works: Sequence[Work]) -> Answer:
        headers = {"Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        body = [self._alert(work.message, work.now) for work in works]
        return self.poster.post(self.url.rstrip("/") + PATH, encode_json(body), headers).answer()

    def _alert(self, message: Message, now: int) -> dict[str, Any]:
        # It must outlive the next time it is sent, and two that were lost.
        end = now if message.is_over else now + 4 * self.resend
        alert: dict[str, Any] = {
            "labels": dict(self.labels) | labels_of(message),
            "annotations": annotations_of(message),
            "startsAt": format_time(min(message.since, now)),
            "endsAt": format_time(end),
        }
        link = link_of(message, self.site)
        return alert | ({"generatorURL": link} if link else {})


def labels_of(message: Message) -> dict[str, str]:
    """What Alertmanager knows an alert by: nothing that changes while it stands."""
    if message.many:
        return {"alertname": "coordwatch_many", "coordwatch_id": message.subject}
    line = message.lines[0] if message.lines else None
    labels = {"alertname": line.rule if line else "coordwatch", "coordwatch_id": message.subject}
    if line is not None:
        labels |= {"severity": line.severity, "owner": line.owner, "tool": line.act_tool}
    return {name: value for name, value in labels.items() if value}


def annotations_of(message: Message) -> dict[str, str]:
    """What may change."""
    values = {"summary": title_of(message), "status": status_words(message.status)}
    if message.many:
        values["holds"] = "; ".join(shares_of(message))
    return values
