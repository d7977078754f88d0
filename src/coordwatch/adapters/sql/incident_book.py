"""The incidents that go on, while alerts are placed inside one transaction.

What enters: a connection in a writing transaction, clues.
What leaves: an IncidentBook for `alerts.grouping`; incidents and lines of their history as rows, and back.
The next room: `incidents`, which opens the transaction.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select

from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.held import let_go
from coordwatch.adapters.sql.incident_tables import brought_along, incident_audit, incidents, placed, repairs, spans
from coordwatch.adapters.sql.schema import alerts
from coordwatch.alerts.alert import ENGINE
from coordwatch.alerts.grouping import Clue, Span
from coordwatch.alerts.incident import (
    GOING_ON,
    Incident,
    IncidentAction,
    IncidentEntry,
    IncidentStatus,
    begun,
    moved_incident,
)

ON = tuple(sorted(one.value for one in GOING_ON))
_CHUNK = 400
_OF_ITSELF = (
    "id", "anchor", "status", "version", "began_at", "undo", "taken_by", "quiet_rank", "severity_rank", "apart", "merged_into",
)  # fmt: skip
# Written so that no index of it is used: few alerts are asked about, and many incidents may go on.
_GOES_ON = incidents.c.status.concat("").in_(ON)
_ONE = select(incidents).where(incidents.c.id == bindparam("wanted"))
_PUT = alerts.update().where(alerts.c.id == bindparam("placed_alert")).values(incident_id=bindparam("into"))
_NOT_SUMMED_UP: dict[str, Any] = {
    "acted_at": None, "note": "", "stirred": True, "summed_at": -(2**62), "title": "", "severity": "low", "alerts": 0, "live": 0,
    "customers": 0, "to_repair": 0, "causes": b"[]",
}  # fmt: skip


class SqlIncidentBook:
    """An IncidentBook over one transaction. Units: `now` in microseconds since 1970 UTC."""

    def __init__(self, connection: Connection, now: int) -> None:
        self._connection, self._now = connection, now
        self._apart: dict[str, bool] = {}
        self._begun: list[tuple[Incident, int]] = []
        self._joined: list[tuple[Clue, str]] = []

    def spans(self, homes: Iterable[str]) -> Sequence[Span]:
        self.flush()
        going = select(spans).join(incidents, incidents.c.id == spans.c.incident).where(_GOES_ON)
        return [
            Span(row.incident, row.home, row.first, row.last)
            for part in _parts(homes)
            for row in self._connection.execute(going.where(spans.c.home.in_(part)))
        ]

    def spans_of(self, incidents: Iterable[str]) -> Sequence[Span]:
        self.flush()
        return [
            Span(row.incident, row.home, row.first, row.last)
            for part in _parts(incidents)
            for row in self._connection.execute(select(spans).where(spans.c.incident.in_(part)))
        ]

    def apart(self, incidents: Iterable[str]) -> frozenset[str]:
        wanted = set(incidents)
        self._look(wanted - self._apart.keys())
        return frozenset(one for one in wanted if self._apart[one])

    def _look(self, unknown: Iterable[str]) -> None:
        for part in _parts(unknown):
            question = select(incidents.c.id, incidents.c.apart).where(incidents.c.id.in_(part))
            self._apart.update((row.id, bool(row.apart)) for row in self._connection.execute(question))

    def marked(self, marks: Iterable[str]) -> Sequence[tuple[str, str, str]]:
        self.flush()
        question = (
            select(placed.c.mark, placed.c.home, alerts.c.incident_id)
            .join(alerts, alerts.c.id == placed.c.alert)
            .join(incidents, incidents.c.id == alerts.c.incident_id)
            .where(_GOES_ON, incidents.c.apart.is_(False))
            .distinct()
        )
        return [
            (row.mark, row.home, row.incident_id)
            for part in _parts(marks)
            for row in self._connection.execute(question.where(placed.c.mark.in_(part)))
        ]

    def held_by(self, alerts_: Iterable[str]) -> Mapping[str, str]:
        question = select(alerts.c.id, alerts.c.incident_id).where(alerts.c.incident_id.is_not(None))
        return {
            row.id: row.incident_id
            for part in _parts(alerts_)
            for row in self._connection.execute(question.where(alerts.c.id.in_(part)))
        }

    def begin(self, clue: Clue) -> str:
        incident = begun(clue.alert, self._now)
        self._begun.append((incident, clue.at))
        self._apart[incident.id] = False
        self.join(clue, incident.id)
        return incident.id

    def join(self, clue: Clue, incident: str) -> None:
        self._joined.append((clue, incident))

    def flush(self) -> None:
        """Write what was begun and joined; whatever is read afterwards sees it."""
        joined, begins = self._joined, self._begun
        if not joined:
            return
        self._joined, self._begun = [], []
        add_incidents(self._connection, begins, self._now)
        put = [{"placed_alert": clue.alert, "into": incident} for clue, incident in joined]
        self._connection.execute(_PUT, put)
        rows = {(clue.alert, one): {"alert": clue.alert, "mark": one, "home": clue.home, "at": clue.at}
                for clue, _ in joined for one in clue.marks}  # fmt: skip
        upsert(self._connection, placed, list(rows.values()))
        self.widen([Span(incident, clue.home, clue.at, clue.at) for clue, incident in joined])
        stir(self._connection, {incident for _, incident in joined})

    def come_back(self, incident: str) -> bool:
        found = find_incident(self._connection, incident)
        if found is None or found.status is IncidentStatus.MERGED:
            return False
        moved, entry = moved_incident(found, IncidentAction.COME_BACK, self._now, "one of its alerts is open again")
        if entry is not None:
            save_incident(self._connection, moved, entry)
        stir(self._connection, [incident])
        return True

    def widen(self, more: Sequence[Span]) -> None:
        """Let the spans of incidents reach over these as well."""
        reach = {(one.incident, one.home): one for one in self.spans_of({one.incident for one in more})}
        for one in more:
            key = (one.incident, one.home)
            known = reach.get(key, one)
            reach[key] = Span(*key, min(known.first, one.first), max(known.last, one.last))
        changed = {(one.incident, one.home) for one in more}
        upsert(self._connection, spans, [asdict(reach[key]) for key in sorted(changed)])

    def merge(self, incidents: Sequence[str]) -> str:
        self.flush()
        found = [one for one in map(self._found, incidents) if one is not None]
        into = min(found, key=lambda one: (one.status is not IncidentStatus.ACKNOWLEDGED, one.began_at, one.id))
        for one in found:
            if one.id != into.id:
                self.merge_into(one, into.id)
        return into.id

    def _found(self, incident: str) -> Incident | None:
        return find_incident(self._connection, incident)

    def merge_into(self, incident: Incident, into: str) -> None:
        """Put everything of an incident into another one; its address then leads there."""
        moved, entry = moved_incident(incident, IncidentAction.MERGE, self._now, f"into {into}")
        if entry is None:
            return
        # So that it can be taken out again as it was.
        moved = replace(moved, undo=incident.status, merged_into=into)
        save_incident(self._connection, moved, entry, stirred=False, live=0, to_repair=0)
        remember_alerts(self._connection, incident.id)
        note_entry(self._connection, into, IncidentEntry(self._now, ENGINE, IncidentAction.GROW, f"with {incident.id}"))
        self._connection.execute(
            incidents.update().where(incidents.c.merged_into == incident.id).values(merged_into=into)
        )
        this = alerts.c.incident_id == incident.id
        self._connection.execute(alerts.update().where(this).values(incident_id=into))
        self.widen([replace(one, incident=into) for one in self.spans_of([incident.id])])
        self._connection.execute(spans.delete().where(spans.c.incident == incident.id))
        self._move_repairs(incident.id, into)
        stir(self._connection, [into])

    def _move_repairs(self, before: str, into: str) -> None:
        """What was decided about customers comes along; of two decisions the later one stands."""
        rows = self._connection.execute(select(repairs).where(repairs.c.incident == before)).mappings().all()
        for row in rows:
            there = (repairs.c.incident == into, repairs.c.customer == row["customer"])
            known = self._connection.execute(select(repairs.c.at).where(*there)).scalar()
            if known is None or known < row["at"]:
                upsert(self._connection, repairs, [{**row, "incident": into}])
        self._connection.execute(repairs.delete().where(repairs.c.incident == before))


def add_incidents(connection: Connection, several: Sequence[tuple[Incident, int]], now: int) -> None:
    """Keep new incidents, each with when its first alert happened. Units: microseconds since 1970 UTC."""
    if not several:
        return
    rows = [incident_row(one) | _NOT_SUMMED_UP | {"first_at": at, "last_at": at} for one, at in several]
    upsert(connection, incidents, rows)
    entry = {"at": now, "actor": ENGINE, "action": IncidentAction.BEGIN.value, "note": ""}
    connection.execute(incident_audit.insert(), [{"incident": one.id, **entry} for one, _ in several])


def remember_alerts(connection: Connection, incident: str) -> None:
    """Keep which alerts an incident has, before they are put into another one."""
    connection.execute(brought_along.delete().where(brought_along.c.incident == incident))
    mine = select(alerts.c.incident_id, alerts.c.id).where(alerts.c.incident_id == incident)
    connection.execute(brought_along.insert().from_select(["incident", "alert"], mine))


def stir(connection: Connection, several: Iterable[str]) -> None:
    """Say that something of these incidents has changed."""
    for part in _parts(several):
        connection.execute(incidents.update().where(incidents.c.id.in_(part)).values(stirred=True))


def find_incident(connection: Connection, incident: str) -> Incident | None:
    """An incident by its id, None when there is none."""
    row = connection.execute(_ONE, {"wanted": incident}).mappings().first()
    return None if row is None else incident_from(row)


def incident_from(row: RowMapping) -> Incident:
    """The incident that a row is."""
    fields = {name: row[name] for name in _OF_ITSELF}
    undo = IncidentStatus(row["undo"]) if row["undo"] else None
    return Incident(**fields | {"status": IncidentStatus(row["status"]), "undo": undo, "apart": bool(row["apart"])})


def incident_row(incident: Incident) -> dict[str, Any]:
    """An incident as columns; what is summed up comes beside them."""
    fields = {name: getattr(incident, name) for name in _OF_ITSELF}
    undo = incident.undo.value if incident.undo else None
    return fields | {"status": incident.status.value, "undo": undo}


def save_incident(connection: Connection, incident: Incident, entry: IncidentEntry, **beside: Any) -> None:
    """Keep an incident with a line of its history; whatever it held quiet is asked about again when nobody has it."""
    this = incidents.c.id == incident.id
    connection.execute(incidents.update().where(this).values(**incident_row(incident) | beside))
    note_entry(connection, incident.id, entry)
    if incident.status is not IncidentStatus.ACKNOWLEDGED:
        let_go(connection, [incident.id], 0)


def note_entry(connection: Connection, incident: str, entry: IncidentEntry) -> None:
    """Keep one line of an incident's history."""
    row = {"incident": incident, "at": entry.at, "actor": entry.actor, "action": entry.action.value, "note": entry.note}
    connection.execute(incident_audit.insert().values(row))


def _parts(names: Iterable[str]) -> Iterator[Sequence[str]]:
    every = list(names)
    return (every[start : start + _CHUNK] for start in range(0, len(every), _CHUNK))
