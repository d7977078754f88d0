"""The books of a worker: absolute amounts, aliases, dead letters and how far each place was read, inside a transaction.

What enters: a connection in a transaction, Books.
What leaves: rows, or a TemporaryError when another process has read on.
The next room: `store`, which opens the transaction and folds the detections.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, select

from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.schema import aliases, dead_letters, items, ledger, positions, reaches, tallies
from coordwatch.errors import TemporaryError
from coordwatch.ports import Books

_READ = select(positions.c.input, positions.c.position).where(
    positions.c.input.in_(bindparam("inputs", expanding=True))
)


def write_books(connection: Connection, books: Books) -> None:
    """Write everything but the detections.

    Raises: TemporaryError when a place stands elsewhere than this process left it
    """
    _move_on(connection, books.positions)
    _put(connection, ledger, [(line, _amount(amount)) for line, amount in books.counts.items()])
    _put(connection, tallies, [(line, _amount(amount)) for line, amount in books.tallies.items()])
    read = [(line, None if reach is None else reach._asdict()) for line, reach in books.reaches.items()]
    _put(connection, reaches, read)
    known = [((old,), None if customer is None else {"customer": customer}) for old, customer in books.aliases.items()]
    _put(connection, aliases, known)
    upsert(connection, dead_letters, [asdict(letter) for letter in books.dead_letters])
    write_items(connection, books.kept)


def write_items(connection: Connection, values: Mapping[str, bytes | None]) -> None:
    """Write rows of the key-value table; None deletes."""
    _put(connection, items, [((key,), None if value is None else {"value": value}) for key, value in values.items()])


def _move_on(connection: Connection, moved: Mapping[str, tuple[str | None, str]]) -> None:
    """A worker that lost a partition while it stood still must not write over its successor."""
    found = {row.input: row.position for row in connection.execute(_READ, {"inputs": list(moved)})}
    for place, (before, _) in moved.items():
        if found.get(place) != before:
            raise TemporaryError(f"another process has read {place} on: this one has lost it, and wrote nothing")
    upsert(connection, positions, [{"input": place, "position": after} for place, (_, after) in moved.items()])


def _amount(value: int | None) -> dict[str, int] | None:
    return None if value is None else {"amount": value}


def _put(connection: Connection, table: Table, rows: Sequence[tuple[Sequence[Any], Mapping[str, Any] | None]]) -> None:
    """Write rows under their whole primary key, or take them out."""
    names = [column.name for column in table.primary_key]
    upsert(connection, table, [{**dict(zip(names, key, strict=True)), **row} for key, row in rows if row is not None])
    gone = [{f"gone_{name}": part for name, part in zip(names, key, strict=True)} for key, row in rows if row is None]
    if gone:
        this = and_(*(table.c[name] == bindparam(f"gone_{name}") for name in names))
        connection.execute(table.delete().where(this), gone)
