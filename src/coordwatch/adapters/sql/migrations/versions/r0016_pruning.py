"""What the audit trail begins behind when old entries were pruned; the database lets go of those and of no other.

What enters: tables of revision 0015. What leaves: a table more, and a refusal that knows of it.
"""

from alembic import op
from sqlalchemy import BigInteger, Column

from coordwatch.adapters.sql.words import Words

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "trail_base",
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("seal", Words, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION trail_stays() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN IF TG_OP = 'DELETE' AND current_setting('coordwatch.prunes', true) = 'on' THEN RETURN NULL; END IF; "
            "RAISE EXCEPTION 'the audit trail is only ever added to' USING ERRCODE = 'restrict_violation'; END$$"
        )
        return
    op.execute("DROP TRIGGER trail_stays_delete")
    op.execute(
        "CREATE TRIGGER trail_stays_delete BEFORE DELETE ON trail "
        "WHEN OLD.number > (SELECT coalesce(max(number), 0) FROM trail_base) "
        "BEGIN SELECT RAISE(ABORT, 'the audit trail is only ever added to'); END"
    )
