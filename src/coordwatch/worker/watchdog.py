"""The watchdog: ends a worker that stands still although there is work, since nothing else ever would.

What enters: drivers, looked at from a thread of its own.
What leaves: the end of the process with a sentence that says what stood still.
The next room: `exits`.
"""

import threading
import time
from collections.abc import Callable, Sequence

from coordwatch.worker.driver import Driver
from coordwatch.worker.exits import Ending, ExitCode

_LOOK_SECONDS = 1.0


class Watchdog(threading.Thread):
    """Looks at every driver once a second. aiokafka's heartbeats go on in their own thread while a step hangs."""

    def __init__(self, drivers: Sequence[Driver], end: Callable[[Ending], object]) -> None:
        super().__init__(name="coordwatch-watchdog", daemon=True)
        self._drivers, self._end = tuple(drivers), end
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look until told to stop."""
        while not self._stopping.wait(_LOOK_SECONDS):
            for driver in self._drivers:
                why = driver.stalled(time.monotonic())
                if why is not None:
                    self._end(Ending(ExitCode.AGAIN, f"the worker stands still. {why}"))

    def stop(self) -> None:
        """Stop looking: the worker is ending by itself."""
        self._stopping.set()
