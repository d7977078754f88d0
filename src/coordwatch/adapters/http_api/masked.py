"""The way out for whoever sees personal data masked: every text is masked, whoever made it, so that no page can forget to.

What enters: an answer.
What leaves: the same without mail addresses and telephone numbers.
The next room: `guard`, which sends through it.
"""

import gzip
from collections.abc import Set

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

from coordwatch.access.masking import mask_text

_TEXTS = (
    "text/html",
    "text/csv",
    "application/json",
    "application/problem+json",
    "application/x-ndjson",
    "application/cloudevents",
)
_STREAM = "text/event-stream"
_UNKEPT = (b"accept-encoding", b"if-none-match")


class Masked:
    """One answer on its way out. Takes: `spared`, names that are not masked."""

    def __init__(self, send: Send, scope: Scope, spared: Set[str]) -> None:
        self._send, self._spared = send, spared
        self._start: Message | None = None
        self._kind = ""
        self._body = bytearray()
        self._zips = any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
        if not scope["path"].startswith("/static/"):
            # What was masked must not be taken for what was not, nor come compressed.
            scope["headers"] = [one for one in scope["headers"] if one[0] not in _UNKEPT]

    async def send(self, message: Message) -> None:
        """Send on one part of the answer."""
        if message["type"] == "http.response.start":
            kind = MutableHeaders(scope=message).get("content-type", "")
            self._kind = next((one for one in (*_TEXTS, _STREAM) if kind.startswith(one)), "")
            if self._kind and self._kind != _STREAM:
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._kind == _STREAM:
            message = {**message, "body": self._masked(message.get("body", b""))}
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._whole(self._start)
            return
        await self._send(message)

    async def _whole(self, start: Message) -> None:
        body, headers = self._masked(bytes(self._body)), MutableHeaders(scope=start)
        if self._kind == "text/html":
            if "etag" in headers:
                headers["etag"] = headers["etag"].removesuffix('"') + '-m"'
            if self._zips:
                body = gzip.compress(body, 5, mtime=0)
                headers["content-encoding"] = "gzip"
        if "content-length" in headers:
            headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    def _masked(self, body: bytes) -> bytes:
        text = body.decode("utf-8", "surrogateescape")
        return mask_text(text, self._spared).encode("utf-8", "surrogateescape")
