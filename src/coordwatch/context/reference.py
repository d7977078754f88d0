"""Reference facts (stock, outages, flags): kept by type across customers, read as of an act.

Broadcast events enter; `rules/evaluate.py` asks for the facts of a key up to an instant.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

from coordwatch.context.fact import ID, OBSERVED, SOURCE, TIME, TYPE, Fact, each_value, order
from coordwatch.context.journal import Insertion, same_content


class Reference:
    """Facts that belong to no customer, in order, with an index for every combination of key places asked for."""

    __slots__ = ("_by_identity", "_indexes", "facts")

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self.facts: dict[str, list[Fact]] = {}
        self._by_identity: dict[tuple[str, str], Fact] = {}
        self._indexes: dict[tuple[str, tuple[int, ...]], dict[tuple[object, ...], list[Fact]]] = {}
        for fact in facts:
            self.insert(fact)

    def insert(self, fact: Fact) -> Insertion:
        """Add a fact; duplicates and conflicting duplicates as in a journal (RULES 31)."""
        name = (fact[SOURCE], fact[ID])
        known = self._by_identity.get(name)
        if known is not None:
            if not same_content(known, fact):
                return Insertion.CONFLICTING_DUPLICATE
            if fact[OBSERVED] >= known[OBSERVED]:
                return Insertion.DUPLICATE
            self._replace(known, fact)
            return Insertion.SEEN_EARLIER
        self._by_identity[name] = fact
        insort(self.facts.setdefault(fact[TYPE], []), fact, key=order)
        for (event_type, slots), index in self._indexes.items():
            if event_type == fact[TYPE]:
                _put(index, slots, fact)
        return Insertion.ADDED

    def _replace(self, known: Fact, fact: Fact) -> None:
        """Put a copy that was seen earlier in the place of a fact."""
        self._by_identity[(fact[SOURCE], fact[ID])] = fact
        facts = self.facts[fact[TYPE]]
        facts[bisect_left(facts, order(fact), key=order)] = fact
        self._indexes = {name: index for name, index in self._indexes.items() if name[0] != fact[TYPE]}

    def knows(self, source: str, event_id: str) -> bool:
        """Whether a fact of this identity is kept."""
        return (source, event_id) in self._by_identity

    def up_to(self, event_type: str, slots: tuple[int, ...], values: tuple[object, ...], until: int) -> Sequence[Fact]:
        """The facts of a type whose fields at `slots` contain `values`, with time <= until, oldest first."""
        if not slots:
            facts = self.facts.get(event_type, [])
        else:
            index = self._indexes.get((event_type, slots))
            if index is None:
                index = self._indexes[(event_type, slots)] = {}
                for fact in self.facts.get(event_type, []):
                    _put(index, slots, fact)
            facts = index.get(values, [])
        if not facts or facts[-1][TIME] <= until:
            return facts
        return facts[: bisect_left(facts, until + 1, key=_time)]

    def all(self) -> Iterable[Fact]:
        """Every fact, by type, oldest first."""
        for facts in self.facts.values():
            yield from facts

    def forget_before(self, event_type: str, instant: int, slots: tuple[int, ...]) -> list[Fact]:
        """Let go of facts older than an instant, but keep the last one of each key: it still holds.

        Gives: the facts let go
        """
        facts = self.facts.get(event_type, [])
        last: dict[tuple[object, ...], Fact] = {}
        for fact in facts:
            if fact[TIME] < instant:
                last[tuple(fact[slot] for slot in slots)] = fact
        kept = {(fact[SOURCE], fact[ID]) for fact in last.values()}
        gone = [fact for fact in facts if fact[TIME] < instant and (fact[SOURCE], fact[ID]) not in kept]
        self._remove(event_type, gone)
        return gone

    def forget(self, event_type: str, source: str, event_id: str) -> None:
        """Let go of one fact, because somebody else did."""
        fact = self._by_identity.get((source, event_id))
        if fact is not None and fact[TYPE] == event_type:
            self._remove(event_type, [fact])

    def _remove(self, event_type: str, gone: Sequence[Fact]) -> None:
        if gone:
            for fact in gone:
                del self._by_identity[(fact[SOURCE], fact[ID])]
            facts = self.facts[event_type]
            self.facts[event_type] = [fact for fact in facts if (fact[SOURCE], fact[ID]) in self._by_identity]
            self._indexes = {name: index for name, index in self._indexes.items() if name[0] != event_type}


def _time(fact: Fact) -> int:
    return int(fact[TIME])


def _put(index: dict[tuple[object, ...], list[Fact]], slots: tuple[int, ...], fact: Fact) -> None:
    for values in combinations_of([each_value(fact[slot]) for slot in slots]):
        insort(index.setdefault(values, []), fact, key=order)


def combinations_of(choices: Sequence[Sequence[object]]) -> list[tuple[object, ...]]:
    """Every way to take one value of each; none when some choice is empty."""
    combinations: list[tuple[object, ...]] = [()]
    for values in choices:
        combinations = [(*done, value) for done in combinations for value in values]
    return combinations
