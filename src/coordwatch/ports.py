"""What the core needs from the world: store, clock, readers; and the plain views that pages and the API show.

Adapters implement these; the embedded runtime and the worker call them. A view is data only, ready to be printed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from coordwatch.alerts.alert import Order
from coordwatch.alerts.once import Answers, Once
from coordwatch.engine.ledger import Count, CountLine, Reach, ReachLine, TallyLine
from coordwatch.engine.views import CustomerView, FactView, StateView, WaitingView
from coordwatch.notify.outbox import TellingView
from coordwatch.rules.detection import DetectionChange
from coordwatch.rules.explanation import ExplainStep

__all__ = ["Count", "CustomerView", "ExplainStep", "FactView", "StateView", "WaitingView"]


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
    alerts, detections and what was done about them are deleted; `letters_gone` dead letters that are.
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


@dataclass(slots=True)
class Books:
    """What the alerts role has taken since its last commit; a store commits all of it or nothing.

    Amounts are absolute (None: the row is gone), so that taking one again changes nothing. `positions` gives, for each
    place that was read, what the store must still hold, and what stands there afterwards. `forgotten` and `letters_gone` as in
    Effects; `kept` are rows about who is kept away, by key (None: gone).
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
    snoozed_until: int | None = None
    note: str = ""


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
    undoable: bool = False
    tellings: Sequence[TellingView] = ()


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
    alerts: int = 0
    not_a_conflict: int = 0


@dataclass(frozen=True, slots=True)
class PairCount:
    """Acts and detections of one tool against another."""

    act_tool: str
    evidence_tool: str
    acts: int
    detections: int


@dataclass(frozen=True, slots=True)
class ToolCount:
    """One amount of the ledger, over all hours: `kind` as in a Count."""

    rule: str
    act_tool: str
    evidence_tool: str
    kind: str
    amount: int


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer as a list shows it: open alerts, all alerts, the worst open severity. Units: `last_at` in microseconds."""

    key: str
    open: int
    total: int
    severity: str | None
    last_at: int


@dataclass(frozen=True, slots=True)
class SourceView:
    """One source: how far it is read, and whether it is dark. Units: instants in microseconds since 1970 UTC."""

    name: str
    status: str  # read, late, dark or idle
    read_through: int | None = None
    last_seen: int | None = None
    tools: Sequence[str] = ()
    tallies: Mapping[str, int] = field(default_factory=dict)
    unknown: tuple[int, int] = (0, 0)  # events of unknown category, events that have a category
    strip: Sequence[tuple[int, str]] = ()  # the start of a slot and its status, over the last day
    note: str = ""


ALERT_FILTERS = (
    "status", "severity", "rule", "tool", "act_tool", "evidence_tool", "attribution", "campaign", "customer", "since", "q",
)  # fmt: skip
ALERT_SORTS = ("newest", "oldest", "severity", "gap", "count")


class AlertDesk(Answers, Protocol):
    """Where people act on alerts."""

    def act(self, alert_id: str, order: Order, once: Once | None = None) -> AlertRow | None:
        """Do what a person asks, `once`, and give the alert after it; None when there is no such alert.

        Raises: VersionConflict when it moved on, ActionRefused when its status forbids it, KeyReused, TemporaryError
        """
        ...


class AlertReader(Protocol):
    """Read side for pages and the API."""

    def alerts(self, filters: Mapping[str, str], limit: int, cursor: str | None) -> tuple[list[AlertRow], str | None]:
        """A page of alerts, newest first, and the cursor of the next page.

        Takes: filters from ALERT_FILTERS, all of which must hold; `status` and `severity` may list several values with
               commas; `tool` is either side; `since` is microseconds since 1970 UTC against `at`; `q` is text anywhere
               in the sentence, the customer or the rule; and `sort`, one of ALERT_SORTS
        """
        ...

    def customers(self, limit: int, after: tuple[int, int, str] | None = None) -> list[CustomerRow]:
        """The customers with the most open alerts, most first, those after one by its (open, last_at, key)."""
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

    def tool_counts(self) -> list[ToolCount]:
        """The ledger by rule, tool pair and kind."""
        ...

    def dead_letters(self, limit: int, after: tuple[int, str] | None = None) -> list[DeadLetter]:
        """The newest dead letters, those after one by its (at, id)."""
        ...

    def tallies(self) -> Mapping[str, int]:
        """Named counters that survive restarts (accounting identity, identity stage)."""
        ...
