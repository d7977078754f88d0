"""Incidents kept up to date beside the writer: what changed is summed up, dark sources are noted, snoozes end with their cause.

What enters: the passing of time, how sources stand.
What leaves: incidents with their titles, counts and causes, within a second or two; alerts that wake.
The next room: `app`, which begins it beside the runtime, in one process and in a worker alike.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from coordwatch.clock import Clock
from coordwatch.errors import CoordwatchError
from coordwatch.ports import SourceView

LOOK_SECONDS = 1.0
_END_SECONDS = 5.0
_log = logging.getLogger("coordwatch.incidents")


class Kept(Protocol):
    """Where incidents are kept."""

    def refresh(self, now: int) -> int:
        """Sum up incidents of which something changed; give how many."""
        ...

    def note_dark(self, dark: Mapping[str, Iterable[str]], now: int) -> None:
        """Remember which sources are dark, by the tools that they carry."""
        ...


class IncidentKeeper:
    """One thread; any number of processes may keep the incidents of one database."""

    def __init__(self, incidents: Kept, clock: Clock, sources: Callable[[], Sequence[SourceView]]) -> None:
        self._incidents, self._clock, self._sources = incidents, clock, sources
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._run, name="incidents", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the look at hand."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(_END_SECONDS)

    def turn(self) -> int:
        """One look; give how many incidents were summed up. Raises: TemporaryError."""
        now = self._clock.now()
        dark = {one.name: one.tools for one in self._sources() if one.status == "dark"}
        self._incidents.note_dark(dark, now)
        return self._incidents.refresh(now)

    def _run(self) -> None:
        busy = False
        while not self._ending.wait(0.0 if busy else LOOK_SECONDS):
            try:
                busy = self.turn() > 0
            except CoordwatchError as error:
                busy = False
                _log.info("incidents are summed up later: %s", error)
            except Exception as error:
                busy = False
                _log.error("incidents could not be summed up", exc_info=error)
