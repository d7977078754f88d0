"""The tables, and how one database file is opened.

What enters: a path.
What leaves: SQLAlchemy tables, a writing and a reading engine, a checked schema version.
The next room: `store`, the store on top of them.
"""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    column,
    create_engine,
    event,
    inspect,
    literal,
    select,
    table,
)

from coordwatch.errors import PermanentError

SCHEMA_VERSION = 2
WAIT_SECONDS = 10.0
_READERS = 4
_SQLITE_MIN = (3, 35, 0)

metadata = MetaData()
meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
items = Table(
    "items",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
deadlines = Table(
    "deadlines",
    metadata,
    Column("customer", Text, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
)
positions = Table(
    "positions", metadata, Column("input", Text, primary_key=True), Column("position", Text, nullable=False)
)
# What the one-process runtime adds up stands under the empty stage and part; a worker's stages each keep their own.
tallies = Table(
    "tallies",
    metadata,
    Column("stage", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
)
ledger = Table(
    "ledger",
    metadata,
    Column("part", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("hour", Integer, primary_key=True),
    Column("act_tool", Text, primary_key=True),
    Column("evidence_tool", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
reaches = Table(
    "reaches",
    metadata,
    Column("input", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("through", BigInteger, nullable=False),
    Column("heard_at", BigInteger, nullable=False),
    Column("read_to_end_at", BigInteger, nullable=False),
)
aliases = Table(
    "aliases",
    metadata,
    Column("old", Text, primary_key=True),
    Column("customer", Text, nullable=False, index=True),
)
detections = Table(
    "detections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("alert", Text),
    Column("at", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("detections_by_alert", "alert", "at", "id"),
    Index("detections_by_customer", "customer"),
)
alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("anchor", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("open", Integer, nullable=False),
    Column("made_good", Integer, nullable=False),
    Column("retracted", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("customer", Text, nullable=False, index=True),
    Column("sentence", Text, nullable=False),
    Column("act_tool", Text, nullable=False),
    Column("evidence_tool", Text, nullable=False),
    Column("attribution", Text, nullable=False),
    Column("known_for", BigInteger),
    Column("gap", BigInteger),
    Column("at", BigInteger, nullable=False),
    Column("campaign", Text),
    Column("incident", Text, nullable=False, index=True),
    Column("snooze_until", BigInteger),
    Column("wake_on_repeat", Boolean, nullable=False),
    Column("undo", Text),
    Column("title", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("severity_rank", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("notice", Text),
    Index("alerts_by_key", "rule", "key", "last_at"),
    Index("alerts_newest", "at", "id"),
    Index("alerts_by_status", "status", "at"),
    Index("alerts_by_notice", "notice"),
)
audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("alert", Text, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("note", Text, nullable=False),
)
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Text, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("path", Text),
    Column("at", BigInteger, nullable=False, index=True),
    Column("original", LargeBinary, nullable=False),
)


def library() -> tuple[str, bool]:
    """The version of SQLite, and whether it is new enough."""
    return sqlite3.sqlite_version, sqlite3.sqlite_version_info >= _SQLITE_MIN


def open_engine(path: Path, *, writes: bool, durable: bool, wait: float) -> Engine:
    """An engine on a SQLite file.

    `durable` makes a commit wait for the disk, so that it also outlives the machine; without it a commit outlives the
    process only. A writing engine begins every transaction as a writer, so that two never meet half-way.
    """
    size = 1 if writes else _READERS
    engine = create_engine(
        f"sqlite:///{path}", pool_size=size, max_overflow=0, pool_timeout=5.0, connect_args={"check_same_thread": False}
    )
    synchronous = "FULL" if durable else "NORMAL"

    @event.listens_for(engine, "connect")
    def prepare(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # transactions are begun below, not by the driver's guess
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout={round(wait * 1000)}")
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


def schema_of(connection: Connection) -> int | None:
    """The version of the tables, None for an empty database.

    Raises: PermanentError for a version that cannot be used, or a database of something else
    """
    names = set(inspect(connection).get_table_names())
    if not names:
        return None
    found = (
        connection.execute(select(meta.c.value).where(meta.c.name == "schema")).scalar() if "meta" in names else None
    )
    if found is None:
        raise PermanentError("this database holds something else: name another file for `database`")
    if found not in {str(version) for version in range(1, SCHEMA_VERSION + 1)}:
        raise PermanentError(
            f"the database has schema {found}, this program writes schema {SCHEMA_VERSION}: "
            "use the program that wrote it, or start with a new file and replay the events"
        )
    return int(found)


def make_schema(connection: Connection) -> None:
    """Make the tables of an empty database."""
    metadata.create_all(connection)
    connection.execute(meta.insert().values(name="schema", value=str(SCHEMA_VERSION)))


def upgrade_schema(connection: Connection) -> None:
    """Bring the tables of schema 1 to this one: what is counted gets a stage and a part. An older program then refuses it."""
    for now, added in ((tallies, ("stage", "place")), (ledger, ("part",))):
        before = table(f"{now.name}_before", *(column(one.name) for one in now.columns if one.name not in added))
        connection.exec_driver_sql(f"ALTER TABLE {now.name} RENAME TO {before.name}")
        now.create(connection)
        rows = select(*(literal("").label(name) for name in added), *before.columns)
        connection.execute(now.insert().from_select(rows.selected_columns.keys(), rows))
        connection.exec_driver_sql(f"DROP TABLE {before.name}")
    metadata.create_all(connection)
    connection.execute(meta.update().where(meta.c.name == "schema").values(value=str(SCHEMA_VERSION)))
