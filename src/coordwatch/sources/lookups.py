"""Lookups: how often what the operator says was asked for, and how often nobody had said it.

What enters: the name of a table, or of something about a message. What leaves: counts, taken away by whoever keeps them. The
next room: the processor, which commits them with the records that they are about.
"""

from collections import Counter
from collections.abc import Callable

KNOWN, UNKNOWN = "lookup_known", "lookup_unknown"
Note = Callable[[bool], None]


class Lookups:
    """Counts by name. Only the thread that maps counts and takes."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}

    def note(self, name: str) -> Note:
        """Make the function that counts one lookup of this name: whether it was known."""
        counts = self.counts(name)

        def count(found: bool) -> None:
            counts[found] += 1

        return count

    def counts(self, name: str) -> list[int]:
        """Give the counts of this name, by whether it was known, to be added to where that is written out."""
        return self._counts.setdefault(name, [0, 0])

    def take(self) -> Counter[str]:
        """Give what was counted since this was last asked."""
        taken: Counter[str] = Counter()
        for name, counts in self._counts.items():
            for result, amount in zip((UNKNOWN, KNOWN), counts, strict=True):
                if amount:
                    taken[f"{result}.{name}"] = amount
            counts[:] = (0, 0)
        return taken
