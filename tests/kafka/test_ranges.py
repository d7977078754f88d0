"""Ranges of a topic: what can be written, and that exactly what was committed between the edges is read."""

from collections.abc import Iterator

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import READER_GROUP, producer
from coordwatch.adapters.kafka.ranges import Instant, NoTopicError, Offset, Range, newest, parse_range, read_range
from coordwatch.errors import TemporaryError
from coordwatch.events.times import DAY, parse_time
from coordwatch.sources.record import Record
from tests.services.consume import Sent, produce, settled
from tests.services.topics import PATIENCE, Topics

NOW = parse_time("2026-03-02T12:00:00Z")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop.events", Range("shop.events")),
        ("shop@..", Range("shop")),
        ("shop@5..", Range("shop", Offset(5))),
        ("shop@..17", Range("shop", None, Offset(17))),
        ("shop@-24h..", Range("shop", Instant(NOW - DAY))),
        ("shop@-1d12h..-24h", Range("shop", Instant(NOW - DAY - DAY // 2), Instant(NOW - DAY))),
        ("shop@2026-03-01T00:00:00Z..7", Range("shop", Instant(parse_time("2026-03-01T00:00:00Z")), Offset(7))),
    ],
)
def test_a_range_as_it_is_written(text: str, expected: Range) -> None:
    assert parse_range(text, NOW) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no range: write TOPIC@FROM..TO"),
        ("a b@..", "is no range"),
        ("shop@5", r"has no '\.\.': write shop@FROM\.\.TO"),
        ("shop@yesterday..", "'yesterday' is no edge of a range"),
        ("shop@-24..", "such as -24h"),
        ("shop@9..5", "ends before it begins"),
        ("shop@-1h..-2h", "ends before it begins"),
    ],
)
def test_what_is_no_range_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_range(text, NOW)


@pytest.fixture
def access(kafka: str) -> KafkaAccess:
    return KafkaAccess(kafka)


def values(records: Iterator[Record]) -> list[bytes | None]:
    return [one.value for one in records]


def test_a_record_comes_with_all_that_stood_beside_it(topics: Topics, access: KafkaAccess) -> None:
    topic = topics.create("one", 2)
    produce(
        access.bootstrap, topic, [Sent(b"v", b"k", (("h", b"1"),), 1, 1_700_000_000_123), Sent(None, b"k", partition=1)]
    )
    stretches, records = read_range(access, Range(topic))
    assert [(one.partition, one.begin, one.end) for one in stretches] == [(0, 0, 0), (1, 0, 2)]
    first, second = records
    assert first == Record(b"v", topic, 1, 0, b"k", [("h", b"1")], 1_700_000_000_123_000)
    assert (second.value, second.key, second.offset) == (None, b"k", 1)


def test_edges_by_offset_and_by_time(topics: Topics, access: KafkaAccess) -> None:
    topic = topics.create("edges")
    produce(access.bootstrap, topic, [Sent(b"%d" % n, timestamp=1_700_000_000_000 + 1000 * n) for n in range(10)])
    at = [Instant(1_700_000_000_000_000 + 1_000_000 * n) for n in range(12)]

    def read(begin: Offset | Instant | None, end: Offset | Instant | None) -> list[int]:
        return [int(value or b"") for value in values(read_range(access, Range(topic, begin, end))[1])]

    assert read(None, None) == [*range(10)]
    assert read(Offset(3), Offset(5)) == [3, 4]
    assert read(at[3], at[5]) == [3, 4]
    assert read(Instant(at[3].time + 1), None) == [4, 5, 6, 7, 8, 9]
    assert read(at[7], Offset(9)) == [7, 8]
    assert read(None, at[11]) == [*range(10)]
    assert read(Offset(10), None) == read(Offset(400), None) == read(at[11], None) == []


def test_only_what_was_committed_is_read_and_open_transactions_end_the_range(
    topics: Topics, access: KafkaAccess
) -> None:
    topic = topics.create("committed")
    writer = producer(access, f"{topics.prefix}.writer")
    writer.init_transactions(PATIENCE)
    for value, ends in ((b"kept", writer.commit_transaction), (b"gone", writer.abort_transaction)) * 2:
        writer.begin_transaction()
        writer.produce(topic, value)
        ends(PATIENCE)
    settled(access.bootstrap, topic)
    writer.begin_transaction()
    writer.produce(topic, b"open")
    writer.flush(PATIENCE)
    assert values(read_range(access, Range(topic))[1]) == [b"kept", b"kept"]
    writer.commit_transaction(PATIENCE)
    settled(access.bootstrap, topic)
    assert values(read_range(access, Range(topic))[1]) == [b"kept", b"kept", b"open"]
    assert values(read_range(access, Range(topic, Offset(0), Offset(2)))[1]) == [b"kept"]


def test_the_end_is_where_it_stood_when_the_reading_began(topics: Topics, access: KafkaAccess) -> None:
    topic = topics.create("growing")
    produce(access.bootstrap, topic, [b"1", b"2"])
    _, records = read_range(access, Range(topic))
    produce(access.bootstrap, topic, [b"3"])
    assert values(records) == [b"1", b"2"]


def test_what_retention_took_is_counted(topics: Topics, access: KafkaAccess) -> None:
    topic = topics.create("trimmed")
    produce(access.bootstrap, topic, [b"%d" % n for n in range(10)])
    trim(topics.admin, topic, 6)
    stretches, records = read_range(access, Range(topic, Offset(2)))
    assert [(one.begin, one.end, one.lost) for one in stretches] == [(6, 10, 4)]
    assert values(records) == [b"6", b"7", b"8", b"9"]
    (whole,), records = read_range(access, Range(topic))
    records.close()
    assert whole.lost == 0, "whoever asks for what is there asks for nothing that is gone"


def test_nobody_joins_a_group_and_nothing_is_committed(topics: Topics, access: KafkaAccess) -> None:
    topic = topics.create("quiet")
    produce(access.bootstrap, topic, [b"1"])
    assert values(read_range(access, Range(topic))[1]) == [b"1"]
    assert READER_GROUP not in groups(topics.admin), "other tests have groups of their own on this broker"


def test_the_newest_and_the_oldest_of_each_partition(topics: Topics, access: KafkaAccess) -> None:
    topic = topics.create("sample", 2)
    produce(access.bootstrap, topic, [Sent(b"%d" % n, partition=n % 2) for n in range(20)])
    sample = sorted((one.partition, one.offset) for one in newest(access, topic, 2, oldest=1))
    assert sample == [(0, 0), (0, 8), (0, 9), (1, 0), (1, 8), (1, 9)]
    assert len(list(newest(access, topic, 50, oldest=50))) == 20


def test_a_topic_that_is_not_there_and_brokers_that_are_away(access: KafkaAccess) -> None:
    with pytest.raises(NoTopicError, match="there is no topic 'nowhere-at-all', or it may not be seen"):
        read_range(access, Range("nowhere-at-all"))
    with pytest.raises(TemporaryError, match="coordwatch doctor"):
        read_range(KafkaAccess("127.0.0.1:1"), Range("nowhere-at-all"), patience=1)


def trim(admin: AdminClient, topic: str, offset: int) -> None:
    asked = admin.delete_records([TopicPartition(topic, 0, offset)], request_timeout=PATIENCE)
    for future in asked.values():
        future.result(PATIENCE)


def groups(admin: AdminClient) -> set[str]:
    return {one.group_id for one in admin.list_consumer_groups(request_timeout=PATIENCE).result(PATIENCE).valid}
