"""Receivers: what every channel can do, whatever is behind it.

What enters: Work.
What leaves: an Answer for each.
The next room: `sender`, which keeps the answers.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.notify.delivery import Answer, again, refused
from coordwatch.notify.outbox import Work


class Receiver(Protocol):
    """One channel."""

    @property
    def at_once(self) -> int:
        """How many messages one request takes."""
        ...

    def deliver(self, works: Sequence[Work]) -> Sequence[Answer]:
        """Say these messages, and give what came of each; it does not raise for what a receiver does."""
        ...


def attempt(send: Callable[[], Answer]) -> Answer:
    """What came of one try, with the errors of the way there as answers."""
    try:
        return send()
    except TemporaryError as error:
        retry = None if error.retry_after is None else int(error.retry_after * 1_000_000)
        return again(str(error), retry)
    except PermanentError as error:
        return refused(str(error))
