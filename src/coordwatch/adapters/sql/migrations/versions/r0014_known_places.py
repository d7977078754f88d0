"""Where somebody has signed in before, so that strangers cannot shut them out; and which change of an account was the last.

What enters: tables of revision 0013. What leaves: a table more, and a column that counts.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer

from coordwatch.adapters.sql.words import Words

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "known_places",
        Column("digest", Words, primary_key=True),
        Column("user", Words, nullable=False, index=True),
        Column("seen_at", BigInteger, nullable=False),
    )
    op.add_column("users", Column("version", Integer, nullable=False, server_default="1"))
