"""A log and a stage over it, without a broker: what was given is durable, what was not is gone with a crash."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from coordwatch.codec import encode_json, unpack
from coordwatch.context.progress import SourceProgress
from coordwatch.events.filed import Filed, decode_filed
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import HOUR, MINUTE, SECOND, format_time, parse_time
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.processor.ingesting import Ingest, IngestSettings, SourceTopic
from coordwatch.processor.outcomes import ReachLine, TallyLine, amount_of, line_of
from coordwatch.processor.records import CANONICAL
from coordwatch.processor.stage import KIND, Headers, Output, Place, Slice
from coordwatch.processor.topics import Topics
from coordwatch.sources.mapper import Mapper
from tests.identity.whose import accounts, whose
from tests.sources.shipped import shipped_mapper

NOW = parse_time("2026-03-02T12:00:00Z")
CRM, MAIL, BACK = Place("crm.events", 0), Place("sendgrid.events", 1), Place("t.replayed", 0)
TOPICS = Topics("t", 3)
TRUSTED = IdentityPolicy(mode=IdentityMode.TRUSTED_ID)
GRAPH = IdentityPolicy()


def source(topic: str, mapping: str | None = CANONICAL, **progress: Any) -> SourceTopic:
    """A topic that is read; its input is called as the topic is up to its first dot."""
    name = topic.split(".", 1)[0]
    declared = SourceProgress(name, frozenset(TYPES), publishing_delay=MINUTE)
    return SourceTopic(topic, mapping, replace(declared, **progress))


CRM_SOURCE, MAIL_SOURCE = source("crm.events"), source("sendgrid.events", "sendgrid")


def site(*sources: SourceTopic, identity: IdentityPolicy = TRUSTED, **more: Any) -> IngestSettings:
    return IngestSettings(TOPICS, sources, identity, **more)


@dataclass(frozen=True)
class Line:
    """One record of a log."""

    value: bytes | None
    headers: Headers | None = None
    key: bytes | None = None
    timestamp: int = NOW


def canonical(id: str, type: str = "service.case.opened", at: int = NOW - HOUR, **more: Any) -> Line:
    data = more.pop("data", {"case": "K1", "kind": "complaint"})
    plain = {"specversion": "1.0", "source": "/crm", "id": id, "type": type, "time": format_time(at), "data": data}
    return Line(encode_json({**plain, **more}))


def stock(id: str, **more: Any) -> Line:
    return canonical(id, "inventory.level.changed", data={"item": "SKU-1", "available": 0, "location": "Lyon"}, **more)


def mail(*rows: dict[str, Any], **more: Any) -> Line:
    basics = {"email": "mina@example.com", "timestamp": (NOW - HOUR) // SECOND, "event": "processed"}
    basics |= {"sg_message_id": "m-1", "category": "spring", "customer_id": "C-1"}
    return Line(encode_json([{**basics, "sg_event_id": f"e{n}", **row} for n, row in enumerate(rows)]), **more)


def filed(output: Output) -> Filed:
    found = decode_filed(output.value or b"")
    assert isinstance(found, Filed)
    assert output.key == found.customer.encode()
    return found


def slice_of(place: Place, lines: Iterable[Line], start: int = 0) -> Slice:
    found = Slice(place)
    for offset, line in enumerate(lines, start):
        found.offsets.append(offset)
        found.keys.append(line.key)
        found.values.append(line.value)
        found.headers.append(line.headers)
        found.timestamps.append(line.timestamp)
    return found


def kind_of(output: Output) -> bytes | None:
    return dict(output.headers).get(KIND)


CRM, MAIL, BACK = Place("crm.events", 0), Place("sendgrid.events", 1), Place(TOPICS.replayed, 0)
CRM_SOURCE, MAIL_SOURCE = source("crm.events"), source("sendgrid.events", "sendgrid")


@dataclass
class Shore:
    """Everything durable: what was given, in order, and the offsets that were committed with it."""

    given: list[Output] = field(default_factory=list)
    committed: Counter[Place] = field(default_factory=Counter)

    def on(self, topic: str) -> list[Output]:
        return [one for one in self.given if one.topic == topic and kind_of(one) != b"mark"]

    def marks(self) -> list[Output]:
        return [one for one in self.given if kind_of(one) == b"mark"]

    def compacted(self, topic: str) -> dict[bytes, bytes]:
        return {one.key or b"": one.value or b"" for one in self.given if one.topic == topic}

    def tallies(self) -> dict[str, dict[str, int]]:
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for key, value in self.compacted(TOPICS.ledger).items():
            line = line_of(key)
            if isinstance(line, TallyLine):
                assert line.stage == "ingest"
                found[line.place] |= accounts({line.name: amount_of(value)})
            else:
                assert isinstance(line, ReachLine)
        return dict(found)

    def whose(self) -> dict[str, int]:
        """How events came to their customers, over all places."""
        summed: Counter[str] = Counter()
        for key, value in self.compacted(TOPICS.ledger).items():
            line = line_of(key)
            if isinstance(line, TallyLine):
                summed.update(whose({line.name: amount_of(value)}))
        return dict(summed)

    def states(self) -> dict[bytes, Any]:
        return {key: unpack(value) for key, value in self.compacted(TOPICS.ingest_state).items()}

    def check_the_books(self) -> None:
        """`in` is the sum of what became of everything, for each partition, and each reason is counted once.

        Applied at the door is what says that somebody must be forgotten.
        """
        for place, names in self.tallies().items():
            parts = [names.get(name, 0) for name in ("passed", "applied", "dropped", "dead_lettered")]
            assert names.get("in", 0) == sum(parts), (place, names)
            for status in ("dropped", "dead_lettered"):
                reasons = sum(amount for name, amount in names.items() if name.startswith(f"{status}."))
                assert names.get(status, 0) == reasons, (place, names)


class Process:
    """One life of a stage; `shore` outlives it."""

    def __init__(
        self, ingest: IngestSettings, shore: Shore, places: Sequence[Place], mapper: Mapper | None = None
    ) -> None:
        self.shore, self.stage = shore, Ingest(ingest, mapper or shipped_mapper())
        self.positions: Counter[Place] = Counter()
        rows = shore.compacted(TOPICS.ingest_state)
        for place in places:
            self.stage.assign(place, rows)
            self.positions[place] = shore.committed[place]

    def take(self, place: Place, log: Sequence[Line], count: int, now: int = NOW) -> int:
        """Take the next records of a log; gives how many were taken."""
        start = self.positions[place]
        taken = self.stage.take(slice_of(place, log[start : start + count], start), now)
        self.positions[place] += taken
        return taken

    def give(self, now: int = NOW) -> list[Output]:
        """Commit: everything that was given, with the offsets."""
        outputs = list(self.stage.give(now))
        self.shore.given += outputs
        self.shore.committed.update(self.positions - self.shore.committed)
        assert not self.stage.pending
        return outputs


def run(ingest: IngestSettings, logs: dict[Place, list[Line]], mapper: Mapper | None = None) -> Shore:
    """Take everything undisturbed, and commit once."""
    shore = Shore()
    process = Process(ingest, shore, list(logs), mapper)
    for place, log in logs.items():
        process.take(place, log, len(log))
    process.give()
    return shore
