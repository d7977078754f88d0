"""Tables for telling: channels, messages, the history of every decision, and what nobody has heard of yet.

What enters: a database of revision 0002. What leaves: one with an empty outbox.
"""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary

from coordwatch.adapters.sql.words import Words

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make them."""
    _channels()
    _unheard()
    _messages()
    _tellings()


def _channels() -> None:
    op.create_table(
        "channels",
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


def _unheard() -> None:
    op.create_table(
        "unheard",
        Column("alert", Words, primary_key=True),
        Column("version", Integer, nullable=False),
    )


def _messages() -> None:
    op.create_table(
        "messages",
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


def _tellings() -> None:
    op.create_table(
        "tellings",
        Column("number", Integer, primary_key=True, autoincrement=True),
        Column("alert", Words, nullable=False, index=True),
        Column("at", BigInteger, nullable=False),
        Column("channel", Words, nullable=False),
        Column("reason", Words, nullable=False),
        Column("message", Words, index=True),
    )
