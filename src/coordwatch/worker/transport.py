"""The Faust transport: membership by aiokafka as Faust has it, slices from the data plane, commits by the driver.

What enters: Faust's calls; each override below names the method of Faust 0.15.3 that it replaces, and why.
What leaves: one message a slice on Faust's streams.
The next room: `faust_app`.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from aiokafka.structs import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.transport.producer import Producer as BaseProducer
from faust.types import TP, ConsumerMessage

from coordwatch.processor.stage import Place, Slice
from coordwatch.worker.dataplane import DataPlane
from coordwatch.worker.exits import Ending, die

SCHEME = "coordwatch"
_LIMIT = 4_000
_POLL_SECONDS = 0.002
# Between two questions to librdkafka; while nothing comes each pause is twice as long as the one before.
_PAUSE_SECONDS, _PAUSE_SECONDS_MAX = 0.002, 0.02
_ROUND_SECONDS = 0.1


class PlaneThread(driver.AIOKafkaConsumerThread):
    """The thread in which aiokafka keeps the membership; it also asks the data plane, never aiokafka's own fetcher."""

    app: Any
    consumer: Any
    plane: DataPlane
    pause = _PAUSE_SECONDS

    async def on_start(self) -> None:
        """Open the data plane beside the member."""
        await super().on_start()
        self.plane = DataPlane(self.app.driver_planes)

    async def on_thread_stop(self) -> None:
        """Close both."""
        await super().on_thread_stop()
        self.plane.close()

    async def _fetch_records(self, consumer: Any, *_args: Any, **_options: Any) -> Any:
        """Slices instead of aiokafka's records.

        Inside `fetch_context`, or aiokafka believes that nobody polls and leaves the group after `max_poll_interval`.
        """
        with consumer._fetcher._subscriptions.fetch_context():
            return await self._fetch()

    async def assign(self, starts: Mapping[Place, int]) -> None:
        """Read from here on; ends that were reached before say nothing of these partitions."""
        self.plane.assign(starts)
        self.consumer.reached.clear()

    async def _fetch(self) -> dict[TP, Slice]:
        consumer, plane = self.consumer, self.plane
        assignment, left = plane.assignments, _ROUND_SECONDS
        while left > 0:
            # Faust drops its fetcher at a rebalance while we are still here: what we took then, nobody would get.
            if not consumer.flow_active or plane.assignments != assignment:
                return {}
            plane.stop(self.app.driver.stage.stopped)
            slices, ends = plane.consume(_LIMIT, _POLL_SECONDS)
            consumer.reached.extend(ends.items())
            if slices:
                self.pause = _PAUSE_SECONDS
                # What is dropped because the flow stops meanwhile is read again: the next assignment begins at the
                # driver's positions, which only `take` moves.
                return {TP(*place): records for place, records in slices.items()}
            await asyncio.sleep(self.pause)
            left -= _POLL_SECONDS + self.pause
            self.pause = min(2 * self.pause, _PAUSE_SECONDS_MAX)
        return {}


class Listener(driver.ConsumerRebalanceListener):
    """Keeps aiokafka's own fetcher from our partitions before it knows where to fetch.

    It would read every record a second time, and reset an offset that retention deleted without a word.
    """

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Pause, then let Faust go on."""
        member = self._thread._ensure_consumer()
        assigned = list(assigned)
        member.pause(*(TopicPartition(at.topic, at.partition) for at in assigned))
        await super().on_partitions_assigned(assigned)


class SliceConsumer(driver.Consumer):
    """Faust's consumer, with slices for messages and the driver's positions for acks."""

    app: Any
    RebalanceListener: ClassVar[Any] = Listener

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Filled in the member's thread, emptied in ours.
        self.reached: deque[tuple[Place, int]] = deque()
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> PlaneThread:
        return PlaneThread(self, loop=self.loop, beacon=self.beacon)

    # Back-pressure is the full queue of the one agent, for all partitions at once: a partition that Faust paused would
    # throw away what librdkafka has already fetched of it.
    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: `_drain_messages` waits for room."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Nothing."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: Faust's livelock check looks at aiokafka's positions; the watchdog looks at ours."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let Faust drain and commit under the old generation, then commit nothing until the next assignment."""
        await super().on_partitions_revoked(revoked)
        await self.app.leave()

    async def perform_seek(self) -> None:
        """Nothing: the data plane is assigned at the driver's positions, in `Restoring`."""

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """The whole commit, instead of acks and offsets: Faust acks a message whose handler raised, or that it skipped."""
        did: bool = await self.app.commit_driver()
        return did

    async def _drain_messages(self, fetcher: Any) -> None:
        """Deliver one message a slice, in the order of each partition."""
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                fetched, _ = await self._wait_next_records(_ROUND_SECONDS)
                records: dict[TP, Any] = dict(fetched or {})
                generation = self.app.consumer_generation_id
                for found in records.values():
                    self.app.driver.fetched(found)
                self._tell_reached()
                for tp, found in records.items():
                    if not self.flow_active or self.app.consumer_generation_id != generation:
                        break
                    await self.wait_first(self.callback(_message(tp, found, generation)), self.suspend_flow.wait())
        except Ending as ending:
            die(ending)
        except self.consumer_stopped_errors:
            if not self.transport.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.transport.app.should_stop:
                raise

    def _tell_reached(self) -> None:
        with suppress(IndexError):
            while True:
                self.app.driver.at_end(*self.reached.popleft())


def _message(tp: TP, records: Any, generation: int) -> ConsumerMessage:
    return ConsumerMessage(
        tp.topic, tp.partition, records.offsets[-1], 0.0, 0, [], None, records, None, 0, 0, tp, generation_id=generation
    )


class NoProducer(BaseProducer):
    """Faust produces nothing here: everything goes out in the driver's transaction."""

    async def flush(self) -> None:
        """Nothing is ever buffered."""

    def key_partition(self, topic: str, key: bytes) -> TP:
        """Refused: a record that Faust sends would stand outside every transaction."""
        raise NotImplementedError("records are produced by the driver's commit only")


class SliceTransport(driver.Transport):
    """Registered under its own scheme, so that no fork of Faust is needed."""

    Consumer: ClassVar[Any] = SliceConsumer
    Producer: ClassVar[Any] = NoProducer
    driver_version = f"{driver.Transport.driver_version} for membership, librdkafka for records"
