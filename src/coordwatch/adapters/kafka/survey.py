"""The survey: topics as the brokers have them, with what we may do to them.

What enters: an admin client and names. What leaves: a Seen for each topic that is there, and an error for each other one.
The next room: `topics`, which compares.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from coordwatch.errors import TemporaryError

PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One topic. `operations` is what we may do, None when the broker does not say; `config` None: we may not read it."""

    name: str
    partitions: int
    replication: int
    operations: frozenset[str] | None
    config: Mapping[str, str] | None

    def may(self, operation: str) -> bool:
        """Whether the broker lets us; it is asked in Kafka's words, such as READ."""
        return self.operations is None or operation in self.operations

    def number(self, name: str) -> int | None:
        """A number of the configuration, None when it cannot be read."""
        value = None if self.config is None else self.config.get(name)
        return None if value is None else int(value)


@dataclass(frozen=True, slots=True)
class Survey:
    """What is there, and for what is not why: it is missing, or we may not know."""

    seen: Mapping[str, Seen]
    errors: Mapping[str, KafkaError]

    def missing(self, name: str) -> bool:
        """Whether the brokers say that there is no such topic."""
        return name in self.errors and self.errors[name].code() == KafkaError.UNKNOWN_TOPIC_OR_PART

    def hidden(self, name: str) -> bool:
        """Whether we may not even know of the topic."""
        return name in self.errors and self.errors[name].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


@contextmanager
def answered() -> Iterator[None]:
    """What the brokers leave unanswered inside is bad luck. Raises: TemporaryError."""
    try:
        yield
    except KafkaException as failure:
        raise TemporaryError(f"the brokers stopped answering ({failure.args[0].name()})") from None


def survey(admin: AdminClient, names: Sequence[str]) -> Survey:
    """Look at topics.

    Raises: KafkaException when the brokers do not answer
    """
    if not names:
        return Survey({}, {})
    asked = admin.describe_topics(
        TopicCollection(list(names)), include_authorized_operations=True, request_timeout=PATIENCE
    )
    described, errors = answers(asked)
    configs = _configs(admin, list(described))
    seen = {
        name: Seen(
            name,
            len(one.partitions),
            min((len(partition.replicas) for partition in one.partitions), default=0),
            None if one.authorized_operations is None else frozenset(each.name for each in one.authorized_operations),
            configs.get(name),
        )
        for name, one in described.items()
    }
    return Survey(seen, errors)


def _configs(admin: AdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    told, _ = answers(admin.describe_configs(resources, request_timeout=PATIENCE))
    return {
        resource.name: {name: entry.value for name, entry in config.items() if entry.value is not None}
        for resource, config in told.items()
    }


def answers(asked: Mapping[Any, "Future[Any]"]) -> tuple[dict[Any, Any], dict[Any, KafkaError]]:
    """What came of each part of a question to the brokers.

    Raises: KafkaException for a part that nobody answered
    """
    came: dict[Any, Any] = {}
    errors: dict[Any, KafkaError] = {}
    for name, future in asked.items():
        try:
            came[name] = future.result(PATIENCE + 5)
        except KafkaException as failure:
            error = failure.args[0]
            if error.code() < 0:  # librdkafka's own: no broker has answered
                raise
            errors[name] = error
    return came, errors
