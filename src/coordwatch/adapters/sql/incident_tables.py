"""The tables of incidents: what goes on, which alerts wait for a place, whom to repair, and what could have caused it.

What enters: nothing.
What leaves: SQLAlchemy tables.
The next room: `incident_book` and `incidents`, which keep them.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, text

from coordwatch.adapters.sql.schema import metadata
from coordwatch.adapters.sql.words import Words

# `stirred` says that something of it changed since it was last summed up; what is summed up stands from `title` on.
incidents = Table(
    "incidents",
    metadata,
    Column("id", Words, primary_key=True),
    Column("anchor", Words, nullable=False),
    Column("status", Words, nullable=False),
    Column("version", Integer, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("undo", Words),
    Column("taken_by", Words, nullable=False),
    Column("quiet_rank", Integer),
    Column("severity_rank", Integer, nullable=False),
    Column("apart", Boolean, nullable=False),
    Column("merged_into", Words),
    Column("acted_at", BigInteger),
    Column("note", Words, nullable=False),
    Column("stirred", Boolean, nullable=False),
    Column("summed_at", BigInteger, nullable=False),
    Column("title", Words, nullable=False),
    Column("severity", Words, nullable=False),
    Column("alerts", Integer, nullable=False),
    Column("live", Integer, nullable=False),
    Column("customers", Integer, nullable=False),
    Column("to_repair", Integer, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("causes", LargeBinary, nullable=False),
    Index("incidents_newest", text("last_at DESC"), "id"),
    Index("incidents_by_status", "status", text("last_at DESC"), "id"),
    Index("incidents_stirred", "stirred"),
)
# From when to when an incident holds alerts of one cause of their own.
spans = Table(
    "incident_spans",
    metadata,
    Column("incident", Words, primary_key=True),
    Column("home", Words, primary_key=True),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Index("incident_spans_by_home", "home"),
)
# What was known of an alert when it was placed; one row for each mark.
placed = Table(
    "placed",
    metadata,
    Column("alert", Words, primary_key=True),
    Column("mark", Words, primary_key=True),
    Column("home", Words, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("placed_by_mark", "mark"),
)
# The alerts that an incident had when it was put into another one, so that it can be taken out again.
brought_along = Table(
    "brought_along",
    metadata,
    Column("incident", Words, primary_key=True),
    Column("alert", Words, primary_key=True),
    Index("brought_along_by_alert", "alert"),
)
unplaced = Table(
    "unplaced",
    metadata,
    Column("alert", Words, primary_key=True),
    Column("raised_at", BigInteger, nullable=False, index=True),
)
incident_audit = Table(
    "incident_audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("incident", Words, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("note", Words, nullable=False),
)
repairs = Table(
    "repairs",
    metadata,
    Column("incident", Words, primary_key=True),
    Column("customer", Words, primary_key=True),
    Column("state", Words, nullable=False),
    Column("by", Words, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("note", Words, nullable=False),
    Column("version", Integer, nullable=False),
)
# Rules and mappings as they are since when, and when sources were dark: what could have caused something.
revisions = Table(
    "revisions",
    metadata,
    Column("kind", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("revision", Words, nullable=False),
    Column("since", BigInteger, nullable=False),
)
darkness = Table(
    "darkness",
    metadata,
    Column("source", Words, primary_key=True),
    Column("since", BigInteger, primary_key=True),
    Column("until", BigInteger),
    Column("tools", Words, nullable=False),
)
