"""Where an event goes from ingest: to the node that decides whose it is, its anchor, or straight to its customer.

What enters: an Event. What leaves: a Route, and the bytes of a `place` message for the anchor.
The next room: `filing`, where the anchor takes it up.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from coordwatch.codec import pack
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.identity.identifier import IdClass, Unusable
from coordwatch.identity.observation import Outcome
from coordwatch.identity.policy import SUBJECT, IdentityMode, IdentityPolicy
from coordwatch.identity.reading import Named, Reader

PLACE = "place"
"""The kind (header `cw-kind`) of the message that `Router.place` encodes; its key is the anchor's digest."""

_STAMPED = SUBJECT + ":"


class Route(NamedTuple):
    """Where an event goes next: to its `anchor`, or to its `customer`, or to neither, and `outcome` says why.

    `ids` are the digests it names, the anchor's among them, `persons` those of persons; `outcome` is None while the anchor
    has not decided.
    """

    anchor: str | None = None
    customer: str | None = None
    outcome: Outcome | None = None
    ids: tuple[str, ...] = ()
    unusable: tuple[Unusable, ...] = ()
    persons: tuple[str, ...] = ()


class Router:
    """Says where events go, under one policy; learns nothing."""

    def __init__(self, policy: IdentityPolicy) -> None:
        self._policy = policy
        self.reader = Reader(policy)

    def route(self, event: Event) -> Route:
        """Give where an event goes next."""
        if self._policy.mode is IdentityMode.TRUSTED_ID:
            keys = (event.subject,) if event.subject else self.reader.trusted(event)
            return Route(customer=keys[0], outcome=Outcome.RESOLVED) if len(keys) == 1 else _nowhere(event)
        reading = self.reader.read(event)
        if not reading.named:
            return _nowhere(event)._replace(unusable=reading.unusable)
        persons = tuple(one.digest for one in reading.named if one.kind.rank.id_class is not IdClass.REF)
        return Route(anchor_of(reading.named).digest, ids=reading.ids, unusable=reading.unusable, persons=persons)

    def place(self, event: Event, said: Sequence[Any] | None = None) -> bytes:
        """Encode an event for its anchor, with digests in place of clear identifiers.

        Takes: `said`, for an event that comes back from a journal: what was said of its act, as plain data
        """
        return place_bytes(self.reader.pseudonymous(event), said)

    def pseudonymous(self, event: Event) -> Event:
        """Give the event with digests in place of clear identifiers."""
        return self.reader.pseudonymous(event)


def anchor_of(named: Sequence[Named]) -> Named:
    """Give the identifier whose node decides: a stamped customer key, else the strongest person, else the least ref."""
    if named[0].digest.startswith(_STAMPED):
        return named[0]
    return min(named, key=lambda one: (one.kind.rank, one.digest))


def place_bytes(event: Event, said: Sequence[Any] | None) -> bytes:
    """Encode an event whose identifiers are digests already."""
    plain = [event.source, event.id, event.type, event.time, event.observed_at, event.subject, dict(event.data)]
    return pack([plain, said])


def _nowhere(event: Event) -> Route:
    kind = TYPES.get(event.type)
    return Route(outcome=Outcome.BROADCAST if kind is not None and kind.broadcast else Outcome.UNIDENTIFIED)
