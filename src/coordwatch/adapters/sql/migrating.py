"""From any revision of the tables to the newest, under the lock of the one writer.

What enters: a connection in a writing transaction: empty, of an older program, of this one, or of something else.
What leaves: the tables of this program, or a PermanentError that says what to do, with nothing changed.
The next room: `store`, which does this before anything else.
"""

import logging
from dataclasses import dataclass

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, column, inspect, literal, select, table

from coordwatch.adapters.sql.schema import ledger, meta, metadata, tallies
from coordwatch.errors import PermanentError

# The newest revision, and those that it knows. Two programs before revisions counted schemas in `meta`.
REVISIONS = tuple(f"{number:04}" for number in range(1, 17))
REVISION = REVISIONS[-1]
_COUNTED = ("1", "2")
# What stands there now, so that those two refuse what they do not know.
_BY_REVISION = "3"
_TO_DO = "use the program that wrote it, put back the copy from before the upgrade, or start with a new file and replay the events"


@dataclass(frozen=True, slots=True)
class Standing:
    """What tables a database has: those of a revision, or those of a schema that was counted."""

    revision: str | None
    schema: str

    @property
    def newest(self) -> bool:
        """Whether there is nothing to do."""
        return self.revision == REVISION

    def __str__(self) -> str:
        return f"schema {self.schema}" if self.revision is None else f"revision {self.revision}"


def standing_of(connection: Connection) -> Standing | None:
    """What stands in a database; None for an empty one.

    Raises: PermanentError for tables that cannot be used, or a database of something else
    """
    names = set(inspect(connection).get_table_names())
    if not names:
        return None
    found = (
        connection.execute(select(meta.c.value).where(meta.c.name == "schema")).scalar() if "meta" in names else None
    )
    if found is None:
        raise PermanentError("this database holds something else: name another one for `database`")
    revision = None
    if "alembic_version" in names:
        revision = connection.execute(select(column("version_num")).select_from(table("alembic_version"))).scalar()
    if revision is not None and revision not in REVISIONS:
        raise PermanentError(
            f"the database has revision {revision}, written by a newer coordwatch; this one knows them up to {REVISION}: "
            + _TO_DO
        )
    if found not in ((*_COUNTED,) if revision is None else (_BY_REVISION,)):
        raise PermanentError(f"the database has schema {found}, this program writes schema {_BY_REVISION}: {_TO_DO}")
    return Standing(revision, str(found))


def migrate(connection: Connection) -> None:
    """Bring a database to the newest revision; one of before revisions is taken over with everything in it.

    Raises: PermanentError as `standing_of`
    """
    standing = standing_of(connection)
    if standing is not None and standing.newest:
        return
    # A line for every revision of a new database would be the first thing that everybody reads.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", "coordwatch.adapters.sql:migrations")
    config.attributes["connection"] = connection
    if standing is not None and standing.revision is None:
        if standing.schema == "1":
            _to_schema_2(connection)
        connection.execute(meta.update().where(meta.c.name == "schema").values(value=_BY_REVISION))
        command.stamp(config, REVISIONS[0])
    command.upgrade(config, "head")


def _to_schema_2(connection: Connection) -> None:
    """Bring the tables of schema 1 to schema 2: what is counted gets a stage and a part."""
    for now, added in ((tallies, ("stage", "place")), (ledger, ("part",))):
        before = table(f"{now.name}_before", *(column(one.name) for one in now.columns if one.name not in added))
        connection.exec_driver_sql(f"ALTER TABLE {now.name} RENAME TO {before.name}")
        now.create(connection)
        rows = select(*(literal("").label(name) for name in added), *before.columns)
        connection.execute(now.insert().from_select(rows.selected_columns.keys(), rows))
        connection.exec_driver_sql(f"DROP TABLE {before.name}")
    metadata.create_all(connection, tables=[metadata.tables[name] for name in ("reaches", "aliases")])
