"""Splitting and merging incidents as people ask for it: nothing automatic undoes either.

What enters: a connection in a writing transaction, incidents, an order.
What leaves: alerts where the person wants them, and lines of both histories.
The next room: `incidents`, which opens the transaction.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, select

from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.incident_book import SqlIncidentBook, add_incidents, find_incident, save_incident
from coordwatch.adapters.sql.incident_tables import placed, spans
from coordwatch.adapters.sql.schema import alerts
from coordwatch.alerts.alert import ActionRefused
from coordwatch.alerts.incident import GOING_ON, Incident, IncidentAction, IncidentEntry, IncidentOrder, begun


def split_off(connection: Connection, before: Incident, ids: Sequence[str], order: IncidentOrder) -> Incident:
    """Take alerts out of an incident into one of their own, which nothing joins again by itself. Raises: ActionRefused."""
    if before.status not in GOING_ON:
        raise ActionRefused(f"an incident that is {before.status} is not split: nothing of it is left to do")
    wanted = set(ids)
    here = set(connection.execute(select(alerts.c.id).where(alerts.c.incident_id == before.id)).scalars())
    if not wanted or wanted - here:
        strange = next(iter(sorted(wanted - here)), "")
        raise ActionRefused(f"the alert '{strange[:80]}' is not in this incident; GET it for those that are")
    if wanted == here:
        raise ActionRefused("these are all of its alerts: there would be nothing left to split them from")
    new = begun(f"{before.id} {min(wanted)}", order.now, apart=True)
    add_incidents(connection, [(new, order.now)], order.now)
    for one in sorted(wanted):
        connection.execute(alerts.update().where(alerts.c.id == one).values(incident_id=new.id))
    for incident in (before.id, new.id):
        _span_anew(connection, incident)
    out = IncidentEntry(order.now, order.actor, IncidentAction.SPLIT, f"{len(wanted)} alerts into {new.id}")
    save_incident(connection, replace(before, version=before.version + 1), out, stirred=True)
    came = IncidentEntry(order.now, order.actor, IncidentAction.SPLIT, f"out of {before.id}")
    save_incident(connection, new, came)
    return new


def put_together(connection: Connection, into: Incident, others: Sequence[str], order: IncidentOrder) -> None:
    """Put other incidents into one. Raises: ActionRefused."""
    book, names = SqlIncidentBook(connection, order.now), list(dict.fromkeys(others))
    for name in names:
        found = find_incident(connection, name)
        if found is None or found.id == into.id or found.status not in GOING_ON or into.status not in GOING_ON:
            raise ActionRefused(f"'{name[:80]}' cannot be put into it: both must be incidents that go on")
        book.merge_into(found, into.id)
    entry = IncidentEntry(order.now, order.actor, IncidentAction.MERGE, f"{len(names)} put into this one")
    save_incident(connection, replace(into, version=into.version + 1), entry, stirred=True)


def _span_anew(connection: Connection, incident: str) -> None:
    """From when to when an incident holds alerts of each home, looked at anew."""
    connection.execute(spans.delete().where(spans.c.incident == incident))
    question = (
        select(placed.c.home, func.min(placed.c.at), func.max(placed.c.at))
        .join(alerts, alerts.c.id == placed.c.alert)
        .where(alerts.c.incident_id == incident)
        .group_by(placed.c.home)
    )
    rows = [
        {"incident": incident, "home": home, "first": first, "last": last}
        for home, first, last in connection.execute(question)
    ]
    upsert(connection, spans, rows)
