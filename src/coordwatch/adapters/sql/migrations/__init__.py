"""The revisions of the tables, oldest first: each once written stays as it is, for SQLite and PostgreSQL alike.

What enters: a database of any revision before. What leaves: one of the newest. The next room: `migrating`, which runs them.
"""
