"""Tables for signing in: accounts, sessions, API tokens, and tries to sign in.

What enters: a database of the revision before. What leaves: one in which nobody has an account yet.
"""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer

from coordwatch.adapters.sql.words import Words

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "users",
        Column("id", Words, primary_key=True),
        Column("issuer", Words, nullable=False),
        Column("subject", Words, nullable=False),
        Column("name", Words, nullable=False),
        Column("role", Words, nullable=False),
        Column("password", Words),
        Column("disabled", Boolean, nullable=False),
        Column("made_at", BigInteger, nullable=False),
        Column("changed_at", BigInteger, nullable=False),
        Column("signed_in_at", BigInteger),
    )
    op.create_table(
        "sessions",
        Column("digest", Words, primary_key=True),
        Column("user", Words, nullable=False, index=True),
        Column("made_at", BigInteger, nullable=False),
        Column("seen_at", BigInteger, nullable=False),
        Column("unmasked_until", BigInteger, nullable=False),
        Column("strong", Boolean, nullable=False),
    )
    op.create_table(
        "tokens",
        Column("id", Words, primary_key=True),
        Column("digest", Words, nullable=False, unique=True),
        Column("name", Words, nullable=False),
        Column("scopes", Words, nullable=False),
        Column("made_by", Words, nullable=False),
        Column("made_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("used_at", BigInteger),
        Column("revoked_at", BigInteger),
    )
    op.create_table(
        "tries",
        Column("key", Words, primary_key=True),
        Column("began", BigInteger, nullable=False),
        Column("taken", Integer, nullable=False),
    )
