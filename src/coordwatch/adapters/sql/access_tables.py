"""The tables of accounts, sessions, API tokens, tries to sign in, and where it worked before; secrets stand in them as digests only.

What enters: nothing. What leaves: SQLAlchemy tables. The next room: `accounts`, which uses them.
"""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table

from coordwatch.adapters.sql.schema import metadata
from coordwatch.adapters.sql.words import Words

users = Table(
    "users",
    metadata,
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
    Column("version", Integer, nullable=False, server_default="1"),
)
sessions = Table(
    "sessions",
    metadata,
    Column("digest", Words, primary_key=True),
    Column("user", Words, nullable=False, index=True),
    Column("made_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("unmasked_until", BigInteger, nullable=False),
    Column("strong", Boolean, nullable=False),
)
tokens = Table(
    "tokens",
    metadata,
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
tries = Table(
    "tries",
    metadata,
    Column("key", Words, primary_key=True),
    Column("began", BigInteger, nullable=False),
    Column("taken", Integer, nullable=False),
)
known_places = Table(
    "known_places",
    metadata,
    Column("digest", Words, primary_key=True),
    Column("user", Words, nullable=False, index=True),
    Column("seen_at", BigInteger, nullable=False),
)
