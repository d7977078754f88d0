"""The outbox as the program sees it: where decisions are kept with their messages, and where senders take their work.

What enters: nothing.
What leaves: Protocols, and the plain data that they speak of.
The next rooms: a store, which keeps it; `adapters/channels`, which send.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from coordwatch.alerts.alert import Alert
from coordwatch.notify.delivery import Answer
from coordwatch.notify.message import Message
from coordwatch.notify.plan import Decided
from coordwatch.notify.route import Step

STEP = "step"


@dataclass(frozen=True, slots=True)
class TellingView:
    """One line of the history of telling: who was told of an alert and when, or why not.

    `state` is that of the message: waiting, done, refused, withdrawn, or empty when there is none; STEP for who is told at
    `next_at` unless somebody looks before. `note` says more about
    the reason, such as whose silence it was. Units: instants in microseconds since 1970 UTC
    """

    at: int
    channel: str
    reason: str
    state: str = ""
    many: int = 0
    attempts: int = 0
    next_at: int = 0
    delivered_at: int | None = None
    answer: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """One message that a sender has taken: what to say, what the receiver calls it, whether an earlier try may have come through.

    `sent` is the version that the receiver has, 0 for none. Units: `lease`, `now` in microseconds since 1970 UTC
    """

    message: Message
    sent: int
    attempts: int
    unsure: bool
    reference: str | None
    lease: int
    now: int


@dataclass(frozen=True, slots=True)
class ChannelView:
    """How a channel stands. Units: instants in microseconds since 1970 UTC."""

    name: str
    waiting: int = 0
    oldest: int | None = None
    refused: int = 0
    held_until: int = 0
    delivered_at: int | None = None
    answer: str = ""


class Outbox(Protocol):
    """Where decisions are kept, each with its messages in one transaction."""

    def decide(self, decisions: Sequence[Decided], at: int, now: int) -> None:
        """Keep what was decided, with every message that follows from it, or nothing.

        Units:  `at` on the clock of the alerts, `now` on the wall, in microseconds since 1970 UTC
        Raises: TemporaryError
        """
        ...

    def pending(self, limit: int) -> list[Alert]:
        """Alerts that were decided on once and have changed since."""
        ...

    def steps_due(self, at: int, limit: int) -> list[tuple[Alert, Step]]:
        """Steps whose time has come, with their alerts. Units: microseconds since 1970 UTC."""
        ...

    def take_steps(self, decisions: Sequence[Decided], at: int, now: int) -> None:
        """Take steps, each once, with every message that follows from it. Units: as `decide`. Raises: TemporaryError."""
        ...

    def canary(self, made: Sequence[Message], now: int) -> None:
        """Put canaries on their channels. Raises: TemporaryError."""
        ...


class Sending(Protocol):
    """Where senders take their work."""

    def claim(self, channel: str, owner: str, now: int, limit: int) -> list[Work]:
        """Take what is due on a channel, so that no other sender does until the lease ends. Raises: TemporaryError."""
        ...

    def finish(self, owner: str, done: Sequence[tuple[Work, Answer]], resend: int | None, now: int) -> None:
        """Keep what came of it; what another sender has taken since is left alone. Raises: TemporaryError."""
        ...
