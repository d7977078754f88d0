"""The store on SQLite or PostgreSQL: one transaction a commit, one writer, readers of their own.

What enters: Effects from the processor, orders from people.
What leaves: durable state; the views of `ports`; AlertChanges for whoever listens.
The next room: `embedded`, which runs the processor on it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Connection, bindparam, or_, select

from coordwatch.adapters.alert_rows import alert_row, card_columns
from coordwatch.adapters.sql.accounts import SqlAccounts
from coordwatch.adapters.sql.acting import act_on, open_in_message
from coordwatch.adapters.sql.alerting import SqlAlerting
from coordwatch.adapters.sql.answers import keep_answer, recalled
from coordwatch.adapters.sql.book import SqlBook
from coordwatch.adapters.sql.books import write_books
from coordwatch.adapters.sql.database import Database, Postgres
from coordwatch.adapters.sql.engines import WAIT_SECONDS, Manner, open_engine
from coordwatch.adapters.sql.erasing import compact, customers_in, erase, expire, names_in_files, names_in_rows
from coordwatch.adapters.sql.errors import translated
from coordwatch.adapters.sql.holding import SqlHolding
from coordwatch.adapters.sql.incidents import SqlIncidents
from coordwatch.adapters.sql.migrating import migrate, standing_of
from coordwatch.adapters.sql.outbox import SqlOutbox
from coordwatch.adapters.sql.reporting import SqlReports
from coordwatch.adapters.sql.schema import (
    alerts,
    dead_letters,
    deadlines,
    items,
    positions,
)
from coordwatch.adapters.sql.sending import SqlSending
from coordwatch.adapters.sql.shelf import SqlShelf
from coordwatch.adapters.sql.silences import SqlSilences
from coordwatch.adapters.sql.state import reopen_notices, write_state
from coordwatch.adapters.sql.trail import SqlTrail, write_down
from coordwatch.adapters.sql.verdicts import judge
from coordwatch.adapters.sql.waking import SqlWaking, check_condition, conditions_of
from coordwatch.alerts.alert import Order, carry_out
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.fold import AlertChange, fold
from coordwatch.alerts.once import Once
from coordwatch.alerts.waking import Condition
from coordwatch.audit.of_alerts import deed_of, deeds_of
from coordwatch.codec import decode_json, encode_json
from coordwatch.notify.channel import Channel
from coordwatch.notify.holds import Quiet
from coordwatch.ports import AlertRow, Books, DeadLetter, Effects
from coordwatch.rules.detection import DetectionChange

_CHUNK = 500
_LOAD = select(items.c.key, items.c.value).where(items.c.key.in_(bindparam("keys", expanding=True)))
_DUE = (
    select(deadlines.c.customer)
    .where(deadlines.c.at <= bindparam("until"))
    .order_by(deadlines.c.at, deadlines.c.customer)
    .limit(bindparam("limit"))
)
_AT_ONCE = 1000


class SqlStore(SqlAlerting):
    """Store, AlertReader and AlertDesk of one database.

    Any thread may call it; writes wait for each other, also those of other processes. `listen` is told of changed alerts
    after each commit. `wait` is how many seconds another writer may take, and `alone` keeps other processes that ask for it
    out of a PostgreSQL.
    """

    def __init__(
        self,
        database: Database,
        cards: Mapping[str, RuleCard],
        *,
        durable: bool = True,
        wait: float = WAIT_SECONDS,
        alone: bool = False,
    ) -> None:
        manner = Manner(durable, wait, alone)
        super().__init__(open_engine(database, manner, writes=False), open_engine(database, manner, writes=True), cards)
        self._database = database
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        """Bring the tables to the newest revision, and tell standing alerts what their rules are called now."""
        if isinstance(self._database, Path) and self._database.exists():
            # Looked at before the writer opens it, which would change even a foreign file.
            with self._read() as connection:
                standing_of(connection)
        with self._write() as connection:
            migrate(connection)
            for card in self._cards.values():
                columns = card_columns(card)
                stale = or_(*(alerts.c[name] != value for name, value in columns.items()))
                connection.execute(alerts.update().where(alerts.c.rule == card.id, stale).values(columns))

    def close(self) -> None:
        """Let go of the database."""
        self._writing.dispose()
        self._reading.dispose()

    def outbox(self, known: Sequence[Channel]) -> SqlOutbox:
        """Where decisions are kept with the messages to these channels."""
        return SqlOutbox(self._write, self._read, known)

    def silences(self) -> SqlSilences:
        """Where silences are made, changed and ended."""
        return SqlSilences(self._write, self._read)

    def holding(self, quiet: Quiet | None = None) -> SqlHolding:
        """What holds alerts back, beside what the settings say."""
        return SqlHolding(self._write, self._read, self._cards, quiet or Quiet())

    def shelf(self) -> SqlShelf:
        """What the pages keep and look up beside alerts."""
        return SqlShelf(self._write, self._read)

    def reports(self) -> SqlReports:
        """What stretches of time came to."""
        return SqlReports(self._read, self._cards)

    def incidents(self) -> SqlIncidents:
        """Where people see incidents and act on them."""
        return SqlIncidents(self._write, self._read, self._cards, self.listen)

    def waking(self) -> SqlWaking:
        """Where snoozes end because what they waited for has come."""
        return SqlWaking(self._write, self._read, self._cards)

    def sending(self) -> SqlSending:
        """Where senders take their work."""
        return SqlSending(self._write, self._read)

    def accounts(self) -> SqlAccounts:
        """Who may sign in."""
        return SqlAccounts(self._write, self._read)

    def trail(self) -> SqlTrail:
        """Who did what."""
        return SqlTrail(self._write, self._read)

    # ---- state of the processor

    def load(self, keys: Iterable[str]) -> dict[str, bytes]:
        wanted = list(keys)
        found: dict[str, bytes] = {}
        if not wanted:
            return found
        with self._read() as connection:
            for start in range(0, len(wanted), _CHUNK):
                rows = connection.execute(_LOAD, {"keys": wanted[start : start + _CHUNK]})
                found.update((row[0], row[1]) for row in rows)
        return found

    def scan(self, prefix: str) -> Iterable[tuple[str, bytes]]:
        last = prefix
        question = select(items.c.key, items.c.value).order_by(items.c.key).limit(_AT_ONCE)
        inclusive = True
        while True:
            behind = items.c.key >= last if inclusive else items.c.key > last
            with self._read() as connection:
                rows = connection.execute(question.where(behind)).all()
            for row in rows:
                if not row.key.startswith(prefix):
                    return
                yield row.key, row.value
            if len(rows) < _AT_ONCE:
                return
            last, inclusive = rows[-1].key, False

    def due(self, until: int, limit: int) -> list[str]:
        with self._read() as connection:
            return list(connection.execute(_DUE, {"until": until, "limit": limit}).scalars())

    def positions(self) -> dict[str, str]:
        with self._read() as connection:
            return {row.input: row.position for row in connection.execute(select(positions))}

    def commit(self, effects: Effects, now: int) -> None:
        with self._write() as connection:
            write_state(connection, effects)
            changes = self._fold(connection, effects.changes, now)
            write_down(connection, effects.deeds)
            erase(connection, effects.forgotten, effects.letters_gone, self._cards)
        if changes:
            self.listen(changes)

    def expire(self, alerts: int, letters: int) -> None:
        with self._write() as connection:
            expire(connection, alerts, letters)

    def letters(self) -> Iterable[DeadLetter]:
        with self._read() as connection:
            for row in connection.execute(select(dead_letters).order_by(dead_letters.c.id)).mappings():
                yield DeadLetter(**row)

    def compact(self) -> None:
        with self._one_writer, translated():
            compact(self._writing)

    def names_left(self) -> Iterable[str]:
        if isinstance(self._database, Path):
            yield from names_in_files(self._database)
        with self._read() as connection:
            if isinstance(self._database, Postgres):
                yield from names_in_rows(connection)
            yield from customers_in(connection)

    # ---- the books of a worker

    def keep(self, books: Books, now: int) -> None:
        """Write what the alerts role has taken, and the places it has read on from, in one transaction."""
        with self._write() as connection:
            write_books(connection, books)
            changes = self._fold(connection, books.changes, now)
            write_down(connection, books.deeds)
            erase(connection, books.forgotten, books.letters_gone, self._cards)
        if changes:
            self.listen(changes)

    def _fold(self, connection: Connection, found: Sequence[DetectionChange], now: int) -> list[AlertChange]:
        book = SqlBook(connection, self._cards)
        changes = [done for change in found for done in fold(book, change, self._cards, now)]
        reopen_notices(connection, changes)
        write_down(connection, deeds_of(changes, now))
        return changes

    # ---- people

    def act(self, alert_id: str, order: Order, once: Once | None = None) -> AlertRow | None:
        with self._write() as connection:
            known = recalled(connection, once)
            if known is not None:
                return AlertRow(**decode_json(known))
            book = SqlBook(connection, self._cards)
            before = book.alert(alert_id)
            if before is None:
                return None
            check_condition(connection, alert_id, order.when, self._cards)
            after, entry = carry_out(before, order)
            judge(connection, before, order)
            book.save(after, entry)
            changes = [AlertChange(order.action, after, before.status)]
            reopen_notices(connection, changes)
            write_down(connection, [deed_of(changes[0], order)])
            found = connection.execute(select(alerts).where(alerts.c.id == alert_id)).mappings().one()
            row = alert_row(dict(found))
            if once is not None:
                keep_answer(connection, once, encode_json(asdict(row)), order.now)
        self.listen(changes)
        return row

    def act_on_told(self, channel: str, message: str, order: Order) -> int | None:
        """Do something to the open alerts of a message; give to how many, None when the channel has no such message."""
        with self._write() as connection:
            ids = open_in_message(connection, channel, message)
            changes = [] if ids is None else act_on(connection, ids, order)
        self.listen(changes)
        return None if ids is None else len(changes)

    def conditions(self, alert_id: str) -> list[Condition]:
        with self._read() as connection:
            return conditions_of(connection, alert_id, self._cards)

    def recall(self, once: Once) -> bytes | None:
        with self._read() as connection:
            return recalled(connection, once)

    def remember(self, once: Once, answer: bytes, now: int) -> None:
        with self._write() as connection:
            keep_answer(connection, once, answer, now)
