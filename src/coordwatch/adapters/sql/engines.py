"""How a database is opened: one connection that writes, several that read.

What enters: a Database.
What leaves: engines. Whoever writes is alone in it, on SQLite by the file's lock, on PostgreSQL by an advisory lock.
The next room: `store`, the store on top of them.
"""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from coordwatch.adapters.sql.database import Database, Postgres
from coordwatch.errors import PermanentError

Transaction = Callable[[], AbstractContextManager[Connection]]
WAIT_SECONDS = 10.0
_READERS = 4
_SQLITE_MIN = (3, 35, 0)
# Advisory locks are numbers of one database: who writes now, and which process is alone with it.
WRITING, ALONE = 0x636F6F7264770001, 0x636F6F7264770002
_LOCK_NOT_AVAILABLE = "55P03"
# A holder that stands still in a transaction is ended by the server, and its work undone; the others go on.
_IDLE_SECONDS = 30
_QUESTION_SECONDS = 30
_CONNECTING: dict[str, str | int] = {
    "application_name": "coordwatch",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a store uses its database.

    `durable` makes a commit wait for the disk, so that it also outlives the machine; without it a commit outlives the
    process only. `wait` is how many seconds another writer may take. `alone`: no other process may be, as long as this one
    is; only PostgreSQL is asked, beside a file the caller holds a ProcessLock.
    """

    durable: bool = True
    wait: float = WAIT_SECONDS
    alone: bool = False


def library() -> tuple[str, bool]:
    """The version of SQLite, and whether it is new enough."""
    return sqlite3.sqlite_version, sqlite3.sqlite_version_info >= _SQLITE_MIN


def open_engine(database: Database, manner: Manner, *, writes: bool) -> Engine:
    """An engine on a database. A writing one begins every transaction as the one writer, so that two never meet half-way."""
    if isinstance(database, Postgres):
        return _on_postgres(database, manner, writes=writes)
    return _on_sqlite(database, manner, writes=writes)


def _on_sqlite(path: Path, manner: Manner, *, writes: bool) -> Engine:
    size = 1 if writes else _READERS
    is_new = writes and not path.exists()
    engine = create_engine(
        f"sqlite:///{path}", pool_size=size, max_overflow=0, pool_timeout=5.0, connect_args={"check_same_thread": False}
    )
    synchronous = "FULL" if manner.durable else "NORMAL"

    @event.listens_for(engine, "connect")
    def prepare(raw: Any, _record: Any) -> None:
        if is_new:
            with suppress(OSError):
                path.chmod(0o600)  # dead letters hold what tools sent; the log beside it is made with the same rights
        raw.isolation_level = None  # transactions are begun below, not by the driver's guess
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout={round(manner.wait * 1000)}")
        if writes:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute(f"PRAGMA synchronous={synchronous}")
        else:
            cursor.execute("PRAGMA query_only=ON")
        cursor.execute(f"PRAGMA cache_size={-4000 if writes else -1000}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _on_postgres(database: Postgres, manner: Manner, *, writes: bool) -> Engine:
    if find_spec("psycopg") is None:
        raise PermanentError("the driver of PostgreSQL is not installed: pip install 'coordwatch[postgres]'")
    size = 1 if writes else _READERS
    given = dict(database.options)
    engine = create_engine(
        URL.create(
            "postgresql+psycopg", database.user, database.password, database.host, database.port, database.name, given
        ),
        pool_size=size,
        max_overflow=0,
        pool_timeout=5.0,
        pool_pre_ping=True,  # after the server was away, the connections of before are found dead here and not by a question
        isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
        connect_args={name: value for name, value in _CONNECTING.items() if name not in given},
    )
    chosen = _choices(manner, writes=writes)

    @event.listens_for(engine, "connect")
    def prepare(raw: Any, _record: Any) -> None:
        try:
            with raw.cursor() as cursor:
                for name, value in chosen.items():
                    cursor.execute(f"SET {name} = '{value}'")
                if writes and manner.alone:
                    _be_alone(cursor, database)
            raw.commit()
        except BaseException:
            raw.close()
            raise

    if writes:

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITING})")

    return engine


def _choices(manner: Manner, *, writes: bool) -> dict[str, str]:
    chosen = {
        "timezone": "UTC",
        "idle_in_transaction_session_timeout": f"{_IDLE_SECONDS}s",
        "lock_timeout": f"{max(1, round(manner.wait * 1000))}ms",
    }
    if writes:
        return {**chosen, "synchronous_commit": "on" if manner.durable else "off"}
    return {**chosen, "statement_timeout": f"{_QUESTION_SECONDS}s", "default_transaction_read_only": "on"}


def _be_alone(cursor: Any, database: Postgres) -> None:
    """Hold the lock of the one process for as long as this connection lives; it is the one that writes."""
    try:
        cursor.execute(f"SELECT pg_advisory_lock({ALONE})")
    except Exception as error:
        if getattr(error, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise PermanentError(
            f"another coordwatch is running on {database}: end it first, or name another database"
        ) from None
