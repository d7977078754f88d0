"""Tables for what holds alerts back, and what people should know about the reason of a decision.

What enters: tables of revision 0005. What leaves: the same tables, and two more.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer

from coordwatch.adapters.sql.words import Words

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "silences",
        Column("id", Words, primary_key=True),
        Column("matchers", Words, nullable=False),
        Column("starts_at", BigInteger, nullable=False),
        Column("ends_at", BigInteger, nullable=False, index=True),
        Column("created_by", Words, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("comment", Words, nullable=False),
        Column("version", Integer, nullable=False),
        Column("updated_by", Words, nullable=False),
        Column("updated_at", BigInteger, nullable=False),
    )
    op.create_table(
        "held",
        Column("alert", Words, primary_key=True),
        Column("reason", Words, nullable=False),
        Column("by", Words, nullable=False, index=True),
        Column("until", BigInteger, index=True),
    )
    op.add_column("tellings", Column("note", Words))
