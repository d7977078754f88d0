"""Silences in the database: made, changed, ended, each in one transaction with what they held back.

What enters: drafts and orders of people.
What leaves: Silences.
The next room: `holding`, which asks which are active; the API and the commands.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select

from coordwatch.adapters.sql.answers import keep_answer, recalled
from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.engines import Transaction
from coordwatch.adapters.sql.held import let_go
from coordwatch.adapters.sql.held_tables import silences
from coordwatch.adapters.sql.trail import write_down
from coordwatch.alerts.matchers import matchers_text, parse_matchers
from coordwatch.alerts.once import Once
from coordwatch.alerts.silence import Draft, Silence, changed_silence, expired_silence, new_silence, order_of
from coordwatch.audit.deed import Deed, DeedKind, Fact
from coordwatch.codec import decode_json, encode_json
from coordwatch.events.times import DAY, format_time

KEPT = 90 * DAY
_ONE = select(silences).where(silences.c.id == bindparam("wanted"))
_NAMES = tuple(str(column.name) for column in silences.columns)


class SqlSilences:
    """The SilenceDesk of a database."""

    def __init__(self, write: Transaction, read: Transaction) -> None:
        self._write, self._read = write, read

    def silences(self, now: int) -> list[Silence]:
        """Every silence that is kept, those that are active first; expired ones for ninety days."""
        with self._read() as connection:
            rows = connection.execute(select(silences).where(silences.c.ends_at > now - KEPT)).mappings()
            return sorted((_from_row(row) for row in rows), key=lambda one: order_of(one, now))

    def silence(self, silence_id: str) -> Silence | None:
        """One silence, None when there is none."""
        with self._read() as connection:
            return _found(connection, silence_id)

    def create(self, draft: Draft, actor: str, now: int, once: Once | None = None) -> Silence:
        """Make a silence. Raises: BadSilence, BadMatcher, KeyReused, TemporaryError."""
        with self._write() as connection:
            known = recalled(connection, once)
            if known is not None:
                return _from_row(decode_json(known))
            made = self._put(connection, new_silence(draft, actor, now), Deed(now, actor, DeedKind.SILENCE_MAKE))
            if once is not None:
                keep_answer(connection, once, encode_json(_row(made)), now)
            return made

    def change(self, silence_id: str, draft: Draft, actor: str, now: int, version: int | None) -> Silence | None:
        """Change a silence; None when there is none. Raises: VersionConflict, ActionRefused, BadSilence, BadMatcher."""
        deed = Deed(now, actor, DeedKind.SILENCE_CHANGE)
        return self._after(silence_id, deed, lambda found: changed_silence(found, draft, actor, now, version))

    def expire(self, silence_id: str, actor: str, now: int, version: int | None) -> Silence | None:
        """End a silence; what it held back is asked about again. Raises: VersionConflict, ActionRefused."""
        deed = Deed(now, actor, DeedKind.SILENCE_END)
        return self._after(silence_id, deed, lambda found: expired_silence(found, actor, now, version))

    def _after(self, silence_id: str, deed: Deed, change: Callable[[Silence], Silence]) -> Silence | None:
        with self._write() as connection:
            found = _found(connection, silence_id)
            if found is None:
                return None
            return self._put(connection, change(found), deed)

    def _put(self, connection: Connection, silence: Silence, deed: Deed) -> Silence:
        """Write a silence, let go of what it held back, and write down who did it; matchers may name a customer."""
        upsert(connection, silences, [_row(silence)])
        let_go(connection, [silence.id], deed.at)
        facts: dict[str, Fact] = {
            "labels": ", ".join(sorted({one.name for one in silence.matchers})),
            "starts_at": format_time(silence.starts_at),
            "ends_at": format_time(silence.ends_at),
            "version": silence.version,
        }
        write_down(connection, [replace(deed, subject=silence.id, facts=facts)])
        connection.execute(silences.delete().where(silences.c.ends_at <= deed.at - KEPT))
        return silence


def active_silences(connection: Connection, now: int) -> list[Silence]:
    """The silences that hold something back now. Units: microseconds since 1970 UTC."""
    question = select(silences).where(silences.c.ends_at > now, silences.c.starts_at <= now)
    return [_from_row(row) for row in connection.execute(question).mappings()]


def _found(connection: Connection, silence_id: str) -> Silence | None:
    row = connection.execute(_ONE, {"wanted": silence_id}).mappings().first()
    return None if row is None else _from_row(row)


def _row(silence: Silence) -> dict[str, Any]:
    return {name: getattr(silence, name) for name in _NAMES} | {"matchers": matchers_text(silence.matchers)}


def _from_row(row: RowMapping | Mapping[str, Any]) -> Silence:
    return Silence(**{name: row[name] for name in _NAMES} | {"matchers": parse_matchers(row["matchers"])})
