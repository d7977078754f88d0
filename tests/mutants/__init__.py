"""The engine broken on purpose, one place at a time: the suite must notice each."""
