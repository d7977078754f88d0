"""Views: plain data, ready to be printed by pages, commands and the API.

What enters: nothing.
What leaves: rows and views of alerts, counts, customers and sources.
The next room: `readers`, which give them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coordwatch.notify.outbox import TellingView


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
    incident: str | None = None
    snoozed_for: str = ""


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
    verdict: str = ""


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
    verdicts: Mapping[str, int] = field(default_factory=dict)


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
class ToolView:
    """One tool as the mappings and the catalogue know it: what kind it is, who owns it, which events it can give."""

    name: str
    family: str = ""
    owner: str = ""
    source: str = ""
    types: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """One campaign of a tool that has alerts. Units: `last_at` in microseconds since 1970 UTC."""

    name: str
    tool: str
    open: int
    total: int
    last_at: int


@dataclass(frozen=True, slots=True)
class SettingView:
    """One setting in force: its name with dots, its value in words and never a secret, and where it comes from."""

    name: str
    value: str
    origin: str


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


@dataclass(frozen=True, slots=True)
class DecidedRepair:
    """What somebody decided about one customer of an incident. Units: `at` in microseconds since 1970 UTC."""

    incident: str
    state: str
    by: str
    at: int
    note: str
