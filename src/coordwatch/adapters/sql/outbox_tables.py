"""The tables of telling: channels, what is to be said on them, and the history of every decision.

What enters: nothing.
What leaves: SQLAlchemy tables.
The next room: `outbox`, which keeps them.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table

from coordwatch.adapters.sql.schema import metadata
from coordwatch.adapters.sql.words import Words

# One row a channel: its window (see notify.pace), and until when it is left alone after a refusal for now.
channels = Table(
    "channels",
    metadata,
    Column("name", Words, primary_key=True),
    Column("began", BigInteger, nullable=False),
    Column("singles", Integer, nullable=False),
    Column("fold", Words),
    Column("until", BigInteger, nullable=False),
    Column("folds", Integer, nullable=False),
    Column("held_until", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("delivered_at", BigInteger),
    Column("answer", Words, nullable=False),
)
# Alerts that have changed since somebody decided about them: written with the change, taken away with the decision.
unheard = Table(
    "unheard",
    metadata,
    Column("alert", Words, primary_key=True),
    Column("version", Integer, nullable=False),
)
messages = Table(
    "messages",
    metadata,
    Column("id", Words, primary_key=True),
    Column("channel", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("many", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("state", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("unsure", Boolean, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("leased_by", Words),
    Column("leased_until", BigInteger, nullable=False),
    Column("delivered_at", BigInteger),
    Column("reference", Words),
    Column("answer", Words, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("messages_due", "channel", "state", "next_at"),
    Index("messages_by_subject", "channel", "subject"),
)
tellings = Table(
    "tellings",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("alert", Words, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("channel", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("message", Words, index=True),
    Column("note", Words),
)
# What follows later, unless somebody has looked at the alert by then; gone as soon as it is told.
steps = Table(
    "steps",
    metadata,
    Column("alert", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("due", BigInteger, nullable=False, index=True),
    Column("receivers", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("words", Words, nullable=False),
)
