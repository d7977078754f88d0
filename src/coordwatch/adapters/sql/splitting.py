"""Splitting and merging incidents as people ask for it, and taking a merge apart: nothing automatic undoes any of it.

What enters: a connection in a writing transaction, incidents, an order.
What leaves: alerts where the person wants them, and lines of both histories.
The next room: `incidents`, which opens the transaction.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, select

from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.held import let_go
from coordwatch.adapters.sql.incident_book import SqlIncidentBook, add_incidents, find_incident, save_incident
from coordwatch.adapters.sql.incident_tables import brought_along, incidents, placed, repairs, spans
from coordwatch.adapters.sql.repairing import hit
from coordwatch.adapters.sql.schema import alerts
from coordwatch.alerts.alert import ActionRefused
from coordwatch.alerts.incident import (
    GOING_ON,
    Incident,
    IncidentAction,
    IncidentEntry,
    IncidentOrder,
    begun,
    do_to_incident,
)


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


def take_out(connection: Connection, gone: Incident, order: IncidentOrder) -> str:
    """Take an incident out of the one that it was put into, with the alerts that it brought along; give that other one.

    It stays apart from then on. What came to the other one since stays there. Raises: VersionConflict, ActionRefused
    """
    after, entry = do_to_incident(gone, order)
    into = None if gone.merged_into is None else find_incident(connection, gone.merged_into)
    if into is None:
        raise ActionRefused("the incident that it was put into is kept no more")
    mine = select(brought_along.c.alert).where(brought_along.c.incident == gone.id)
    every = set(connection.execute(select(alerts.c.id).where(alerts.c.incident_id == into.id)).scalars())
    back = every & set(connection.execute(mine).scalars())
    if not back or back == every:
        left = "nothing of it is there any more" if not back else "nothing else would be left there"
        raise ActionRefused(f"it cannot be taken out of {into.id}: {left}")
    here = (alerts.c.incident_id == into.id, alerts.c.id.in_(mine))
    connection.execute(alerts.update().where(*here).values(incident_id=gone.id))
    connection.execute(brought_along.delete().where(brought_along.c.incident == gone.id))
    # What had been put into it before comes along: their addresses lead to it again.
    inner = select(brought_along.c.incident).join(alerts, alerts.c.id == brought_along.c.alert)
    theirs = (incidents.c.merged_into == into.id, incidents.c.id.in_(inner.where(alerts.c.incident_id == gone.id)))
    connection.execute(incidents.update().where(*theirs).values(merged_into=gone.id))
    for incident in (gone.id, into.id):
        _span_anew(connection, incident)
    _share_repairs(connection, into.id, gone.id)
    entry = replace(entry, note=f"out of {into.id}{f': {entry.note}' if entry.note else ''}")
    save_incident(connection, replace(after, apart=True, merged_into=None), entry, stirred=True)
    came_out = IncidentEntry(order.now, order.actor, IncidentAction.UNDO, f"{gone.id} was taken out again")
    save_incident(connection, replace(into, version=into.version + 1), came_out, stirred=True)
    let_go(connection, [into.id], 0)
    return into.id


def _share_repairs(connection: Connection, into: str, gone: str) -> None:
    """What was decided about customers goes with those whom the incident hit; whom both hit, both know about."""
    left, mine = set(hit(connection, into, None, None)), set(hit(connection, gone, None, None))
    for row in connection.execute(select(repairs).where(repairs.c.incident == into)).mappings().all():
        if row["customer"] in mine:
            upsert(connection, repairs, [{**row, "incident": gone}])
        if row["customer"] not in left:
            this = (repairs.c.incident == into, repairs.c.customer == row["customer"])
            connection.execute(repairs.delete().where(*this))


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
