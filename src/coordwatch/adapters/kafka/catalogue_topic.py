"""A catalogue on a compacted topic: each record is one part of it, the newest of each key counts.

What enters: a KafkaAccess and a topic; the value of a record is the text of a catalogue, its key a name. What leaves: the
parts laid together by key, and the problems of those that cannot be read, of which the last good edition stays. The next
room: `catalogue_keeper`, which looks from time to time. No group is joined.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import reader
from coordwatch.errors import DocumentError, TemporaryError
from coordwatch.sources.catalogue import Catalogue, laid_together

Parse = Callable[[str, str], Catalogue]
_PATIENCE = 20.0
_BATCH = 500
_WAIT = 0.2


@dataclass(slots=True)
class Parts:
    """The parts of a catalogue by key; pure, so that what becomes of an edit can be tried without brokers."""

    parse: Parse
    good: dict[str, Catalogue] = field(default_factory=dict)
    broken: dict[str, list[str]] = field(default_factory=dict)

    def take(self, key: bytes | None, value: bytes | None, place: str) -> None:
        """Take one record; without a value its part is gone."""
        name = (key or b"").decode("utf-8", "replace")
        self.broken.pop(name, None)
        if value is None:
            self.good.pop(name, None)
            return
        try:
            self.good[name] = self.parse(value.decode("utf-8-sig"), f"{place} key '{name[:80]}'")
        except DocumentError as error:
            self.broken[name] = [str(problem) for problem in error.problems]
        except UnicodeDecodeError:
            self.broken[name] = [f"{place} key '{name[:80]}': this is not UTF-8 text"]

    @property
    def catalogue(self) -> Catalogue:
        """Everything that can be read, in the order of the keys."""
        return laid_together([self.good[name] for name in sorted(self.good)])

    @property
    def problems(self) -> list[str]:
        """What cannot be read, each with its place."""
        return [problem for name in sorted(self.broken) for problem in self.broken[name]]


class CatalogueTopic:
    """Follows the topic. Made and read to its end at the start, then looked at by one other thread."""

    def __init__(self, access: KafkaAccess, topic: str, parse: Parse) -> None:
        self._topic, self.parts = topic, Parts(parse)
        self._ended: set[int] = set()
        self._consumer = reader(access)
        try:
            self._read_to_end()
        except BaseException:
            self._consumer.close()
            raise

    @property
    def where(self) -> str:
        """The topic, for people."""
        return f"topic {self._topic}"

    def look(self) -> bool:
        """Take what came since it was last looked at. Gives: whether anything did."""
        came = False
        while self._take(_WAIT):
            came = True
        return came

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _read_to_end(self) -> None:
        try:
            ends = self._assign()
        except KafkaException as failure:
            raise TemporaryError(f"the catalogue's topic '{self._topic}' cannot be read: {failure.args[0]}") from None
        until = time.monotonic() + _PATIENCE
        # The end is told by the brokers: behind the last record there may be marks of transactions, which nobody is given.
        while not self._ended >= ends:
            self._take(_WAIT)
            if time.monotonic() > until:
                raise TemporaryError(f"the brokers do not send '{self._topic}', where the catalogue stands")

    def _assign(self) -> set[int]:
        seen = self._consumer.list_topics(self._topic, timeout=_PATIENCE).topics[self._topic]
        if seen.error is not None or not seen.partitions:
            raise TemporaryError(f"there is no topic '{self._topic}' for the catalogue, or it may not be seen")
        places = [TopicPartition(self._topic, partition) for partition in sorted(seen.partitions)]
        lows = [self._consumer.get_watermark_offsets(place, timeout=_PATIENCE)[0] for place in places]
        begins = [TopicPartition(self._topic, place.partition, low) for place, low in zip(places, lows, strict=True)]
        self._consumer.assign(begins)
        return set(seen.partitions)

    def _take(self, wait: float) -> int:
        """Take what is there. Gives: how many records."""
        return sum([self._took(message) for message in self._consumer.consume(_BATCH, wait)])

    def _took(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            place = f"{message.topic()}/{message.partition()}@{message.offset()}"
            self.parts.take(message.key(), message.value(), place)
        elif error.code() == KafkaError._PARTITION_EOF:
            self._ended.add(message.partition() or 0)
        elif error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED and not error.retriable():
            raise TemporaryError(f"the catalogue's topic '{self._topic}' cannot be read: {error.str()}")
        return error is None
