"""The whole of the one-process runtime: the writer and the server, started and ended together.

What enters: a runtime, an application, a socket.
What leaves: an exit code: 0 when asked to end, 75 when trying again may help, 70 when something is broken.
The next room: the command line.
"""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from starlette.types import ASGIApp

from coordwatch.adapters.http_api.stream import Stream
from coordwatch.clock import Clock
from coordwatch.embedded.runtime import Runtime
from coordwatch.embedded.server import HttpServer, address_of
from coordwatch.errors import TemporaryError
from coordwatch.ports import AlertReader

OK, BROKEN, TRY_AGAIN = 0, 70, 75
_END_SECONDS = 20.0
_LOOK_SECONDS = 0.5
Call = Callable[[], None]
_log = logging.getLogger("coordwatch.service")


@dataclass(frozen=True, slots=True)
class Service:
    """What runs, what is begun beside it, and what must be let go of at the end, in this order."""

    runtime: Runtime
    application: ASGIApp
    listening: socket.socket
    stream: Stream
    reader: AlertReader
    clock: Clock
    closing: Sequence[Callable[[], None]]
    beginning: Sequence[Callable[[], None]] = ()

    @property
    def address(self) -> str:
        """The address for a browser."""
        return address_of(self.listening)

    def run(self, seconds: float | None = None, *, started: Call | None = None, ended: Call | None = None) -> int:
        """Work until a signal, a failure, or for so many seconds.

        Takes: `started`, called once the server answers; `ended`, called when the writer has ended and the database is
               still open
        Gives: 0 when it was asked to end, 75 when trying again may help, 70 when something is broken
        """
        ending = threading.Event()
        before = {number: signal.signal(number, _end(ending)) for number in (signal.SIGINT, signal.SIGTERM)}
        writer = threading.Thread(target=self._write, args=(ending,), name="coordwatch-writer", daemon=True)
        server = HttpServer(self.application, self.listening)
        try:
            for begin in self.beginning:
                begin()
            writer.start()
            server.start()
            if started is not None:
                started()
            self._wait(ending, server, seconds)
        finally:
            self._end(writer, server, ended)
            for number, handler in before.items():
                signal.signal(number, handler)
        return self._exit_code()

    def _write(self, ending: threading.Event) -> None:
        try:
            self.runtime.run()
        except Exception as error:
            _log.critical("the writer has stopped: %s", error, exc_info=error)
        finally:
            ending.set()

    def _wait(self, ending: threading.Event, server: HttpServer, seconds: float | None) -> None:
        if seconds is not None:
            ending.wait(seconds)
            return
        while not ending.wait(_LOOK_SECONDS):
            if not server.is_running:
                _log.critical("the HTTP server has stopped")
                return

    def _end(self, writer: threading.Thread, server: HttpServer, ended: Call | None) -> None:
        self.runtime.stop()
        writer.join(_END_SECONDS)
        if ended is not None:
            ended()
        self.stream.close()
        server.stop()
        for close in self.closing:
            close()

    def _exit_code(self) -> int:
        failure = self.runtime.failure
        if failure is None:
            return OK
        return TRY_AGAIN if isinstance(failure, TemporaryError) else BROKEN


def _end(ending: threading.Event) -> Callable[[int, FrameType | None], None]:
    def on_signal(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    return on_signal
