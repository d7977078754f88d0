"""Answers remembered by the key of their request; indexes for lists of a hundred thousand alerts.

What enters: tables of revision 0001. What leaves: one table and some indexes more.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, text

from coordwatch.adapters.sql.words import Words

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "answers",
        Column("key", Words, primary_key=True),
        Column("asked", Words, nullable=False),
        Column("at", BigInteger, nullable=False, index=True),
        Column("answer", LargeBinary, nullable=False),
    )
    op.create_index("alerts_by_severity", "alerts", ["severity_rank", text("at DESC"), "id"])
    op.create_index("alerts_by_status_newest", "alerts", ["status", text("at DESC"), "id"])
    op.create_index("alerts_by_status_severity", "alerts", ["status", "severity_rank", text("at DESC"), "id"])
    op.create_index("dead_letters_newest", "dead_letters", [text("at DESC"), "id"])
