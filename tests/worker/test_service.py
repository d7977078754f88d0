"""A worker that was asked to end is not ready while it drains: no supervisor sends it anything that it will not do."""

import threading
from collections.abc import Callable

from coordwatch.processor.readings import trouble_of
from coordwatch.worker.exits import ExitCode
from coordwatch.worker.readings import DriverReadings
from coordwatch.worker.service import WorkerService


class Ends:
    """Logs of which nothing is known."""

    def of(self, spots: object) -> dict[tuple[str, int], int]:
        del spots
        return {}


def test_a_worker_that_drains_is_not_ready() -> None:
    readings, asked, seen = DriverReadings([], Ends(), {}), threading.Event(), list[str | None]()

    class Draining:
        """A runtime that says whether the worker is ready before and after it heard that it must end."""

        def run(self, should_end: Callable[[], bool]) -> ExitCode:
            assert not should_end()
            seen.append(trouble_of(readings))
            asked.set()
            assert should_end()
            seen.append(trouble_of(readings))
            return ExitCode.ENDED

    def drains() -> None:
        readings.ending = "it drains"

    code = WorkerService(Draining(), [], draining=drains).run(asked)
    assert (code, seen) == (ExitCode.ENDED, [None, "it drains"])
