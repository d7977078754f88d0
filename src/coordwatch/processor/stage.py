"""A stage: one role's work on the partitions that a process holds. Both Kafka runtimes drive stages and nothing else.

Slices of records enter, in the order of their log; Outputs leave, all of them in the one transaction that also commits the
offsets of what was taken. The next room: `worker`, which reads, restores, commits and dies.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

Headers = Sequence[tuple[str, bytes | None]]

KIND = "cw-kind"
"""The header that tells messages of ours which are no events by what they are; an event has none."""


class Place(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


@dataclass(slots=True)
class Slice:
    """Consecutive records of one partition, as columns. Units: `timestamps` in microseconds since 1970 UTC."""

    place: Place
    offsets: list[int] = field(default_factory=list)
    keys: list[bytes | None] = field(default_factory=list)
    values: list[bytes | None] = field(default_factory=list)
    headers: list[Headers | None] = field(default_factory=list)
    timestamps: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.offsets)

    def parts(self, size: int) -> Iterator["Slice"]:
        """The same in pieces of so many records at most."""
        if len(self) <= size:
            yield self
            return
        for begin in range(0, len(self), size):
            part = slice(begin, begin + size)
            yield Slice(
                self.place,
                self.offsets[part],
                self.keys[part],
                self.values[part],
                self.headers[part],
                self.timestamps[part],
            )

    def skip_to(self, position: int) -> None:
        """Drop the records before a position."""
        if self.offsets[0] >= position:
            return
        first = next((index for index, offset in enumerate(self.offsets) if offset >= position), len(self))
        for column in (self.offsets, self.keys, self.values, self.headers, self.timestamps):
            del column[:first]


class Output(NamedTuple):
    """One record to produce; without a `partition`, the key decides (murmur2, as Java does). A value of None deletes."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    headers: Headers = ()


class Stage(Protocol):
    """What a runtime drives. Nothing here waits, reads a clock or talks to anybody.

    A runtime calls `assign` with the restored rows of a partition before its first slice, `take` in log order, and `give`
    when it is about to commit: everything that came of what was taken since, encoded. If that commit fails the process ends;
    a stage never has to take anything back.
    """

    @property
    def role(self) -> str:
        """The role, which is also the last word of the consumer group."""
        ...

    @property
    def inputs(self) -> Sequence[str]:
        """The topics of the consumer group."""
        ...

    @property
    def changelog(self) -> str | None:
        """The compacted topic that holds the state of the partitions, None without state."""
        ...

    @property
    def broadcast(self) -> str | None:
        """A topic that every process reads whole, from its beginning, before anything else; None without one."""
        ...

    def state_partition(self, place: Place) -> int:
        """The partition of the changelog that holds the state of an input partition."""
        ...

    def assign(self, place: Place, rows: Mapping[bytes, bytes]) -> int | None:
        """Take over a partition with its restored rows.

        Gives:  the fence: the offset after the last record that the state has taken; None when the state does not say
        Raises: PermanentError when the rows were written by a newer program
        """
        ...

    def revoke(self, places: Sequence[Place]) -> None:
        """Forget partitions, with everything of them that was not given yet."""
        ...

    def take(self, records: Slice, now: int) -> int:
        """Take records in order.

        Gives:  how many were taken; fewer than all stops the partition there (see `stopped`)
        Raises: TemporaryError when something that the records need, such as their schemas, stays away
        """
        ...

    def hear(self, records: Slice, now: int) -> None:
        """Take records of the broadcast topic."""
        ...

    def caught_up(self, place: Place, now: int) -> None:
        """The reader of an input partition stands at the end of the log, with everything before it taken."""
        ...

    def tick(self, now: int) -> None:
        """Let time pass."""
        ...

    def give(self, now: int) -> Sequence[Output]:
        """Everything that is not durable yet, encoded; afterwards nothing is pending."""
        ...

    @property
    def pending(self) -> bool:
        """Whether `give` would give anything."""
        ...

    @property
    def stopped(self) -> Mapping[Place, str]:
        """The partitions that this stage refuses to go on with, and why."""
        ...
