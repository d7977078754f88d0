"""The harness itself: what it starts is a Kafka, in the points that the tests lean on."""

from confluent_kafka import Producer
from confluent_kafka.admin import ConfigResource, ResourceType

from tests.services.consume import Sent, group_offsets, latest, produce, read_topic, read_until, settled
from tests.services.topics import Topics

PATIENCE = 60.0


def test_a_transaction_commits_and_only_a_committed_reader_is_spared_the_aborted_one(topics: Topics) -> None:
    topic = topics.create("events", 2)
    producer = Producer({"bootstrap.servers": topics.bootstrap, "transactional.id": f"{topics.prefix}-writer"})
    producer.init_transactions(PATIENCE)
    for value, ends in ((b"kept", producer.commit_transaction), (b"gone", producer.abort_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value, b"key")
        producer.flush(PATIENCE)
        ends(PATIENCE)
    settled(topics.bootstrap, topic)
    assert [b"kept"] == [each.value for each in read_topic(topics.bootstrap, topic)]
    assert [b"kept", b"gone"] == [each.value for each in read_topic(topics.bootstrap, topic, committed=False)]


def test_what_was_produced_is_read_whole_and_in_its_order(topics: Topics) -> None:
    topic = topics.create("events", 3)
    sent = [Sent(b"%d" % n, b"k", (("h", b"%d" % n),), partition=n % 3, timestamp=1_000 + n) for n in range(3_000)]
    produce(topics.bootstrap, topic, sent)
    found = read_until(topics.bootstrap, topic, lambda records: len(records) == len(sent))
    assert [(each.partition, each.offset) for each in found] == [(n, m) for n in range(3) for m in range(1_000)]
    assert {(each.value, each.header("h"), each.timestamp) for each in found} == {
        (each.value, each.headers[0][1], each.timestamp) for each in sent
    }
    assert {} == group_offsets(topics.bootstrap, "nobody", topic)


def test_a_compacted_topic_is_compacted(topics: Topics) -> None:
    """With these settings a test sees a compaction within seconds."""
    quick = {
        "cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01",
        "delete.retention.ms": "100", "max.compaction.lag.ms": "1000",
    }  # fmt: skip
    topic = topics.create("state", 1, quick)
    named = ConfigResource(ResourceType.TOPIC, topic)
    told = topics.admin.describe_configs([named])[named].result(PATIENCE)
    assert quick == {name: told[name].value for name in quick}
    produce(topics.bootstrap, topic, [Sent(b"%d" % n, b"%d" % (n % 2)) for n in range(100)])

    def compacted(records: list[object]) -> bool:
        # A segment is closed by the next record after its time; then the cleaner may take it.
        produce(topics.bootstrap, topic, [Sent(b"last", b"last")])
        return len(records) < 50

    read_until(topics.bootstrap, topic, compacted)
    assert {b"0": b"98", b"1": b"99", b"last": b"last"} == latest(topics.bootstrap, topic)
