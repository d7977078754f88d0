"""The journal of one customer: facts in order of (time, source, id), each once; enters a projected event, leaves a view.

A late event needs no repair code: insert it and look again. The next room is `rules/evaluate.py`.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from coordwatch.context.fact import ID, MASK, OBSERVED, SOURCE, TIME, TYPE, Fact, order

LONG_AGO = -(2**62)


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


Row = tuple[Any, ...]
"""Stands for a fact that was not made yet: its time and its bits where a fact has them, and a number for the name of its
type."""


class Journal:
    """The facts of one customer.

    `present` holds every bit that some fact carries. `truncated` names the types of which facts were let go because there
    were too many, with the time of the newest of them; `too_late` counts events that came after facts of their age were
    let go.

    Takes: facts in any order; or rows in the order of their facts, those of one time as facts, and `make`, which gives the
           fact of one
    """

    __slots__ = ("_by_identity", "_items", "_make", "present", "too_late", "truncated")

    def __init__(
        self, facts: Iterable[Fact] = (), rows: list[Row] | None = None, make: Callable[[Row], Fact] | None = None
    ) -> None:
        self._items: list[Fact | Row] = sorted(facts) if rows is None else rows
        self._make = make
        self._by_identity: dict[tuple[str, str], Fact] | None = None
        self.present = bits_of(self._items)
        self.truncated: dict[str, int] = {}
        self.too_late = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def facts(self) -> list[Fact]:
        """Every fact, in order."""
        if self._make is not None:
            make, self._make = self._make, None
            self._items = [make(one) if one[TYPE].__class__ is int else one for one in self._items]
        return self._items

    @property
    def latest(self) -> int:
        """The time of the newest fact; long ago when there is none."""
        return self._items[-1][TIME] if self._items else LONG_AGO

    def of(self, bits: int) -> list[Fact]:
        """The facts that carry one of these bits, oldest first."""
        items, make = self._items, self._make
        if make is None:
            return [one for one in items if one[MASK] & bits]
        found = [place for place, one in enumerate(items) if one[MASK] & bits]
        for place in found:
            if items[place][TYPE].__class__ is int:
                items[place] = make(items[place])
        return [items[place] for place in found]

    def insert(self, fact: Fact) -> Insertion:
        """Add a fact; of a duplicate the smallest `observed_at` counts, other content is refused (RULES 31)."""
        known = self.get(fact[SOURCE], fact[ID])
        if known is None:
            self.add(fact)
            return Insertion.ADDED
        if not same_content(known, fact):
            return Insertion.CONFLICTING_DUPLICATE
        if fact[OBSERVED] >= known[OBSERVED]:
            return Insertion.DUPLICATE
        self._identities()[(fact[SOURCE], fact[ID])] = fact
        self.facts[bisect_left(self.facts, order(fact), key=order)] = fact
        return Insertion.SEEN_EARLIER

    def add(self, fact: Fact) -> None:
        """Add a fact of which it is known that its event is new."""
        if fact[TIME] > self.latest:
            self._items.append(fact)
        else:
            self._add_late(fact)
        self.present |= fact[MASK]
        if self._by_identity is not None:
            self._by_identity[(fact[SOURCE], fact[ID])] = fact

    def _add_late(self, fact: Fact) -> None:
        items, time = self._items, fact[TIME]
        begin = bisect_left(items, time, key=_time)
        end = bisect_right(items, time, begin, key=_time)
        together = [
            one if self._make is None or one[TYPE].__class__ is str else self._make(one) for one in items[begin:end]
        ]
        insort(together, fact, key=order)
        items[begin:end] = together

    def get(self, source: str, event_id: str) -> Fact | None:
        """The fact of an event, None when it is not kept."""
        return self._identities().get((source, event_id))

    def holds(self, source: str, event_id: str) -> bool:
        """Whether the fact of an event is kept; looked for from the newest on, so that few rows are made facts."""
        if self._by_identity is not None:
            return (source, event_id) in self._by_identity
        items, make = self._items, self._make
        for place in range(len(items) - 1, -1, -1):
            one = items[place]
            if make is not None and one[TYPE].__class__ is int:
                one = items[place] = make(one)
            if one[ID] == event_id and one[SOURCE] == source:
                return True
        return False

    def remove(self, gone: Iterable[Fact]) -> None:
        """Let facts go."""
        names = {(fact[SOURCE], fact[ID]) for fact in gone}
        if names:
            self._items = [fact for fact in self.facts if (fact[SOURCE], fact[ID]) not in names]
            self.present = bits_of(self._items)
            self._by_identity = None

    def _identities(self) -> dict[tuple[str, str], Fact]:
        """Every fact by its identity; made when it is first asked for."""
        if self._by_identity is None:
            self._by_identity = {(fact[SOURCE], fact[ID]): fact for fact in self.facts}
        return self._by_identity


def _time(fact: Fact | Row) -> int:
    return int(fact[TIME])


def bits_of(facts: Iterable[Fact]) -> int:
    """The bits that some facts carry, together."""
    found = 0
    for fact in facts:
        found |= fact[MASK]
    return found


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
