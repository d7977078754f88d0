"""How a worker ends: the exit codes, and the one way out of a process whose memory can no longer be trusted.

What enters: a reason to end.
What leaves: nothing; the process is gone, and its supervisor reads the code.
The next room: the supervisor.
"""

import logging
import os
import sys
from enum import IntEnum
from typing import NoReturn

_log = logging.getLogger("coordwatch.worker")


class ExitCode(IntEnum):
    """What a supervisor reads: 75 means start me again, 70 and 2 mean that a person must act first."""

    ENDED = 0
    REFUSED = 2
    BROKEN = 70
    AGAIN = 75


class Ending(Exception):
    """The process must end: with which code, and the sentence for the log, which names the next move."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def die(ending: Ending) -> NoReturn:
    """End at once. Nothing is flushed or closed: what is not committed has not happened (crash-only)."""
    _log.critical("exit %d: %s", ending.code, ending)
    for handler in logging.getLogger().handlers:
        handler.flush()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ending.code)
