"""Puts a recorded stream into the topics that it came from, to see something move before your own tools are wired up.

    coordwatch simulate --shape vendor --customers 60 --days 4 --start 2026-06-01T00:00:00Z | \
        python -m deploy.publish 127.0.0.1:9094

What enters: recorded lines on standard input, `{"topic": ..., "headers": {...}, "value": ...}`; the address of a Kafka.
What leaves: the same records, in their order, each in its topic, which must be there; `--make 4` makes those that are not, with
four partitions each. Nothing else is needed or changed.
"""

import argparse
import json
import sys
from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

PATIENCE = 60.0


def publish(bootstrap: str, lines: Iterable[str], before: str = "") -> int:
    """Publish every line and wait until all are there; `before` is put before each topic's name.

    Gives: how many
    Raises: OSError when one is refused or not acknowledged in time
    """
    refused: list[str] = []

    def told(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            refused.append(f"the topic '{message.topic()}': {error.str()}")

    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "linger.ms": 20,
            "log_level": 0,
            # A topic that is not there is refused soon, and not made.
            "topic.metadata.propagation.max.ms": 5000,
            "allow.auto.create.topics": False,
        }
    )
    count = 0
    for line in lines:
        count += 1
        record = json.loads(line)
        value = record["value"]
        data = (value if isinstance(value, str) else json.dumps(value)).encode()
        headers = [(name, text.encode()) for name, text in record.get("headers", {}).items()]
        producer.produce(before + record["topic"], data, headers=headers, on_delivery=told)
        producer.poll(0)
    left = producer.flush(PATIENCE)
    if refused or left:
        raise OSError(refused[0] if refused else f"{left} records were not acknowledged in {PATIENCE:g} s")
    return count


def make_topics(bootstrap: str, names: Iterable[str], partitions: int) -> list[str]:
    """Make the topics that are not there yet, one copy each: for a broker on one machine.

    Gives: the names of those that were made
    Raises: OSError when one cannot be made
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    try:
        there = admin.list_topics(timeout=PATIENCE).topics
        missing = [name for name in dict.fromkeys(names) if name not in there]
        asked = admin.create_topics([NewTopic(name, partitions, 1) for name in missing]) if missing else {}
        for one in asked.values():
            one.result(PATIENCE)
    except KafkaException as error:
        raise OSError(error.args[0].str()) from None
    return missing


def main(arguments: list[str] | None = None) -> int:
    """Publish standard input."""
    parser = argparse.ArgumentParser(prog="python -m deploy.publish", description="Recorded lines into their topics.")
    parser.add_argument("bootstrap", metavar="HOST:PORT", help="a Kafka; that of the compose file is 127.0.0.1:9094")
    parser.add_argument(
        "--make", type=int, metavar="N", help="make the topics that are not there, with N partitions each"
    )
    args = parser.parse_args(arguments)
    lines: Iterable[str] = (line for line in sys.stdin if line.strip())
    try:
        if args.make:
            lines = list(lines)
            made = make_topics(args.bootstrap, (json.loads(line)["topic"] for line in lines), args.make)
            print(f"topics made: {', '.join(made) or 'none'}", file=sys.stderr)
        count = publish(args.bootstrap, lines)
    except OSError as error:
        print(
            f"not published: {error}; is the address right, and are the topics there? --make 4 makes them",
            file=sys.stderr,
        )
        return 1
    print(f"{count} records published", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
