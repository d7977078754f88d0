"""The topics of one test on a broker that many share.

Enters: an address and a prefix of the test's own. Leaves: topics below that prefix, and their removal.
"""

from collections.abc import Mapping
from contextlib import suppress

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from tests.services.waiting import wait_until

PATIENCE = 60.0  # seconds for the broker to answer


class Topics:
    """Creates topics below one prefix, and knows which there are."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def create(
        self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None, *, replicas: int = -1
    ) -> str:
        """Create `<prefix>.<name>` and give that name, once every node leads what it should.

        `config` holds Kafka's own words (`cleanup.policy`).
        """
        full = f"{self.prefix}.{name}"
        asked = NewTopic(full, partitions, replicas, config=dict(config or {}))
        self.admin.create_topics([asked], operation_timeout=PATIENCE, request_timeout=PATIENCE)[full].result(PATIENCE)

        def led() -> bool:
            found = self.admin.list_topics(full, timeout=PATIENCE).topics[full].partitions
            return len(found) == partitions and all(each.leader >= 0 for each in found.values())

        # The controller says yes before the nodes have heard of it.
        wait_until(led, f"the partitions of {full}", PATIENCE)
        return full

    def existing(self) -> list[str]:
        """Give every topic below the prefix, also those that the program under test created."""
        found = self.admin.list_topics(timeout=PATIENCE).topics
        return sorted(name for name in found if name.startswith(f"{self.prefix}."))

    def remove(self) -> None:
        """Delete them all; what cannot be deleted is left to the broker, whose data goes with the run."""
        with suppress(KafkaException):
            names = self.existing()
            for deleted in self.admin.delete_topics(names).values() if names else ():
                deleted.result(PATIENCE)
