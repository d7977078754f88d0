"""How often one token may ask, and one address may guess: so many a minute, counted in this process.

What enters: who asks, the present. What leaves: how long to wait. The next room: `access`, which asks at the door.
"""

import threading

from coordwatch.access.accounts import MINUTE
from coordwatch.clock import Clock

_KEYS_MAX = 100_000


class Pace:
    """Counts requests by who makes them, in windows of a minute. Takes: `calls`, how many there may be. Any thread may ask."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._lock = threading.Lock()
        self._window = 0
        self._taken: dict[str, int] = {}

    def give_back(self, key: str) -> None:
        """Take back what was counted last for somebody: it was no guess."""
        with self._lock:
            if self._taken.get(key, 0) > 0:
                self._taken[key] -= 1

    def wait(self, key: str, now: int) -> int:
        """How long whoever this is has to wait, 0 to go on. Units: microseconds."""
        window = now // MINUTE
        with self._lock:
            if window != self._window:
                self._window = window
                self._taken.clear()
            if key not in self._taken and len(self._taken) >= _KEYS_MAX:
                key = ""  # those who come when there are too many share what there is
            taken = self._taken.get(key, 0)
            if taken >= self._calls:
                return (window + 1) * MINUTE - now
            self._taken[key] = taken + 1
        return 0


class Guesses:
    """How many secrets that nobody knows one address may show in a minute. Any thread may ask."""

    def __init__(self, most: int, clock: Clock) -> None:
        self._pace, self._clock = Pace(most), clock

    def take(self, peer: str) -> float:
        """Count one; how many seconds to wait when there were too many, else 0."""
        return self._pace.wait(peer, self._clock.now()) / 1_000_000

    def give_back(self, peer: str) -> None:
        """It was none: the secret was right."""
        self._pace.give_back(peer)
