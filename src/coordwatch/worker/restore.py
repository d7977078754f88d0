"""Restore: the rows of state partitions, read from the changelog to its high watermark before anything is taken.

What enters: the changelog's name and the partitions.
What leaves: the newest value of every key, by partition; or nothing, when the partitions were lost meanwhile.
The next room: `driver`, which hands them to the stage.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from coordwatch.worker.exits import Ending, ExitCode

Rows = dict[bytes, bytes]
_BATCH = 10_000
_WAIT = 0.2
_PATIENCE = 20.0
_STILL = 120.0


class Readers(Protocol):
    """Makes clients that read by `assign` and belong to no group."""

    def reader(self, *, committed: bool) -> Consumer:
        """A consumer that stores no offsets and tells when it reaches an end; `committed` skips aborted records."""
        ...


def restore(
    readers: Readers, changelog: str, partitions: Iterable[int], wanted: Callable[[], bool]
) -> dict[int, Rows] | None:
    """The rows of these partitions; None when they are no longer `wanted`. Blocks.

    Reads committed records up to the HIGH watermark, not to the last stable offset: a transaction that a dead or paused
    predecessor left open is waited for, which its time-out bounds, and never skipped.

    Raises: Ending when the brokers do not answer
    """
    rows: dict[int, Rows] = {partition: {} for partition in partitions}
    try:
        bounds = _bounds(readers, changelog, rows)
        todo = {partition: high for partition, (low, high) in bounds.items() if high > low}
        if todo:
            reader = readers.reader(committed=True)
            try:
                reader.assign([TopicPartition(changelog, partition, bounds[partition][0]) for partition in todo])
                _read(reader, changelog, todo, rows, wanted)
            finally:
                reader.close()
    except KafkaException as failure:
        raise Ending(ExitCode.AGAIN, f"{changelog} cannot be restored: {failure.args[0]}") from failure
    return None if todo else rows


def _bounds(readers: Readers, topic: str, partitions: Iterable[int]) -> Mapping[int, tuple[int, int]]:
    asking = readers.reader(committed=False)
    try:
        return {
            partition: asking.get_watermark_offsets(TopicPartition(topic, partition), timeout=_PATIENCE)
            for partition in partitions
        }
    finally:
        asking.close()


def _read(
    reader: Consumer, topic: str, todo: dict[int, int], rows: dict[int, Rows], wanted: Callable[[], bool]
) -> None:
    """Fill `rows`, taking each partition out of `todo` when its end is reached."""
    moved_at, stood = time.monotonic(), -1
    while todo and wanted():
        for message in reader.consume(_BATCH, _WAIT):
            partition, key, value = message.partition() or 0, message.key(), message.value()
            error = message.error()
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF and not error.retriable():
                    raise KafkaException(error)
            elif key is None:
                continue
            elif value is None:
                rows[partition].pop(key, None)
            else:
                rows[partition][key] = value
        positions = reader.position([TopicPartition(topic, partition) for partition in todo])
        if (stands := sum(at.offset for at in positions)) != stood:
            moved_at, stood = time.monotonic(), stands
        elif time.monotonic() - moved_at > _STILL:
            raise Ending(ExitCode.AGAIN, f"{topic}: nothing came for {_STILL:.0f} s while its state was restored")
        for at in positions:
            if at.offset >= todo[at.partition]:
                del todo[at.partition]
