"""The Faust transport between two assignments: what was on its way when the group changed is nobody's."""

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Any

from coordwatch.processor.stage import Place, Slice
from coordwatch.worker.transport import PlaneThread

PLACE = Place("in", 0)
SLICE = Slice(PLACE, [0], [b"k"], [b"1"], [()], [0])


class Rebalanced:
    """A data plane whose partitions are assigned anew while somebody waits for their records."""

    def __init__(self) -> None:
        self.assignments, self.taken, self.thread = 0, 0, None

    def stop(self, places: object) -> None:
        del places

    def assign(self, starts: object) -> None:
        del starts
        self.assignments += 1

    def consume(self, limit: int, seconds: float) -> tuple[dict[Place, Slice], dict[Place, int]]:
        del limit, seconds
        if self.assignments == 0:
            # The rest of a round is a pause, in which the member's thread takes the next assignment.
            asyncio.get_running_loop().create_task(PlaneThread.assign(self.thread, {PLACE: 0}))
            return {}, {PLACE: 7}
        self.taken += 1
        return {PLACE: SLICE}, {}


def test_a_fetch_of_the_last_assignment_takes_nothing_of_the_next_and_its_ends_are_forgotten() -> None:
    plane = Rebalanced()
    app = SimpleNamespace(driver=SimpleNamespace(stage=SimpleNamespace(stopped=())))
    thread: Any = SimpleNamespace(
        app=app, plane=plane, pause=0.0, consumer=SimpleNamespace(flow_active=True, reached=deque())
    )
    plane.thread = thread
    assert asyncio.run(PlaneThread._fetch(thread)) == {}
    assert (plane.taken, list(thread.consumer.reached)) == (0, [])
    assert asyncio.run(PlaneThread._fetch(thread)) == {("in", 0): SLICE}
