"""The driver: one stage and everything about it that both runtimes share: restore, fences, commits, ends, readings.

What enters: assignments and slices from a runtime, under a membership.
What leaves: what the stage gives, in fenced commits; numbers about all this.
The next room: `faust_app` or `plain`, which read and call.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from coordwatch.clock import Clock
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.processor.stage import Output, Place, Slice, Stage
from coordwatch.worker.exits import Ending, ExitCode
from coordwatch.worker.member import Member
from coordwatch.worker.offsets import Offsets
from coordwatch.worker.restore import Readers, restore
from coordwatch.worker.tail import Tail
from coordwatch.worker.transaction import Commit

# What one piece takes must stay far below `Policy.stall`, also for customers of whom a thousand facts are kept.
_PART = 500
_log = logging.getLogger("coordwatch.worker")


@dataclass(frozen=True, slots=True)
class Policy:
    """What an operator decides about a worker.

    `accept_loss` goes on where offsets were deleted by retention. Units: `stall` in seconds without progress under lag
    """

    stall: float = 60.0
    accept_loss: bool = False


@dataclass(slots=True)
class Numbers:
    """What a driver counts for the metrics. Units: seconds."""

    commits: int = 0
    outputs: int = 0
    commit_seconds: float = 0.0
    last_commit_seconds: float = 0.0
    restore_seconds: float = 0.0
    restored_rows: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Ready:
    """What one commit will make durable, and the membership under which it was taken: that is the fence, also of a late one."""

    outputs: Sequence[Output]
    offsets: Mapping[Place, int]
    member: Member


@dataclass(slots=True)
class Driver:
    """Drives one stage. One thread calls it at a time; `positions` is the truth about what was taken.

    `positions` are the offsets to take next, `committed` what the group knows, `delivered` what was fetched, `ends` the
    offsets at which the reader stood at an end. `blocking` says that the stage waits for somebody when it gives;
    `watches_ends` that it wants to know when it has caught up; `keeps_place` that its own word on where it stands holds
    also where the group's is further on, because it keeps its state elsewhere. `stamps` puts the instants at which the log
    took records on the axis of `clock`, None where both are the wall's.
    """

    stage: Stage
    way: Commit
    readers: Readers
    clock: Clock
    policy: Policy = field(default_factory=Policy)
    blocking: bool = False
    watches_ends: bool = False
    keeps_place: bool = False
    stamps: Callable[[int], int] | None = None
    member: Member | None = None
    positions: dict[Place, int] = field(default_factory=dict)
    committed: dict[Place, int] = field(default_factory=dict)
    delivered: dict[Place, int] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)
    numbers: Numbers = field(default_factory=Numbers)
    moved_at: float = field(default_factory=time.monotonic)
    turned_at: float = field(default_factory=time.monotonic)
    _tail: Tail | None = None
    _offsets: Offsets = field(init=False)

    def __post_init__(self) -> None:
        self._offsets = Offsets(self.readers)

    def open(self) -> None:
        """Fence the predecessor and read the broadcast topic whole. Blocks. Raises: Ending."""
        self.way.open()
        if self.stage.broadcast is not None and self._tail is None:
            self._tail = Tail(self.readers, self.stage.broadcast)
            for records in self._tail.load():
                self.stage.hear(records, self.clock.now())

    # ---- partitions come and go

    def resume(
        self, member: Member, committed: Mapping[Place, int | None], wanted: Callable[[], bool]
    ) -> Mapping[Place, int] | None:
        """Take over these partitions: restore what is new, keep what stayed. Blocks; nothing is taken meanwhile.

        Takes:  the offsets that the group has committed, None where it never did
        Gives:  where to read from; None when the partitions were lost meanwhile
        Raises: Ending
        """
        self._keep(committed)
        new = [place for place in committed if place not in self.positions]
        starts: Mapping[Place, int] = {}
        if not self.keeps_place:
            starts = self._offsets.starts({place: committed[place] for place in new}, self.policy.accept_loss)
        rows = self._restored(new, wanted)
        if rows is None:
            return None
        now = self.clock.now()
        fences = {place: self._assigned(place, rows) for place in new}
        if self.keeps_place:
            starts = self._offsets.starts(fences, self.policy.accept_loss)
        self.positions.update({place: max(starts[place], fences[place] or 0) for place in new})
        self.delivered = dict(self.positions)
        self.committed = {place: offset for place, offset in committed.items() if offset is not None}
        self.ends.clear()
        self.member = member
        self.moved_at = time.monotonic()
        self.stage.tick(now)
        return dict(self.positions)

    def _assigned(self, place: Place, rows: Mapping[int, Mapping[bytes, bytes]]) -> int | None:
        try:
            return self.stage.assign(place, rows.get(self.stage.state_partition(place), {}))
        except PermanentError as error:
            raise Ending(ExitCode.BROKEN, f"the state of {place} cannot be used: {error}") from error

    def pause(self) -> None:
        """The membership is over or about to change: take and commit nothing until `resume`."""
        self.member = None

    def forget_all(self) -> None:
        """Drop every partition with what was not committed: somebody else may have owned it meanwhile."""
        self._keep({})

    def _keep(self, places: Iterable[Place]) -> None:
        staying = set(places)
        gone = [place for place in self.positions if place not in staying]
        if gone:
            self.stage.revoke(gone)
            for place in gone:
                del self.positions[place]

    def _restored(self, new: Sequence[Place], wanted: Callable[[], bool]) -> dict[int, dict[bytes, bytes]] | None:
        changelog = self.stage.changelog
        if changelog is None or not new:
            return {}
        began = time.monotonic()
        rows = restore(self.readers, changelog, sorted({self.stage.state_partition(place) for place in new}), wanted)
        if rows is not None:
            count = sum(map(len, rows.values()))
            self.numbers.restored_rows += count
            self.numbers.restore_seconds = time.monotonic() - began
            _log.info("%s: %d rows restored in %.1f s", self.stage.role, count, self.numbers.restore_seconds)
        return rows

    # ---- records

    def take(self, records: Slice) -> None:
        """Let the stage take a slice; what was taken before is skipped, what a stopped partition holds is left.

        Raises: Ending when something that the stage needs stays away; the records wait in their log until it is back
        """
        place = records.place
        position = self.positions.get(place)
        if self.member is None or position is None or place in self.stage.stopped:
            return
        records.skip_to(position)
        if not records.offsets:
            return
        if self.stamps is not None:
            records.timestamps = list(map(self.stamps, records.timestamps))
        try:
            taken = self.stage.take(records, self.clock.now())
        except TemporaryError as error:
            raise Ending(ExitCode.AGAIN, f"{self.stage.role}: {error}") from error
        self.numbers.taken += taken
        self.positions[place] = records.offsets[-1] + 1 if taken == len(records) else records.offsets[taken]
        if taken < len(records):
            _log.error("%s", self.stage.stopped.get(place, f"{place} is stopped"))

    def in_parts(self, records: Slice) -> Iterator[Slice]:
        """A slice in pieces, between which the runtime commits, ticks and listens: customers with much to look at take long."""
        for part in records.parts(_PART):
            self.turned()
            yield part

    def fetched(self, records: Slice) -> None:
        """A slice is on its way to `take`."""
        self.delivered[records.place] = records.offsets[-1] + 1
        self.ends.pop(records.place, None)

    def at_end(self, place: Place, offset: int) -> None:
        """The reader stood at the end of a partition, at this offset; of one that has gone it says nothing."""
        if place in self.positions and offset >= self.delivered[place]:
            self.ends[place] = offset

    def turned(self) -> None:
        """The runtime's loop goes on."""
        self.turned_at = time.monotonic()

    def tick(self) -> None:
        """Let time pass for the stage, and hear what was broadcast. Raises: Ending."""
        self.turned()
        self.way.alive()
        if self.member is None:
            return
        if self._tail is not None:
            for records in self._tail.poll():
                self.stage.hear(records, self.clock.now())
        self.stage.tick(self.clock.now())

    def confirm_ends(self) -> tuple[int, list[Place]]:
        """Ask the brokers which partitions still end where the reader stood. Blocks; any thread may.

        Gives: the time just before asking, and the places
        """
        now = self.clock.now()
        standing = dict(self.ends)
        return now, [place for place, offset in standing.items() if self._offsets.end(place) <= offset]

    def caught_up(self, now: int, places: Iterable[Place]) -> None:
        """Tell the stage of ends that were confirmed, where everything that was fetched has been taken."""
        if self.member is None:
            return
        for place in places:
            if place in self.ends and self.positions.get(place) == self.delivered.get(place):
                self.stage.caught_up(place, now)

    # ---- commits

    def ready(self) -> Ready | None:
        """What a commit would make durable now, None when there is nothing. Takes it out of the stage.

        A commit without new records repeats the known offsets, because only offsets carry the fence.
        """
        if self.member is None or not self.positions:
            return None
        offsets = {place: at for place, at in self.positions.items() if self.committed.get(place) != at}
        if not offsets and not self.stage.pending:
            return None
        return Ready(self.stage.give(self.clock.now()), offsets or dict(self.positions), self.member)

    def commit(self, ready: Ready) -> None:
        """Make it durable. Blocks. Raises: Ending."""
        began = time.monotonic()
        self.way.commit(ready.outputs, ready.offsets, ready.member)
        seconds = time.monotonic() - began
        self.committed.update(ready.offsets)
        self.moved_at = time.monotonic()
        self.numbers.commits += 1
        self.numbers.outputs += len(ready.outputs)
        self.numbers.commit_seconds += seconds
        self.numbers.last_commit_seconds = seconds

    # ---- for the watchdog and the metrics, from any thread

    @property
    def lost(self) -> int:
        """How many records retention took before they were read, and a person gave up."""
        return self._offsets.lost

    def lag(self) -> dict[Place, int]:
        """How many records of each partition are fetched or known to be there and not committed, 0 at an end."""
        return {
            place: max(0, self.delivered.get(place, at) - self.committed.get(place, at)) or int(place not in self.ends)
            for place, at in list(self.positions.items())
        }

    def stalled(self, present: float) -> str | None:
        """Why this driver makes no progress although there is work, None when it does. Units: monotonic seconds."""
        still = present - self.turned_at
        if still > self.policy.stall:
            return f"{self.stage.role}: the loop has not turned for {still:.0f} s"
        waiting = [place for place, lag in self.lag().items() if lag and place not in self.stage.stopped]
        if self.member is not None and waiting and present - self.moved_at > self.policy.stall:
            return (
                f"{self.stage.role}: no commit for {present - self.moved_at:.0f} s with records waiting in {waiting[0]}"
            )
        return None

    def close(self) -> None:
        """Let go of every connection."""
        if self._tail is not None:
            self._tail.close()
        self._offsets.close()
