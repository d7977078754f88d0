"""Where to begin and where it ends: offsets as the brokers know them, checked against what retention deleted.

What enters: partitions, and the offsets that a group has committed.
What leaves: the offsets to read from; or the end of the process, rather than a silent jump over lost records.
The next room: `driver`.
"""

import logging
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition

from coordwatch.processor.stage import Place
from coordwatch.worker.exits import Ending, ExitCode
from coordwatch.worker.restore import Readers

_PATIENCE = 20.0
_log = logging.getLogger("coordwatch.worker")


class Offsets:
    """Asks the brokers. Any thread may; `lost` counts the records that retention took before they were read."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._asking: Consumer | None = None
        self.lost = 0

    def starts(self, committed: Mapping[Place, int | None], accept_loss: bool) -> dict[Place, int]:
        """Where to read from; the beginning where the group never committed.

        Raises: Ending when records were deleted before they were read, or the topic is another one than it was
        """
        return {place: self._start(place, offset, accept_loss) for place, offset in committed.items()}

    def _start(self, place: Place, offset: int | None, accept_loss: bool) -> int:
        low, high = self._bounds(place)
        if offset is None:
            return low
        if offset > high:
            raise Ending(
                ExitCode.BROKEN,
                f"{place} ends at {high}, and this worker had read to {offset}: the topic was made anew. Delete the group's "
                "offsets, the worker's state topics and its database together, or give it another prefix and database",
            )
        return offset if offset >= low else self._after_loss(place, offset, low, accept_loss)

    def _after_loss(self, place: Place, offset: int, low: int, accept_loss: bool) -> int:
        lost = low - offset
        if not accept_loss:
            raise Ending(
                ExitCode.BROKEN,
                f"{place}: {lost} records from offset {offset} on were deleted by the topic's retention before they were "
                "read. Lengthen its retention; to go on without them start once with --accept-loss",
            )
        self.lost += lost
        _log.error("%s: going on without %d records that retention deleted (--accept-loss)", place, lost)
        return low

    def end(self, place: Place) -> int:
        """The offset after the last record that can be read now. Raises: Ending when the brokers do not say."""
        return self._bounds(place)[1]

    def _bounds(self, place: Place) -> tuple[int, int]:
        if self._asking is None:
            self._asking = self._readers.reader(committed=True)
        try:
            bounds: tuple[int, int] = self._asking.get_watermark_offsets(TopicPartition(*place), timeout=_PATIENCE)
        except KafkaException as failure:
            raise Ending(
                ExitCode.AGAIN, f"{place}: the brokers do not say where it begins: {failure.args[0]}"
            ) from failure
        return bounds

    def close(self) -> None:
        """Let go of the connection."""
        if self._asking is not None:
            self._asking.close()
