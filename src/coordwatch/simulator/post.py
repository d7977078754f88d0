"""The way from a tool to the log: every tool has its delay, some records come late, some come twice.

What enters: Drafts at the instant a tool acts. What leaves: SimRecords in the order in which the log takes them.
The next room: whoever reads the log.
"""

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from coordwatch.codec import encode_json
from coordwatch.events.event import Event, event_with
from coordwatch.events.times import MINUTE, SECOND
from coordwatch.sources.record import Record


@dataclass(frozen=True, slots=True)
class Draft:
    """What a tool wants to publish: its own words, and the canonical Events that they mean.

    `late` comes on top of the tool's delay; `twice` makes sure that the record comes again.
    Units: `late` in microseconds
    """

    topic: str
    payload: Any
    events: tuple[Event, ...]
    headers: Mapping[str, str]
    late: int = 0
    twice: bool = False


@dataclass(frozen=True, slots=True)
class SimRecord:
    """One record as the log took it, and the Events it means; a duplicate is a record of its own."""

    record: Record
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Habits:
    """How a tool publishes: the usual delay, how often it is much slower, how often a record comes again.

    Units: delays in microseconds; shares of one
    """

    usual: tuple[int, int]
    slow: int
    slow_share: float = 0.01
    again_share: float = 0.008


HABITS = {
    "sendgrid.events": Habits((2 * SECOND, 40 * SECOND), 6 * MINUTE, slow_share=0.03),
    "rasa.events": Habits((0, 2 * SECOND), 30 * SECOND),
    "zendesk.events": Habits((1 * SECOND, 15 * SECOND), 4 * MINUTE),
    "shopify.webhooks": Habits((1 * SECOND, 20 * SECOND), 10 * MINUTE, again_share=0.02),
    "easypost.events": Habits((1 * MINUTE, 9 * MINUTE), 25 * MINUTE),
}
_OWN_SERVICES = Habits((0, 3 * SECOND), 20 * SECOND)


class Post:
    """Holds what was published until the log takes it."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._under_way: list[tuple[int, int, Draft, bytes]] = []
        self._turn = itertools.count()
        self._offsets: defaultdict[str, int] = defaultdict(int)

    def send(self, draft: Draft, now: int) -> None:
        """Publish a draft; nothing reaches the log before now.

        Units: microseconds since 1970 UTC
        """
        habits = HABITS.get(draft.topic, _OWN_SERVICES)
        delay = self._random.randrange(habits.usual[0], habits.usual[1] + 1, 1000)
        if self._random.random() < habits.slow_share:
            delay = self._random.randrange(habits.usual[1], habits.slow, 1000)
        value = encode_json(draft.payload)
        arrival = now + delay + draft.late
        self._put(arrival, draft, value)
        if draft.twice or self._random.random() < habits.again_share:
            self._put(arrival + self._random.randrange(SECOND, 5 * MINUTE, 1000), draft, value)

    def arrived(self, until: int | None) -> Iterator[SimRecord]:
        """Give what the log takes up to an instant, or everything.

        Units: microseconds since 1970 UTC
        """
        while self._under_way and (until is None or self._under_way[0][0] <= until):
            at, _, draft, value = heapq.heappop(self._under_way)
            offset = self._offsets[draft.topic]
            self._offsets[draft.topic] += 1
            headers = tuple(draft.headers.items())
            record = Record(value, draft.topic, 0, offset, None, headers, at)
            yield SimRecord(record, tuple(event_with(event, observed_at=at) for event in draft.events))

    def _put(self, at: int, draft: Draft, value: bytes) -> None:
        heapq.heappush(self._under_way, (at, next(self._turn), draft, value))
