"""What the core needs from the world: store, clock, readers; and the plain views that pages and the API show.

Adapters implement these; the embedded runtime and the worker call them. A view is data only, ready to be printed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

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


@dataclass(frozen=True, slots=True)
class Count:
    """One change of the ledger: `kind` is acts, detections, in_flight, missing_key, ...; `amount` may be negative.

    Units: `hour` in hours since 1970 UTC
    """

    rule: str
    hour: int
    act_tool: str
    evidence_tool: str
    kind: str
    amount: int


@dataclass(slots=True)
class Effects:
    """Everything one batch changes; a store commits all of it or nothing.

    `values` is a key-value map (None deletes): customer states under `customer/<key>`, shared state under other
    prefixes. `deadlines` gives each changed customer's next deadline (None for none).
    """

    values: dict[str, bytes | None] = field(default_factory=dict)
    deadlines: dict[str, int | None] = field(default_factory=dict)
    changes: list[DetectionChange] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    positions: dict[str, str] = field(default_factory=dict)
    tallies: dict[str, int] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert as a list shows it. Units: instants in microseconds since 1970 UTC, `gap` in microseconds."""

    id: str
    rule: str
    title: str
    severity: str
    status: str
    owner: str
    customer: str
    sentence: str
    act_tool: str
    evidence_tool: str
    attribution: str
    known_for: int | None
    gap: int | None
    at: int
    first_at: int
    last_at: int
    count: int
    version: int
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done to an alert, by whom. Units: `at` in microseconds since 1970 UTC."""

    at: int
    actor: str
    action: str
    note: str


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert with everything its page shows; `detections` are plain data as `detection_to_plain` writes them."""

    row: AlertRow
    detections: Sequence[Mapping[str, Any]]
    audit: Sequence[AuditEntry]
    also_affected: Sequence[str]


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """How often a rule judged, and what came of it, by hour for a sparkline: (hour, acts, detections)."""

    rule: str
    acts: int
    detections: int
    in_flight: int
    missing_key: int
    retracted: int
    made_good: int
    hours: Sequence[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class PairCount:
    """Acts and detections of one tool against another."""

    act_tool: str
    evidence_tool: str
    acts: int
    detections: int


class AlertReader(Protocol):
    """Read side for pages and the API."""

    def alerts(self, filters: Mapping[str, str], limit: int, cursor: str | None) -> tuple[list[AlertRow], str | None]:
        """A page of alerts, newest first, and the cursor of the next page."""
        ...

    def alert(self, alert_id: str) -> AlertView | None:
        """One alert, None when there is none."""
        ...

    def alert_totals(self) -> Mapping[str, int]:
        """How many alerts there are by status and by severity."""
        ...

    def customer_alerts(self, customer: str) -> list[AlertRow]:
        """The alerts of one customer, newest first."""
        ...

    def rule_counts(self) -> list[RuleCounts]:
        """The ledger by rule."""
        ...

    def pair_counts(self) -> list[PairCount]:
        """The ledger by tool pair."""
        ...

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        """The newest dead letters."""
        ...

    def tallies(self) -> Mapping[str, int]:
        """Named counters that survive restarts (accounting identity, identity stage)."""
        ...
