"""The one door through which the wall clock enters.

Everything that needs the present takes a `Clock`; tests and replays pass a `ManualClock`.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the present time."""

    def now(self) -> int:
        """The present, in microseconds since 1970 UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """The present, in microseconds since 1970 UTC."""
        return time.time_ns() // 1000


class ManualClock:
    """A clock that stands still until it is moved, for tests, demos and replays."""

    def __init__(self, now: int = 0) -> None:
        self._now = now

    def now(self) -> int:
        """The time it was last moved to, in microseconds since 1970 UTC."""
        return self._now

    def move_to(self, now: int) -> None:
        """Move forward; a clock never goes back.

        Units: microseconds since 1970 UTC
        """
        self._now = max(self._now, now)
