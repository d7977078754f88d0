"""The audit trail in memory: the same chain, for as long as the process lives.

What enters: deeds, questions. What leaves: links. The next room: `store`.
"""

from collections.abc import Iterator, Sequence

from coordwatch.audit.chain import Head, Link, chained
from coordwatch.audit.deed import Deed
from coordwatch.audit.trail import Asked


class MemoryTrail:
    """The Trail of a store in memory."""

    def __init__(self) -> None:
        self._links: list[Link] = []

    def add(self, deeds: Sequence[Deed]) -> None:
        self._links += chained(self.head(), deeds)

    def head(self) -> Head:
        return Head(self._links[-1].number, self._links[-1].seal) if self._links else Head()

    def page(self, asked: Asked, limit: int) -> list[Link]:
        return [link for link in reversed(self._links) if asked.takes(link)][:limit]

    def links(self, after: int | None = None) -> Iterator[Link]:
        yield from self._links[after or 0 :]
