"""Events that wait for their customer: parked until an identifier they name is resolved, or until their time is over.

What enters: Events without a customer, and the identifiers whose answer changed. What leaves: the Events to ask again,
and those that waited too long. The next room: `identity`.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from coordwatch.events.event import Event, event_with
from coordwatch.identity.answers import Answer, QuarantineReason


class ParkReason(StrEnum):
    """Why an event waits; the values are metric label values.

    `no_owner`: nobody was seen with its refs yet; `quarantined`: what it names is shared; `ambiguous`: it names two
    customers.
    """

    NO_OWNER = "no_owner"
    QUARANTINED = "quarantined"
    AMBIGUOUS = "ambiguous"


def park_reason(answer: Answer, of_ids: Iterable[Answer]) -> ParkReason:
    """Say why an event without a customer has none, from its own answer and those of what it names."""
    if answer.reason is QuarantineReason.SHARED:
        return ParkReason.AMBIGUOUS
    shared = any(one.reason is not None for one in of_ids)
    return ParkReason.QUARANTINED if shared else ParkReason.NO_OWNER


@dataclass(frozen=True, slots=True)
class Parked:
    """One waiting event, the identifiers it names, and why it waits."""

    event: Event
    ids: tuple[str, ...]
    reason: ParkReason


class Parking:
    """The parked events, found by identity, by identifier and by time."""

    def __init__(self, park_for: int) -> None:
        self._park_for = park_for
        self._parked: dict[tuple[str, str], Parked] = {}
        self._waiting: dict[str, set[tuple[str, str]]] = {}
        self._deadlines: list[tuple[int, tuple[str, str]]] = []

    def __len__(self) -> int:
        return len(self._parked)

    def put(self, parked: Parked) -> bool:
        """Park an event; say whether it was not parked already. Of two copies the first is kept, seen when either was first."""
        identity = (parked.event.source, parked.event.id)
        known = self._parked.get(identity)
        if known is not None:
            if parked.event.observed_at < known.event.observed_at:
                event = event_with(known.event, observed_at=parked.event.observed_at)
                self._parked[identity] = replace(known, event=event)
            return False
        self._parked[identity] = parked
        for digest in parked.ids:
            self._waiting.setdefault(digest, set()).add(identity)
        heapq.heappush(self._deadlines, (parked.event.time + self._park_for, identity))
        return True

    def waiting_for(self, ids: Iterable[str]) -> list[Parked]:
        """Give the parked events that name one of these identifiers, by (time, source, id)."""
        if not self._parked:
            return []
        found = {identity for digest in ids for identity in self._waiting.get(digest, ())}
        return sorted((self._parked[identity] for identity in found), key=_order)

    def take(self, parked: Parked) -> None:
        """Let an event go."""
        self._remove((parked.event.source, parked.event.id))

    def expire(self, now: int) -> list[Parked]:
        """Let go the events whose time is over at `now`, by (time, source, id)."""
        expired = []
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline, identity = heapq.heappop(self._deadlines)
            parked = self._parked.get(identity)
            # An event that was released leaves its deadline behind, and may have been parked again since.
            if parked is not None and parked.event.time + self._park_for == deadline:
                self._remove(identity)
                expired.append(parked)
        return sorted(expired, key=_order)

    def everything(self) -> list[Parked]:
        """Give all parked events, by (time, source, id)."""
        return sorted(self._parked.values(), key=_order)

    def named(self) -> set[str]:
        """Give the identifiers that some parked event names."""
        return set(self._waiting)

    def _remove(self, identity: tuple[str, str]) -> None:
        parked = self._parked.pop(identity)
        for digest in parked.ids:
            waiting = self._waiting[digest]
            waiting.discard(identity)
            if not waiting:
                del self._waiting[digest]


def _order(parked: Parked) -> tuple[int, str, str]:
    return parked.event.time, parked.event.source, parked.event.id
