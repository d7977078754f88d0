"""Placing: alerts that have no incident yet, or came alive again, find theirs.

What enters: a connection in a writing transaction, the present.
What leaves: alerts in incidents.
The next room: `holding`, which does this before it is decided who is told.
"""

from sqlalchemy import Connection, select

from coordwatch.adapters.alert_rows import LIVE_STATUSES, from_flat
from coordwatch.adapters.sql.incident_book import SqlIncidentBook
from coordwatch.adapters.sql.incident_tables import unplaced
from coordwatch.adapters.sql.schema import alerts
from coordwatch.alerts.grouping import clue_of, place

_AT_ONCE, _CHUNK = 1000, 400


def some_wait(connection: Connection) -> bool:
    """Whether an alert has no place yet."""
    return connection.execute(select(unplaced.c.alert).limit(1)).first() is not None


def place_waiting(connection: Connection, now: int) -> int:
    """Find the incidents of alerts that wait for one, oldest first; give how many. Units: microseconds since 1970 UTC."""
    waiting = select(unplaced.c.alert).order_by(unplaced.c.raised_at, unplaced.c.alert).limit(_AT_ONCE)
    ids = list(connection.execute(waiting).scalars())
    clues = []
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        alive = select(alerts).where(alerts.c.id.in_(part), alerts.c.status.in_(LIVE_STATUSES))
        clues += [clue_of(from_flat(dict(row))) for row in connection.execute(alive).mappings()]
        connection.execute(unplaced.delete().where(unplaced.c.alert.in_(part)))
    if clues:
        book = SqlIncidentBook(connection, now)
        place(book, clues)
        book.flush()
    return len(ids)
