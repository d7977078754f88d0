"""What people say of alerts, a row each; what was marked as not a conflict before is taken over.

What enters: tables of revision 0006. What leaves: one table more.
"""

from alembic import op
from sqlalchemy import Column, Index

from coordwatch.adapters.sql.words import Words

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "verdicts",
        Column("alert", Words, primary_key=True),
        Column("rule", Words, nullable=False),
        Column("verdict", Words, nullable=False),
        Column("before", Words, nullable=False),
        Index("verdicts_by_rule", "rule", "verdict"),
    )
    op.execute(
        "INSERT INTO verdicts (alert, rule, verdict, before) "
        "SELECT id, rule, 'not_a_conflict', '' FROM alerts WHERE status = 'not_a_conflict'"
    )
