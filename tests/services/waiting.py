"""Waiting for something to become true, with an end.

Enters: a question that is cheap to ask. Leaves: its answer, or a failure that names what was awaited.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

from coordwatch.clock import SystemClock

T = TypeVar("T")
CLOCK = SystemClock()
STEP = 0.05  # seconds between two questions


def wait_until(asked: Callable[[], T | None], what: str, patience: float = 60.0) -> T:
    """Ask until the answer is true and give it; after `patience` seconds fail with `what`.

    Units: seconds
    """
    end = CLOCK.now() + int(patience * 1_000_000)
    pause = threading.Event()
    while True:
        answer = asked()
        if answer:
            return answer
        if CLOCK.now() >= end:
            raise AssertionError(f"waited {patience:g} s for {what}; the last answer was {answer!r}")
        pause.wait(STEP)
