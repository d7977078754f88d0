"""The tables as they were before there were revisions: what an older database already has, and a new one begins with.

What enters: an empty database. What leaves: the tables of state, counts and alerts.
"""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, column, table

from coordwatch.adapters.sql.words import Words

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    _state()
    _counts()
    _alerts()
    _handling()
    op.bulk_insert(table("meta", column("name"), column("value")), [{"name": "schema", "value": "3"}])


def _state() -> None:
    op.create_table("meta", Column("name", Words, primary_key=True), Column("value", Words, nullable=False))
    op.create_table(
        "items",
        Column("key", Words, primary_key=True),
        Column("value", LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deadlines",
        Column("customer", Words, primary_key=True),
        Column("at", BigInteger, nullable=False, index=True),
    )
    op.create_table("positions", Column("input", Words, primary_key=True), Column("position", Words, nullable=False))


def _counts() -> None:
    op.create_table(
        "tallies",
        Column("stage", Words, primary_key=True),
        Column("place", Words, primary_key=True),
        Column("name", Words, primary_key=True),
        Column("amount", BigInteger, nullable=False),
    )
    op.create_table(
        "ledger",
        Column("part", Words, primary_key=True),
        Column("rule", Words, primary_key=True),
        Column("hour", Integer, primary_key=True),
        Column("act_tool", Words, primary_key=True),
        Column("evidence_tool", Words, primary_key=True),
        Column("kind", Words, primary_key=True),
        Column("amount", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reaches",
        Column("input", Words, primary_key=True),
        Column("place", Words, primary_key=True),
        Column("through", BigInteger, nullable=False),
        Column("heard_at", BigInteger, nullable=False),
        Column("read_to_end_at", BigInteger, nullable=False),
    )
    op.create_table(
        "aliases",
        Column("old", Words, primary_key=True),
        Column("customer", Words, nullable=False, index=True),
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        Column("id", Words, primary_key=True),
        Column("rule", Words, nullable=False),
        Column("key", Words, nullable=False),
        Column("anchor", Words, nullable=False),
        Column("status", Words, nullable=False),
        Column("version", Integer, nullable=False),
        Column("raised_at", BigInteger, nullable=False),
        Column("first_at", BigInteger, nullable=False),
        Column("last_at", BigInteger, nullable=False),
        Column("open", Integer, nullable=False),
        Column("made_good", Integer, nullable=False),
        Column("retracted", Integer, nullable=False),
        Column("count", Integer, nullable=False),
        Column("customer", Words, nullable=False, index=True),
        Column("sentence", Words, nullable=False),
        Column("act_tool", Words, nullable=False),
        Column("evidence_tool", Words, nullable=False),
        Column("attribution", Words, nullable=False),
        Column("known_for", BigInteger),
        Column("gap", BigInteger),
        Column("at", BigInteger, nullable=False),
        Column("campaign", Words),
        Column("incident", Words, nullable=False, index=True),
        Column("snooze_until", BigInteger),
        Column("wake_on_repeat", Boolean, nullable=False),
        Column("undo", Words),
        Column("title", Words, nullable=False),
        Column("severity", Words, nullable=False),
        Column("severity_rank", Integer, nullable=False),
        Column("owner", Words, nullable=False),
        Column("note", Words, nullable=False),
        Column("notice", Words),
        Index("alerts_by_key", "rule", "key", "last_at"),
        Index("alerts_newest", "at", "id"),
        Index("alerts_by_status", "status", "at"),
        Index("alerts_by_notice", "notice"),
    )


def _handling() -> None:
    op.create_table(
        "detections",
        Column("id", Words, primary_key=True),
        Column("rule", Words, nullable=False),
        Column("customer", Words, nullable=False),
        Column("alert", Words),
        Column("at", BigInteger, nullable=False),
        Column("status", Words, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Index("detections_by_alert", "alert", "at", "id"),
        Index("detections_by_customer", "customer"),
    )
    op.create_table(
        "audit",
        Column("number", Integer, primary_key=True, autoincrement=True),
        Column("alert", Words, nullable=False, index=True),
        Column("at", BigInteger, nullable=False),
        Column("actor", Words, nullable=False),
        Column("action", Words, nullable=False),
        Column("note", Words, nullable=False),
    )
    op.create_table(
        "dead_letters",
        Column("id", Words, primary_key=True),
        Column("origin", Words, nullable=False),
        Column("stage", Words, nullable=False),
        Column("reason", Words, nullable=False),
        Column("detail", Words, nullable=False),
        Column("path", Words),
        Column("at", BigInteger, nullable=False, index=True),
        Column("original", LargeBinary, nullable=False),
    )
