"""A database as programs before revisions left it: whatever came later is taken out.

What enters: a raw connection to a SQLite file of today. What leaves: the same with the tables, columns and indexes of then.
The next room: the tests that bring such files up.
"""

import sqlite3

TABLES = {
    "aliases", "alerts", "audit", "dead_letters", "deadlines", "detections", "items", "ledger", "meta", "positions", "reaches",
    "tallies",
}  # fmt: skip
NEWER_INDEXES = {
    "alerts_counted", "alerts_by_rule", "alerts_asleep", "alerts_by_count", "alerts_by_gap", "alerts_by_severity", "alerts_by_status_newest",
    "alerts_by_status_severity", "alerts_by_incident", "alerts_waiting", "dead_letters_newest",
}  # fmt: skip
NEWER_COLUMNS = {"alerts": ("incident_id", "wake_when", "wake_about")}


def take_out_what_is_newer(raw: sqlite3.Connection) -> None:
    """Drop it."""
    there = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in there:
        if name not in TABLES and not name.startswith("sqlite_"):
            raw.execute(f"DROP TABLE {name}")
    indexes = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'index'")]
    for name in indexes:
        if name in NEWER_INDEXES:
            raw.execute(f"DROP INDEX {name}")
    for table, columns in NEWER_COLUMNS.items():
        for column in columns:
            raw.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    raw.execute("CREATE INDEX alerts_by_status ON alerts (status, at)")
