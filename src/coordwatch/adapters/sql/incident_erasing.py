"""Erasing in incidents: what people wrote about somebody who is forgotten, and incidents that are past keeping.

What enters: a connection in a writing transaction, a customer with their alerts, an instant.
What leaves: incidents that count what is left.
The next room: `erasing`, which does the rest.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from coordwatch.adapters.sql.incident_tables import (
    brought_along,
    incident_audit,
    incidents,
    placed,
    repairs,
    spans,
    unplaced,
)
from coordwatch.adapters.sql.schema import alerts

_CHUNK = 400


def forget_in_incidents(connection: Connection, customer: str, alerts_of_them: Sequence[str]) -> None:
    """Take out what was decided about a customer, and what people wrote about incidents that hit them."""
    connection.execute(repairs.delete().where(repairs.c.customer == customer))
    for start in range(0, len(alerts_of_them), _CHUNK):
        part = alerts_of_them[start : start + _CHUNK]
        hit = select(alerts.c.incident_id).where(alerts.c.id.in_(part), alerts.c.incident_id.is_not(None))
        connection.execute(incident_audit.update().where(incident_audit.c.incident.in_(hit)).values(note=""))
        connection.execute(repairs.update().where(repairs.c.incident.in_(hit)).values(note=""))
        connection.execute(incidents.update().where(incidents.c.id.in_(hit)).values(note="", stirred=True))
        connection.execute(placed.delete().where(placed.c.alert.in_(part)))
        connection.execute(brought_along.delete().where(brought_along.c.alert.in_(part)))
        connection.execute(unplaced.delete().where(unplaced.c.alert.in_(part)))


def expire_incidents(connection: Connection, over: Select[Any], before: int) -> None:
    """Delete what is kept of alerts that go, and incidents that ended long ago. Units: microseconds since 1970 UTC."""
    for told in (placed, brought_along):
        connection.execute(told.delete().where(told.c.alert.in_(over)))
    old = select(incidents.c.id).where(
        incidents.c.live == 0, incidents.c.last_at < before, incidents.c.stirred.is_(False)
    )
    for table in (spans, incident_audit, repairs, brought_along):
        connection.execute(table.delete().where(table.c.incident.in_(old)))
    connection.execute(alerts.update().where(alerts.c.incident_id.in_(old)).values(incident_id=None))
    connection.execute(incidents.delete().where(incidents.c.id.in_(old)))
