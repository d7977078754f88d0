"""State rows: one row of a compacted topic, found by reading its partition to the end, for a page that asks for it.

What enters: a partition and a key. What leaves: the newest value; or a sentence, when that takes longer than a page waits.
"""

import time
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import reader
from coordwatch.errors import Elsewhere

_BATCH, _WAIT = 5_000, 0.2


@dataclass(frozen=True, slots=True)
class StateRows:
    """Reads rows of one topic, each time anew: it is asked by a person now and then. Units: `seconds` a question may take."""

    access: KafkaAccess
    topic: str
    seconds: float = 3.0

    def row(self, partition: int, key: bytes) -> bytes | None:
        """The row under a key as it stands now, None when there is none. Blocks.

        Raises: Elsewhere when it was not found out in time
        """
        until = time.monotonic() + self.seconds
        consumer = reader(self.access)
        try:
            return self._newest(consumer, TopicPartition(self.topic, partition), key, until)
        except KafkaException as failure:
            raise self._not_now(partition, str(failure.args[0])) from failure
        finally:
            consumer.close()

    def _newest(self, consumer: Consumer, place: TopicPartition, key: bytes, until: float) -> bytes | None:
        low, high = consumer.get_watermark_offsets(place, timeout=self.seconds)
        if low >= high:
            return None
        place.offset = low
        consumer.assign([place])
        found: bytes | None = None
        while True:
            for message in consumer.consume(_BATCH, _WAIT):
                error = message.error()
                if error is None:
                    found = message.value() if message.key() == key else found
                elif error.code() != KafkaError._PARTITION_EOF and not error.retriable():
                    raise KafkaException(error)
            if consumer.position([place])[0].offset >= high:
                return found
            if time.monotonic() > until:
                raise self._not_now(place.partition, f"it could not be read within {self.seconds:.0f} s")

    def _not_now(self, partition: int, why: str) -> Elsewhere:
        return Elsewhere(
            f"this customer's context is kept in partition {partition} of {self.topic}, by another worker: {why}",
            retry_after=self.seconds,
        )
