"""Events that wait at their anchors: for answers of those who count, or, parked, for a customer or the end of their time.

What enters: events that cannot be filed yet. What leaves: the same events, found by whom they name, and by when their time
is over. Each is one row. The next room: `anchors`.
"""

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from coordwatch.codec import pack, unpack
from coordwatch.events.event import Event, event_with
from coordwatch.identity.hops.messages import event_to_row
from coordwatch.identity.hops.rows import PARKED, VERSION, Rows
from coordwatch.identity.parking import ParkReason
from coordwatch.identity.reading import Reader


class Waiting(NamedTuple):
    """An event at its anchor: parked for a reason, or, when there is none, waiting for those `awaited` to answer."""

    event: Event
    said: Sequence[Any] | None
    why: ParkReason | None = None
    awaited: tuple[str, ...] = ()

    def with_copy(self, event: Event, said: Sequence[Any] | None) -> "Waiting":
        """Give the first of two copies, seen when either was first, with all that was said of it."""
        kept = self.event
        if event.observed_at < kept.observed_at:
            kept = event_with(kept, observed_at=event.observed_at)
        return self._replace(event=kept, said=self.said if said is None else [*(self.said or ()), *said])


class Waits:
    """The waiting events of one partition, by the digest of their anchor and their own name."""

    def __init__(self, rows: Rows, reader: Reader, park_for: int) -> None:
        self._rows, self._reader, self._park_for = rows, reader, park_for
        self._naming: dict[tuple[str, str], set[str]] = {}
        self._deadlines: list[tuple[int, str, str]] = []
        for anchor, name, value in rows.everywhere(PARKED):
            self._find_again(anchor, name, waiting_of(value))

    def get(self, anchor: str, name: str) -> Waiting | None:
        """Give a waiting event."""
        value = self._rows.held(anchor, PARKED).get(name)
        return None if value is None else waiting_of(value)

    def at(self, anchor: str) -> list[str]:
        """Give the names of those that wait at an anchor."""
        return list(self._rows.held(anchor, PARKED))

    def naming(self, anchor: str, other: str) -> list[str]:
        """Give the names of those that wait at an anchor and name another one."""
        return sorted(self._naming.get((anchor, other), ()))

    def keep(self, anchor: str, name: str, waiting: Waiting) -> None:
        """Let an event wait, or go on waiting."""
        row = pack([VERSION, event_to_row(waiting.event), waiting.said, waiting.why, waiting.awaited])
        self._rows.put(anchor, PARKED, name, row)
        self._find_again(anchor, name, waiting)

    def let_go(self, anchor: str, name: str, event: Event) -> None:
        """Forget a waiting event."""
        self._rows.drop(anchor, PARKED, name)
        for one in self._reader.read(event).ids:
            names = self._naming[anchor, one]
            names.discard(name)
            if not names:
                del self._naming[anchor, one]

    def over(self, now: int) -> Iterator[Waiting]:
        """Let go of the parked events whose time is over.

        Units: `now` in microseconds since 1970 UTC, the event time that all sources have reached
        """
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline, anchor, name = heapq.heappop(self._deadlines)
            waiting = self.get(anchor, name)
            # What was released, or waits for answers again, has left its deadline behind.
            if waiting is None or waiting.why is None or waiting.event.time + self._park_for != deadline:
                continue
            self.let_go(anchor, name, waiting.event)
            yield waiting

    def _find_again(self, anchor: str, name: str, waiting: Waiting) -> None:
        for one in self._reader.read(waiting.event).ids:
            self._naming.setdefault((anchor, one), set()).add(name)
        if waiting.why is not None:
            heapq.heappush(self._deadlines, (waiting.event.time + self._park_for, anchor, name))


def name_of(event: Event) -> str:
    """Give the name of an event among those of its anchor."""
    return f"{len(event.source)}:{event.source}{event.id}"


def waiting_of(value: bytes) -> Waiting:
    """Read the row of a waiting event."""
    _, event, said, why, awaited = unpack(value)
    return Waiting(Event(*event), said, why and ParkReason(why), tuple(awaited))
