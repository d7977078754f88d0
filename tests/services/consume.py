"""Putting records into a Kafka and reading a topic whole, for tests.

Enters: an address, or a client's settings where a password is needed. Leaves: what lies in a topic, in its order.
Nothing here joins a group or commits: reading changes nothing for the program under test.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from coordwatch.clock import SystemClock
from tests.services.waiting import wait_until

PATIENCE = 60.0  # seconds
Client = str | Mapping[str, str]
CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Sent:
    """A record to produce; without `partition` Kafka's own partitioner takes the key.

    Units: `timestamp` in milliseconds
    """

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None
    timestamp: int = 0


@dataclass(frozen=True, slots=True)
class Read:
    """A record as it lies in its topic.

    Units: `timestamp` in milliseconds
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int

    def header(self, name: str) -> bytes | None:
        """Give the last value under that name, as Kafka's own clients do."""
        return next((value for named, value in reversed(self.headers) if named == name), None)


def settings(client: Client, **more: object) -> dict[str, object]:
    """Give a client's settings: those of the address, quiet, and some more (`_` stands for `.`)."""
    given = {"bootstrap.servers": client} if isinstance(client, str) else dict(client)
    return {"log_level": 0, **given, **{name.replace("_", "."): value for name, value in more.items()}}


def produce(client: Client, topic: str, records: Iterable[Sent | bytes]) -> None:
    """Produce all, in order, and return when every one of them is acknowledged."""
    failed: list[KafkaError] = []

    def told(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            failed.append(error)

    producer = Producer(
        settings(client, enable_idempotence=True, linger_ms=5, topic_metadata_propagation_max_ms=10_000)
    )
    for record in records:
        each = record if isinstance(record, Sent) else Sent(record)
        where = {} if each.partition is None else {"partition": each.partition}
        put = partial(producer.produce, topic, each.value, each.key, on_delivery=told, **where)
        while True:
            try:
                put(timestamp=each.timestamp, headers=list(each.headers))
                break
            except BufferError:
                producer.poll(1)
    left = producer.flush(PATIENCE)
    assert not failed, f"{len(failed)} records for {topic} were refused, the first with {failed[0]}"
    assert left == 0, f"{left} records for {topic} were not acknowledged in {PATIENCE:g} s"


def read_topic(client: Client, topic: str, *, committed: bool = True, patience: float = PATIENCE) -> list[Read]:
    """Give everything that lies in the topic now, by partition and offset; `committed=False` shows aborted records too.

    An open transaction ends the committed view of its partition.
    """
    isolation = "read_committed" if committed else "read_uncommitted"
    reader = Consumer(
        settings(
            client, group_id="nobody", enable_auto_commit=False, enable_partition_eof=True, isolation_level=isolation
        )
    )
    try:
        unread = set(reader.list_topics(topic, timeout=patience).topics[topic].partitions)
        reader.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in unread])
        found: list[Read] = []
        end = CLOCK.now() + int(patience * 1_000_000)
        while unread:
            for message in reader.consume(1000, 0.2):
                error = message.error()
                if error is None:
                    found.append(_read(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition())
                else:
                    raise KafkaException(error)
            assert CLOCK.now() < end, f"partitions {sorted(unread)} of {topic} had no end in {patience:g} s"
    finally:
        reader.close()
    return sorted(found, key=lambda each: (each.partition, each.offset))


def read_until(
    client: Client, topic: str, enough: Callable[[list[Read]], bool], patience: float = PATIENCE
) -> list[Read]:
    """Read the committed topic again and again until it holds enough, and give it."""

    def looked() -> list[Read] | None:
        found = read_topic(client, topic, patience=patience)
        return found if enough(found) else None

    return wait_until(looked, f"enough records in {topic}", patience)


def settled(client: Client, topic: str) -> None:
    """Wait until no transaction of a topic is open.

    A commit is answered when it is certain, and seen when each partition has heard of it, which may be a moment later.
    """
    asking = AdminClient(settings(client))
    numbers = asking.list_topics(topic, timeout=PATIENCE).topics[topic].partitions
    latest_of = {TopicPartition(topic, each): OffsetSpec.latest() for each in numbers}

    def ends(isolation: IsolationLevel) -> dict[int, int]:
        told = asking.list_offsets(latest_of, isolation_level=isolation, request_timeout=PATIENCE)
        return {at.partition: answer.result(PATIENCE).offset for at, answer in told.items()}

    def over() -> bool:
        return ends(IsolationLevel.READ_COMMITTED) == ends(IsolationLevel.READ_UNCOMMITTED)

    wait_until(over, f"the transactions in {topic} to be over", PATIENCE)


def latest(client: Client, topic: str) -> dict[bytes | None, bytes]:
    """Give the last value of each key, as a table sees it: a tombstone removes its key."""
    table: dict[bytes | None, bytes] = {}
    for each in read_topic(client, topic):
        if each.value is None:
            table.pop(each.key, None)
        else:
            table[each.key] = each.value
    return table


def group_offsets(client: Client, group: str, topic: str) -> dict[int, int]:
    """Give what a consumer group has committed in a topic: the next offset by partition, none where there is none.

    Asked as a member would: the admin call for it crashes the process (librdkafka 2.16) while the coordinator moves.
    """
    asking = Consumer(settings(client, group_id=group, enable_auto_commit=False))
    try:
        numbers = asking.list_topics(topic, timeout=PATIENCE).topics[topic].partitions
        told = asking.committed([TopicPartition(topic, each) for each in numbers], PATIENCE)
    finally:
        asking.close()
    return {each.partition: each.offset for each in told if each.offset >= 0}


def _read(message: Message) -> Read:
    _, timestamp = message.timestamp()
    topic, number, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert number is not None
    assert offset is not None
    headers = tuple(message.headers() or ())
    return Read(topic, number, offset, message.key(), message.value(), headers, timestamp)
