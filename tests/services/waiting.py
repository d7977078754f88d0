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
ANSWER = 60.0  # seconds for an answer over HTTP on a busy machine; httpx by itself gives up after five


def wait_until(
    asked: Callable[[], T | None], what: str, patience: float = 60.0, moving: Callable[[], object] | None = None
) -> T:
    """Ask until the answer is true and give it; after `patience` seconds fail with `what`.

    Takes: `moving`, something that changes for as long as there is progress: then patience begins anew
    Units: seconds
    """
    end = CLOCK.now() + int(patience * 1_000_000)
    pause = threading.Event()
    stood: object = None
    while True:
        answer = asked()
        if answer:
            return answer
        if moving is not None and (stands := moving()) != stood:
            stood, end = stands, CLOCK.now() + int(patience * 1_000_000)
        if CLOCK.now() >= end:
            where = "" if moving is None else f"; it stood at {stood!r}"
            raise AssertionError(f"waited {patience:g} s for {what}; the last answer was {answer!r}{where}")
        pause.wait(STEP)
