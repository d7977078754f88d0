"""Deadlines: which customers of one partition must be judged next, by what their acts wait for.

Deadlines enter; those whose time has come and is proven leave. What waits for a source that is behind, or dark, stands in
nobody's way.
"""

from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush

Run = tuple[int, bytes]


class Deadlines:
    """The deadlines of one partition, in a heap for each group of rules that wait for the same sources.

    Of customers that were restored only the next deadline is known, and not what it waits for: they have a heap of their
    own until they are looked at. A deadline that no longer holds is passed over when it comes up.
    """

    def __init__(self, groups: int, restored: Iterable[Run] = ()) -> None:
        self._heaps: list[list[Run]] = [[] for _ in range(groups)]
        self._restored = list(restored)
        heapify(self._restored)

    def __len__(self) -> int:
        return len(self._restored) + sum(map(len, self._heaps))

    def push(self, group: int, deadline: int, key: bytes) -> None:
        """Note a deadline of a customer."""
        heappush(self._heaps[group], (deadline, key))

    def due(self, proven: Sequence[int], most: int, deadline_of: Callable[[bytes], int]) -> list[bytes]:
        """The customers with a deadline that has come and is proven, each once.

        Takes: `proven`, up to when the sources of each group are read; `deadline_of`, the next deadline of a customer as it
               now is
        """
        found: dict[bytes, None] = {}
        heaps = [*zip(self._heaps, proven, strict=True), (self._restored, max(proven, default=0))]
        for heap, until in heaps:
            while heap and heap[0][0] <= until and len(found) < most:
                deadline, key = heappop(heap)
                if deadline_of(key) <= deadline:
                    found[key] = None
        return list(found)
