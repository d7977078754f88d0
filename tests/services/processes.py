"""Processes that cannot outlive the one that started them.

Enters: a command and a log file. Leaves: a running process with its pid. On Linux the kernel kills it when the thread
that started it ends, even by kill -9; so start a service from a thread that lives as long as the service is needed.
"""

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from tests.services.waiting import wait_until

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes ports for outgoing connections (32768 and up on Linux), so that a port
# is still free when its server is started again.
PORTS = range(20_000, 32_000)
# Between the asking and the listening lie seconds, and a server that was killed leaves its port for as long: a lock says to
# every other process that asks here whose it is, until the one that asked has ended.
TAKEN_PORTS = Path(tempfile.gettempdir()) / f"coordwatch-ports-{os.getuid()}"
_ours: list[IO[str]] = []
# Asks the kernel for the kill, then becomes the command: same pid, no code between fork and exec in our own process.
TIE = """
import ctypes, os, signal, sys
with __import__("contextlib").suppress(AttributeError):
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Tied:
    """One process, tied to this one."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.command = list(command)
        self.log = log
        tied = [sys.executable, "-I", "-S", "-c", TIE, str(os.getpid()), *self.command]
        with log.open("ab") as out:
            # A session of its own: Ctrl-C at the terminal is for the tests, which then stop their services in order.
            self._process = subprocess.Popen(
                tied,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=None if environment is None else {**os.environ, **environment},
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def said(self, lines: int = 30) -> str:
        """Give the end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def send(self, number: signal.Signals) -> None:
        if self.running:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self._process.wait()

    def stop(self, patience: float = 30.0) -> int:
        """Ask it to end, wait, and kill it if it does not; gives its exit code."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)  # a paused process hears nothing else
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(patience)
        self.kill()
        return self._process.returncode


def free_port() -> int:
    """Give a port of the loopback that nobody listens on now, and that nobody else is given while this process lives."""

    def tried() -> int | None:
        port = PORTS[secrets.randbelow(len(PORTS))]
        return port if _is_ours(port) and _is_free(port) else None

    return wait_until(tried, "a free port", 10)


def _is_ours(port: int) -> bool:
    TAKEN_PORTS.mkdir(exist_ok=True)
    lock = (TAKEN_PORTS / str(port)).open("a", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    _ours.append(lock)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            asking.bind((LOOPBACK, port))
            return True
    return False


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    with suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
        return True
    return False
