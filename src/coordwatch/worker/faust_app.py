"""The Faust app of one stage: Faust's membership, agent, commit schedule and timers around one driver.

What enters: a driver, the settings of the connection.
What leaves: calls of the driver, in the order that the group's life gives them.
The next room: `faust_runtime`, which runs the apps of a process.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import faust
from aiokafka.structs import TopicPartition
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.drivers import TRANSPORTS

from coordwatch.processor.stage import Place, Slice
from coordwatch.worker.dataplane import Planes
from coordwatch.worker.driver import Driver
from coordwatch.worker.exits import Ending, ExitCode, die, unforeseen
from coordwatch.worker.member import Member
from coordwatch.worker.transport import SCHEME, SliceTransport

_TICK_SECONDS = 1.0
_LONG_SECONDS = 0.5
_HEARTBEATS = 5
_OFFSET_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Connection:
    """How the member of a group reaches the brokers. Units: seconds.

    `credentials` and `ssl_context` are Faust's, None for a plain connection; `instance` names a static member.
    """

    servers: tuple[str, ...]
    group: str
    instance: str | None = None
    session: float = 10.0
    commit_every: float = 0.5
    credentials: Any = None


class SliceSchema(faust.Schema[Any, Any]):
    """Values are slices already: Faust decodes nothing, so it can acknowledge nothing that it could not decode."""

    def compile(self, app: Any, **_options: Any) -> Any:
        """The function that makes Faust's event of a message."""
        create_event = app.create_event

        async def decode(message: Any, **_: Any) -> Any:
            return create_event(None, message.value, message.headers, message)

        return decode


class Restoring(Recovery):
    """Restores the state of the assigned partitions before anything flows.

    Not in the callback of the assignment: aiokafka begins to send heartbeats only after it, and a long restore there
    would be evicted.
    """

    app: Any

    async def _resume_streams(self, generation_id: int = 0) -> None:
        app, consumer = self.app, self.app.consumer
        places = [Place(at.topic, at.partition) for at in consumer.assignment()]
        wanted = _Wanted(app, generation_id)
        starts = await app.in_turn(app.resume_driver, places, generation_id, wanted)
        if starts is None or not wanted():
            self.log.info("the group changed again while state was restored")
            return
        await consumer._thread.call_thread(consumer._thread.assign, starts)
        await super()._resume_streams(generation_id)


class _Wanted:
    """Whether the generation for which something is restored is still the present one."""

    def __init__(self, app: "StageApp", generation: int) -> None:
        self._app, self._generation = app, generation

    def __call__(self) -> bool:
        return self._app.consumer_generation_id == self._generation and not self._app.should_stop


class RestoringTables(TableManager):
    """No tables: state is the stage's, over its changelog. Faust's recovery is where ours hooks in."""

    @property
    def recovery(self) -> Any:
        """Our recovery in the place of Faust's."""
        if self._recovery is None:
            self._recovery = Restoring(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


class StageApp(faust.App):
    """One stage as a Faust app: one consumer group, one agent."""

    consumer: Any

    def __init__(self, driver: Driver, planes: Planes, connection: Connection) -> None:
        TRANSPORTS.aliases[SCHEME] = f"{SliceTransport.__module__}:{SliceTransport.__name__}"
        self.driver, self.driver_planes, self._connection = driver, planes, connection
        self._generation: int | None = None
        self._one, self._committing = asyncio.Lock(), asyncio.Lock()
        super().__init__(
            connection.group,
            broker=";".join(f"{SCHEME}://{server}" for server in connection.servers),
            broker_credentials=connection.credentials,
            broker_session_timeout=connection.session,
            broker_heartbeat_interval=connection.session / _HEARTBEATS,
            broker_request_timeout=max(30.0, connection.session),
            broker_commit_interval=connection.commit_every,
            consumer_group_instance_id=connection.instance,
            consumer_auto_offset_reset="earliest",
            stream_buffer_maxsize=16,
            # Load-bearing: it commits before the partitions leave.
            stream_wait_empty=True,
            stream_recovery_delay=0.0,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            store="memory://",
            TableManager=RestoringTables,
        )
        self.agent(self.topic(*driver.stage.inputs, schema=SliceSchema()), name=connection.group)(self._take_all)
        self.timer(_TICK_SECONDS)(self._tick)
        driver.way.bind(self._set_offsets)

    # ---- what Faust calls

    def _create_directories(self) -> None:
        """None: what a stage keeps stands on the brokers, and a worker may run where nothing can be written."""

    async def _take_all(self, stream: Any) -> None:
        async for event in stream.events():
            try:
                await self._take_one(event.value, event.message.generation_id)
            except Ending as ending:
                die(ending)
            except Exception as error:
                # Faust would acknowledge the message of a handler that raised, and go on.
                die(unforeseen(self.driver.stage.role, error))

    async def _take_one(self, records: Slice, generation: int) -> None:
        """Take a slice of some generation; what is left of it when that has passed is read again."""
        for part in self.driver.in_parts(records):
            began = time.monotonic()
            await self._in_order(self.driver.take, part)
            if time.monotonic() - began > _LONG_SECONDS:
                # Nobody else had a turn, and one is not enough to begin a commit.
                await self.commit_driver()
            else:
                await asyncio.sleep(0)
            if self.consumer_generation_id != generation:
                return

    async def _tick(self) -> None:
        # Said before waiting for a turn: a long restore holds the turn, and the loop goes on all the same.
        self.driver.turned()
        try:
            await self._in_order(self.driver.tick)
            if self.driver.watches_ends:
                now, places = await self._away(self.driver.confirm_ends)
                await self._in_order(self.driver.caught_up, now, places)
        except Ending as ending:
            die(ending)
        except Exception as error:
            die(unforeseen(self.driver.stage.role, error))

    async def commit_driver(self) -> bool:
        """Make durable what the stage has to give. Faust calls it on its schedule, at a rebalance and at the end."""
        try:
            async with self._committing:
                return await self._commit()
        except Ending as ending:
            die(ending)
        except Exception as error:
            die(unforeseen(self.driver.stage.role, error))

    async def _commit(self) -> bool:
        if self.driver.blocking:
            async with self._one:
                ready = await self._away(self.driver.ready)
                if ready is not None:
                    await self._away(self.driver.commit, ready)
            return ready is not None
        async with self._one:
            ready = self.driver.ready()
        if ready is not None:
            # Records are taken while the transaction is on its way: what they give belongs to the next one.
            await self._away(self.driver.commit, ready)
        return ready is not None

    async def leave(self) -> None:
        """The partitions are going: commit nothing any more, and wait for the commit that is on its way."""
        self.driver.pause()
        async with self._committing:
            pass

    # ---- what `Restoring` calls

    async def resume_driver(self, places: list[Place], generation: int, wanted: _Wanted) -> Mapping[Place, int] | None:
        """Let the driver take over an assignment. Gives: where to read from, None when it changed meanwhile."""
        try:
            if self._generation is None or generation != self._generation + 1:
                # A generation was missed: somebody else may have owned what is kept.
                self.driver.forget_all()
            self._generation = generation
            committed = await self.consumer._thread.call_thread(_committed, self.consumer._thread, places)
            member = self._member(generation)
            starts: Mapping[Place, int] | None = await self._away(self.driver.resume, member, committed, wanted)
            return starts
        except Ending as ending:
            die(ending)
        except Exception as error:
            die(unforeseen(self.driver.stage.role, error))

    def _member(self, generation: int) -> Member:
        coordinator = self.consumer._thread._consumer._coordinator
        return Member(self._connection.group, generation, coordinator.member_id, self._connection.instance)

    def _set_offsets(self, offsets: Mapping[Place, int]) -> None:
        """Commit offsets by the member, from another thread, and wait for it."""
        thread = self.consumer._thread
        positions = {TopicPartition(*place): offset for place, offset in offsets.items()}
        asked = asyncio.run_coroutine_threadsafe(thread._consumer.commit(positions), thread.thread_loop)
        try:
            asked.result(_OFFSET_SECONDS)
        except Exception as error:
            raise Ending(ExitCode.AGAIN, f"the offsets were not committed: {error}") from error

    async def in_turn(self, call: Any, *args: Any) -> Any:
        """Call while nothing else of the driver runs."""
        async with self._one:
            return await call(*args)

    async def _in_order(self, call: Any, *args: Any) -> None:
        """Call the driver between commits; without a wait where a commit holds nothing up."""
        if self.driver.blocking or self._one.locked():
            async with self._one:
                call(*args)
        else:
            call(*args)

    async def _away(self, call: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, call, *args)


async def _committed(thread: Any, places: list[Place]) -> dict[Place, int | None]:
    """What the group has committed, asked in the member's own thread."""
    member = thread._ensure_consumer()
    return {place: await member.committed(TopicPartition(*place)) for place in places}
