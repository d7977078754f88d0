"""Saved views of the inbox, and the rules as they were written.

What enters: tables of the revision before. What leaves: two tables more.
"""

from alembic import op
from sqlalchemy import BigInteger, Column

from coordwatch.adapters.sql.words import Words

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "saved_views",
        Column("name", Words, primary_key=True),
        Column("query", Words, nullable=False),
        Column("actor", Words, nullable=False),
        Column("at", BigInteger, nullable=False),
    )
    op.create_table(
        "rule_versions",
        Column("rule", Words, primary_key=True),
        Column("at", BigInteger, primary_key=True),
        Column("digest", Words, nullable=False),
        Column("text", Words, nullable=False),
    )
