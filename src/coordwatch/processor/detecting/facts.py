"""Facts: what concerns all customers, heard once by a process whatever the number of its partitions.

Records of the broadcast topic enter; facts that are new leave, for the partitions to look again at who read such facts.
"""

from bisect import bisect_left

from coordwatch.context.fact import ID, SOURCE, TYPE, Fact
from coordwatch.context.journal import Insertion
from coordwatch.context.reference import Reference
from coordwatch.engine.retention import Retention
from coordwatch.engine.state import fact_of
from coordwatch.events.wire import Rejected, decode_event
from coordwatch.processor.stage import Slice
from coordwatch.rules.plan import Plan

_NEW = (Insertion.ADDED, Insertion.SEEN_EARLIER)


class Facts:
    """The facts of one process; `end` is the offset of the next record, `unreadable` how many records were no events."""

    def __init__(self, plan: Plan, retention: Retention) -> None:
        self._plan, self._retention = plan, retention
        self.reference = Reference()
        self.end = 0
        self.unreadable = 0
        self._heard: list[tuple[int, Fact]] = []

    def hear(self, records: Slice) -> list[Fact]:
        """Take records. Gives: the facts that are new, or were seen earlier than was known."""
        fresh: list[Fact] = []
        for offset, key, value in zip(records.offsets, records.keys, records.values, strict=True):
            self.end = offset + 1
            if value is None:
                self._forget(key)
                continue
            event = decode_event(value)
            if isinstance(event, Rejected):
                self.unreadable += 1
                continue
            fact = fact_of(event, self._plan)
            if fact is not None and self.reference.insert(fact) in _NEW:
                fresh.append(fact)
                self._heard.append((offset, fact))
        return fresh

    def since(self, offset: int) -> list[Fact]:
        """The facts heard at or after an offset."""
        first = bisect_left(self._heard, offset, key=lambda one: one[0])
        return [fact for _, fact in self._heard[first:] if self.reference.knows(fact[SOURCE], fact[ID])]

    def of(self, event_type: str) -> list[Fact]:
        """A copy of the facts of a type; any thread may ask."""
        return list(self.reference.facts.get(event_type, ()))

    def forget(self, now: int) -> list[bytes]:
        """Let go of facts that no act can read any more, but for the last one of each key. Gives: the keys of their rows."""
        gone: list[Fact] = []
        for event_type, slots in self._plan.reading_slots().items():
            age = self._retention.facts.get(event_type)
            if age is not None:
                gone += self.reference.forget_before(event_type, now - age, slots)
        if gone:
            self._heard = [one for one in self._heard if self.reference.knows(one[1][SOURCE], one[1][ID])]
        return [fact_key(fact) for fact in gone]

    def _forget(self, key: bytes | None) -> None:
        """Another process let a fact go."""
        event_type, *name = (key or b"").decode("utf-8", "replace").split("\x1f")
        if len(name) == 2:
            self.reference.forget(event_type, name[0], name[1])


def fact_key(fact: Fact) -> bytes:
    """The key of a fact's row on the broadcast topic."""
    return f"{fact[TYPE]}\x1f{fact[SOURCE]}\x1f{fact[ID]}".encode()
