"""The account of one record: what became of each of its pieces, counted as it happens.

What enters: Events, a drop or a rejection, one piece after the other. What leaves: a MapResult that adds up.
The next room: `mapper`, which gives it to whoever asked.
"""

from collections.abc import Sequence

from coordwatch.events.event import Event
from coordwatch.sources.record import DropReason, MapResult, Rejection

Outcome = list[Event] | DropReason | Rejection


def alone(outcome: Outcome, source: str | None) -> MapResult:
    """Give the account of a record that is one piece, or could not even be split."""
    if isinstance(outcome, list):
        return MapResult(tuple(outcome), (), (), 1, 1, _unknown(outcome), source)
    if isinstance(outcome, DropReason):
        return MapResult((), (), (outcome,), 1, 0, 0, source)
    return MapResult((), (outcome,), (), 1, 0, 0, source)


class Tally:
    """Counts what becomes of the pieces of one batch."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._rejected: list[Rejection] = []
        self._dropped: list[DropReason] = []
        self._pieces = 0
        self._applied = 0

    def take(self, outcome: Outcome) -> None:
        """Count one piece."""
        self._pieces += 1
        if isinstance(outcome, list):
            self._applied += 1
            self._events += outcome
        elif isinstance(outcome, DropReason):
            self._dropped.append(outcome)
        else:
            self._rejected.append(outcome)

    def result(self, source: str) -> MapResult:
        """Give the account."""
        events = tuple(self._events)
        rejected, dropped = tuple(self._rejected), tuple(self._dropped)
        return MapResult(events, rejected, dropped, self._pieces, self._applied, _unknown(events), source)


def _unknown(events: Sequence[Event]) -> int:
    """How many messages there are whose category nobody could tell."""
    unknown = 0
    for event in events:
        if event.data.get("category") == "unknown":
            unknown += 1
    return unknown
