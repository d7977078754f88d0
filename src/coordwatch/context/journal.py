"""The journal of one customer: facts in order of (time, source, id), each once; enters a projected event, leaves a view.

A late event needs no repair code: insert it and look again. The next room is `rules/evaluate.py`.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from enum import StrEnum

from coordwatch.context.fact import ID, MASK, OBSERVED, SOURCE, TIME, TYPE, Fact, order


class Insertion(StrEnum):
    """What became of a fact offered to a journal; the values are metric label values."""

    ADDED = "added"
    DUPLICATE = "duplicate"
    SEEN_EARLIER = "seen_earlier"
    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    TOO_LATE = "too_late"


def same_content(left: Fact, right: Fact) -> bool:
    """Whether two facts of one identity say the same, apart from `observed_at` (RULES 31)."""
    return left[TIME] == right[TIME] and left[TYPE] == right[TYPE] and left[MASK:] == right[MASK:]


class Journal:
    """The facts of one customer.

    `truncated` names the types of which facts were let go because there were too many, with the time of the newest of
    them; `too_late` counts events that came after facts of their age were let go.
    """

    __slots__ = ("_by_identity", "facts", "too_late", "truncated")

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self.facts: list[Fact] = sorted(facts, key=order)
        self._by_identity: dict[tuple[str, str], Fact] = {(fact[SOURCE], fact[ID]): fact for fact in self.facts}
        self.truncated: dict[str, int] = {}
        self.too_late = 0

    def insert(self, fact: Fact) -> Insertion:
        """Add a fact; of a duplicate the smallest `observed_at` counts, other content is refused (RULES 31)."""
        name = (fact[SOURCE], fact[ID])
        known = self._by_identity.get(name)
        if known is None:
            self._by_identity[name] = fact
            insort(self.facts, fact, key=order)
            return Insertion.ADDED
        if not same_content(known, fact):
            return Insertion.CONFLICTING_DUPLICATE
        if fact[OBSERVED] >= known[OBSERVED]:
            return Insertion.DUPLICATE
        self._by_identity[name] = fact
        self.facts[bisect_left(self.facts, order(fact), key=order)] = fact
        return Insertion.SEEN_EARLIER

    def get(self, source: str, event_id: str) -> Fact | None:
        """The fact of an event, None when it is not kept."""
        return self._by_identity.get((source, event_id))

    def remove(self, gone: Iterable[Fact]) -> None:
        """Let facts go."""
        names = {(fact[SOURCE], fact[ID]) for fact in gone}
        if names:
            for name in names:
                self._by_identity.pop(name, None)
            self.facts = [fact for fact in self.facts if (fact[SOURCE], fact[ID]) in self._by_identity]


def once_each(facts: list[Fact]) -> tuple[list[Fact], int, int]:
    """Facts in arrival order, each identity once and sorted, with how many duplicates and conflicts were dropped.

    The whole-history form of `Journal.insert`: the first accepted content is kept with the smallest `observed_at`.
    """
    kept: dict[tuple[str, str], Fact] = {}
    duplicates = conflicts = 0
    for fact in facts:
        name = (fact[SOURCE], fact[ID])
        known = kept.get(name)
        if known is None:
            kept[name] = fact
        elif same_content(known, fact):
            duplicates += 1
            if fact[OBSERVED] < known[OBSERVED]:
                kept[name] = fact
        else:
            conflicts += 1
    return sorted(kept.values(), key=order), duplicates, conflicts
