"""How often one token may ask: so many a minute, counted in this process.

What enters: who asks, the present. What leaves: how long to wait. The next room: `access`, which asks at the door.
"""

import threading

from coordwatch.access.accounts import MINUTE


class Pace:
    """Counts requests by who makes them, in windows of a minute. Takes: `calls`, how many there may be. Any thread may ask."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._lock = threading.Lock()
        self._window = 0
        self._taken: dict[str, int] = {}

    def wait(self, key: str, now: int) -> int:
        """How long whoever this is has to wait, 0 to go on. Units: microseconds."""
        window = now // MINUTE
        with self._lock:
            if window != self._window:
                self._window = window
                self._taken.clear()
            taken = self._taken.get(key, 0)
            if taken >= self._calls:
                return (window + 1) * MINUTE - now
            self._taken[key] = taken + 1
        return 0
