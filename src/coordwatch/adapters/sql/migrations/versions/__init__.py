"""One module a revision: its `revision` is its number, its `down_revision` the one before.

What enters: a database of the revision before. What leaves: one of this. The next room: none; `env` walks through them.
"""
