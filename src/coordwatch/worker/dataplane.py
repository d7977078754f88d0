"""The data plane: records by librdkafka, which prefetches in its own threads, while Faust keeps the membership.

What enters: where to read from, given anew at every assignment; nothing is carried over from one to the next.
What leaves: slices, and the places whose end was reached.
The next room: `transport`, which hands slices to Faust.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from confluent_kafka import Consumer, KafkaError, TopicPartition

from coordwatch.processor.stage import Place, Slice
from coordwatch.worker.columns import columns_of
from coordwatch.worker.exits import Ending, ExitCode

_GONE = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)


class Planes(Protocol):
    """Makes the client of a data plane."""

    def plane(self) -> Consumer:
        """A consumer for `assign`, reading committed records, that tells of ends and refuses to reset an offset."""
        ...


class DataPlane:
    """Reads the partitions of the present assignment, and none of any former one; `assignments` counts them."""

    def __init__(self, planes: Planes) -> None:
        self._reader: Consumer = planes.plane()
        self._stopped: set[Place] = set()
        self.assignments = 0

    def assign(self, starts: Mapping[Place, int]) -> None:
        """Read these partitions from these offsets, and forget everything that was fetched before."""
        self._reader.assign([TopicPartition(*place, start) for place, start in starts.items()])
        self._stopped.clear()
        self.assignments += 1

    def unassign(self) -> None:
        """Read nothing."""
        self._reader.unassign()

    def stop(self, places: Iterable[Place]) -> None:
        """Fetch no more of some partitions, until the next assignment."""
        new = set(places) - self._stopped
        if new:
            self._reader.pause([TopicPartition(*place) for place in new])
            self._stopped |= new

    def consume(self, limit: int, seconds: float) -> tuple[dict[Place, Slice], dict[Place, int]]:
        """What is there, waiting a little for the first record.

        Gives:  slices by place; and by place the offset at which its end was reached
        Raises: Ending when records cannot be read
        """
        messages = self._reader.consume(limit, seconds)
        ends: dict[Place, int] = {}
        for message in messages:
            error = message.error()
            if error is None:
                continue
            if error.code() == KafkaError._PARTITION_EOF:
                ends[Place(message.topic() or "", message.partition() or 0)] = message.offset() or 0
            elif error.code() in _GONE:
                raise Ending(
                    ExitCode.AGAIN,
                    f"{message.topic()}/{message.partition()}: records were deleted before they were read",
                )
            elif error.fatal():
                raise Ending(ExitCode.AGAIN, f"records cannot be read: {error}")
        slices = columns_of(messages) if len(ends) < len(messages) else {}
        return slices, ends

    def close(self) -> None:
        """Let go of the connections."""
        self._reader.close()
