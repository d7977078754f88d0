"""The harness itself: what it starts is a Kafka, in the points that the tests lean on."""

from confluent_kafka import Consumer, Producer

from tests.services.topics import Topics


def test_a_transaction_commits_and_a_committed_reader_sees_it(topics: Topics) -> None:
    topic = topics.create("events", 2)
    producer = Producer({"bootstrap.servers": topics.bootstrap, "transactional.id": f"{topics.prefix}-writer"})
    producer.init_transactions(60)
    for value, ends in ((b"kept", producer.commit_transaction), (b"gone", producer.abort_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush(60)
        ends(60)
    reader = Consumer({"bootstrap.servers": topics.bootstrap, "group.id": topics.prefix,
                       "auto.offset.reset": "earliest", "isolation.level": "read_committed"})  # fmt: skip
    reader.subscribe([topic])
    message = reader.poll(60)
    assert message is not None
    assert message.value() == b"kept"
    assert reader.poll(0.5) is None
    reader.close()
