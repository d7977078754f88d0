"""Public keys that a tool shows at an address of its own: asked for behind the egress guard, kept, and not asked for often.

What enters: addresses that a check has judged already, never others. What leaves: what stands there; TemporaryError when nobody
answers, so that the tool comes again. The next room: `rsa`, which checks signatures with it.
"""

import threading
from collections.abc import Callable

from coordwatch.adapters.posting import Reply
from coordwatch.clock import Clock
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.events.times import DAY, SECOND

REMEMBERED_MAX = 16
PAUSE = 5 * SECOND
_OK = 200

Get = Callable[[str], Reply]


class Fetched:
    """What was asked for; after an answer that was none, nothing is asked for a while, whoever posts what.

    Takes: `get`, which asks; `clock`, by which answers grow old
    """

    def __init__(self, get: Get, clock: Clock) -> None:
        self._get, self._clock = get, clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[int, bytes]] = {}
        self._not_before = 0

    def body(self, url: str, younger_than: int = DAY) -> bytes:
        """What stands at an address. Units: `younger_than` in microseconds. Raises: TemporaryError."""
        with self._lock:
            now = self._clock.now()
            at, body = self._kept.get(url, (0, b""))
            if body and now - at < younger_than:
                return body
            if now < self._not_before:
                raise TemporaryError("a key could not be fetched a moment ago", retry_after=PAUSE / SECOND)
            self._not_before = now + PAUSE
            try:
                reply = self._get(url)
            except PermanentError as error:  # the egress guard forbids it, or the name leads inside
                raise TemporaryError(str(error), retry_after=PAUSE / SECOND) from None
            if reply.status != _OK or not reply.body:
                raise TemporaryError(f"{url} answered {reply.status}, and no key", retry_after=PAUSE / SECOND)
            self._not_before = 0
            while len(self._kept) >= REMEMBERED_MAX and url not in self._kept:
                del self._kept[next(iter(self._kept))]
            self._kept[url] = (now, reply.body)
            return reply.body
