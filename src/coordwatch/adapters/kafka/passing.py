"""Passing topics: the topics of a run that leaves nothing behind, made below one name and removed with everything there.

What enters: a KafkaAccess and a name. What leaves: topics, and at the end none of them, nor the groups that read them.
"""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.findings import Finding, refuse
from coordwatch.adapters.kafka.reach import reach
from coordwatch.errors import PermanentError, TemporaryError

_PATIENCE = 20.0
_SHOWN_AFTER, _LOOKS = 0.2, 10


class PassingTopics:
    """Everything whose name begins with a name of our own and a dot.

    Raises: PermanentError or TemporaryError when the brokers cannot be reached
    """

    def __init__(self, access: KafkaAccess, name: str) -> None:
        reached = reach(access)
        if isinstance(reached, Finding):
            refuse([reached])
            raise AssertionError("what cannot be reached is refused")
        self._admin: AdminClient = reached.admin
        self._begins = f"{name}."

    def create(self, names: Sequence[str], partitions: int) -> None:
        """Make topics, where nothing of this name is there yet.

        Raises: PermanentError when something is; TemporaryError when the brokers refuse
        """
        there = self._topics()
        if there:
            raise PermanentError(f"there are topics already that begin with '{self._begins}', such as {there[0]}")
        asked = self._admin.create_topics(
            [NewTopic(name, partitions, 1) for name in names], operation_timeout=_PATIENCE
        )
        try:
            for answer in asked.values():
                answer.result(_PATIENCE)
        except KafkaException as failure:
            self.remove([])
            raise TemporaryError(f"the topics cannot be made: {failure.args[0].str()}") from None

    def remove(self, groups: Sequence[str]) -> list[str]:
        """Delete every topic of this name, and groups. Gives: the topics that are still there."""
        names = self._topics()
        if groups:
            _settle(self._admin.delete_consumer_groups(list(groups)).values())
        if names:
            _settle(self._admin.delete_topics(names, operation_timeout=_PATIENCE).values())
        for _ in range(_LOOKS):
            left = self._topics()
            if not left:
                break
            time.sleep(_SHOWN_AFTER)  # a broker hears a moment later of what is gone
        return left

    def _topics(self) -> list[str]:
        found = self._admin.list_topics(timeout=_PATIENCE).topics
        return sorted(name for name in found if name.startswith(self._begins))


def _settle(answers: Iterable["Future[Any]"]) -> None:
    for answer in answers:
        with suppress(KafkaException):
            answer.result(_PATIENCE)
