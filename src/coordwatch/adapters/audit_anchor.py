"""The anchor: now and then how far the audit trail goes is added to a file, which may lie on another disk.

What enters: the trail, the present. What leaves: lines such as `2026-03-02T12:00:00Z 1042:9f86...`, only ever added.
The next room: `coordwatch audit verify --anchor FILE`, which finds what was cut off or written anew.
"""

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

from coordwatch.audit.chain import Head
from coordwatch.audit.trail import Trail
from coordwatch.events.times import format_time

_log = logging.getLogger("coordwatch.audit")


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
