"""Ranges of a topic: `TOPIC@FROM..TO` in, the records that stand between, out; no group is joined, nothing is committed.

An edge is an offset (of every partition), a time of the log, a length of time before now (`-24h`), or nothing: then it is
the beginning, or the end as it stands when the reading begins. FROM belongs to the range, TO does not. Only what was
committed is read. The next room: `replay` and `backtest`, in their own space.
"""

import re
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import reader
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.events.times import parse_duration, parse_time
from coordwatch.sources.record import Record

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_OFFSET = re.compile(r"[0-9]{1,18}")
_PATIENCE = 30.0
_SLICE, _WAIT = 5_000, 0.1  # a slice is waited for until it is full: the last one of a range never is
_GONE = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)
_LEADERLESS = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
_MILLISECOND = 1000


class Offset(NamedTuple):
    """An edge by offset."""

    offset: int


class Instant(NamedTuple):
    """An edge by the time at which the log took a record. Units: microseconds since 1970 UTC."""

    time: int


Edge = Offset | Instant | None


@dataclass(frozen=True, slots=True)
class Range:
    """What is asked for."""

    topic: str
    begin: Edge = None
    end: Edge = None


class Stretch(NamedTuple):
    """What that is in one partition: from `begin` up to, not including, `end`; `lost` were asked for and are deleted."""

    partition: int
    begin: int
    end: int
    lost: int = 0


class NoTopicError(PermanentError):
    """There is no such topic, or it may not be seen."""


def parse_range(text: str, now: int) -> Range:
    """Read `TOPIC`, `TOPIC@FROM..TO`, or either edge alone.

    Raises: ValueError that says what to write
    """
    topic, at, edges = text.partition("@")
    if _TOPIC.fullmatch(topic) is None:
        raise ValueError(f"'{text[:80]}' is no range: write TOPIC@FROM..TO, such as coordwatch.events@-24h..")
    if not at:
        return Range(topic)
    begin, dots, end = edges.partition("..")
    if not dots:
        raise ValueError(f"'{text[:80]}' has no '..': write {topic}@FROM..TO; an edge may be left out")
    found = Range(topic, _edge(begin, now), _edge(end, now))
    if _is_turned(found):
        raise ValueError(f"'{text[:80]}' ends before it begins")
    return found


def _is_turned(found: Range) -> bool:
    begin, end = found.begin, found.end
    return begin is not None and end is not None and type(begin) is type(end) and begin > end


def _edge(text: str, now: int) -> Edge:
    if not text:
        return None
    if _OFFSET.fullmatch(text):
        return Offset(int(text))
    try:
        return Instant(now - parse_duration(text[1:]) if text.startswith("-") else parse_time(text))
    except ValueError as error:
        move = "write an offset, a time such as 2026-01-31T09:30:00Z, or a length of time before now such as -24h"
        raise ValueError(f"'{text[:40]}' is no edge of a range ({error}): {move}") from None


def read_range(
    access: KafkaAccess, wanted: Range, *, patience: float = _PATIENCE
) -> tuple[list[Stretch], Generator[Record]]:
    """Find out where the range lies in each partition, and read it while the second part of the answer is walked.

    Units:  `patience` in seconds
    Raises: PermanentError, also while reading, when it may not or cannot be read; TemporaryError when nobody answers
    """
    stretches = locate(access, wanted, patience=patience)
    return stretches, _records(access, wanted.topic, stretches)


def is_there(access: KafkaAccess, topic: str) -> bool:
    """Whether there is such a topic that we may see; none is made by asking. Raises: as `read_range`."""
    consumer = reader(access)
    try:
        return topic in consumer.list_topics(timeout=_PATIENCE).topics
    except KafkaException as failure:
        raise _refused(topic, failure.args[0]) from None
    finally:
        consumer.close()


def locate(access: KafkaAccess, wanted: Range, *, patience: float = _PATIENCE) -> list[Stretch]:
    """Where a range lies in each partition.

    Units:  `patience` in seconds
    Raises: as `read_range`
    """
    consumer = reader(access)
    try:
        return _stretches(consumer, wanted, patience)
    except KafkaException as failure:
        raise _refused(wanted.topic, failure.args[0]) from None
    finally:
        consumer.close()


def newest(access: KafkaAccess, topic: str, each: int, *, oldest: int = 0) -> Iterator[Record]:
    """At most the newest `each` records of every partition, and the `oldest` ones.

    Raises: as `read_range`
    """
    stretches = locate(access, Range(topic))
    last = [one._replace(begin=max(one.begin, one.end - each)) for one in stretches]
    first = [one._replace(end=min(later.begin, one.begin + oldest)) for one, later in zip(stretches, last, strict=True)]
    for part in (first, last):
        if any(one.begin < one.end for one in part):
            yield from _records(access, topic, part)


def _stretches(consumer: Consumer, wanted: Range, patience: float) -> list[Stretch]:
    """Where the range lies. A topic that was made a moment ago has no leaders yet: they are waited for."""
    until = time.monotonic() + patience
    while True:
        try:
            return _stretches_now(consumer, wanted, patience)
        except KafkaException as failure:
            if failure.args[0].code() not in _LEADERLESS or time.monotonic() > until:
                raise
            consumer.poll(_WAIT)


def _stretches_now(consumer: Consumer, wanted: Range, patience: float) -> list[Stretch]:
    seen = consumer.list_topics(wanted.topic, timeout=patience).topics[wanted.topic]
    if seen.error is not None:
        raise _refused(wanted.topic, seen.error)
    places = [TopicPartition(wanted.topic, number) for number in sorted(seen.partitions)]
    marks = [consumer.get_watermark_offsets(place, timeout=_PATIENCE) for place in places]
    begins = _offsets(consumer, places, wanted.begin, [low for low, _ in marks])
    ends = _offsets(consumer, places, wanted.end, [high for _, high in marks])
    by_offset = isinstance(wanted.begin, Offset)
    return [
        Stretch(place.partition, min(max(begin, low), high), min(end, high), max(low - begin, 0) if by_offset else 0)
        for place, (low, high), begin, end in zip(places, marks, begins, ends, strict=True)
    ]


def _offsets(consumer: Consumer, places: Sequence[TopicPartition], edge: Edge, otherwise: list[int]) -> list[int]:
    if edge is None:
        return otherwise
    if isinstance(edge, Offset):
        return [edge.offset] * len(places)
    milliseconds = max(-(-edge.time // _MILLISECOND), 0)
    asked = [TopicPartition(place.topic, place.partition, milliseconds) for place in places]
    # A time after the last record is answered with -1, which is the end.
    return [1 << 62 if one.offset < 0 else one.offset for one in consumer.offsets_for_times(asked, timeout=_PATIENCE)]


def _records(access: KafkaAccess, topic: str, stretches: Sequence[Stretch]) -> Generator[Record]:
    ends = {one.partition: one.end for one in stretches if one.begin < one.end}
    consumer = reader(access)
    try:
        if ends:
            at = [TopicPartition(topic, one.partition, one.begin) for one in stretches if one.partition in ends]
            consumer.assign(at)
        waits = 0
        while ends:
            messages = consumer.consume(_SLICE, _WAIT)
            waits = 0 if messages else waits + 1
            if waits * _WAIT > _PATIENCE:
                raise TemporaryError(f"the brokers stopped sending {topic}: `coordwatch doctor` says what they can do")
            for message in messages:
                if _is_inside(consumer, message, ends):
                    yield _record(message)
    finally:
        consumer.close()


def _is_inside(consumer: Consumer, message: Message, ends: dict[int, int]) -> bool:
    """Whether this is a record of the range; a partition whose end is reached is read no further."""
    error, place, offset = message.error(), message.partition(), message.offset()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        # A reader needs no right to any group: librdkafka asks for one all the same.
        if error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED and not error.retriable():
            raise _refused(message.topic() or "the topic", error)
        return False
    if place not in ends or offset is None:
        return False
    if error is None and offset < ends[place]:
        return True
    del ends[place]
    consumer.incremental_unassign([TopicPartition(message.topic() or "", place)])
    return False


def _record(message: Message) -> Record:
    kind, milliseconds = message.timestamp()
    return Record(
        message.value(),
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.key(),
        message.headers() or (),
        milliseconds * _MILLISECOND if kind else None,
    )


def _refused(topic: str, error: KafkaError) -> PermanentError | TemporaryError:
    if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION):
        return NoTopicError(f"there is no topic '{topic}', or it may not be seen")
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return PermanentError(f"'{topic}' may not be read: give this user the right Read on it")
    if error.code() in _GONE:
        return PermanentError(f"records of '{topic}' were deleted while they were read: begin later")
    if error.code() < 0:
        return TemporaryError(f"'{topic}' cannot be read: {error.str()}; `coordwatch doctor` says why")
    return PermanentError(f"'{topic}' cannot be read: {error.str()}")
