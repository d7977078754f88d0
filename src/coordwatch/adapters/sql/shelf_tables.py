"""The tables of what pages keep beside alerts: saved views, and the rules as they were written.

What enters: nothing.
What leaves: SQLAlchemy tables.
The next room: `shelf`, which keeps them.
"""

from sqlalchemy import BigInteger, Column, Table

from coordwatch.adapters.sql.schema import metadata
from coordwatch.adapters.sql.words import Words

saved_views = Table(
    "saved_views",
    metadata,
    Column("name", Words, primary_key=True),
    Column("query", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Column("at", BigInteger, nullable=False),
)
# One row whenever a rule is found written otherwise than before.
rule_versions = Table(
    "rule_versions",
    metadata,
    Column("rule", Words, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("digest", Words, nullable=False),
    Column("text", Words, nullable=False),
)
