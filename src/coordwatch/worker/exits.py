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

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

# What the brokers say may be otherwise a moment later, also where nobody foresaw it.
_PASSING = (KafkaError, KafkaException, TimeoutError, ConnectionError)
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


def unforeseen(where: str, error: Exception) -> Ending:
    """What to make of an error that nobody foresaw: start again if it came from the brokers, else say where it is from."""
    if isinstance(error, _PASSING):
        return Ending(ExitCode.AGAIN, f"{where}: {type(error).__name__}: {error}")
    _log.error("%s: this is a fault of coordwatch; report it with what follows", where, exc_info=error)
    return Ending(ExitCode.BROKEN, f"{where}: {type(error).__name__}: {error}")


def die(ending: Ending) -> NoReturn:
    """End at once. Nothing is flushed or closed: what is not committed has not happened (crash-only)."""
    _log.critical("exit %d: %s", ending.code, ending)
    for handler in logging.getLogger().handlers:
        handler.flush()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ending.code)
