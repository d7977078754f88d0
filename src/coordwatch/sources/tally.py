"""The account of one record: what became of each of its pieces, counted as it happens.

What enters: Events, a drop or a rejection, one piece after the other. What leaves: a MapResult that adds up.
The next room: `mapper`, which gives it to whoever asked.
"""

from collections.abc import Iterable, Sequence

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


def together(outcomes: Iterable[Outcome], source: str) -> MapResult:
    """Give the account of a batch, piece by piece."""
    events, rejected, dropped = list[Event](), list[Rejection](), list[DropReason]()
    pieces = applied = 0
    for outcome in outcomes:
        pieces += 1
        if type(outcome) is list:
            applied += 1
            events += outcome
        elif isinstance(outcome, DropReason):
            dropped.append(outcome)
        elif isinstance(outcome, Rejection):
            rejected.append(outcome)
    return MapResult(tuple(events), tuple(rejected), tuple(dropped), pieces, applied, _unknown(events), source)


def _unknown(events: Sequence[Event]) -> int:
    """How many messages there are whose category nobody could tell."""
    unknown = 0
    for event in events:
        if event.data.get("category") == "unknown":
            unknown += 1
    return unknown
