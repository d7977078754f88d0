"""Groups: how far each stage has read, and whether somebody reads at all.

What enters: a KafkaAccess, a group, the topics it may read. What leaves: a StageReading. Nothing is joined or committed.
The next room: `doctor`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import reader
from coordwatch.adapters.kafka.survey import PATIENCE, answered, answers

NOBODY = "EMPTY"
# The mark that ends a transaction has an offset too, and no reader ever gets it.
_MARKS = 2


class Reading(NamedTuple):
    """One partition: where the group goes on, and what the log holds. A `committed` of None was never read."""

    topic: str
    partition: int
    committed: int | None
    first: int
    end: int

    @property
    def behind(self) -> int:
        """How many offsets lie before the end of what is committed there."""
        return max(self.end - max(self.committed or 0, self.first), 0)

    @property
    def lost(self) -> int:
        """How many offsets were deleted before they were read."""
        return 0 if self.committed is None else max(self.first - self.committed, 0)

    @property
    def at_end(self) -> bool:
        """Whether nothing waits."""
        return self.behind <= _MARKS


@dataclass(frozen=True, slots=True)
class StageReading:
    """A group: its state in Kafka's word, how many are in it, and every partition of the topics that it has read."""

    group: str
    state: str
    members: int
    readings: tuple[Reading, ...]

    @property
    def behind(self) -> int:
        """Offsets that wait, over all partitions."""
        return sum(one.behind for one in self.readings if not one.at_end)

    @property
    def lost(self) -> tuple[Reading, ...]:
        """The partitions of which something was deleted before it was read."""
        return tuple(one for one in self.readings if one.lost)


def stage_reading(access: KafkaAccess, admin: AdminClient, group: str, topics: Sequence[str]) -> StageReading:
    """Look at one group.

    Raises: TemporaryError when it may not be looked at, or nobody answers
    """
    with answered():
        return _stage_reading(access, admin, group, topics)


def _stage_reading(access: KafkaAccess, admin: AdminClient, group: str, topics: Sequence[str]) -> StageReading:
    told, errors = answers(admin.describe_consumer_groups([group], request_timeout=PATIENCE))
    if group in told:
        state, members = told[group].state.name, len(told[group].members)
    else:
        state, members = ("DEAD" if "NOT_FOUND" in errors[group].name() else errors[group].name()), 0
    consumer = reader(access, group)
    try:
        return StageReading(group, state, members, tuple(_readings(consumer, topics)))
    finally:
        consumer.close()


def _readings(consumer: Consumer, topics: Sequence[str]) -> list[Reading]:
    """The partitions of every topic of which the group has committed anything."""
    seen = consumer.list_topics(timeout=PATIENCE).topics
    places = [
        TopicPartition(name, number) for name in topics if name in seen for number in sorted(seen[name].partitions)
    ]
    if not places:
        return []
    committed = consumer.committed(places, timeout=PATIENCE)
    failed = [one.error for one in committed if one.error is not None]
    if failed:
        raise KafkaException(failed[0])
    read = {one.topic for one in committed if one.offset >= 0}
    found = []
    for one in committed:
        if one.topic in read:
            first, end = consumer.get_watermark_offsets(TopicPartition(one.topic, one.partition), timeout=PATIENCE)
            found.append(Reading(one.topic, one.partition, one.offset if one.offset >= 0 else None, first, end))
    return found
