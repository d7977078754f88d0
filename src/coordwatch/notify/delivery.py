"""Delivery: what an answer means, and when the next try is due; no chance in it.

What enters: how a receiver answered, how often it was tried.
What leaves: an Answer, the delay before the next try.
The next room: `adapters/channels`, which send.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from coordwatch.events.times import HOUR, MINUTE, SECOND

FIRST, CAP, RETRY_AFTER_MOST = 2 * SECOND, 5 * MINUTE, HOUR
WORDS_MAX = 300
_AGAIN = frozenset({408, 409, 421, 423, 425, 429})


class Outcome(StrEnum):
    """What came of one try; the values are metric label values."""

    DELIVERED = "delivered"
    AGAIN = "again"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said, in words for people; `reference` is what it calls the message.

    `sure` says that the message certainly did not come through when it was not delivered. Units: microseconds
    """

    outcome: Outcome
    words: str
    reference: str | None = None
    retry_after: int | None = None
    sure: bool = True


def delivered(words: str, reference: str | None = None) -> Answer:
    """The receiver has it."""
    return Answer(Outcome.DELIVERED, words[:WORDS_MAX], reference)


def again(words: str, retry_after: int | None = None, *, sure: bool = False) -> Answer:
    """It may work later. Units: microseconds."""
    return Answer(Outcome.AGAIN, words[:WORDS_MAX], None, retry_after, sure)


def refused(words: str) -> Answer:
    """It will never work as it is: somebody must change something."""
    return Answer(Outcome.REFUSED, words[:WORDS_MAX])


def by_status(status: int, words: str, retry_after: int | None = None) -> Answer:
    """What an HTTP status means; a redirect is not followed, since what is sent goes only where the settings say."""
    said = f"{status} {words}".strip()
    if 200 <= status < 300:
        return delivered(said)
    if 300 <= status < 400:
        return refused(f"{said}: it redirects, and redirects are not followed: write the address that it leads to")
    if status in _AGAIN or status >= 500:
        return again(said, retry_after, sure=status == 429)
    return refused(said)


def next_try(name: str, attempts: int, retry_after: int | None = None) -> int:
    """How long to wait after so many tries: twice as long each time, spread by the name, never before Retry-After.

    Units: microseconds
    """
    least = min(retry_after or 0, RETRY_AFTER_MOST)
    whole = min(CAP, FIRST << min(max(attempts, 1) - 1, 20))
    spread = blake2b(f"{name}\x1e{attempts}".encode(), digest_size=4).digest()
    waits = whole * 3 // 4 + whole * int.from_bytes(spread) // (2 << 32)
    return max(least, waits)
