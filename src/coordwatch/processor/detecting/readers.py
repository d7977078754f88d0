"""Readers: which customers of one partition had acts that read facts across customers, by what they asked for.

Acts enter; for a fact that comes late, the customers leave whose acts it may concern.
"""

from collections.abc import Iterable

from coordwatch.context.fact import TIME, TYPE, Fact, each_value
from coordwatch.context.journal import LONG_AGO
from coordwatch.context.reference import combinations_of
from coordwatch.engine.arrivals import Read

REMEMBERED = 250_000
_Asked = tuple[str, tuple[int, ...], tuple[object, ...]]


class Readers:
    """Knows the latest acts exactly, by the keys they asked for, and of older ones no more than that there were some.

    A fact no older than `exact_after` concerns only acts that are known; for an older one every customer with acts so late
    must be looked at.
    """

    def __init__(self, exact_after: int = LONG_AGO) -> None:
        self.exact_after = exact_after
        self._asked: dict[_Asked, dict[bytes, int]] = {}
        self._asked_before: dict[_Asked, dict[bytes, int]] = {}
        self._places: dict[str, dict[tuple[int, ...], None]] = {}
        self._size = 0
        self._latest = self._latest_before = LONG_AGO

    def note(self, key: bytes, fact: Fact, reads: Iterable[Read]) -> None:
        """Remember what an act of a customer asks for."""
        time = fact[TIME]
        for event_type, theirs, ours in reads:
            self._places.setdefault(event_type, {})[theirs] = None
            for values in combinations_of([each_value(fact[slot]) for slot in ours]):
                customers = self._asked.setdefault((event_type, theirs, values), {})
                if customers.get(key, LONG_AGO) < time:
                    customers[key] = time
                    self._size += 1
        self._latest = max(self._latest, time)
        if self._size > REMEMBERED:
            self._turn()

    def of(self, fact: Fact) -> set[bytes]:
        """The customers known to have had an act at or after a fact that asked for one like it."""
        time, event_type = fact[TIME], fact[TYPE]
        found: set[bytes] = set()
        for theirs in self._places.get(event_type, ()):
            for values in combinations_of([each_value(fact[slot]) for slot in theirs]):
                for asked in (self._asked, self._asked_before):
                    customers = asked.get((event_type, theirs, values), {})
                    found.update(key for key, latest in customers.items() if latest >= time)
        return found

    def _turn(self) -> None:
        """Forget what was asked longest ago."""
        self.exact_after = max(self.exact_after, self._latest_before)
        self._asked_before, self._asked, self._size = self._asked, {}, 0
        self._latest_before, self._latest = self._latest, LONG_AGO
