"""State rows: a few rows of a compacted topic, found by reading its partition to the end, for a page that asks for them.

What enters: a partition, and which keys are wanted. What leaves: their newest values; or a sentence, when that takes longer than a page waits.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import reader
from coordwatch.errors import Elsewhere

_BATCH, _WAIT = 5_000, 0.2
_PATIENCE = 20.0  # for a first answer, which brokers that are there give at once


@dataclass(frozen=True, slots=True)
class StateRows:
    """Reads rows of one topic, each time anew: it is asked by a person now and then. Units: `seconds` a question may take."""

    access: KafkaAccess
    topic: str
    seconds: float = 3.0

    def rows(self, partition: int, wanted: Callable[[bytes], bool]) -> dict[bytes, bytes]:
        """The rows as they stand now whose keys are wanted. Blocks.

        Raises: Elsewhere when it was not found out in time
        """
        until = time.monotonic() + self.seconds
        consumer = reader(self.access)
        try:
            return self._newest(consumer, TopicPartition(self.topic, partition), wanted, until)
        except KafkaException as failure:
            raise self._not_now(partition, str(failure.args[0])) from failure
        finally:
            consumer.close()

    def _newest(
        self, consumer: Consumer, place: TopicPartition, wanted: Callable[[bytes], bool], until: float
    ) -> dict[bytes, bytes]:
        low, high = consumer.get_watermark_offsets(place, timeout=min(self.seconds, _PATIENCE))
        if low >= high:
            return {}
        place.offset = low
        consumer.assign([place])
        found: dict[bytes, bytes] = {}
        while True:
            for message in consumer.consume(_BATCH, _WAIT):
                error = message.error()
                key, value = message.key(), message.value()
                if error is None and key is not None and wanted(key):
                    found[key] = value or b""
                elif error is None:
                    continue
                elif error.code() != KafkaError._PARTITION_EOF and not error.retriable():
                    raise KafkaException(error)
            if consumer.position([place])[0].offset >= high:
                return {key: value for key, value in found.items() if value}
            if time.monotonic() > until:
                raise self._not_now(place.partition, f"it could not be read within {self.seconds:.0f} s")

    def _not_now(self, partition: int, why: str) -> Elsewhere:
        return Elsewhere(
            f"this customer's context is kept in partition {partition} of {self.topic}, by another worker: {why}",
            retry_after=self.seconds,
        )
