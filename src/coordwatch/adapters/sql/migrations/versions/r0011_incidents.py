"""Tables of incidents; alerts that stand already wait for their place.

What enters: tables of the revision before. What leaves: the same tables, with incidents that are found at the next start.
"""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, text

from coordwatch.adapters.sql.words import Words

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make them."""
    op.add_column("alerts", Column("incident_id", Words))
    op.create_index("alerts_by_incident", "alerts", ["incident_id", "at"])
    _incidents()
    _places()
    _around()
    live = "('open', 'acknowledged', 'snoozed')"
    op.execute(f"INSERT INTO unplaced (alert, raised_at) SELECT id, raised_at FROM alerts WHERE status IN {live}")  # noqa: S608


def _incidents() -> None:
    op.create_table(
        "incidents",
        Column("id", Words, primary_key=True),
        Column("anchor", Words, nullable=False),
        Column("status", Words, nullable=False),
        Column("version", Integer, nullable=False),
        Column("began_at", BigInteger, nullable=False),
        Column("undo", Words),
        Column("taken_by", Words, nullable=False),
        Column("quiet_rank", Integer),
        Column("severity_rank", Integer, nullable=False),
        Column("apart", Boolean, nullable=False),
        Column("merged_into", Words),
        Column("acted_at", BigInteger),
        Column("note", Words, nullable=False),
        Column("stirred", Boolean, nullable=False),
        Column("summed_at", BigInteger, nullable=False),
        Column("title", Words, nullable=False),
        Column("severity", Words, nullable=False),
        Column("alerts", Integer, nullable=False),
        Column("live", Integer, nullable=False),
        Column("customers", Integer, nullable=False),
        Column("to_repair", Integer, nullable=False),
        Column("first_at", BigInteger, nullable=False),
        Column("last_at", BigInteger, nullable=False),
        Column("causes", LargeBinary, nullable=False),
        Index("incidents_newest", text("last_at DESC"), "id"),
        Index("incidents_by_status", "status", text("last_at DESC"), "id"),
        Index("incidents_stirred", "stirred"),
    )
    op.create_table(
        "incident_audit",
        Column("number", Integer, primary_key=True, autoincrement=True),
        Column("incident", Words, nullable=False, index=True),
        Column("at", BigInteger, nullable=False),
        Column("actor", Words, nullable=False),
        Column("action", Words, nullable=False),
        Column("note", Words, nullable=False),
    )


def _places() -> None:
    op.create_table(
        "incident_spans",
        Column("incident", Words, primary_key=True),
        Column("home", Words, primary_key=True),
        Column("first", BigInteger, nullable=False),
        Column("last", BigInteger, nullable=False),
        Index("incident_spans_by_home", "home"),
    )
    op.create_table(
        "placed",
        Column("alert", Words, primary_key=True),
        Column("mark", Words, primary_key=True),
        Column("home", Words, nullable=False),
        Column("at", BigInteger, nullable=False),
        Index("placed_by_mark", "mark"),
    )
    op.create_table(
        "unplaced",
        Column("alert", Words, primary_key=True),
        Column("raised_at", BigInteger, nullable=False, index=True),
    )


def _around() -> None:
    op.create_table(
        "repairs",
        Column("incident", Words, primary_key=True),
        Column("customer", Words, primary_key=True),
        Column("state", Words, nullable=False),
        Column("by", Words, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("note", Words, nullable=False),
        Column("version", Integer, nullable=False),
    )
    op.create_table(
        "revisions",
        Column("kind", Words, primary_key=True),
        Column("name", Words, primary_key=True),
        Column("revision", Words, nullable=False),
        Column("since", BigInteger, nullable=False),
    )
    op.create_table(
        "darkness",
        Column("source", Words, primary_key=True),
        Column("since", BigInteger, primary_key=True),
        Column("until", BigInteger),
        Column("tools", Words, nullable=False),
    )
