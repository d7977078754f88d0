"""The one door through which the wall clock enters.

Everything that needs the present takes a `Clock`; tests and replays pass a `ManualClock`.
"""

import math
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


class PacedClock:
    """A clock that starts where it is told and runs a number of times faster than the wall.

    Whoever else takes part needs no clock of their own: an instant of the wall and one of this clock say the same.
    """

    def __init__(self, start: int, speed: float) -> None:
        self.speed = speed
        self._start, self._began, self._wall = start, time.monotonic(), time.time_ns() // 1000

    def now(self) -> int:
        """The present of this clock, in microseconds since 1970 UTC."""
        return self._start + int((time.monotonic() - self._began) * self.speed * 1_000_000)

    def at(self, wall: int) -> int:
        """What this clock says at an instant of the wall. Units: microseconds since 1970 UTC."""
        return self._start + int((wall - self._wall) * self.speed)

    def wall(self, instant: int) -> int:
        """The first instant of the wall at which this clock says so. Units: microseconds since 1970 UTC."""
        return self._wall + math.ceil((instant - self._start) / self.speed)


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
