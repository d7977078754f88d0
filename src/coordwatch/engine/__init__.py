"""The engine: what a new event changes for one customer (`step`), and the same for a whole history (`replay`).

Facts and states enter; changes, counts and new states leave. The next room: `processor`, which commits them.
"""
