"""The audit trail: a chain of deeds that the database itself refuses to change, short of somebody who takes the refusal away.

What enters: tables of revision 0004. What leaves: an empty trail.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Index

from coordwatch.adapters.sql.words import Words

revision = "0005"
down_revision = "0004"
_SAID = "the audit trail is only ever added to"


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "trail",
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("at", BigInteger, nullable=False),
        Column("actor", Words, nullable=False),
        Column("kind", Words, nullable=False),
        Column("subject", Words, nullable=False),
        Column("facts", Words, nullable=False),
        Column("seal", Words, nullable=False),
        Index("trail_by_subject", "subject", "number"),
        Index("trail_by_kind", "kind", "number"),
        Index("trail_by_actor", "actor", "number"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION trail_stays() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN RAISE EXCEPTION '{_SAID}' USING ERRCODE = 'restrict_violation'; END$$"
        )
        op.execute(
            "CREATE TRIGGER trail_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON trail "
            "FOR EACH STATEMENT EXECUTE FUNCTION trail_stays()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER trail_stays_{event.lower()} BEFORE {event} ON trail "
            f"BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
        )
