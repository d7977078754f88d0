"""Incidents kept up to date beside the writer: what changed is summed up, dark sources are noted, snoozes end with their cause.

What enters: the passing of time, how sources stand.
What leaves: incidents with their titles, counts and causes, within a second or two; alerts that wake.
The next room: `app`, which begins it beside the runtime, in one process and in a worker alike.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from coordwatch.alerts.waking import WakeWhen, has_come
from coordwatch.clock import Clock
from coordwatch.errors import CoordwatchError, TemporaryError
from coordwatch.ports import CustomerView, SourceView, Waiting, Waking

LOOK_SECONDS = 1.0
_END_SECONDS = 5.0
_AT_ONCE = 20
_log = logging.getLogger("coordwatch.incidents")


class Kept(Protocol):
    """Where incidents are kept."""

    def refresh(self, now: int) -> int:
        """Sum up incidents of which something changed; give how many."""
        ...

    def note_dark(self, dark: Mapping[str, Iterable[str]], now: int) -> None:
        """Remember which sources are dark, by the tools that they carry."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """Where the keeper looks: how sources stand, what is known of a customer, and how long until it looks at one again.

    Units: `pace` in seconds
    """

    sources: Callable[[], Sequence[SourceView]]
    customer: Callable[[str], CustomerView | None]
    pace: float = 5.0


class IncidentKeeper:
    """One thread; any number of processes may keep the incidents of one database."""

    def __init__(self, incidents: Kept, waking: Waking, clock: Clock, look: Look) -> None:
        self._incidents, self._waking, self._clock, self._look = incidents, waking, clock, look
        self._looked: dict[str, float] = {}
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
        dark = {one.name: one.tools for one in self._look.sources() if one.status == "dark"}
        self._incidents.note_dark(dark, now)
        self._wake(dark.keys(), now)
        return self._incidents.refresh(now)

    def _wake(self, dark: Set[str], now: int) -> None:
        """End the snoozes whose condition has come true; who has waited longest for a look is looked at first."""
        waiting = {one.alert: one for one in self._waking.waiting()}
        present = time.monotonic()
        self._looked = {alert: at for alert, at in self._looked.items() if alert in waiting}
        due = [one for one in waiting.values() if present - self._looked.get(one.alert, -math.inf) >= self._look.pace]
        due.sort(key=lambda one: self._looked.get(one.alert, -math.inf))
        for one in due[:_AT_ONCE]:
            self._looked[one.alert] = present
            if self._has_come(one, dark):
                self._waking.wake(one.alert, one.condition, now)

    def _has_come(self, one: Waiting, dark: Set[str]) -> bool:
        if one.condition.when is WakeWhen.SOURCE_BACK:
            return one.condition.about not in dark
        for customer in one.customers:
            try:
                view = self._look.customer(customer)
            except TemporaryError:
                continue  # kept by another worker that does not answer now: looked at again later
            if view is not None and has_come(one.condition, view.facts):
                return True
        return False

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
