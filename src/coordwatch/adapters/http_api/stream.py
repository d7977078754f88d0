"""Server-sent events: new and changed alerts to whoever has a page open.

What enters: Notifications, from any thread.
What leaves: `event: alert` and `event: changed` messages; a comment now and then, so that nothing in between closes the line.
The next room: the browser.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from coordwatch.codec import encode_json
from coordwatch.errors import TemporaryError
from coordwatch.notify.decide import Notification

WATCHERS_MAX = 64
KEEP_ALIVE_SECONDS = 15.0
_WAITING_MAX = 200
_Line = tuple[asyncio.AbstractEventLoop, "asyncio.Queue[bytes | None]"]


class Stream:
    """Hands each notification to every watcher; one that does not keep up is cut off and comes back by itself."""

    def __init__(self, keep_alive: float = KEEP_ALIVE_SECONDS) -> None:
        self._keep_alive = keep_alive
        self._lines: set[_Line] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._since: int | None = None

    @property
    def watchers(self) -> int:
        """How many are watching."""
        return len(self._lines)

    def tell(self, notification: Notification) -> None:
        """Send a notification to every watcher; any thread may call it."""
        self.send("alert", message_of(notification))

    def send(self, event: str, content: Mapping[str, Any], number: int | None = None) -> None:
        """Send a message under its name to every watcher; any thread may call it.

        Takes: `number`, where a watcher who comes back goes on
        """
        message = message_bytes(event, content, number)
        with self._lock:
            lines = list(self._lines)
        for loop, line in lines:
            _hand_over(loop, line, message)

    def close(self) -> None:
        """End every stream, so that the server can end."""
        with self._lock:
            self._closed = True
            lines = list(self._lines)
        for loop, line in lines:
            _hand_over(loop, line, None)

    def first_since(self) -> int | None:
        """The smallest number that the pages of those who watch now began with; None when none said so."""
        return self._since

    def open(
        self, goes_on: Callable[[], Awaitable[bool]] | None = None, since: int | None = None
    ) -> AsyncIterator[bytes]:
        """One watcher's messages, from now on.

        Takes:  `goes_on`, whether the watcher may still watch, asked as often as a comment is sent; `since`, the number of
                the last thing that the watcher's page shows
        Raises: TemporaryError when too many are watching
        """
        line: _Line = (asyncio.get_running_loop(), asyncio.Queue(_WAITING_MAX + 1))
        with self._lock:
            if self._closed or len(self._lines) >= WATCHERS_MAX:
                raise TemporaryError("too many streams are open: close some pages", retry_after=5.0)
            self._since = self._since if self._lines else None
            if since is not None:
                self._since = since if self._since is None else min(since, self._since)
            self._lines.add(line)
        return self._messages(line, goes_on or _for_ever)

    async def _messages(self, line: _Line, goes_on: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
        try:
            yield b"retry: 2000\n\n"
            looked = line[0].time()
            while True:
                try:
                    message = await asyncio.wait_for(line[1].get(), self._keep_alive)
                except TimeoutError:
                    message = b": keep-alive\n\n"
                if message is None:
                    return
                if line[0].time() - looked >= self._keep_alive:
                    if not await goes_on():
                        return
                    looked = line[0].time()
                yield message
        finally:
            with self._lock:
                self._lines.discard(line)


async def _for_ever() -> bool:
    return True


def _hand_over(loop: asyncio.AbstractEventLoop, line: "asyncio.Queue[bytes | None]", message: bytes | None) -> None:
    def put() -> None:
        if line.qsize() >= _WAITING_MAX:
            while not line.empty():
                line.get_nowait()
            line.put_nowait(None)
        else:
            line.put_nowait(message)

    try:
        loop.call_soon_threadsafe(put)
    except RuntimeError:
        return  # the watcher's loop has ended with its server


def message_bytes(event: str, content: Mapping[str, Any], number: int | None = None) -> bytes:
    """A message as it goes over the line."""
    numbered = b"" if number is None else b"\nid: %d" % number
    return b"event: %s\ndata: " % event.encode() + encode_json(dict(content)) + numbered + b"\n\n"


def message_of(notification: Notification) -> dict[str, str | None]:
    """What a watcher is told of an alert."""
    return {
        "id": notification.id,
        "rule": notification.rule,
        "severity": notification.severity,
        "status": notification.status,
        "customer": notification.customer,
        "act_tool": notification.act_tool,
        "evidence_tool": notification.evidence_tool,
        "attribution": notification.attribution.value,
        "campaign": notification.campaign,
        "sentence": notification.sentence,
        "reason": notification.reason.value,
    }
