"""The stage `detect`, as `processor/stage.py` asks for it: the partitions of one process, and what they share.

Slices of the events enter, and records of the broadcast facts. What leaves: states, counts, changes of detections, and
events that go back to identity.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from coordwatch.codec import NotJson, decode_json
from coordwatch.engine.state import entry_from_plain, fact_of
from coordwatch.events.filed import decode_filed, filed_from
from coordwatch.events.times import HOUR
from coordwatch.events.wire import Rejected, RejectReason, event_from
from coordwatch.ports import ToolCount
from coordwatch.processor.asking import Known
from coordwatch.processor.detecting.partition import Partition
from coordwatch.processor.detecting.reaches import Watched
from coordwatch.processor.detecting.site import DetectSettings, Site
from coordwatch.processor.forgetting import FORGET, UNNAME
from coordwatch.processor.letters import Origin
from coordwatch.processor.marks import MARK, mark_of
from coordwatch.processor.outcomes import BadRecord
from coordwatch.processor.readings import StateReading
from coordwatch.processor.stage import KIND, Output, Place, Slice
from coordwatch.rules.plan import Plan
from coordwatch.rules.spec import RuleSpec

REASK, MOVE, LOST = "reask", "move", "lost"
FORGET_EVERY = HOUR


class Detecting:
    """The stage. `disabled` says of rules that no input can feed why."""

    role = "detect"

    def __init__(self, specs: Sequence[RuleSpec], settings: DetectSettings, watched: Sequence[Watched]) -> None:
        self._site = Site(specs, settings, watched)
        self._topics = settings.topics
        self._partitions: dict[Place, Partition] = {}
        self._tombstones: list[Output] = []
        self._forgot_at = 0

    @property
    def inputs(self) -> Sequence[str]:
        """The events, split by customer."""
        return (self._topics.events,)

    @property
    def changelog(self) -> str:
        """The states of customers."""
        return self._topics.detect_state

    @property
    def broadcast(self) -> str:
        """The facts that concern all customers."""
        return self._topics.facts

    @property
    def disabled(self) -> Mapping[str, str]:
        """The rules that no input can feed, and why."""
        return self._site.disabled

    @property
    def stopped(self) -> Mapping[Place, str]:
        """Never: what cannot be used is a dead letter."""
        return {}

    @property
    def pending(self) -> bool:
        """Whether anything is not durable yet."""
        return bool(self._tombstones) or any(one.pending for one in self._partitions.values())

    # ---- for any thread

    @property
    def plan(self) -> Plan:
        """The rules that judge here."""
        return self._site.plan

    @property
    def warming(self) -> Mapping[str, int]:
        """The rules whose facts are not complete yet, and until when."""
        return {rule: until for one in list(self._partitions.values()) for rule, until in one.warming.items()}

    @property
    def held(self) -> StateReading:
        """How much state of customers this process holds."""
        held = [one.held for one in list(self._partitions.values())]
        suppressed = Counter({one.name: 0 for one in self._site.settings.suppressions})
        for one in held:
            suppressed.update(one.suppressed)
        return StateReading(sum(one.keys for one in held), sum(one.bytes for one in held), suppressed)

    def known(self, partition: int, customer: str) -> Known | None:
        """A customer as last committed, None when the partition is not held here."""
        one = self._partitions.get(Place(self._topics.events, partition))
        return None if one is None else one.known(customer)

    def tool_counts(self) -> list[ToolCount]:
        """What the partitions that are held here have counted."""
        summed: Counter[tuple[str, str, str, str]] = Counter()
        for one in list(self._partitions.values()):
            for key, amount in one.books.tool_counts():
                summed[key] += amount
        return [ToolCount(*key, amount) for key, amount in sorted(summed.items())]

    # ---- for the runtime

    def state_partition(self, place: Place) -> int:
        """The state of a partition lies in the partition of the same number."""
        return place.partition

    def assign(self, place: Place, rows: Mapping[bytes, bytes]) -> int | None:
        """Take over a partition; customers stay bytes until they are touched.

        Raises: UnknownSnapshot when a newer program wrote the rows
        """
        partition = self._partitions[place] = Partition(place, self._site, rows)
        return partition.fence

    def revoke(self, places: Sequence[Place]) -> None:
        """Forget partitions."""
        for place in places:
            self._partitions.pop(place, None)

    def take(self, records: Slice, now: int) -> int:
        """Take messages in order; those below the fence were taken before."""
        partition = self._partitions[records.place]
        partition.now = max(partition.now, now)
        start = 0 if partition.fence is None else bisect_left(records.offsets, partition.fence)
        if start < len(records):
            mismatches = self._site.plan.runtime.mismatches
            partition.intake.take(records, start, partition.now, Walk(partition))
            partition.books.note("type_mismatch", self._site.plan.runtime.mismatches - mismatches)
            partition.fence = records.offsets[-1] + 1
        return len(records)

    def hear(self, records: Slice, now: int) -> None:
        """Take facts, once for all partitions; who had read such facts is judged again at the next tick."""
        fresh = self._site.facts.hear(records)
        for partition in self._partitions.values():
            partition.hear(fresh, self._site.facts.end)

    def caught_up(self, place: Place, now: int) -> None:
        """Nothing: how far sources are read is told in band, by marks."""

    def tick(self, now: int) -> None:
        """Judge the acts whose deadline has come; now and then let old facts go."""
        for partition in self._partitions.values():
            partition.tick(now)
        owns_first = any(place.partition == 0 for place in self._partitions)
        if owns_first and now - self._forgot_at >= FORGET_EVERY:
            self._forgot_at = now
            gone = self._site.facts.forget(now)
            self._tombstones += [Output(self._topics.facts, key, None, 0) for key in gone]

    def give(self, now: int) -> Sequence[Output]:
        """Everything that is not durable yet."""
        outputs = [output for one in self._partitions.values() if one.pending for output in one.give()]
        outputs += self._tombstones
        self._tombstones = []
        return outputs


class Walk:
    """The slow way of messages through one partition: kinds of ours, and what cannot be decoded the quick way."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.look = partition.look

    def message(self, records: Slice, index: int) -> None:
        """Take one message by its kind; what cannot be read becomes a dead letter."""
        partition, value = self.partition, records.values[index] or b""
        kind, key = _kind_of(records, index), records.keys[index] or b""
        try:
            if kind is None:
                self._event(records, index, value)
            elif kind == MARK:
                partition.mark(mark_of(value))
            elif kind == REASK:
                plain = decode_json(value)
                partition.reask(key, str(plain["anchor"]), plain["about"])
            elif kind == MOVE:
                self._move(records, index, decode_json(value))
            elif kind == FORGET:
                partition.forget(key)
            elif kind == UNNAME:
                partition.unname(key, str(decode_json(value)["digest"]))
            elif kind == LOST:
                self._lose(records, index, decode_json(value))
            else:
                raise BadRecord(f"no message is of the kind '{kind[:40]}'")
        except (BadRecord, NotJson, KeyError, TypeError, ValueError) as error:
            partition.refuse(_origin(records, index), "message", str(error))

    def _event(self, records: Slice, index: int, value: bytes) -> None:
        partition, filed = self.partition, decode_filed(value)
        if isinstance(filed, Rejected):
            self._refuse(records, index, filed)
            return
        fact = fact_of(filed.event, partition.site.plan)
        if fact is None:
            partition.books.tally("applied")
        else:
            partition.look(records.keys[index] or filed.customer.encode(), fact)

    def _refuse(self, records: Slice, index: int, rejected: Rejected) -> None:
        if rejected.reason is RejectReason.MISSING_ATTRIBUTE and rejected.path == "subject" and not records.keys[index]:
            self.partition.books.tally("dropped", 1, "no_customer")
        else:
            self.partition.refuse(_origin(records, index), rejected.reason.value, rejected.detail, rejected.path)

    def _move(self, records: Slice, index: int, plain: Any) -> None:
        partition, filed = self.partition, filed_from(plain["event"])
        if isinstance(filed, Rejected):
            self._refuse(records, index, filed)
            return
        fact, said = fact_of(filed.event, partition.site.plan), dict(map(entry_from_plain, plain["said"]))
        if fact is None:
            partition.books.tally("applied")
        else:
            partition.move(records.keys[index] or filed.customer.encode(), fact, said)

    def _lose(self, records: Slice, index: int, plain: Any) -> None:
        partition, event = self.partition, event_from(plain["event"])
        if isinstance(event, Rejected):
            self._refuse(records, index, event)
            return
        fact = fact_of(event, partition.site.plan)
        if fact is not None:
            partition.lose(fact, dict(map(entry_from_plain, plain["said"])))


def _kind_of(records: Slice, index: int) -> str | None:
    for name, value in records.headers[index] or ():
        if name == KIND:
            return (value or b"").decode("utf-8", "replace")
    return None


def _origin(records: Slice, index: int) -> Origin:
    return Origin(
        records.place,
        records.offsets[index],
        records.timestamps[index],
        records.values[index],
        records.keys[index],
        records.headers[index] or (),
    )
