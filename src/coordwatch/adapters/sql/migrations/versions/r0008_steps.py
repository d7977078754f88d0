"""Steps that are due later: whom an alert goes to when nobody has looked at it by then.

What enters: tables of revision 0007. What leaves: one table more.
"""

from alembic import op
from sqlalchemy import BigInteger, Column

from coordwatch.adapters.sql.words import Words

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "steps",
        Column("alert", Words, primary_key=True),
        Column("name", Words, primary_key=True),
        Column("due", BigInteger, nullable=False, index=True),
        Column("receivers", Words, nullable=False),
        Column("reason", Words, nullable=False),
        Column("words", Words, nullable=False),
    )
