"""The plain runtime: the same stages, topics and bytes under a loop over confluent-kafka alone.

What enters: one driver a stage.
What leaves: the same as with Faust: it is the oracle for that runtime, and the way out of it.
The next room: `service`, which wraps it with the HTTP side.

A group must not be run by both runtimes at once: their assignors differ. Stop one, then start the other.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from coordwatch.processor.stage import Place
from coordwatch.worker.columns import columns_of
from coordwatch.worker.driver import Driver
from coordwatch.worker.exits import Ending, ExitCode, unforeseen
from coordwatch.worker.member import Member

_LIMIT = 2_000
_POLL_SECONDS = 0.05
_TICK_SECONDS = 1.0
_PATIENCE = 20.0


class Groups(Protocol):
    """Makes members of consumer groups."""

    def member(self, group: str) -> Consumer:
        """A consumer that joins a group eagerly, reads committed records, commits nothing by itself and tells of ends."""
        ...


class PlainLoop:
    """One stage, one thread, one consumer."""

    def __init__(self, driver: Driver, groups: Groups, group: str, commit_every: float) -> None:
        self._driver, self._group, self._commit_every = driver, group, commit_every
        self._consumer = groups.member(group)
        self._ending: Ending | None = None
        self._commit_at = self._tick_at = 0.0
        driver.way.bind(self._set_offsets)

    @property
    def role(self) -> str:
        """What the stage does."""
        return self._driver.stage.role

    def run(self, should_end: Callable[[], bool]) -> None:
        """Work until `should_end`, then commit what was taken and leave the group. Raises: Ending."""
        self._driver.open()
        consumer = self._consumer
        consumer.subscribe(
            list(self._driver.stage.inputs), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )
        while not should_end():
            self._take(consumer.consume(_LIMIT, _POLL_SECONDS))
            self._keep_up()
        self._commit()
        consumer.close()

    def _keep_up(self) -> None:
        """Tick and commit when it is time to."""
        now = time.monotonic()
        if now >= self._tick_at:
            self._tick_at = now + _TICK_SECONDS
            self._tick()
        if now >= self._commit_at:
            self._commit()
            self._commit_at = time.monotonic() + self._commit_every

    def _take(self, messages: Sequence[object]) -> None:
        if self._ending is not None:
            raise self._ending
        driver = self._driver
        slices = columns_of(messages).values()
        for records in slices:
            driver.fetched(records)
        self._look_at_errors(messages)
        for records in slices:
            for part in driver.in_parts(records):
                driver.take(part)
                self._keep_up()
        if driver.stage.stopped:
            self._consumer.pause([TopicPartition(*place) for place in driver.stage.stopped])

    def _look_at_errors(self, messages: Sequence[object]) -> None:
        for message in messages:
            error = message.error()  # type: ignore[attr-defined]
            if error is None:
                continue
            if error.code() == KafkaError._PARTITION_EOF:
                place = Place(message.topic(), message.partition())  # type: ignore[attr-defined]
                self._driver.at_end(place, message.offset())  # type: ignore[attr-defined]
            elif error.fatal() or error.code() == KafkaError._AUTO_OFFSET_RESET:
                raise Ending(ExitCode.AGAIN, f"{self._group}: {error}")

    def _tick(self) -> None:
        driver = self._driver
        driver.tick()
        if driver.watches_ends:
            driver.caught_up(*driver.confirm_ends())

    def _commit(self) -> None:
        ready = self._driver.ready()
        if ready is not None:
            self._driver.commit(ready)

    def _set_offsets(self, offsets: Mapping[Place, int]) -> None:
        positions = [TopicPartition(*place, offset) for place, offset in offsets.items()]
        try:
            self._consumer.commit(offsets=positions, asynchronous=False)
        except KafkaException as failure:
            raise Ending(ExitCode.AGAIN, f"the offsets were not committed: {failure.args[0]}") from failure

    # ---- called inside `consume`

    def _assigned(self, consumer: Consumer, at: list[TopicPartition]) -> None:
        try:
            places = [Place(one.topic, one.partition) for one in at]
            found = consumer.committed(at, timeout=_PATIENCE)
            committed = {Place(one.topic, one.partition): one.offset if one.offset >= 0 else None for one in found}
            starts = self._driver.resume(self._member(consumer), committed, self._goes_on)
            assert starts is not None, "an assignment stays while its callback runs"
            consumer.assign([TopicPartition(*place, starts[place]) for place in places])
        except Ending as ending:
            self._ending = ending
        except KafkaException as failure:
            self._ending = Ending(ExitCode.AGAIN, f"{self._group}: {failure.args[0]}")

    def _goes_on(self) -> bool:
        """An assignment stays while its callback runs; the watchdog hears that a long restore is no hang."""
        self._driver.turned()
        return True

    def _revoked(self, consumer: Consumer, _at: list[TopicPartition]) -> None:
        try:
            self._commit()
        except Ending as ending:
            self._ending = ending
        self._driver.pause()
        self._driver.forget_all()
        consumer.unassign()

    def _lost(self, _consumer: Consumer, _at: list[TopicPartition]) -> None:
        self._ending = Ending(ExitCode.AGAIN, f"{self._group}: the partitions were lost to another worker")

    def _member(self, consumer: Consumer) -> Member:
        """The membership by name, taken out of the bytes that the client gives."""
        return Member.of(consumer.consumer_group_metadata())


class PlainRuntime:
    """Runs one loop a stage, each in a thread of its own; the first that ends ends all."""

    def __init__(self, loops: Sequence[PlainLoop]) -> None:
        self._loops = tuple(loops)
        self._endings: list[Ending] = []

    def run(self, should_end: Callable[[], bool]) -> ExitCode:
        """Work until `should_end`. Raises: Ending."""
        over = threading.Event()

        def ended() -> bool:
            return over.is_set() or should_end()

        threads = [threading.Thread(target=self._one, args=(loop, ended, over), daemon=True) for loop in self._loops]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._endings:
            raise self._endings[0]
        return ExitCode.ENDED

    def _one(self, loop: PlainLoop, ended: Callable[[], bool], over: threading.Event) -> None:
        try:
            loop.run(ended)
        except Ending as ending:
            self._endings.append(ending)
        except Exception as error:
            self._endings.append(unforeseen(loop.role, error))
        finally:
            over.set()
