"""The publisher: records produced when their instant has come, as tools publish them; for a demo.

What enters: records in the order of their instants, a clock. What leaves: the same on their topics; record times are the
wall's, since retention goes by them.
"""

import logging
import threading
from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import producer
from coordwatch.clock import PacedClock
from coordwatch.events.times import SECOND
from coordwatch.processor.stage import Headers

_MILLISECOND = 1000
_WAIT_MOST = 0.2
_END_SECONDS = 10.0
_log = logging.getLogger("coordwatch.kafka")


class Due(NamedTuple):
    """One record and when it is published. Units: `at` in microseconds of the clock."""

    at: int
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Publisher:
    """Publishes on a thread of its own until it is stopped or `ending` is set."""

    def __init__(self, access: KafkaAccess, records: Iterator[Due], clock: PacedClock, ending: threading.Event) -> None:
        self._records, self._clock, self._ending = records, clock, ending
        self._producer: Producer = producer(access)
        self._thread = threading.Thread(target=self._run, name="coordwatch-publisher", daemon=True)
        self.published = 0

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def stop(self) -> None:
        """Publish nothing more, and wait for what is on its way."""
        self._ending.set()
        self._thread.join(_END_SECONDS)
        self._producer.flush(_END_SECONDS)

    def _run(self) -> None:
        try:
            for due in self._records:
                if not self._wait_for(due.at):
                    return
                self._publish(due)
        except KafkaException as failure:
            _log.error("nothing is published any more: %s", failure.args[0])

    def _wait_for(self, at: int) -> bool:
        """Wait for an instant. Gives: whether to go on."""
        while (left := at - self._clock.now()) > 0:
            self._producer.poll(0)
            if self._ending.wait(min(_WAIT_MOST, left / self._clock.speed / SECOND)):
                return False
        return not self._ending.is_set()

    def _publish(self, due: Due) -> None:
        stamp = -(-self._clock.wall(due.at) // _MILLISECOND)
        while True:
            try:
                self._producer.produce(
                    due.topic, due.value, due.key, timestamp=stamp, headers=list(due.headers), on_delivery=_told
                )
                break
            except BufferError:
                self._producer.poll(_WAIT_MOST)
        self.published += 1
        self._producer.poll(0)


def _told(error: KafkaError | None, message: Message) -> None:
    if error is not None:
        _log.error("a record for %s was not taken: %s", message.topic(), error)
