"""The Faust runtime: the apps of one process on one event loop, from the first join to the last commit.

What enters: one app a stage.
What leaves: an exit code; 0 after everything that was taken is committed.
The next room: `service`, which wraps it with the HTTP side.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from coordwatch.worker.driver import Driver
from coordwatch.worker.exits import Ending, ExitCode
from coordwatch.worker.faust_app import StageApp

_START_SECONDS = 180.0
_LOOK_SECONDS = 0.2
_log = logging.getLogger("coordwatch.worker")


class FaustRuntime:
    """Runs apps until it is told to end."""

    def __init__(self, drivers: Sequence[Driver], make_app: Callable[[Driver], StageApp]) -> None:
        self._drivers, self._make_app = tuple(drivers), make_app

    def run(self, should_end: Callable[[], bool]) -> ExitCode:
        """Work until `should_end`, then drain: commit what was taken and leave the groups. Raises: Ending.

        The watchdog sees to it that draining has an end.
        """
        return asyncio.run(self._run(should_end))

    async def _run(self, should_end: Callable[[], bool]) -> ExitCode:
        loop = asyncio.get_running_loop()
        for driver in self._drivers:
            await loop.run_in_executor(None, driver.open)
        apps = [self._make_app(driver) for driver in self._drivers]
        try:
            await asyncio.wait_for(self._start(apps), _START_SECONDS)
        except TimeoutError:
            late = f"not started within {_START_SECONDS:.0f} s: do the brokers answer?"
            raise Ending(ExitCode.AGAIN, late) from None
        while not should_end():
            crashed = next((app for app in apps if app.crash_reason is not None or app.should_stop), None)
            if crashed is not None:
                raise Ending(ExitCode.AGAIN, f"{crashed.conf.id} has stopped: {crashed.crash_reason!r}")
            await asyncio.sleep(_LOOK_SECONDS)
        _log.info("asked to end: committing what was taken")
        await asyncio.gather(*(app.stop() for app in apps))
        return ExitCode.ENDED

    async def _start(self, apps: Sequence[StageApp]) -> None:
        """Start one after the other; an app that is not there yet does not tick, but the loop goes on."""
        turning = asyncio.create_task(self._turn())
        try:
            for app in apps:
                await app.start()
        finally:
            turning.cancel()

    async def _turn(self) -> None:
        while True:
            for driver in self._drivers:
                driver.turned()
            await asyncio.sleep(_LOOK_SECONDS)
