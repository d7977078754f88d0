"""Lists of incidents: filters, orders and cursors checked, and rows as readers see them.

What enters: filters and cursors from outside; rows.
What leaves: conditions, orders; IncidentRows and views.
The next room: `incidents`, which asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, or_, select

from coordwatch.adapters.paging import BadQuery, after_sorted, cursor_of, several
from coordwatch.adapters.sql.incident_book import find_incident
from coordwatch.adapters.sql.incident_tables import incident_audit, incidents
from coordwatch.adapters.sql.schema import alerts
from coordwatch.adapters.sql.summing import causes_from
from coordwatch.alerts.incident import IncidentStatus, incident_actions
from coordwatch.ports import INCIDENT_FILTERS, INCIDENT_SORTS, AuditEntry, IncidentRow, IncidentView
from coordwatch.rules.spec import Severity

_ORDERS: Mapping[str, tuple[tuple[str, bool], ...]] = {
    "newest": (("last_at", True),),
    "severity": (("severity_rank", False), ("last_at", True)),
    "customers": (("customers", True), ("last_at", True)),
}
assert set(_ORDERS) == set(INCIDENT_SORTS)
_LIMIT_MAX = 1000
_HELD_MOST = 50
_JUST_NOW = "Alerts that came just now; what they have in common is being worked out"


@dataclass(frozen=True, slots=True)
class IncidentQuery:
    """A checked question for a page of incidents."""

    status: tuple[str, ...]
    severity: tuple[str, ...]
    text: str
    sort: str
    limit: int
    after: tuple[Any, ...] | None


def incident_query(filters: Mapping[str, str], limit: int, cursor: str | None) -> IncidentQuery:
    """Check what was asked.

    Raises: BadQuery for an unknown filter or sort, or a cursor of another list
    """
    sort = filters.get("sort") or "newest"
    if sort not in _ORDERS:
        raise BadQuery("sort", f"cannot sort by '{sort[:40]}'; one of: {', '.join(_ORDERS)}")
    for name in filters:
        if name not in (*INCIDENT_FILTERS, "sort"):
            raise BadQuery(name, f"no filter is called '{name[:40]}'; one of: {', '.join(INCIDENT_FILTERS)}, sort")
    return IncidentQuery(
        several("status", filters.get("status", ""), tuple(IncidentStatus)),
        several("severity", filters.get("severity", ""), tuple(Severity)),
        filters.get("q", "")[:400],
        sort,
        max(1, min(limit, _LIMIT_MAX)),
        after_sorted(cursor, sort, len(_ORDERS[sort])),
    )


def cursor_after(query: IncidentQuery, row: RowMapping) -> str:
    """The cursor of the page that begins after a row."""
    values = [int(row[name]) for name, _ in _ORDERS[query.sort]]
    return cursor_of(query.sort, *values, row["id"])


def conditions(query: IncidentQuery) -> list[ColumnElement[bool]]:
    """What must hold of a row."""
    found: list[ColumnElement[bool]] = []
    if query.status:
        found.append(incidents.c.status.in_(query.status))
    else:
        found.append(incidents.c.status != IncidentStatus.MERGED.value)
    if query.severity:
        found.append(incidents.c.severity.in_(query.severity))
    if query.text:
        found.append(
            or_(*(one.icontains(query.text, autoescape=True) for one in (incidents.c.title, incidents.c.note)))
        )
    if query.after is not None:
        found.append(_behind(query, query.after))
    return found


def _behind(query: IncidentQuery, after: tuple[Any, ...]) -> ColumnElement[bool]:
    steps = [*((incidents.c[name], descending) for name, descending in _ORDERS[query.sort]), (incidents.c.id, False)]
    choices: list[ColumnElement[bool]] = []
    for index, (column, descending) in enumerate(steps):
        equal = [steps[before][0] == after[before] for before in range(index)]
        choices.append(and_(*equal, column < after[index] if descending else column > after[index]))
    return or_(*choices)


def order_by(query: IncidentQuery) -> list[ColumnElement[Any]]:
    """The order of the list; the id ends every tie."""
    order = [incidents.c[name].desc() if down else incidents.c[name].asc() for name, down in _ORDERS[query.sort]]
    return [*order, incidents.c.id.asc()]


def incident_view(connection: Connection, incident_id: str) -> IncidentView | None:
    """One incident, None when there is none."""
    row = connection.execute(select(incidents).where(incidents.c.id == incident_id)).mappings().first()
    found = find_incident(connection, incident_id)
    if row is None or found is None:
        return None
    history = select(incident_audit).where(incident_audit.c.incident == incident_id)
    entries = connection.execute(history.order_by(incident_audit.c.number)).all()
    by_rule = select(alerts.c.rule, alerts.c.title, func.count()).where(alerts.c.incident_id == incident_id)
    rules = connection.execute(by_rule.group_by(alerts.c.rule, alerts.c.title)).all()
    return IncidentView(
        row=incident_item(row),
        causes=causes_from(row["causes"]),
        audit=[AuditEntry(one.at, one.actor, one.action, one.note) for one in entries],
        actions=[one.value for one in incident_actions(found.status, found.undo is not None)],
        rules=sorted(((one[0], one[1], one[2]) for one in rules), key=lambda one: (-one[2], one[0])),
        holds=_holds(connection, incident_id),
        split_from=found.split_from,
    )


def _holds(connection: Connection, incident_id: str) -> list[IncidentRow]:
    inside = (incidents.c.merged_into == incident_id, incidents.c.undo.is_not(None))
    question = select(incidents).where(*inside).order_by(incidents.c.last_at.desc(), incidents.c.id).limit(_HELD_MOST)
    return [incident_item(one) for one in connection.execute(question).mappings()]


def incident_item(row: RowMapping) -> IncidentRow:
    """A row as readers see it."""
    causes = causes_from(row["causes"])
    return IncidentRow(
        id=row["id"],
        title=row["title"] or _JUST_NOW,
        status=row["status"],
        severity=row["severity"],
        alerts=row["alerts"],
        live=row["live"],
        customers=row["customers"],
        to_repair=row["to_repair"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        began_at=row["began_at"],
        version=row["version"],
        taken_by=row["taken_by"],
        likely=causes[0].name if causes else "",
        note=row["note"],
        merged_into=row["merged_into"],
    )
