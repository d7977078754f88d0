"""Alerts that are held back: by a silence, another alert, a window or an incident; and the moment that this is over.

What enters: a connection in a transaction, decisions, what has changed.
What leaves: rows; alerts about which is decided anew.
The next room: `outbox`, which keeps the decisions, and `holding`, which makes them.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.held_tables import held
from coordwatch.adapters.sql.schema import alerts
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.notify.plan import Decided

_CHUNK = 400


def keep_holds(connection: Connection, decisions: Sequence[Decided]) -> None:
    """Remember what holds each alert back; whoever is not held any more is forgotten here."""
    free = [one.alert.id for one in decisions if one.hold is None]
    for start in range(0, len(free), _CHUNK):
        connection.execute(held.delete().where(held.c.alert.in_(free[start : start + _CHUNK])))
    rows = [
        {"alert": one.alert.id, "reason": one.hold.reason.value, "by": one.hold.by, "until": one.hold.until}
        for one in decisions
        if one.hold is not None
    ]
    upsert(connection, held, rows)


def let_go(connection: Connection, by: Iterable[str], now: int) -> None:
    """What these held back is asked about again. Units: `now` in microseconds since 1970 UTC."""
    names = list(by)
    for start in range(0, len(names), _CHUNK):
        this = held.c.by.in_(names[start : start + _CHUNK])
        connection.execute(held.update().where(this).values(until=now))


def is_due(connection: Connection, now: int) -> bool:
    """Whether a hold has ended. Units: microseconds since 1970 UTC."""
    return connection.execute(select(held.c.alert).where(held.c.until <= now).limit(1)).first() is not None


def release(connection: Connection, now: int) -> None:
    """Have it decided anew about every open alert whose hold has ended. Units: microseconds since 1970 UTC."""
    due = held.c.until <= now
    ended = alerts.c.id.in_(select(held.c.alert).where(due))
    connection.execute(alerts.update().where(ended, alerts.c.status == AlertStatus.OPEN.value).values(notice=None))
    connection.execute(held.delete().where(due))
