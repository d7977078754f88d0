"""Readings of the drivers of one process, for its metrics and for whether it is ready.

What enters: drivers, looked at from any thread.
What leaves: StageReadings.
The next room: `app`, which hands them to the HTTP side.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from coordwatch.processor.readings import PlaceReading, StageReading, StateReading
from coordwatch.processor.stage import Place
from coordwatch.worker.driver import Driver


class LogEnds(Protocol):
    """Knows how far logs go."""

    def of(self, spots: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], int]:
        """The offsets after the last records; a partition of which nothing is known is missing."""
        ...


class DriverReadings:
    """What the drivers of a process say.

    Takes: `states`, by role, how much state a stage holds
    """

    def __init__(
        self, drivers: Sequence[Driver], ends: LogEnds, states: Mapping[str, Callable[[], StateReading]]
    ) -> None:
        self._drivers, self._ends, self._states = tuple(drivers), ends, states
        self.ending: str | None = None

    def stages(self, *, lag: bool = True) -> Sequence[StageReading]:
        """Every stage that this process runs; for the lag the brokers are asked how far the logs go."""
        places = [place for driver in self._drivers for place in list(driver.positions)]
        ends = self._ends.of(places) if lag else {}
        return [self._stage(driver, ends) for driver in self._drivers]

    def _stage(self, driver: Driver, ends: Mapping[tuple[str, int], int]) -> StageReading:
        numbers, role, stopped = driver.numbers, driver.stage.role, dict(driver.stage.stopped)
        positions = dict(driver.positions)
        held = self._states.get(role)
        return StageReading(
            stage=role,
            places=tuple(
                PlaceReading(place.topic, place.partition, _lag(driver, place, ends.get(place)), stopped.get(place))
                for place in sorted(positions)
            ),
            waits=None if driver.member is not None else "it joins its group, or its state is being read back",
            commits={"committed": numbers.commits, "aborted": driver.way.aborted},
            commit_seconds=numbers.commit_seconds,
            restore_seconds=numbers.restore_seconds,
            state=None if held is None else held(),
            lost=driver.lost,
        )


def _lag(driver: Driver, place: Place, end: int | None) -> int:
    """Records that are not committed. An end that the reader stood at is the end, marks of transactions included."""
    committed = driver.committed.get(place, driver.positions.get(place, 0))
    if end is None:
        return max(0, driver.delivered.get(place, committed) - committed)
    if driver.ends.get(place, -1) >= end and committed == driver.positions.get(place):
        return 0
    return max(0, end - committed)
