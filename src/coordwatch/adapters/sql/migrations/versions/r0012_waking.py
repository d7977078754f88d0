"""What a snooze waits for, beside a time.

What enters: tables of the revision before. What leaves: the same tables; no snooze waits for anything yet.
"""

from alembic import op
from sqlalchemy import Column

from coordwatch.adapters.sql.words import Words

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("alerts", Column("wake_when", Words))
    op.add_column("alerts", Column("wake_about", Words))
    op.create_index("alerts_waiting", "alerts", ["wake_when", "status"])
