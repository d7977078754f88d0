"""Columns: the messages of a fetch as one slice a partition, without an object for each record of ours.

What enters: messages of confluent-kafka, as they come from `consume`.
What leaves: slices by place; ends of partitions apart.
The next room: the driver, and the tail.
"""

from collections.abc import Iterable
from typing import Any

from coordwatch.processor.stage import Place, Slice


def columns_of(messages: Iterable[Any]) -> dict[Place, Slice]:
    """The records among these messages of confluent-kafka, in order, by place; those that carry an error are left out."""
    slices: dict[tuple[str, int], Slice] = {}
    for message in messages:
        if message.error() is not None:
            continue
        name = (message.topic(), message.partition())
        found = slices.get(name)
        if found is None:
            found = slices[name] = Slice(Place(*name))
        found.offsets.append(message.offset())
        found.keys.append(message.key())
        found.values.append(message.value())
        found.headers.append(message.headers())
        found.timestamps.append(message.timestamp()[1] * 1000)
    return {one.place: one for one in slices.values()}
