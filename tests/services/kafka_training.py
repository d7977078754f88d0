"""Kafka's classes as Java has once loaded them, kept: each later start takes half of the time.

Enters: nothing. Leaves: a file in the cache folder, of about 70 MB, made once by a node that is watched while it works.
Java looks whether the file fits its own version and its jars, and does without it where it does not.
"""

import tempfile
from contextlib import suppress
from pathlib import Path

from confluent_kafka import KafkaException, Producer

from tests.services.cache import cache_folder, locked
from tests.services.consume import produce, read_topic, settings
from tests.services.kafka import Cluster, NotStartedError
from tests.services.kafka_jars import class_path, loaded_classes
from tests.services.kafka_options import Options
from tests.services.topics import Topics

PATIENCE = 60.0
ASSEMBLY = 300.0  # seconds for a node to end when it writes down what it has loaded


def train() -> None:
    """Fetch Kafka, and make the file, each if it is not there; without the file everything works, slower.

    Raises: MissingError when Kafka cannot be fetched.
    """
    class_path()
    kept = loaded_classes()
    with locked(cache_folder() / "kafka.training"):
        if kept.exists():
            return
        with (
            suppress(NotStartedError, KafkaException, AssertionError),
            tempfile.TemporaryDirectory(dir=kept.parent, prefix="training-") as folder,
        ):
            made = Path(folder) / kept.name
            with Cluster(Options(java=(f"-XX:AOTCacheOutput={made}",)), Path(folder) / "node") as kafka:
                _work(kafka.bootstrap)
                kafka.nodes[0].stop(ASSEMBLY)
            if made.exists():
                made.rename(kept)


def _work(bootstrap: str) -> None:
    """Do a little of all that the tests do."""
    topic = Topics(bootstrap, "training").create("events", 2)
    produce(bootstrap, topic, [b"x"] * 100)
    producer = Producer(settings(bootstrap, transactional_id="training"))
    producer.init_transactions(PATIENCE)
    producer.begin_transaction()
    producer.produce(topic, b"x", b"key")
    producer.commit_transaction(PATIENCE)
    read_topic(bootstrap, topic)


if __name__ == "__main__":
    train()
