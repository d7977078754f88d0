"""The anchor: now and then how far the audit trail goes is added to a file, which may lie on another disk; and old entries go.

What enters: the trail, the present. What leaves: lines such as `2026-03-02T12:00:00Z 1042:9f86...`, only ever added.
The next room: `coordwatch audit verify --anchor FILE`, which finds what was cut off or written anew.
"""

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from coordwatch.audit.chain import Head
from coordwatch.audit.trail import Trail
from coordwatch.events.times import HOUR, format_time

_log = logging.getLogger("coordwatch.audit")


class Prunable(Protocol):
    """A trail that can let go of its oldest entries."""

    def prune(self, before: int, now: int) -> int:
        """Let go of what was written before an instant; how many entries it was."""
        ...


@dataclass(slots=True)
class Pruning:
    """Lets go of entries that are older than a site keeps them. One thread calls it. Units: `keep`, `every` in microseconds."""

    trail: Prunable
    keep: int
    every: int = HOUR
    _at: int = 0

    def note(self, now: int) -> None:
        """Prune when it is time. Units: microseconds since 1970 UTC."""
        if now - self._at < self.every:
            return
        self._at = now
        count = self.trail.prune(now - self.keep, now)
        if count:
            _log.info("%d entries of the audit trail were older than it is kept, and are gone", count)


@dataclass(slots=True)
class Anchor:
    """Notes the head of a trail. One thread calls it. Units: `every` in microseconds."""

    path: Path
    trail: Trail
    every: int
    _at: int = 0
    _last: Head = field(default_factory=Head)

    def note(self, now: int) -> None:
        """Add a line when it is time and something was done. Units: microseconds since 1970 UTC."""
        if now - self._at < self.every:
            return
        self._at = now
        head = self.trail.head()
        if head == self._last:
            return
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{format_time(now)} {head}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            _log.error("the head of the audit trail is not noted in %s: %s", self.path, error.strerror)
            return
        self._last = head
