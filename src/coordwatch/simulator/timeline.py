"""Simulated time: stories that wait, and a line on which the one that wakes first goes on.

What enters: stories, which are generators that yield how long they wait. What leaves: nothing but their effects, in
the order of simulated time. The next room: `stage`, which gives stories something to do.
"""

import heapq
import itertools
from collections.abc import Generator

Story = Generator[int, None, None]


class Timeline:
    """The instant it is, and the stories that will wake.

    Units: `now` in microseconds since 1970 UTC; a story yields microseconds
    """

    def __init__(self, start: int) -> None:
        self.now = start
        self._waiting: list[tuple[int, int, Story]] = []
        self._turn = itertools.count()

    def begin(self, story: Story, after: int = 0) -> None:
        """Let a story begin, now or later."""
        heapq.heappush(self._waiting, (self.now + after, next(self._turn), story))

    def next_at(self) -> int | None:
        """Give the instant at which the next story wakes, None when all have ended."""
        return self._waiting[0][0] if self._waiting else None

    def step(self) -> None:
        """Move on to the next story that wakes, and let it go on until it waits again or ends."""
        self.now, _, story = heapq.heappop(self._waiting)
        wait = next(story, None)
        if wait is not None:
            self.begin(story, max(wait, 0))
