"""Readings: what a worker says of itself at a moment, for metrics and for whether it is ready.

Numbers and sentences enter, from the runtime; nothing here acts. The metrics and the HTTP side are the next rooms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PlaceReading:
    """One partition that a stage holds: how many records are not committed, and why it is stopped, None when it is not."""

    topic: str
    partition: int
    lag: int = 0
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class StateReading:
    """The state that a stage holds in this process; `suppressed`, of how many customers tools read of each suppression."""

    keys: int
    bytes: int
    suppressed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageReading:
    """One stage of this process.

    `waits` says what it waits for before it takes anything (to join, to restore), None when it works. `commits` are by
    result, `committed` among them; `state` None for a stage without one; `lost` are records that retention deleted before
    they were read.
    Units: seconds; `commit_seconds` of all commits together, `restore_seconds` of the last restore
    """

    stage: str
    places: Sequence[PlaceReading] = ()
    waits: str | None = None
    commits: Mapping[str, int] = field(default_factory=dict)
    commit_seconds: float = 0.0
    restore_seconds: float = 0.0
    state: StateReading | None = None
    lost: int = 0


class WorkerReadings(Protocol):
    """A worker that is asked, from any thread."""

    def stages(self, *, lag: bool = True) -> Sequence[StageReading]:
        """Every stage that this process runs. Without `lag` nobody else is asked, and the answer comes at once."""
        ...

    @property
    def ending(self) -> str | None:
        """Why the process is about to end (fenced, the brokers are gone, it was asked to), None while it is not."""
        ...


def trouble_of(worker: WorkerReadings) -> str | None:
    """Why a worker does not do its whole work, in one sentence; None when it does."""
    if worker.ending is not None:
        return worker.ending
    stages = worker.stages(lag=False)
    for stage in stages:
        if stage.waits is not None:
            return f"{stage.stage}: {stage.waits}"
    stopped = [place.stopped for stage in stages for place in stage.places if place.stopped is not None]
    if not stopped:
        return None
    more = f" ({len(stopped) - 1} more stopped)" if len(stopped) > 1 else ""
    return stopped[0] + more
