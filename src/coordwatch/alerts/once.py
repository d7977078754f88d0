"""Orders that may arrive twice: what was asked under a key is done once and answered the same again.

A key and a digest of what was asked enter; the answer of before leaves, or KeyReused. The next room: the stores, which remember.
"""

from dataclasses import dataclass
from typing import Protocol

from coordwatch.errors import PermanentError

KEPT_FOR = 24 * 3600 * 1_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Once:
    """A key that the asker made up, and a digest of everything asked under it."""

    key: str
    asked: str


class Answers(Protocol):
    """Where answers are kept for a day."""

    def recall(self, once: Once) -> bytes | None:
        """What was answered under a key before, if anything; KeyReused when that was something else."""
        ...

    def remember(self, once: Once, answer: bytes, now: int) -> None:
        """Keep an answer. Units: `now` in microseconds since 1970 UTC."""
        ...


class KeyReused(PermanentError):
    """A key was used before, for something else."""

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used for something else: make a new one for each new request")


def same_again(once: Once, asked: str, answer: bytes) -> bytes:
    """The answer of before.

    Raises: KeyReused when something else was asked then
    """
    if asked != once.asked:
        raise KeyReused
    return answer
