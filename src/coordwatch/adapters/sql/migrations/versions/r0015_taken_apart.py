"""Which alerts an incident brought along when it was put into another one, so that it can be taken out again.

What enters: tables of revision 0014. What leaves: a table more; what was put together before stays together.
"""

from alembic import op
from sqlalchemy import Column

from coordwatch.adapters.sql.words import Words

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "brought_along",
        Column("incident", Words, primary_key=True),
        Column("alert", Words, primary_key=True),
    )
    op.create_index("brought_along_by_alert", "brought_along", ["alert"])
