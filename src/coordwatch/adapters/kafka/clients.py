"""The clients of librdkafka, each made in one place, so that a topic has one partitioner and a reader one isolation.

What enters: a KafkaAccess. What leaves: a producer, a consumer, an admin client. What they log goes to our log when they
are polled, and never to the terminal.
"""

import logging
import re
from collections.abc import Callable
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from coordwatch.adapters.kafka.access import (
    KafkaAccess,
    client_settings,
    group_settings,
    producer_settings,
    reader_settings,
    tls_context,
)
from coordwatch.errors import PermanentError

READER_GROUP = "coordwatch.reader"
_SECONDS, _KEPT = 30.0, 500
_CHANGING = re.compile(r"after \d+ms|#[a-z]+-\d+")
_log = logging.getLogger("coordwatch.kafka")


class Seldom(logging.Filter):
    """Lets one message through once in half a minute: librdkafka says it again at each of its attempts, twenty a second."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this message was not heard for a while."""
        words = _CHANGING.sub("", record.getMessage())
        last = self._last.get(words)
        if last is not None and record.created - last < _SECONDS:
            return False
        if len(self._last) >= _KEPT:
            self._last.clear()
        self._last[words] = record.created
        return True


_log.addFilter(Seldom())
# A command that has set up no log says itself what is wrong.
_log.addHandler(logging.NullHandler())

Client = TypeVar("Client")
OnError = Callable[[KafkaError], None]


def producer(access: KafkaAccess, transactional_id: str | None = None) -> Producer:
    """THE producer: every record of ours is written by one of these.

    Raises: PermanentError when librdkafka cannot work with the access, a file of it above all
    """
    return _made(Producer, access, producer_settings(access, transactional_id))


def reader(access: KafkaAccess, group: str = READER_GROUP, **more: Any) -> Consumer:
    """A consumer to `assign()` partitions to. Raises: as `producer`."""
    return _made(Consumer, access, reader_settings(access, group) | more)


def member(access: KafkaAccess, group: str, slot: str | None = None, *, reset: str = "error", **more: Any) -> Consumer:
    """A consumer that joins a group. Raises: as `producer`."""
    return _made(Consumer, access, group_settings(access, group, slot, reset) | more)


def admin(access: KafkaAccess, on_error: OnError | None = None) -> AdminClient:
    """An admin client; `on_error` hears why brokers cannot be reached. Raises: as `producer`."""
    told = {} if on_error is None else {"error_cb": on_error}
    return _made(AdminClient, access, client_settings(access) | told)


def _made(kind: Callable[..., Client], access: KafkaAccess, settings: dict[str, Any]) -> Client:
    tls_context(access)  # librdkafka does not say which file it could not use
    try:
        return kind(settings, logger=_log)
    except (KafkaException, ValueError) as error:
        told = error.args[0].str() if isinstance(error, KafkaException) else str(error)
        raise PermanentError(f"kafka: the client cannot be made: {told}") from None
