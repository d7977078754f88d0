"""Ends: how far the log of many partitions goes, asked of the brokers at once; for the lag that metrics show.

What enters: partitions. What leaves: the offsets after their last committed records, of those that answered in time.
"""

import time
from collections.abc import Iterable
from concurrent.futures import TimeoutError as FutureTimeoutError

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import admin

_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]


Spot = tuple[str, int]
"""A topic and a partition."""


class Ends:
    """Asks the brokers, no more than once in so many seconds; any thread may ask."""

    def __init__(self, access: KafkaAccess, *, patience: float = 2.0, fresh: float = 5.0) -> None:
        self._access, self._patience, self._fresh = access, patience, fresh
        self._admin: AdminClient | None = None
        self._asked_at = -fresh
        self._known: dict[Spot, int] = {}

    def of(self, spots: Iterable[Spot]) -> dict[Spot, int]:
        """The ends that are known; what was asked for lately is not asked again."""
        wanted = list(spots)
        present = time.monotonic()
        if present - self._asked_at >= self._fresh or any(spot not in self._known for spot in wanted):
            self._asked_at = present
            self._known = self._ask(wanted)
        return {spot: self._known[spot] for spot in wanted if spot in self._known}

    def _ask(self, wanted: list[Spot]) -> dict[Spot, int]:
        if not wanted:
            return {}
        if self._admin is None:
            self._admin = admin(self._access)
        latest = {TopicPartition(*spot): _LATEST for spot in wanted}
        asked = self._admin.list_offsets(
            latest, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=self._patience
        )
        found: dict[Spot, int] = {}
        for at, answer in asked.items():
            try:
                found[at.topic, at.partition] = answer.result(self._patience).offset
            except (KafkaException, FutureTimeoutError):
                continue  # the metrics do without, rather than wait
        return found
