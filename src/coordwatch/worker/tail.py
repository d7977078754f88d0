"""The tail of a broadcast topic: read whole by every process, then followed.

What enters: a topic that every worker must know, such as the reference facts.
What leaves: slices, in the order of each partition.
The next room: `driver`, which lets the stage hear them before it takes anything else.
"""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from coordwatch.processor.stage import Slice
from coordwatch.worker.columns import columns_of
from coordwatch.worker.exits import Ending, ExitCode
from coordwatch.worker.restore import Readers

_BATCH = 5_000
_PATIENCE = 20.0
_LOAD_SECONDS = 300.0


class Tail:
    """Follows every partition of one topic from its beginning, in no group."""

    def __init__(self, readers: Readers, topic: str) -> None:
        self._topic = topic
        self._reader: Consumer = readers.reader(committed=True)

    def load(self) -> list[Slice]:
        """Everything that is there now. Blocks.

        Raises: Ending when the brokers do not answer
        """
        try:
            known = self._reader.list_topics(self._topic, timeout=_PATIENCE).topics[self._topic]
            places = [TopicPartition(self._topic, partition) for partition in known.partitions]
            ends = {at.partition: self._reader.get_watermark_offsets(at, timeout=_PATIENCE) for at in places}
            self._reader.assign([TopicPartition(self._topic, partition, low) for partition, (low, _) in ends.items()])
            return self._until({partition: high for partition, (low, high) in ends.items() if high > low})
        except KafkaException as failure:
            raise Ending(ExitCode.AGAIN, f"{self._topic} cannot be read: {failure.args[0]}") from failure

    def _until(self, ends: dict[int, int]) -> list[Slice]:
        slices: list[Slice] = []
        give_up_at = time.monotonic() + _LOAD_SECONDS
        while ends:
            if time.monotonic() > give_up_at:
                raise Ending(ExitCode.AGAIN, f"{self._topic} could not be read to its end in {_LOAD_SECONDS:.0f} s")
            slices += self.poll(0.2)
            for at in self._reader.position([TopicPartition(self._topic, partition) for partition in ends]):
                if at.offset >= ends[at.partition]:
                    del ends[at.partition]
        return slices

    def poll(self, seconds: float = 0.0) -> list[Slice]:
        """What has come since. Raises: Ending when the topic can no longer be read."""
        messages = self._reader.consume(_BATCH, seconds)
        for message in messages:
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF and not error.retriable():
                raise Ending(ExitCode.AGAIN, f"{self._topic} can no longer be read: {error}")
        return list(columns_of(messages).values())

    def close(self) -> None:
        """Let go of the connection."""
        self._reader.close()
