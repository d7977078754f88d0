"""The tables as the newest revision leaves them; `migrations` holds the way there.

What enters: nothing.
What leaves: SQLAlchemy tables, the same for SQLite and PostgreSQL.
The next room: `migrating`, which makes them; `store` and `read`, which use them.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, text

from coordwatch.adapters.sql.words import Words

metadata = MetaData()
meta = Table("meta", metadata, Column("name", Words, primary_key=True), Column("value", Words, nullable=False))
items = Table(
    "items",
    metadata,
    Column("key", Words, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
deadlines = Table(
    "deadlines",
    metadata,
    Column("customer", Words, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
)
positions = Table(
    "positions", metadata, Column("input", Words, primary_key=True), Column("position", Words, nullable=False)
)
# What the one-process runtime adds up stands under the empty stage and part; a worker's stages each keep their own.
tallies = Table(
    "tallies",
    metadata,
    Column("stage", Words, primary_key=True),
    Column("place", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("amount", BigInteger, nullable=False),
)
ledger = Table(
    "ledger",
    metadata,
    Column("part", Words, primary_key=True),
    Column("rule", Words, primary_key=True),
    Column("hour", Integer, primary_key=True),
    Column("act_tool", Words, primary_key=True),
    Column("evidence_tool", Words, primary_key=True),
    Column("kind", Words, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
reaches = Table(
    "reaches",
    metadata,
    Column("input", Words, primary_key=True),
    Column("place", Words, primary_key=True),
    Column("through", BigInteger, nullable=False),
    Column("heard_at", BigInteger, nullable=False),
    Column("read_to_end_at", BigInteger, nullable=False),
)
aliases = Table(
    "aliases",
    metadata,
    Column("old", Words, primary_key=True),
    Column("customer", Words, nullable=False, index=True),
)
detections = Table(
    "detections",
    metadata,
    Column("id", Words, primary_key=True),
    Column("rule", Words, nullable=False),
    Column("customer", Words, nullable=False),
    Column("alert", Words),
    Column("at", BigInteger, nullable=False),
    Column("status", Words, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("detections_by_alert", "alert", "at", "id"),
    Index("detections_by_customer", "customer"),
)
alerts = Table(
    "alerts",
    metadata,
    Column("id", Words, primary_key=True),
    Column("rule", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("anchor", Words, nullable=False),
    Column("status", Words, nullable=False),
    Column("version", Integer, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("open", Integer, nullable=False),
    Column("made_good", Integer, nullable=False),
    Column("retracted", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("customer", Words, nullable=False, index=True),
    Column("sentence", Words, nullable=False),
    Column("act_tool", Words, nullable=False),
    Column("evidence_tool", Words, nullable=False),
    Column("attribution", Words, nullable=False),
    Column("known_for", BigInteger),
    Column("gap", BigInteger),
    Column("at", BigInteger, nullable=False),
    Column("campaign", Words),
    Column("incident", Words, nullable=False, index=True),
    Column("snooze_until", BigInteger),
    Column("wake_on_repeat", Boolean, nullable=False),
    Column("undo", Words),
    Column("title", Words, nullable=False),
    Column("severity", Words, nullable=False),
    Column("severity_rank", Integer, nullable=False),
    Column("owner", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("notice", Words),
    Column("incident_id", Words),
    Column("wake_when", Words),
    Column("wake_about", Words),
    Index("alerts_by_key", "rule", "key", "last_at"),
    Index("alerts_newest", "at", "id"),
    Index("alerts_counted", "status", "severity"),
    Index("alerts_asleep", "status", "snooze_until"),
    Index("alerts_by_count", text("count DESC"), text("at DESC"), "id"),
    Index("alerts_by_gap", text("coalesce(gap, -1) DESC"), text("at DESC"), "id"),
    Index("alerts_by_notice", "notice"),
    Index("alerts_by_incident", "incident_id", "at"),
    Index("alerts_waiting", "wake_when", "status"),
    Index("alerts_by_rule", "rule", "status"),
    Index("alerts_by_severity", "severity_rank", text("at DESC"), "id"),
    Index("alerts_by_status_newest", "status", text("at DESC"), "id"),
    Index("alerts_by_status_severity", "status", "severity_rank", text("at DESC"), "id"),
)
audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("alert", Words, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("note", Words, nullable=False),
)
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Words, primary_key=True),
    Column("origin", Words, nullable=False),
    Column("stage", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("path", Words),
    Column("at", BigInteger, nullable=False, index=True),
    Column("original", LargeBinary, nullable=False),
    Index("dead_letters_newest", text("at DESC"), "id"),
)
# What was answered under a key that the asker made up.
answers = Table(
    "answers",
    metadata,
    Column("key", Words, primary_key=True),
    Column("asked", Words, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("answer", LargeBinary, nullable=False),
)
# What people say of alerts; a row outlives its alert, so that the precision of a rule stays.
verdicts = Table(
    "verdicts",
    metadata,
    Column("alert", Words, primary_key=True),
    Column("rule", Words, nullable=False),
    Column("verdict", Words, nullable=False),
    Column("before", Words, nullable=False),
    Index("verdicts_by_rule", "rule", "verdict"),
)
# Who did what to what, as a chain (see audit.chain); the database refuses to change or delete a row.
trail = Table(
    "trail",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("facts", Words, nullable=False),
    Column("seal", Words, nullable=False),
    Index("trail_by_subject", "subject", "number"),
    Index("trail_by_kind", "kind", "number"),
    Index("trail_by_actor", "actor", "number"),
)
# The last entry that was pruned: what is left of the trail begins behind it.
trail_base = Table(
    "trail_base",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("seal", Words, nullable=False),
)
