"""The state of the one-process runtime, and notices that must be decided anew, inside a transaction.

What enters: a connection in a transaction, Effects, changes of alerts.
What leaves: rows.
The next room: `store`, which opens the transaction.
"""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, Table, bindparam

from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.books import write_items
from coordwatch.adapters.sql.life import note_life
from coordwatch.adapters.sql.outbox import note_changes
from coordwatch.adapters.sql.schema import alerts, dead_letters, deadlines, ledger, positions, tallies
from coordwatch.alerts.fold import AlertChange
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.ports import Effects

_REOPEN = alerts.update().where(alerts.c.id == bindparam("opened")).values(notice=None)


def write_state(connection: Connection, effects: Effects) -> None:
    """Write everything but the detections and what is erased."""
    write_items(connection, effects.values)
    due = [{"customer": customer, "at": at} for customer, at in effects.deadlines.items() if at is not None]
    upsert(connection, deadlines, due)
    _delete(connection, deadlines, "customer", [customer for customer, at in effects.deadlines.items() if at is None])
    upsert(connection, ledger, [{"part": "", **asdict(count)} for count in effects.counts], add=("amount",))
    upsert(connection, dead_letters, [asdict(letter) for letter in effects.dead_letters])
    upsert(connection, positions, [{"input": name, "position": at} for name, at in effects.positions.items()])
    counted = [{"stage": "", "place": "", "name": name, "amount": n} for name, n in effects.tallies.items()]
    upsert(connection, tallies, counted, add=("amount",))


def _delete(connection: Connection, table: Table, column: str, values: Sequence[str]) -> None:
    if values:
        connection.execute(
            table.delete().where(table.c[column] == bindparam("gone")), [{"gone": one} for one in values]
        )


def reopen_notices(connection: Connection, changes: Sequence[AlertChange]) -> None:
    """An alert that has become open needs a new decision about telling somebody."""
    opened = [
        {"opened": change.alert.id}
        for change in changes
        if change.alert.status is AlertStatus.OPEN and change.before not in (None, AlertStatus.OPEN)
    ]
    if opened:
        connection.execute(_REOPEN, opened)
    note_changes(connection, changes)
    note_life(connection, changes)
