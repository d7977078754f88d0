"""The commit: everything that came of what was taken, and how far it was taken, durable together or not at all.

What enters: Outputs, the offsets after the last record taken, the membership under which the partitions were restored.
What leaves: one Kafka transaction, or the end of the process.
The next room: `exits`.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from coordwatch.processor.stage import Output, Place
from coordwatch.worker.exits import Ending, ExitCode
from coordwatch.worker.member import Member

_ATTEMPTS = 5
_PATIENCE = 30.0
_FULL_SECONDS = 0.1
# A broker that no longer knows us will not know us at the next try either.
_FENCED = (KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.FENCED_INSTANCE_ID)
_TOO_LARGE = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)
_log = logging.getLogger("coordwatch.worker.transaction")


SetOffsets = Callable[[Mapping[Place, int]], None]
"""Commits the offsets of the group by its member; blocks."""


class Commit(Protocol):
    """A way to make outputs and offsets durable. Blocks; called by one thread at a time."""

    @property
    def aborted(self) -> int:
        """How many commits were broken off and tried again, for the metrics."""
        ...

    def open(self) -> None:
        """Get ready; fences whoever used the same slot before. Raises: Ending."""
        ...

    def bind(self, set_offsets: SetOffsets) -> None:
        """Learn how the runtime's own member commits offsets, for ways that need it."""
        ...

    def alive(self) -> None:
        """The loop has turned. Raises: Ending."""
        ...

    def commit(self, outputs: Sequence[Output], offsets: Mapping[Place, int], member: Member) -> None:
        """Make everything durable. Raises: Ending when that cannot be done: nothing of it is visible then."""
        ...


class Transaction:
    """One Kafka transaction a commit, fenced by the group generation."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._refused: list[tuple[KafkaError, str]] = []
        self.aborted = 0

    def open(self) -> None:
        """Fence the predecessor in this slot, and wait until its transaction is ended."""
        try:
            self._producer.init_transactions(2 * _PATIENCE)
        except KafkaException as error:
            raise Ending(
                ExitCode.AGAIN, f"the brokers do not begin transactions: {error.args[0]}; `coordwatch doctor` says why"
            ) from error

    def bind(self, set_offsets: SetOffsets) -> None:
        """Offsets go with the transaction."""

    def alive(self) -> None:
        """The broker is the fence, whatever the loop does."""

    def commit(self, outputs: Sequence[Output], offsets: Mapping[Place, int], member: Member) -> None:
        """Produce, add the offsets, commit; an abortable failure is tried again with the same records."""
        positions = [TopicPartition(place.topic, place.partition, offset) for place, offset in offsets.items()]
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._once(outputs, positions, member)
            except KafkaException as failure:
                error = failure.args[0]
                self._give_up_if_final(error)
                self.aborted += 1
                _log.warning("commit aborted (%s), attempt %d of %d", error, attempt, _ATTEMPTS)
                self._abort()
                # Only now is everything known that was said of the records: the failure may have come before its reason.
                self._give_up_if_too_large()
        raise Ending(ExitCode.AGAIN, f"{_ATTEMPTS} commits in a row were aborted")

    def _once(self, outputs: Sequence[Output], positions: list[TopicPartition], member: Member) -> None:
        self._refused.clear()
        self._producer.begin_transaction()
        produce_all(self._producer, outputs, self._delivered)
        self._producer.send_offsets_to_transaction(positions, member.metadata(), _PATIENCE)
        self._producer.commit_transaction(_PATIENCE)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refused.append((error, message.topic() or ""))

    def _give_up_if_too_large(self) -> None:
        for refused, topic in self._refused:
            if refused.code() in _TOO_LARGE:
                raise too_large(topic)

    def _give_up_if_final(self, error: KafkaError) -> None:
        self._give_up_if_too_large()
        if error.code() in _FENCED or error.code() == KafkaError._FENCED:
            raise Ending(ExitCode.AGAIN, f"this worker was fenced ({error.name()}): its partitions have another owner")
        if not error.txn_requires_abort():
            raise Ending(ExitCode.AGAIN, f"the commit failed: {error}")

    def _abort(self) -> None:
        try:
            self._producer.abort_transaction(_PATIENCE)
        except KafkaException as failure:
            raise Ending(ExitCode.AGAIN, f"a failed commit could not be aborted: {failure.args[0]}") from failure


class InTurn:
    """The weaker mode, for brokers without transactions: outputs durable first, then the offsets.

    A worker that was paused can still write between its check and the write: the fence is the time the loop stood still,
    not the broker. Units: `session` in seconds
    """

    def __init__(self, producer: Producer, session: float) -> None:
        self._producer, self._session = producer, session
        self._set_offsets: SetOffsets | None = None
        self._refused: list[tuple[KafkaError, str]] = []
        self._alive_at = time.monotonic()
        self.aborted = 0

    def open(self) -> None:
        """Nothing to fence."""
        _log.warning("running without transactions: a paused worker may repeat outputs (see docs/worker.md)")
        self._alive_at = time.monotonic()

    def bind(self, set_offsets: SetOffsets) -> None:
        """Offsets are committed by the member, after the outputs."""
        self._set_offsets = set_offsets

    def alive(self) -> None:
        """The loop has turned; too late, if the session may be over."""
        self._fence_oneself()
        self._alive_at = time.monotonic()

    def commit(self, outputs: Sequence[Output], offsets: Mapping[Place, int], member: Member) -> None:
        """Produce and wait for every acknowledgement, then commit the offsets."""
        self._fence_oneself()
        self._refused.clear()
        produce_all(self._producer, outputs, self._delivered)
        left = self._producer.flush(_PATIENCE)
        for error, topic in self._refused:
            if error.code() in _TOO_LARGE:
                raise too_large(topic)
            raise Ending(ExitCode.AGAIN, f"an output to {topic} was not taken: {error}")
        if left:
            raise Ending(ExitCode.AGAIN, f"{left} outputs were not taken within {_PATIENCE:.0f} s")
        self._fence_oneself()
        assert self._set_offsets is not None, "the runtime binds it before anything is committed"
        self._set_offsets(offsets)

    def _fence_oneself(self) -> None:
        stood = time.monotonic() - self._alive_at
        if stood > 0.6 * self._session:
            raise Ending(
                ExitCode.AGAIN, f"the loop stood still for {stood:.1f} s: the partitions may have another owner"
            )

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refused.append((error, message.topic() or ""))


def produce_all(
    producer: Producer, outputs: Sequence[Output], delivered: Callable[[KafkaError | None, Message], None]
) -> None:
    """Hand every output to the client, waiting while its queue is full."""
    for topic, key, value, partition, headers in outputs:
        place = -1 if partition is None else partition
        while True:
            try:
                producer.produce(topic, value, key, place, on_delivery=delivered, headers=list(headers) or None)
                break
            except BufferError:
                producer.poll(_FULL_SECONDS)
            except KafkaException as failure:
                if failure.args[0].code() in _TOO_LARGE:
                    raise too_large(topic) from failure
                raise
    producer.poll(0)


def too_large(topic: str) -> Ending:
    """An output that no retry makes smaller."""
    return Ending(
        ExitCode.BROKEN,
        f"a record for {topic} is larger than the topic takes: raise its max.message.bytes, or lower the size of a "
        "customer's state; nothing of this commit is visible",
    )
