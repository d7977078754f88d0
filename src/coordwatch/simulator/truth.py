"""What really happens to a customer, whether or not any log shows it.

What enters: nothing; stories write here. What leaves: the facts from which the narrator labels acts.
The next room: `narrator`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

COMPLAINTS = ("complaint", "claim", "dispute")


@dataclass(slots=True, eq=False)
class Case:
    """One case at the help desk. `episodes` are (opened, closed or None), the last one last.

    `published` is false when it was taken in a tool that nobody reads.
    Units: microseconds since 1970 UTC
    """

    number: int
    kind: str
    episodes: list[tuple[int, int | None]]
    chat: "Chat | None" = None
    published: bool = True
    status: str = "new"

    @property
    def is_open(self) -> bool:
        """Whether the case waits for somebody."""
        return self.episodes[-1][1] is None

    @property
    def is_complaint(self) -> bool:
        """Whether the customer says that something went wrong."""
        return self.kind in COMPLAINTS

    def is_felt(self, since: int) -> bool:
        """Whether the case was open at any time since then. Units: microseconds since 1970 UTC."""
        closed = self.episodes[-1][1]
        return closed is None or closed >= since

    def close(self, now: int) -> None:
        """End the episode that is going on."""
        opened, _ = self.episodes[-1]
        self.episodes[-1] = (opened, now)


@dataclass(slots=True, eq=False)
class Chat:
    """One conversation with the bot. `answers` are (instant, response, is a fallback) since the bot last moved on.

    Units: microseconds since 1970 UTC
    """

    id: str
    began: int
    complained: int | None = None
    complained_last: int = 0
    over: int | None = None
    answers: list[tuple[int, str, bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SentBack:
    """An item on its way back because it does not work. Units: `at` in microseconds since 1970 UTC."""

    at: int
    sku: str


@dataclass(frozen=True, slots=True)
class Told:
    """A detail that the customer gave to the bot. Units: `at` in microseconds since 1970 UTC."""

    at: int
    detail: str


@dataclass(slots=True, eq=False)
class Order:
    """One order."""

    number: int
    skus: Sequence[str]
    placed: int
    tracking: str = ""


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """What one system holds of a customer, and since when. Units: `at` in microseconds since 1970 UTC."""

    at: int
    phone: str
