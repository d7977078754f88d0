"""How many alerts each rule has raised, and how many are none, without reading an alert: every page shows it.

What enters: tables of revision 0012. What leaves: an index more.
"""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make it."""
    op.create_index("alerts_by_rule", "alerts", ["rule", "status"])
