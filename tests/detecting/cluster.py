"""A log, a changelog and the processes over them, without a broker: what was given is durable, the rest dies in a crash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from coordwatch.codec import encode_json
from coordwatch.context.progress import SourceProgress
from coordwatch.events.event import Event
from coordwatch.events.filed import encode_filed
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY
from coordwatch.events.wire import encode_event, event_to_plain
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.processor.detecting import Detecting, DetectSettings, Watched
from coordwatch.processor.marks import Mark, mark_records
from coordwatch.processor.outcomes import CountLine, Line, Reach, TallyLine, amount_of, change_of, line_of
from coordwatch.processor.stage import KIND, Headers, Output, Place, Slice
from coordwatch.processor.topics import Topics
from coordwatch.rules.detection import DetectionChange, DetectionStatus
from coordwatch.rules.spec import RuleSpec
from tests.laws.subject import engine_event, plain, print_order, specs

TRUSTED = IdentityPolicy(mode=IdentityMode.TRUSTED_ID)
SOURCE = "tools/0"
EVERYTHING = (Watched(SourceProgress("tools", frozenset(TYPES), publishing_delay=0), (SOURCE,)),)
Record = tuple[bytes | None, bytes | None, Headers | None]


@dataclass
class Cluster:
    """The topics under one prefix: the events, the facts, and everything that was ever given, as one transaction each."""

    rules: Sequence[RuleSpec]
    watched: Sequence[Watched] = EVERYTHING
    topics: Topics = field(default_factory=lambda: Topics("t", 2))
    settings: Mapping[str, Any] = field(default_factory=dict)
    events: dict[int, list[Record]] = field(default_factory=dict)
    facts: list[Record] = field(default_factory=list)
    rows: dict[int, dict[bytes, bytes]] = field(default_factory=dict)
    offsets: dict[int, int] = field(default_factory=dict)
    changes: list[DetectionChange] = field(default_factory=list)
    ledger: dict[Line, int] = field(default_factory=dict)
    letters: list[Output] = field(default_factory=list)
    identity: list[Output] = field(default_factory=list)
    suppressions: dict[bytes, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for partition in range(self.topics.partitions):
            self.events.setdefault(partition, [])
            self.rows.setdefault(partition, {})

    @classmethod
    def of(cls, rules: Sequence[Mapping[str, Any]], shared: Mapping[str, Any] | None = None, **more: Any) -> Cluster:
        """A cluster for rule documents; nothing is forgotten for a thousand days unless the settings say so."""
        return cls(specs(rules, shared), **more)

    def stage(self) -> Detecting:
        """A new process, which has heard every fact and holds no partition."""
        settings = DetectSettings(self.topics, **{"identity": TRUSTED, "lateness": 1000 * DAY, **self.settings})
        return Detecting(self.rules, settings, self.watched)

    # ---- what others write

    def partition_of(self, customer: str) -> int:
        return crc32(customer.encode()) % self.topics.partitions

    def file(self, event: Mapping[str, Any] | Event, customer: str | None = None) -> None:
        """An event as ingest sends it on: a fact where its type says so, and to its customer where it has one."""
        one = event if isinstance(event, Event) else engine_event(event)
        owner = customer or one.subject
        if TYPES[one.type].broadcast:
            self.facts.append((f"{one.type}\x1f{one.source}\x1f{one.id}".encode(), encode_event(one), None))
        if owner is not None:
            bare = Event(one.source, one.id, one.type, one.time, one.observed_at, None, one.data)
            self.events[self.partition_of(owner)].append((owner.encode(), encode_filed(bare, owner), None))

    def send(self, customer: str, kind: str, value: Mapping[str, Any]) -> None:
        """A message of a kind of ours."""
        record = (customer.encode(), encode_json(value), ((KIND, kind.encode()),))
        self.events[self.partition_of(customer)].append(record)

    def move(self, event: Mapping[str, Any], customer: str, said: Sequence[Any]) -> None:
        """An event that comes back from identity."""
        one = event_to_plain(engine_event({**event, "subject": customer}))
        self.send(customer, "move", {"event": one, "said": said})

    def lose(self, event: Mapping[str, Any], said: Sequence[Any]) -> None:
        """An event that identity gives up after it had a customer; such a message may lie in any partition."""
        self.send("nobody", "lost", {"event": event_to_plain(engine_event(event)), "said": said})

    def mark(self, through: int, heard_at: int | None = None, read_to_end_at: int | None = None, **words: Any) -> None:
        """How far a source is read, told to every partition."""
        heard = through if heard_at is None else heard_at
        reach = Reach(through, heard, heard if read_to_end_at is None else read_to_end_at)
        name, place = words.get("name", "tools"), words.get("place", SOURCE)
        mark = Mark({name: {place: reach}}, words.get("by", ""), words.get("of", 1))
        for output in mark_records(self.topics.events, self.topics.partitions, mark):
            self.events[output.partition or 0].append((None, output.value, output.headers))

    # ---- what was given

    def apply(self, outputs: Sequence[Output], offsets: Mapping[int, int]) -> None:
        """One transaction."""
        for output in outputs:
            if output.topic == self.topics.detect_state:
                assert output.partition is not None
                assert output.key is not None
                rows = self.rows[output.partition]
                if output.value is None:
                    rows.pop(output.key, None)
                else:
                    rows[output.key] = output.value
            elif output.topic == self.topics.suppressions:
                assert output.key is not None
                assert output.partition == self.partition_of(output.key.decode())
                self.suppressions.pop(output.key, None)
                if output.value is not None:
                    self.suppressions[output.key] = output.value
            elif output.topic == self.topics.detections:
                self.changes.append(change_of(output.value or b""))
            elif output.topic == self.topics.ledger:
                self.ledger[line_of(output.key or b"")] = amount_of(output.value or b"")
            elif output.topic == self.topics.facts:
                self.facts.append((output.key, output.value, None))
            else:
                where = {self.topics.dead_letters: self.letters, self.topics.identity: self.identity}
                where[output.topic].append(output)
        self.offsets.update(offsets)

    def standing(self) -> list[dict[str, Any]]:
        """What stands by everything that was ever given, as `replay` prints it."""
        last = {change.detection.id: change.detection for change in self.changes}
        found = [
            {
                "rule": one.rule,
                "customer": one.customer,
                "act": {"source": one.act.source, "id": one.act.id, "type": one.act.type, "time": one.act.time},
                "at": one.at,
                "evidence": [{"step": each.step, "source": each.source, "id": each.id} for each in one.evidence],
                "status": one.status.value,
            }
            for one in last.values()
            if one.status is not DetectionStatus.RETRACTED
        ]
        return sorted(plain(found), key=print_order)

    def counts(self, *without: str) -> Counter[tuple[str, int, str, str, str]]:
        """The ledger over all partitions, but for some kinds; what is nothing is left out."""
        found: Counter[tuple[str, int, str, str, str]] = Counter()
        for line, amount in self.ledger.items():
            if isinstance(line, CountLine) and line.kind not in without:
                found[line.rule, line.hour, line.act_tool, line.evidence_tool, line.kind] += amount
        return Counter({name: amount for name, amount in found.items() if amount})

    def tallies(self) -> dict[str, int]:
        """What was counted over all partitions."""
        found: Counter[str] = Counter()
        for line, amount in self.ledger.items():
            if isinstance(line, TallyLine):
                found[line.name] += amount
        return {name: amount for name, amount in found.items() if amount}


class Worker:
    """One process over a cluster. What it takes is durable when it commits."""

    def __init__(self, cluster: Cluster, partitions: Sequence[int] | None = None) -> None:
        self.cluster, self.heard = cluster, 0
        self.stage = cluster.stage()
        self.positions: dict[int, int] = {}
        self.hear()
        for partition in range(cluster.topics.partitions) if partitions is None else partitions:
            self.assign(partition)

    def assign(self, partition: int) -> None:
        """Take over a partition, from what is durable."""
        fence = self.stage.assign(self.place(partition), dict(self.cluster.rows[partition]))
        self.positions[partition] = max(self.cluster.offsets.get(partition, 0), fence or 0)

    def revoke(self, partition: int) -> None:
        self.stage.revoke([self.place(partition)])
        del self.positions[partition]

    def place(self, partition: int) -> Place:
        return Place(self.cluster.topics.events, partition)

    def take(self, partition: int, count: int, now: int) -> int:
        """Take so many records of a partition, or as many as there are."""
        at = self.positions[partition]
        records = self.cluster.events[partition][at : at + count]
        if records:
            self.positions[partition] += self.stage.take(slice_of(self.place(partition), records, at), now)
        return len(records)

    def hear(self, count: int = 10**9, now: int = 0) -> None:
        """Hear so many facts, or as many as there are."""
        records = self.cluster.facts[self.heard : self.heard + count]
        if records:
            self.stage.hear(slice_of(Place(self.cluster.topics.facts, 0), records, self.heard), now)
        self.heard += len(records)

    def commit(self, now: int) -> None:
        """Make everything durable."""
        if self.stage.pending:
            self.cluster.apply(self.stage.give(now), self.positions)
        assert not self.stage.pending

    def settle(self, now: int) -> None:
        """Take and hear everything, let all deadlines pass, commit."""
        self.hear(now=now)
        for partition in self.positions:
            while self.take(partition, 1000, now):
                pass
        self.stage.tick(now)
        self.commit(now)
        for _ in range(100):
            self.stage.tick(now)
            if not self.stage.pending:
                return
            self.commit(now)
        raise AssertionError("ticks never come to rest")


def slice_of(place: Place, records: Sequence[Record], start: int) -> Slice:
    """Records as a runtime hands them over."""
    keys, values, headers = zip(*records, strict=True)
    offsets = list(range(start, start + len(records)))
    return Slice(place, offsets, list(keys), list(values), list(headers), [0] * len(records))
