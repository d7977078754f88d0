"""Ranges of topics as a history: records copied into files that are gone with the command, in their own space.

What enters: a KafkaAccess, ranges, perhaps a mapper for a tool's own payloads. What leaves: a History. No group is joined
and nothing is committed. Of the topic of filed events only events are taken: marks and questions between workers are not
the customers' affair, and an event that moved to another customer stands once, where it was moved last.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from coordwatch.adapters.event_files import History, Part, Places
from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.findings import Finding, refuse
from coordwatch.adapters.kafka.ranges import Instant, NoTopicError, Range, read_range
from coordwatch.adapters.kafka.reach import reach
from coordwatch.codec import NotJson, decode_json, encode_json
from coordwatch.events.wire import encode_event
from coordwatch.processor import CANONICAL, Input
from coordwatch.processor.mapping import map_input
from coordwatch.processor.stage import KIND
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import Record

_MOVE = b"move"
_PATIENCE = 5.0
_EVENTS, _FACTS = ".events", ".facts"
_NO_OBJECT = b'""'  # an empty record has a line too, so that it is refused at its place

Told = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """How records are read: `mapping` names the mapping of a topic (None: the mapper finds out), `told` hears of refusals."""

    access: KafkaAccess
    now: int
    mapper: Mapper
    mapping: Callable[[str], str | None]
    told: Told


@dataclass(slots=True)
class _Copy:
    """One topic on its way into a file."""

    path: Path
    file: IO[bytes]
    places: Places = field(default_factory=Places)

    def line(self, text: bytes, record: Record) -> None:
        # A line end inside JSON stands between its parts only, where a blank says the same.
        self.file.write((text.replace(b"\n", b" ") or _NO_OBJECT) + b"\n")
        self.places.add(record.partition, record.offset)


@dataclass(slots=True)
class _Spool:
    """All of it."""

    reading: Reading
    folder: Path
    copies: dict[str, _Copy] = field(default_factory=dict)
    moved: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    refused: int = 0
    latest: int = 0

    def take(self, record: Record) -> None:
        if record.value is None:
            return
        kind = dict(record.headers).get(KIND)
        if kind is not None and kind != _MOVE:
            return
        copy = self._copy_of(record)
        source = self.reading.mapping(record.topic)
        self.latest = max(self.latest, record.timestamp or 0)
        if kind is not None:
            self._move(record, copy)
        elif source == CANONICAL:
            copy.line(record.value, record)
        else:
            self._map(record, source, copy)

    def _map(self, record: Record, source: str | None, copy: _Copy) -> None:
        mapped = map_input(Input(record, source), self.reading.mapper, self.reading.now)
        for event in mapped.events:
            copy.line(encode_event(event), record)
        for refusal in mapped.refused:
            self.refused += 1
            place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            why = {"stage": refusal.stage, "reason": refusal.reason, "path": refusal.path, "detail": refusal.detail}
            self.reading.told({**place, "source": mapped.source, **why})

    def _move(self, record: Record, copy: _Copy) -> None:
        """Take an event at its new customer, and remember that it stands nowhere else."""
        try:
            event = decode_json(record.value or b"")["event"]
            name, customer, at = (event["source"], event["id"]), event["subject"], record.timestamp or 0
        except (NotJson, KeyError, TypeError):
            copy.line(record.value or b"", record)  # refused at its place when it is read
            return
        if name not in self.moved or self.moved[name][0] <= at:
            self.moved[name] = (at, customer)
        copy.line(encode_json(event), record)

    def _copy_of(self, record: Record) -> _Copy:
        found = self.copies.get(record.topic)
        if found is None:
            path = self.folder / f"range-{len(self.copies)}"
            found = self.copies[record.topic] = _Copy(path, path.open("wb"))
        return found

    def close(self) -> None:
        for copy in self.copies.values():
            copy.file.close()

    def history(self) -> History:
        """What was copied, without the events that have moved away."""
        self.close()
        if self.moved:
            gone = {name: customer for name, (_, customer) in self.moved.items()}
            for copy in self.copies.values():
                _leave_out(copy, gone)
        parts = [Part(copy.path, topic) for topic, copy in self.copies.items()]
        places = {topic: copy.places for topic, copy in self.copies.items()}
        filed = all(topic.endswith((_EVENTS, _FACTS)) for topic in places)
        return History(parts, places, self.refused, filed and bool(places))


def _leave_out(copy: _Copy, moved: Mapping[tuple[str, str], str]) -> None:
    """Write a copy again without the lines of moved events that name another customer."""
    kept = Places()
    path = copy.path.with_suffix(".moved")
    with copy.path.open("rb") as lines, path.open("wb") as file:
        for line, partition, offset in zip(lines, copy.places.partitions, copy.places.offsets, strict=True):
            if _stays(line, moved):
                file.write(line)
                kept.add(partition, offset)
    path.replace(copy.path)
    copy.places = kept


def _stays(line: bytes, moved: Mapping[tuple[str, str], str]) -> bool:
    try:
        plain = decode_json(line)
        customer = moved.get((plain["source"], plain["id"]))
    except (NotJson, KeyError, TypeError):
        return True
    return customer is None or bool(customer == plain.get("subject"))


def copy_ranges(reading: Reading, ranges: list[Range], folder: Path) -> tuple[History, list[str]]:
    """Copy ranges into a folder. A range of filed events brings the reference facts beside it that were known by then.

    Gives:  the history, and remarks for whoever looks on
    Raises: PermanentError or TemporaryError when a range cannot be read
    """
    reached = reach(reading.access, _PATIENCE)
    if isinstance(reached, Finding):
        refuse([reached])
    spool, remarks = _Spool(reading, folder), list[str]()
    try:
        for wanted in ranges:
            _copy(spool, wanted, remarks)
        asked = {wanted.topic for wanted in ranges}
        for facts in sorted({_facts_of(wanted.topic) for wanted in ranges} - asked - {""}):
            with suppress(NoTopicError):
                _copy(spool, Range(facts, None, Instant(spool.latest + 1)), remarks)
    finally:
        spool.close()
    return spool.history(), remarks


def _facts_of(topic: str) -> str:
    return topic.removesuffix(_EVENTS) + _FACTS if topic.endswith(_EVENTS) else ""


def _copy(spool: _Spool, wanted: Range, remarks: list[str]) -> None:
    stretches, records = read_range(spool.reading.access, wanted)
    count = 0
    for count, record in enumerate(records, 1):  # noqa: B007 - the last number is the answer
        spool.take(record)
    for one in stretches:
        if one.lost:
            where = f"{wanted.topic}/{one.partition}"
            remarks.append(f"{where}: {one.lost:,} records of the range, before offset {one.begin}, are deleted")
    remarks.append(f"{wanted.topic}: {count:,} records read")
