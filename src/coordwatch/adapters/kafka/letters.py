"""The dead-letter topic as a person uses it: looked through from its end, and sent round again from its beginning.

What enters: a KafkaAccess. What leaves: letters, and copies of their originals on the topic that `ingest` reads besides its
sources. Nothing is ever taken out of the topic. The next room: the command `dead-letters`.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar, cast

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import READER_GROUP, producer, reader
from coordwatch.adapters.kafka.findings import Finding, refuse
from coordwatch.adapters.kafka.reach import reach
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.processor.letters import Letter, again, read_letter
from coordwatch.processor.stage import Headers
from coordwatch.processor.topics import Topics

_CHUNK = 500
_WAIT = 0.5
_END_MILLISECONDS = 50
_PATIENCE = 20.0
_LOOK = 5.0
_MILLISECOND = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Posted:
    """A letter as it lies on its topic, at `offset`. Units: `at` (when it was put there) in microseconds since 1970 UTC."""

    letter: Letter
    offset: int
    at: int


class LetterBox:
    """Reads the topic in no group, as it was when it was opened; only whole transactions are seen.

    Raises: TemporaryError when no broker answers, PermanentError when the topic is not there
    """

    def __init__(self, access: KafkaAccess, topics: Topics) -> None:
        self._access, self._topics = access, topics
        _look(access, topics.dead_letters)
        self._reader = reader(access, READER_GROUP, **{"fetch.wait.max.ms": _END_MILLISECONDS})
        try:
            place = TopicPartition(topics.dead_letters, 0)
            self._low, self._high = self._reader.get_watermark_offsets(place, timeout=_PATIENCE)
        except KafkaException as failure:
            self._reader.close()
            raise self._unanswered(failure.args[0]) from failure

    def close(self) -> None:
        """Let go of the connection."""
        self._reader.close()

    def newest_first(self, pick: Callable[[Posted], T | None], since: int | None = None) -> Iterator[T]:
        """What `pick` makes of each letter, from the last one back to the first.

        Units: `since` in microseconds since 1970 UTC
        """
        first, end = self._first(since), self._high
        while end > first:
            start = max(first, end - _CHUNK)
            picked = [found for posted in self._between(start, end) if (found := pick(posted)) is not None]
            yield from reversed(picked)
            end = start

    def oldest_first(self, since: int | None = None) -> Iterator[Posted]:
        """Every letter in the order of the topic. Units: as `newest_first`."""
        return self._between(self._first(since), self._high)

    def send_again(self, offsets: Iterable[int]) -> int:
        """Send the originals of the letters at these offsets round again, oldest first; gives how many were sent.

        Raises: TemporaryError when not all of them could be sent; sending all of them once more is right then
        """
        chosen = set(offsets)
        if not chosen:
            return 0
        sending = _Sending(producer(self._access))
        for posted in self._between(min(chosen), max(chosen) + 1):
            if posted.offset in chosen:
                sending.send(self._topics.replayed, posted.letter)
        return sending.finish(len(chosen))

    def _first(self, since: int | None) -> int:
        """The offset of the first letter that was put there at or after an instant."""
        if since is None:
            return self._low
        asked = TopicPartition(self._topics.dead_letters, 0, max(0, since // _MILLISECOND))
        try:
            (found,) = self._reader.offsets_for_times([asked], timeout=_PATIENCE)
        except KafkaException as failure:
            raise self._unanswered(failure.args[0]) from failure
        return self._high if found.offset < 0 else max(self._low, found.offset)

    def _between(self, start: int, end: int) -> Iterator[Posted]:
        """The letters from one offset up to another; what is no letter is passed over."""
        if start >= end:
            return
        self._reader.assign([TopicPartition(self._topics.dead_letters, 0, start)])
        give_up_at = time.monotonic() + _PATIENCE
        position = start
        while position < end:
            message = self._reader.poll(_WAIT)
            if message is None:
                if time.monotonic() > give_up_at:
                    raise TemporaryError(f"{self._topics.dead_letters}: no answer at offset {position}; try again")
                continue
            give_up_at = time.monotonic() + _PATIENCE
            error, offset = message.error(), message.offset() or 0
            if error is None:
                posted = _posted(message) if offset < end else None
                if posted is not None:
                    yield posted
                position = offset + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                return  # what is behind it, up to `end`, are the ends of transactions
            elif not error.retriable():
                raise self._unanswered(error)

    def _unanswered(self, error: KafkaError) -> TemporaryError:
        return TemporaryError(
            f"{self._topics.dead_letters} cannot be read from {self._access.bootstrap} ({error.str()}): "
            "'coordwatch doctor' says why"
        )


def _look(access: KafkaAccess, topic: str) -> None:
    """See that the topic is there, in one piece as we create it."""
    found = reach(access, _LOOK)
    if isinstance(found, Finding):
        refuse([found])
        return
    partitions = found.topics.get(topic)
    if partitions is None:
        raise PermanentError(
            f"there is no topic '{topic}' that we may read: has 'coordwatch worker' run with this prefix? "
            "'coordwatch doctor' says what is missing"
        )
    if partitions != 1:
        raise PermanentError(
            f"'{topic}' has {partitions} partitions and must have 1: 'coordwatch doctor' says what to do"
        )


class _Sending:
    """Records on their way, and what became of them."""

    def __init__(self, way: Producer) -> None:
        self._way = way
        self._sent = 0
        self._failed: list[KafkaError] = []

    def send(self, topic: str, letter: Letter) -> None:
        output = again(topic, letter)
        put = partial(self._way.produce, output.topic, output.value, output.key, on_delivery=self._told)
        while True:
            try:
                put(headers=list(output.headers))
                break
            except BufferError:
                self._way.poll(_WAIT)
        self._way.poll(0)

    def finish(self, wanted: int) -> int:
        """Wait until each is acknowledged."""
        left = self._way.flush(_PATIENCE)
        if self._failed or left or self._sent < wanted:
            why = (
                self._failed[0].str() if self._failed else "the brokers did not answer, or the letters are gone by now"
            )
            raise TemporaryError(
                f"{self._sent} of {wanted} records were sent ({why}); send all of them once more: what was sent already "
                "changes nothing"
            )
        return self._sent

    def _told(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._sent += 1
        else:
            self._failed.append(error)


def _posted(message: Message) -> Posted | None:
    headers = cast(Headers | None, message.headers())  # what was read is a list of pairs, with bytes as they came
    letter = read_letter(message.value(), headers)
    offset, (_, milliseconds) = message.offset(), message.timestamp()
    return None if letter is None or offset is None else Posted(letter, offset, milliseconds * _MILLISECOND)
