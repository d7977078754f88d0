"""An incident: alerts with one likely cause, handled as one thing; its life is one transition table.

What enters: an incident, an action, who and when.
What leaves: the incident after it with a line of its history; or why not.
The next room: `grouping`, which says what belongs together, and `causes`, which says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID, uuid5

from coordwatch.alerts.alert import ENGINE, ActionRefused, VersionConflict

_NAMESPACE = UUID("7b5f2d3c-52d1-5a0e-9b6f-0f6f6f1c9e55")


class IncidentStatus(StrEnum):
    """Where an incident is in its life."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    MERGED = "merged"


class IncidentAction(StrEnum):
    """What can be done to an incident: the first four by the engine, the others by a person (merge by both)."""

    BEGIN = "begin"
    GROW = "grow"
    END = "end"
    COME_BACK = "come_back"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    UNDO = "undo"
    MERGE = "merge"
    SPLIT = "split"
    NOTE = "note"
    REPAIR = "repair"


PEOPLE_DO = frozenset(
    {
        IncidentAction.ACKNOWLEDGE,
        IncidentAction.RESOLVE,
        IncidentAction.REOPEN,
        IncidentAction.UNDO,
        IncidentAction.NOTE,
    }
)
GOING_ON = frozenset({IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED})
_S, _A = IncidentStatus, IncidentAction
_STAYS: dict[IncidentStatus | None, IncidentStatus] = {one: one for one in (_S.OPEN, _S.ACKNOWLEDGED, _S.RESOLVED)}
# From None, the incident does not exist yet. `undo` is not here: it leads back to where the last person's action began, and a
# merged incident to what it was.
_TABLE: dict[IncidentAction, dict[IncidentStatus | None, IncidentStatus]] = {
    _A.BEGIN: {None: _S.OPEN},
    _A.GROW: {_S.OPEN: _S.OPEN, _S.ACKNOWLEDGED: _S.ACKNOWLEDGED},
    _A.END: {_S.OPEN: _S.RESOLVED, _S.ACKNOWLEDGED: _S.RESOLVED},
    _A.COME_BACK: {_S.RESOLVED: _S.OPEN},
    _A.ACKNOWLEDGE: {_S.OPEN: _S.ACKNOWLEDGED},
    _A.RESOLVE: {_S.OPEN: _S.RESOLVED, _S.ACKNOWLEDGED: _S.RESOLVED},
    _A.REOPEN: {_S.ACKNOWLEDGED: _S.OPEN, _S.RESOLVED: _S.OPEN},
    _A.MERGE: {_S.OPEN: _S.MERGED, _S.ACKNOWLEDGED: _S.MERGED, _S.RESOLVED: _S.MERGED},
    _A.SPLIT: {_S.OPEN: _S.OPEN, _S.ACKNOWLEDGED: _S.ACKNOWLEDGED},
    _A.NOTE: _STAYS,
    _A.REPAIR: _STAYS,
}
INCIDENT_TRANSITIONS: Mapping[tuple[IncidentStatus | None, IncidentAction], IncidentStatus] = MappingProxyType(
    {(before, action): after for action, rows in _TABLE.items() for before, after in rows.items()}
)


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as people handle it. `quiet_rank` is the worst severity when somebody took it, `apart` that a person split it.

    Units: `began_at` in microseconds since 1970 UTC
    """

    id: str
    anchor: str
    status: IncidentStatus
    version: int
    began_at: int
    undo: IncidentStatus | None = None
    taken_by: str = ""
    quiet_rank: int | None = None
    severity_rank: int = 3
    apart: bool = False
    merged_into: str | None = None

    @property
    def split_from(self) -> str | None:
        """The incident that a person split it off from."""
        before, between, _ = self.anchor.partition(" ")
        return before if self.apart and between else None


@dataclass(frozen=True, slots=True)
class IncidentEntry:
    """One line of an incident's history. Units: `at` in microseconds since 1970 UTC."""

    at: int
    actor: str
    action: IncidentAction
    note: str


@dataclass(frozen=True, slots=True)
class IncidentOrder:
    """What a person asks to be done. `version` is the one they saw, None for whatever stands. Units: `now` as above."""

    action: IncidentAction
    actor: str
    now: int
    version: int | None = None
    note: str = ""


def incident_id(anchor: str, now: int) -> str:
    """The id of the incident that begins with an alert at an instant; derived, so that a repeat changes nothing."""
    return str(uuid5(_NAMESPACE, f"{anchor}\x1e{now}"))


def begun(anchor: str, now: int, *, apart: bool = False) -> Incident:
    """A new incident."""
    return Incident(incident_id(anchor, now), anchor, IncidentStatus.OPEN, 1, now, apart=apart)


def incident_actions(status: IncidentStatus, undoable: bool) -> tuple[IncidentAction, ...]:
    """What a person can do to an incident in this status, in the order of the buttons."""
    actions = [one for one in IncidentAction if one in PEOPLE_DO and (status, one) in INCIDENT_TRANSITIONS]
    return (*actions, IncidentAction.UNDO) if undoable else tuple(actions)


def seen_as(incident: Incident, version: int | None) -> None:
    """That an incident is still as it was seen. Raises: VersionConflict."""
    if version is not None and version != incident.version:
        raise VersionConflict(
            f"the incident is at version {incident.version}, not {version}: load it again and decide anew",
            incident.version,
        )


def do_to_incident(incident: Incident, order: IncidentOrder) -> tuple[Incident, IncidentEntry]:
    """Do what a person asks.

    Raises: VersionConflict when the incident has moved on; ActionRefused when its status does not allow the action
    """
    seen_as(incident, order.version)
    if order.action not in PEOPLE_DO:
        raise ActionRefused(f"'{order.action}' is not done this way")
    undoing = order.action is IncidentAction.UNDO
    after = incident.undo if undoing else INCIDENT_TRANSITIONS.get((incident.status, order.action))
    if after is None:
        choices = ", ".join(incident_actions(incident.status, incident.undo is not None)) or "nothing"
        raise ActionRefused(
            f"an incident that is {incident.status} cannot take '{order.action}'; it can take: {choices}"
        )
    moves = after is not incident.status
    taken = after is IncidentStatus.ACKNOWLEDGED
    done = replace(
        incident,
        status=after,
        version=incident.version + 1,
        undo=None if undoing else incident.status if moves else incident.undo,
        taken_by=(order.actor if moves else incident.taken_by) if taken else "",
        quiet_rank=(incident.severity_rank if moves else incident.quiet_rank) if taken else None,
    )
    return done, IncidentEntry(order.now, order.actor, order.action, order.note)


def moved_incident(
    incident: Incident, action: IncidentAction, now: int, note: str = ""
) -> tuple[Incident, IncidentEntry | None]:
    """Apply what the engine found, or what is done to several at once; what the status does not take changes nothing.

    Units: `now` in microseconds since 1970 UTC
    """
    after = INCIDENT_TRANSITIONS.get((incident.status, action))
    if after is None:
        return incident, None
    entry = IncidentEntry(now, ENGINE, action, note)
    if after is incident.status:
        return incident, entry
    moved = replace(incident, status=after, version=incident.version + 1, undo=None, taken_by="", quiet_rank=None)
    return moved, entry


def holds_quiet(incident: Incident, severity_rank: int) -> bool:
    """Whether an alert of this severity that joins it calls nobody: somebody took it, and it is no worse than what they saw."""
    quiet = incident.quiet_rank
    return incident.status is IncidentStatus.ACKNOWLEDGED and quiet is not None and severity_rank >= quiet
