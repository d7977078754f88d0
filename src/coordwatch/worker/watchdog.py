"""The watchdog: ends a worker that stands still although there is work, or that was asked to end and does not.

What enters: drivers, looked at from a thread of its own, and whether the worker was asked to end.
What leaves: the end of the process with a sentence that says what stood still.
The next room: `exits`.
"""

import threading
import time
from collections.abc import Callable, Sequence

from coordwatch.worker.driver import Driver
from coordwatch.worker.exits import Ending, ExitCode

_LOOK_SECONDS = 1.0
# A supervisor kills what has not ended half a minute after it was asked to (Kubernetes, and our compose file).
_END_SECONDS = 25.0


class Watchdog(threading.Thread):
    """Looks at every driver once a second. aiokafka's heartbeats go on in their own thread while a step hangs."""

    def __init__(self, drivers: Sequence[Driver], end: Callable[[Ending], object], asked: threading.Event) -> None:
        super().__init__(name="coordwatch-watchdog", daemon=True)
        self._drivers, self._end, self._asked = tuple(drivers), end, asked
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look until told to stop."""
        give_up_at: float | None = None
        while not self._stopping.wait(_LOOK_SECONDS):
            now = time.monotonic()
            if self._asked.is_set():
                give_up_at = now + _END_SECONDS if give_up_at is None else give_up_at
                if now > give_up_at:
                    self._end(Ending(ExitCode.AGAIN, f"not ended within {_END_SECONDS:.0f} s; nothing is lost"))
                continue
            for driver in self._drivers:
                why = driver.stalled(now)
                if why is not None:
                    self._end(Ending(ExitCode.AGAIN, f"the worker stands still. {why}"))

    def stop(self) -> None:
        """Stop looking: the worker has ended by itself."""
        self._stopping.set()
