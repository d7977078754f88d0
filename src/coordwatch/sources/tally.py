"""The account of one record: what became of each of its pieces, counted as it happens.

What enters: Events, a drop or a rejection, one piece after the other. What leaves: a MapResult that adds up.
The next room: `mapper`, which gives it to whoever asked.
"""

from coordwatch.events.event import Event
from coordwatch.sources.record import DropReason, MapResult, Rejection


class Tally:
    """Counts what becomes of the pieces of one record."""

    def __init__(self, source: str | None) -> None:
        self.source = source
        self._events: list[Event] = []
        self._rejected: list[Rejection] = []
        self._dropped: list[DropReason] = []
        self._pieces = 0
        self._applied = 0

    def take(self, outcome: list[Event] | DropReason | Rejection) -> None:
        """Count one piece."""
        self._pieces += 1
        if isinstance(outcome, list):
            self._applied += 1
            self._events += outcome
        elif isinstance(outcome, DropReason):
            self._dropped.append(outcome)
        else:
            self._rejected.append(outcome)

    def whole(self, outcome: DropReason | Rejection) -> MapResult:
        """Count a record that could not even be split, as one piece."""
        self.take(outcome)
        return self.result()

    def result(self) -> MapResult:
        """Give the account."""
        return MapResult(
            tuple(self._events),
            tuple(self._rejected),
            tuple(self._dropped),
            self._pieces,
            self._applied,
            len([event for event in self._events if event.data.get("category") == "unknown"]),
            self.source,
        )
