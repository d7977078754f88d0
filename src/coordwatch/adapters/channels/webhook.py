"""A signed webhook: one JSON document each, with a signature over the time and the bytes, and an id that a repeat has again.

What enters: Work. What leaves: one request.
docs/channels.md shows a receiver how to check the signature. The next room: `sender`.
"""

import hmac
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any

from coordwatch.adapters.channels.receiver import attempt
from coordwatch.adapters.posting import Poster
from coordwatch.codec import encode_json
from coordwatch.events.times import SECOND, format_time
from coordwatch.notify.delivery import Answer
from coordwatch.notify.message import Message
from coordwatch.notify.outbox import Work
from coordwatch.notify.wording import link_of, title_of


@dataclass(frozen=True, slots=True)
class Webhook:
    """One receiver of ours."""

    poster: Poster
    url: str
    secret: str = field(repr=False)
    site: str = ""
    at_once: int = 1

    def deliver(self, works: Sequence[Work]) -> Sequence[Answer]:
        """Send one request for each message."""
        return [attempt(partial(self._send, work)) for work in works]

    def _send(self, work: Work) -> Answer:
        body = encode_json(document_of(work.message, self.site))
        stamp = str(work.now // SECOND)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": delivery_id(work.message),
            "Coordwatch-Timestamp": stamp,
            "Coordwatch-Signature": signature(self.secret, stamp, body),
        }
        return self.poster.post(self.url, body, headers).answer()


def delivery_id(message: Message) -> str:
    """The id of one version of a message: the same for every repeat."""
    return f"{message.id}.{message.version}"


def signature(secret: str, stamp: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA-256 of `STAMP.BODY`."""
    return "v1=" + hmac.new(secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()


def document_of(message: Message, site: str) -> dict[str, Any]:
    """What a receiver reads."""
    return {
        "id": delivery_id(message),
        "subject": message.subject,
        "version": message.version,
        "status": message.status,
        "over": message.is_over,
        "severity": message.severity,
        "since": format_time(message.since),
        "title": title_of(message),
        "link": link_of(message, site),
        "total": message.total,
        "live": message.live,
        "rules": [asdict(one) for one in message.shares],
        "alerts": [asdict(one) | {"at": format_time(one.at)} for one in message.lines],
    }
