"""The audit trail in the database: deeds appended in the transaction of what they speak of, and read back.

What enters: a connection in a writing transaction, deeds; questions.
What leaves: rows that are never changed, nor deleted before their time; links.
The next room: `store`, and whatever else changes something in the database.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, Connection, select, text

from coordwatch.adapters.sql.engines import Transaction
from coordwatch.adapters.sql.schema import alerts, trail, trail_base
from coordwatch.audit.chain import Head, Link, chained, pruned
from coordwatch.audit.deed import Deed
from coordwatch.audit.of_alerts import status_after
from coordwatch.audit.trail import Asked

_HEAD = select(trail.c.number, trail.c.seal).order_by(trail.c.number.desc()).limit(1)
_ENTRY = trail.insert()
_AT_ONCE = 1000
_PRUNED_MOST = 20_000


def write_down(connection: Connection, deeds: Sequence[Deed]) -> None:
    """Append deeds, in the transaction of what they speak of; whoever writes is alone, so the chain never forks."""
    if deeds:
        links = chained(_head(connection), deeds)
        connection.execute(_ENTRY, [asdict(link) for link in links])


def _head(connection: Connection) -> Head:
    row = connection.execute(_HEAD).first()
    return Head() if row is None else Head(row.number, row.seal)


class SqlTrail:
    """The Trail of one database."""

    def __init__(self, write: Transaction, read: Transaction) -> None:
        self._write, self._read = write, read

    def add(self, deeds: Sequence[Deed]) -> None:
        with self._write() as connection:
            write_down(connection, deeds)

    def head(self) -> Head:
        with self._read() as connection:
            return _head(connection)

    def base(self) -> Head:
        """The last link that was pruned; what is left begins behind it."""
        with self._read() as connection:
            row = connection.execute(select(trail_base).order_by(trail_base.c.number.desc()).limit(1)).first()
        return Head() if row is None else Head(row.number, row.seal)

    def prune(self, before: int, now: int, most: int = _PRUNED_MOST) -> int:
        """Let go of the oldest links that were written before an instant, and write down which was the last of them.

        Gives: how many they were
        """
        with self._write() as connection:
            first = connection.execute(select(trail.c.number).order_by(trail.c.number).limit(1)).scalar()
            young = select(trail.c.number).where(trail.c.at >= before).order_by(trail.c.number).limit(1)
            kept = connection.execute(young).scalar()
            if first is None or first == kept:
                return 0
            last = min(_head(connection).number if kept is None else kept - 1, first + most - 1)
            seal = connection.execute(select(trail.c.seal).where(trail.c.number == last)).scalar_one()
            write_down(connection, [pruned(Head(last, seal), before, now)])
            connection.execute(trail_base.insert(), {"number": last, "seal": seal})
            connection.execute(trail_base.delete().where(trail_base.c.number < last))
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL coordwatch.prunes = 'on'"))
            connection.execute(trail.delete().where(trail.c.number <= last))
            return int(last - first + 1)

    def page(self, asked: Asked, limit: int) -> list[Link]:
        question = select(trail).where(*_conditions(asked)).order_by(trail.c.number.desc()).limit(limit)
        with self._read() as connection:
            return [Link(**row) for row in connection.execute(question).mappings()]

    def links(self, after: int | None = None) -> Iterator[Link]:
        # Without a number there is no end below which somebody could put something.
        question = select(trail).order_by(trail.c.number).limit(_AT_ONCE)
        while True:
            with self._read() as connection:
                behind = question if after is None else question.where(trail.c.number > after)
                rows = connection.execute(behind).mappings().all()
            yield from (Link(**row) for row in rows)
            if len(rows) < _AT_ONCE:
                return
            after = rows[-1]["number"]

    def astray(self, left: Mapping[str, str]) -> Iterator[tuple[str, str, Link]]:
        """Alerts that stand elsewhere than the trail left them: each with its status and the last link about it.

        Takes: `left`, by alert the status in which the trail left it; who acts meanwhile is looked at again
        """
        question = select(alerts.c.id, alerts.c.status).order_by(alerts.c.id).limit(_AT_ONCE)
        last = ""
        while True:
            with self._read() as connection:
                rows = connection.execute(question.where(alerts.c.id > last)).all()
                for row in rows:
                    found = None if left.get(row.id, row.status) == row.status else _last_move(connection, row.id)
                    if found is not None and status_after(found) != row.status:
                        yield row.id, row.status, found
            if len(rows) < _AT_ONCE:
                return
            last = rows[-1].id


def _last_move(connection: Connection, alert: str) -> Link | None:
    mine = (trail.c.subject == alert, trail.c.kind.startswith("alert."))
    for row in connection.execute(select(trail).where(*mine).order_by(trail.c.number.desc())).mappings():
        link = Link(**row)
        if status_after(link) is not None:
            return link
    return None


def _conditions(asked: Asked) -> Iterator[ColumnElement[bool]]:
    if asked.actor:
        yield trail.c.actor == asked.actor
    if asked.kind:
        noun = not asked.kind.count(".")
        yield trail.c.kind.startswith(f"{asked.kind}.", autoescape=True) if noun else trail.c.kind == asked.kind
    if asked.subject:
        yield trail.c.subject == asked.subject
    if asked.since is not None:
        yield trail.c.at >= asked.since
    if asked.until is not None:
        yield trail.c.at < asked.until
    if asked.before is not None:
        yield trail.c.number < asked.before
