"""Incidents as pages, commands and the API see them, and the desk where people act on them.

What enters: nothing.
What leaves: rows and views as plain data; a Protocol.
The next room: the adapters, which implement it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from coordwatch.alerts.causes import Cause
from coordwatch.alerts.incident import IncidentOrder
from coordwatch.alerts.once import Once
from coordwatch.alerts.repair import RepairLine, RepairState
from coordwatch.ports.views import AuditEntry

INCIDENT_FILTERS = ("status", "severity", "q")
INCIDENT_SORTS = ("newest", "severity", "customers")


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident as a list shows it. `live` are alerts that are not over, `to_repair` customers about whom nobody decided.

    `taken_by` is who acknowledged it, `likely` the name of its likeliest cause. Units: instants in microseconds since 1970 UTC
    """

    id: str
    title: str
    status: str
    severity: str
    alerts: int
    live: int
    customers: int
    to_repair: int
    first_at: int
    last_at: int
    began_at: int
    version: int
    taken_by: str = ""
    likely: str = ""
    note: str = ""
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident with everything its page shows; `actions` are what a person can do to it now.

    `holds` were put into it and can be taken out again; `split_from` is the one that it was split off from
    """

    row: IncidentRow
    causes: Sequence[Cause]
    audit: Sequence[AuditEntry]
    actions: Sequence[str]
    rules: Sequence[tuple[str, str, int]]
    holds: Sequence[IncidentRow] = ()
    split_from: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentTotals:
    """How many incidents go on, by severity, and about how many of their customers nobody has decided."""

    going_on: Mapping[str, int]
    to_repair: int


@dataclass(frozen=True, slots=True)
class RepairOrder:
    """What a person decided about customers of an incident.

    Only those who stand at `expected` are changed, None for all; `version` is that of the one customer as it was seen.
    """

    state: RepairState
    actor: str
    now: int
    note: str = ""
    expected: RepairState | None = None
    version: int | None = None


class IncidentDesk(Protocol):
    """Where people see incidents and act on them. Units: `now` in microseconds since 1970 UTC."""

    def incidents(
        self, filters: Mapping[str, str], limit: int, cursor: str | None
    ) -> tuple[list[IncidentRow], str | None]:
        """A page of incidents, newest first, and the cursor of the next page.

        Takes: filters from INCIDENT_FILTERS, and `sort`, one of INCIDENT_SORTS; `status` and `severity` may list several
        """
        ...

    def incident(self, incident_id: str) -> IncidentView | None:
        """One incident, None when there is none."""
        ...

    def totals(self) -> IncidentTotals:
        """What goes on."""
        ...

    def act(self, incident_id: str, order: IncidentOrder, once: Once | None = None) -> IncidentRow | None:
        """Do what a person asks with an incident and its alerts, `once`; None when there is none.

        Undoing one that was put into another takes it out again, with the alerts that it brought along.

        Raises: VersionConflict when it moved on, ActionRefused when its status forbids it, KeyReused, TemporaryError
        """
        ...

    def split(self, incident_id: str, alerts: Sequence[str], order: IncidentOrder) -> IncidentRow | None:
        """Take alerts out of an incident into one of their own, and give that. Raises: as `act`."""
        ...

    def merge(self, incident_id: str, others: Sequence[str], order: IncidentOrder) -> IncidentRow | None:
        """Put other incidents into this one. Raises: as `act`."""
        ...

    def repairs(self, incident_id: str, limit: int, after: str | None) -> list[RepairLine] | None:
        """The customers to repair by their keys, those after one; None when there is no such incident."""
        ...

    def all_repairs(self, incident_id: str, actor: str, now: int) -> Iterator[RepairLine] | None:
        """Every customer to repair, for an export, which is written down; None when there is no such incident."""
        ...

    def repair(
        self, incident_id: str, customers: Sequence[str], order: RepairOrder, once: Once | None = None
    ) -> list[RepairLine] | None:
        """Keep what was decided about customers, `once`, and give them as they stand now.

        Raises: VersionConflict, ActionRefused for somebody whom the incident did not hit, KeyReused, TemporaryError
        """
        ...
