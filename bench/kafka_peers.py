"""What the worker is measured beside: programs that read the same topic, each a process of its own.

    python -m bench.kafka_peers raw|faust|table BOOTSTRAP TOPIC GROUP

`raw` touches every field of every record by librdkafka; `faust` is a plain agent that only reads; `table` counts by key in a
Faust table. Each commits its offsets four times a second, so that its progress can be seen from outside.
"""

import sys
import time

import faust
from confluent_kafka import Consumer


def raw(bootstrap: str, topic: str, group: str) -> None:
    """The limit: nothing is done with the records."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "queued.min.messages": 50_000,
            "fetch.wait.max.ms": 50,
        }
    )
    consumer.subscribe([topic])
    touched = committed = 0
    commit_at = time.monotonic() + 0.25
    while True:
        for message in consumer.consume(4_000, 0.05):
            touched += len(message.value() or b"") + message.offset() + message.partition() + message.timestamp()[1]
            touched += len(message.key() or b"")
        if time.monotonic() > commit_at and touched > committed:
            consumer.commit(asynchronous=False)
            committed = touched
            commit_at = time.monotonic() + 0.25


def agent(bootstrap: str, topic: str, group: str, *, table: bool) -> faust.App:
    """Faust as its own guide shows it."""
    app = faust.App(
        group,
        broker=f"kafka://{bootstrap}",
        value_serializer="raw",
        broker_commit_interval=0.25,
        web_enabled=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        store="memory://",
        topic_partitions=4,
    )
    counts = app.Table("counts", default=int, partitions=4) if table else None

    @app.agent(app.topic(topic, value_type=bytes, key_type=bytes))
    async def read(stream: faust.StreamT) -> None:
        async for key, _ in stream.items():
            if counts is not None:
                counts[key] += 1

    return app


def main() -> None:
    """Run one of them until it is killed."""
    what, bootstrap, topic, group = sys.argv[1:5]
    if what == "raw":
        raw(bootstrap, topic, group)
    app = agent(bootstrap, topic, group, table=what == "table")
    faust.Worker(app, loglevel="error", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
