"""The store in memory: for replays, examples and tests; it passes the same conformance suite as the database.

What enters: Effects, orders and questions.
What leaves: the views of `ports`, for as long as the process lives.
The next room: whoever runs the processor without a database.
"""

from coordwatch.adapters.memory.store import MemoryStore

__all__ = ["MemoryStore"]
