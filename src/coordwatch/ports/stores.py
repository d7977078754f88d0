"""What the runtimes need of a store: state, books, everything a batch changes.

What enters: nothing.
What leaves: Protocols, and the data that they take.
The next room: `views`, which pages and the API print.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from coordwatch.audit.deed import Deed
from coordwatch.engine.ledger import Count, CountLine, Reach, ReachLine, TallyLine
from coordwatch.rules.detection import DetectionChange


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Something that could not be used: the original bytes, and why. Units: `at` in microseconds since 1970 UTC."""

    id: str
    origin: str
    stage: str
    reason: str
    detail: str
    path: str | None
    at: int
    original: bytes


@dataclass(slots=True)
class Effects:
    """Everything one batch changes; a store commits all of it or nothing.

    `values` is a key-value map (None deletes): customer states under `customer/<key>`, shared state under other
    prefixes. `deadlines` gives each changed customer's next deadline (None for none). `forgotten` are customers whose
    alerts, detections and what was done about them are deleted; `letters_gone` dead letters that are, `deeds` what the audit trail says of
    it beside what it says of alerts.
    """

    values: dict[str, bytes | None] = field(default_factory=dict)
    deadlines: dict[str, int | None] = field(default_factory=dict)
    changes: list[DetectionChange] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    positions: dict[str, str] = field(default_factory=dict)
    tallies: dict[str, int] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    letters_gone: list[str] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)


@dataclass(slots=True)
class Books:
    """What the alerts role has taken since its last commit; a store commits all of it or nothing.

    Amounts are absolute (None: the row is gone), so that taking one again changes nothing. `positions` gives, for each
    place that was read, what the store must still hold, and what stands there afterwards. `forgotten` and `letters_gone` as in
    Effects; `kept` are rows about who is kept away, by key (None: gone); `deeds` as in Effects.
    """

    changes: list[DetectionChange] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    counts: dict[CountLine, int | None] = field(default_factory=dict)
    tallies: dict[TallyLine, int | None] = field(default_factory=dict)
    reaches: dict[ReachLine, Reach | None] = field(default_factory=dict)
    aliases: dict[str, str | None] = field(default_factory=dict)
    positions: dict[str, tuple[str | None, str]] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    letters_gone: list[str] = field(default_factory=list)
    kept: dict[str, bytes | None] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)


class Store(Protocol):
    """Durable state of the one-process runtime."""

    def load(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The values under these keys; a missing key is missing."""
        ...

    def scan(self, prefix: str) -> Iterable[tuple[str, bytes]]:
        """Every key and value under a prefix, in key order."""
        ...

    def due(self, until: int, limit: int) -> list[str]:
        """Customers whose next deadline is at or before this instant, earliest first."""
        ...

    def positions(self) -> dict[str, str]:
        """How far each input has been read."""
        ...

    def commit(self, effects: Effects, now: int) -> None:
        """Write everything, or nothing. Raises: TemporaryError when a retry may help."""
        ...


class BookStore(Protocol):
    """Where the alerts role keeps what it takes, and what it asks for when it begins."""

    def positions(self) -> dict[str, str]:
        """How far each place has been read."""
        ...

    def keep(self, books: Books, now: int) -> None:
        """Write everything, or nothing.

        Raises: TemporaryError when a retry may help, or when another process has read on in one of the places
        """
        ...

    def load(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The values under these keys; a missing key is missing."""
        ...

    def reaches(self) -> dict[ReachLine, Reach]:
        """How far each partition of each input has been read."""
        ...
