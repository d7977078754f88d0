"""The whole of a worker: the runtime, the watchdog and the HTTP side, begun and ended together.

What enters: a runtime over its drivers, perhaps an HTTP side.
What leaves: an exit code that a supervisor understands.
The next room: the command line.
"""

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from coordwatch.worker.driver import Driver
from coordwatch.worker.exits import Ending, ExitCode, die
from coordwatch.worker.watchdog import Watchdog

_log = logging.getLogger("coordwatch.worker")


class Running(Protocol):
    """A runtime: Faust or plain."""

    def run(self, should_end: Callable[[], bool]) -> ExitCode:
        """Work until `should_end`, then drain. Raises: Ending."""
        ...


class Side(Protocol):
    """What runs beside: the HTTP server."""

    def start(self) -> None:
        """Begin to answer."""
        ...

    def stop(self) -> None:
        """Answer no more."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerService:
    """One worker process. `draining` is told when it was asked to end; `closing` is let go of afterwards, in this order."""

    runtime: Running
    drivers: Sequence[Driver]
    sides: Sequence[Side] = ()
    closing: Sequence[Callable[[], None]] = ()
    draining: Callable[[], None] = lambda: None

    def run(self, ending: threading.Event | None = None, *, started: Callable[[], None] | None = None) -> ExitCode:
        """Work until a signal, or until `ending` is set; whatever is wrong ends the process at once (crash-only)."""
        asked = ending or threading.Event()
        before = {number: signal.signal(number, _asking(asked)) for number in (signal.SIGINT, signal.SIGTERM)}
        watchdog = Watchdog(self.drivers, die, asked)
        try:
            for side in self.sides:
                side.start()
            watchdog.start()
            if started is not None:
                started()
            code = self.runtime.run(lambda: self._should_end(asked))
            self._close()
        except Ending as problem:
            die(problem)
        finally:
            watchdog.stop()
            for number, handler in before.items():
                signal.signal(number, handler)
        _log.info("ended: everything that was taken is committed")
        return code

    def _close(self) -> None:
        for side in self.sides:
            side.stop()
        for driver in self.drivers:
            driver.close()
        for close in self.closing:
            close()

    def _should_end(self, asked: threading.Event) -> bool:
        if asked.is_set():
            self.draining()
        return asked.is_set()


def _asking(asked: threading.Event) -> Callable[[int, FrameType | None], None]:
    def on_signal(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    return on_signal
