"""The tables of what holds alerts back: silences, and which alert is held by what until when.

What enters: nothing.
What leaves: SQLAlchemy tables.
The next room: `held` and `silences`, which keep them.
"""

from sqlalchemy import BigInteger, Column, Integer, Table

from coordwatch.adapters.sql.schema import metadata
from coordwatch.adapters.sql.words import Words

silences = Table(
    "silences",
    metadata,
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
# Open alerts that nobody is told of for now: written with the decision, taken away when the question is asked again.
held = Table(
    "held",
    metadata,
    Column("alert", Words, primary_key=True),
    Column("reason", Words, nullable=False),
    Column("by", Words, nullable=False, index=True),
    Column("until", BigInteger, index=True),
)
