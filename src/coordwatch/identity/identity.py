"""The identity stage of one process: Events in, a customer key for each, now or later.

What enters: Events, exclusions by an operator, and the progress of event time. What leaves: an Observation for each
event (its customer, or that it waits), with what it changed for events of the past.
The next room: `context`, which keeps a journal for each customer key.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.identity.answers import Answer, Confidence, QuarantineReason, confidence_of
from coordwatch.identity.belonging import Explained
from coordwatch.identity.cross_reference import Change, CrossReference
from coordwatch.identity.edges import NOTHING, IdRow, Teaching
from coordwatch.identity.identifier import IdClass, Kind
from coordwatch.identity.observation import Exclusion, Expired, Forgetting, Observation, Outcome, Released
from coordwatch.identity.parking import Parked, Parking, ParkReason, park_reason
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.identity.reading import Named, Reader, Reading
from coordwatch.identity.state import from_plain, to_plain

LINKED = "customer.identifiers.linked"


class Identity:
    """The identity stage; two of them that saw the same events, in any order, give the same customers."""

    def __init__(self, policy: IdentityPolicy | None = None, state: Mapping[str, Any] | None = None) -> None:
        self.policy = policy or IdentityPolicy()
        self._reader = Reader(self.policy)
        self._known = CrossReference(self.policy, self._reader)
        self._parking = Parking(self.policy.park_for)
        self._counts: Counter[str] = Counter()
        if state is not None:
            self._restore(state)

    def observe(self, event: Event) -> Observation:
        """Give the customer of an event, park it, or say that it never can have one; and learn from it."""
        if self.policy.mode is IdentityMode.TRUSTED_ID:
            seen = self._trusted(event)
        else:
            reading = self._reader.read(event)
            seen = self._resolve(event, reading) if reading.named else self._nobody(event, reading)
        self._count(event, seen)
        return seen

    def observe_all(self, events: Sequence[Event]) -> list[str | None]:
        """Learn from all events before the first answer, and give the customer of each; nothing is parked."""
        readings = [self._reader.read(event) for event in events]
        self._known.note_all(
            (reading, event.time, event.type == LINKED) for reading, event in zip(readings, events, strict=True)
        )
        return [self.customer_of_ids(reading.ids) for reading in readings]

    def customer_of(self, event: Event) -> str | None:
        """Give the customer of an event as things stand, learning nothing."""
        if self.policy.mode is IdentityMode.TRUSTED_ID:
            return self._trusted(event).customer
        return self.customer_of_ids(self._reader.read(event).ids)

    def customer_of_ids(self, ids: Sequence[str]) -> str | None:
        """Give the customer of an event that named these identifiers, None while it has none."""
        root = self._known.of_ids(ids).root
        return None if root is None else self._known.key(root)

    def current(self, customer: str) -> str | None:
        """Give the key under which a customer is known now; None for one that is unknown or was divided."""
        return self._known.current(customer)

    def park(self, event: Event) -> bool:
        """Park an event that lost its customer; say whether it was not parked already."""
        ids = self._reader.read(event).ids
        return self._parking.put(Parked(event, ids, self._waits(ids, self._known.of_ids(ids))))

    def expire(self, now: int) -> tuple[Expired, ...]:
        """Give up the events that were parked too long.

        Units: `now` in microseconds since 1970 UTC, the event time that all sources have reached
        """
        expired = tuple(Expired(one.event, one.reason) for one in self._parking.expire(now))
        self._counts["expired"] += len(expired)
        return expired

    def exclude(self, one: str, other: str) -> Exclusion:
        """Cut the edge or link between two identifiers, given by digest, in every form of an e-mail address."""
        forms = self._known.forms
        taught, change = self._known.exclude([(a, b) for a in forms(one) for b in forms(other)])
        released = self._release(change)
        self._count_change(change, released)
        return Exclusion(change, released, taught)

    def explain(self, customer: str) -> list[Explained]:
        """Give the edges that make a customer one, by identifier types and digest prefixes."""
        return self._known.explain(customer)

    def belongings(self, customer: str) -> set[str]:
        """Give every identifier and ref of a customer, by digest."""
        return self._known.belongings(customer)

    def names(self, customer: str) -> set[str]:
        """Give every key under which a customer was ever known here."""
        return self._known.names(customer)

    @property
    def reader(self) -> Reader:
        """What reads identifiers here."""
        return self._reader

    def beside(self, digests: Set[str]) -> set[str]:
        """Give the customers of whom some identifier was seen together with one of these."""
        return self._known.beside(digests)

    def known(self, digest: str) -> IdRow | None:
        """Give the row of an identifier, None for one never seen."""
        return self._known.known(digest)

    def confidence_of_ids(self, ids: Sequence[str]) -> Confidence | None:
        """Say how sure the customer of an event that named these identifiers is, None while it has none."""
        answer = self._known.of_ids(ids)
        return None if answer.root is None else confidence_of(answer)

    def quarantine(self, digest: str) -> QuarantineReason | None:
        """Say why an identifier has no customer although others were seen with it, None when it is not so."""
        return self._known.answer(digest).reason

    def keys_in_use(self) -> dict[str, int]:
        """Give how many identifiers are known under each key, by its id."""
        return self._known.keys_in_use()

    def waiting_for(self, digests: Iterable[str]) -> list[Event]:
        """Give the parked events that name one of these."""
        return [one.event for one in self._parking.waiting_for(digests)]

    def confidence(self, events: Iterable[Event]) -> str:
        """Say how sure it is that events are one customer's, by the least sure of them; empty when none has one."""
        if self.policy.mode is IdentityMode.TRUSTED_ID:
            return Confidence.HIGH.value
        found = {self.confidence_of_ids(self._reader.read(event).ids) for event in events}
        return next((one.value for one in reversed(Confidence) if one in found), "")

    def forget(self, digests: Iterable[str]) -> Forgetting:
        """Forget identifiers, all that is one with them, and the events that wait for them."""
        rows, change, gone = self._known.forget(digests)
        parked = self._parking.waiting_for(gone)
        for one in parked:
            self._parking.take(one)
        released = self._release(change)
        return Forgetting(rows, change, released, tuple(one.event for one in parked), frozenset(gone))

    def forms(self, identifier: str) -> tuple[str, ...]:
        """Give the digests of one identifier as a person writes it, in every form; nothing when it is none."""
        one = self._reader.one(identifier, None)
        return (one.digest, *self._reader.aliases(one)) if isinstance(one, Named) else ()

    def kind(self, type_name: str, namespace: str) -> Kind:
        """Give the kind of a type and namespace."""
        return self._reader.kind(type_name, namespace)

    def digest_as(self, kind: Kind, value: str) -> str | None:
        """Give the digest of a value if it were of this kind, None when it cannot be."""
        one = self._reader.one({"type": kind.type, "namespace": kind.namespace, "value": value}, None)
        return one.digest if isinstance(one, Named) else None

    def ids_of(self, event: Event) -> tuple[str, ...]:
        """Give the digests of everything that an event names."""
        return self._reader.read(event).ids

    def persons(self, event: Event) -> list[str]:
        """Give the digests of the persons that an event names."""
        return [one.digest for one in self._reader.read(event).named if one.kind.rank.id_class is not IdClass.REF]

    def digest(self, identifier: str | Mapping[str, Any], tool: str | None = None) -> str | None:
        """Give the digest of one identifier as events write it, None when it is unusable."""
        one = self._reader.one(identifier, tool)
        return one.digest if isinstance(one, Named) else None

    def pseudonymous(self, event: Event) -> Event:
        """Give the event with digests in place of clear identifiers: the same customer, and nothing to leak."""
        return self._reader.pseudonymous(event)

    def learn(self, taught: Iterable[Teaching]) -> None:
        """Take in stored rows, all of them at once, before the first event."""
        self._known.learn(taught)

    def prune(self, before: int) -> list[str]:
        """Forget refs that no event named since an instant; give their digests.

        The instant must lie before everything that is still to be asked again with `customer_of_ids`.
        """
        return [row.digest for row in self.tidy(lambda _: before).ids]

    def tidy(self, before: Callable[[str], int]) -> Teaching:
        """Forget refs that no event named since the instant for their type; give the rows that are gone. As `prune`."""
        return self._known.prune(before, self.policy.ref_hops, self._parking.named())

    def counters(self) -> dict[str, int]:
        """Give everything counted so far, by name, and how many events are parked now (`parked_now`)."""
        return {**dict(sorted(self._counts.items())), "parked_now": len(self._parking)}

    def snapshot(self) -> dict[str, Any]:
        """Give the whole state as plain data; what `state` of a new Identity takes."""
        return to_plain(self._known.everything(), self._parking.everything(), self._counts)

    def _restore(self, state: Mapping[str, Any]) -> None:
        taught, parked, counts = from_plain(state)
        self._known.learn([taught])
        for event in parked:
            self.park(event)
        self._counts.update(counts)

    def _resolve(self, event: Event, reading: Reading) -> Observation:
        ids = reading.ids
        taught, change = self._known.note(reading, event.time, event.type == LINKED)
        answer = self._known.of_ids(ids)
        released = self._release(change) if change.moved else ()
        if answer.root is None:
            waits = self._waits(ids, answer)
            repeated = not self._parking.put(Parked(event, ids, waits))
            return Observation(
                Outcome.PARKED,
                ids=ids,
                repeated=repeated,
                waits=waits,
                unusable=reading.unusable,
                change=change,
                released=released,
                taught=taught,
            )
        return Observation(
            Outcome.RESOLVED,
            self._known.key(answer.root),
            confidence_of(answer),
            ids=ids,
            minted=taught is not NOTHING and any(row.digest == answer.root for row in taught.ids),
            unusable=reading.unusable,
            change=change,
            released=released,
            taught=taught,
        )

    def _trusted(self, event: Event) -> Observation:
        """Take the one trusted identifier as the key; without it nothing ever could lead to a customer."""
        values = (event.subject,) if event.subject else self._reader.trusted(event)
        if len(values) == 1:
            return Observation(Outcome.RESOLVED, values[0], Confidence.HIGH)
        return self._nobody(event, Reading(()))

    def _nobody(self, event: Event, reading: Reading) -> Observation:
        kind = TYPES.get(event.type)
        outcome = Outcome.BROADCAST if kind is not None and kind.broadcast else Outcome.UNIDENTIFIED
        return Observation(outcome, unusable=reading.unusable)

    def _waits(self, ids: Sequence[str], answer: Answer) -> ParkReason:
        """Say why an event without a customer has none."""
        return park_reason(answer, map(self._known.answer, ids))

    def _release(self, change: Change) -> tuple[Released, ...]:
        """Let go the parked events that have a customer now."""
        released = []
        for parked in self._parking.waiting_for(change.moved):
            answer = self._known.of_ids(parked.ids)
            if answer.root is not None:
                self._parking.take(parked)
                customer, confidence = self._known.key(answer.root), confidence_of(answer)
                released.append(Released(parked.event, parked.ids, customer, confidence))
        return tuple(released)

    def _count(self, event: Event, seen: Observation) -> None:
        counts = self._counts
        counts["passed" if event.subject and seen.customer else seen.outcome.value] += not seen.repeated
        counts["minted"] += seen.minted
        for one in seen.unusable:
            counts[f"unusable.{one.reason}"] += 1
        self._count_change(seen.change, seen.released)

    def _count_change(self, change: Change, released: Sequence[Released]) -> None:
        counts = self._counts
        counts["released"] += len(released)
        counts["aliased"] += len(change.aliases)
        counts["divided"] += len(change.divided)
        for one in change.quarantined:
            counts[f"quarantined.{one.reason}"] += 1


def resolve_all(events: Iterable[Event], policy: IdentityPolicy | None = None) -> list[str | None]:
    """Give the customer of each event after all of them were read: what any order of `observe` ends with."""
    policy, every = policy or IdentityPolicy(), list(events)
    graph = policy.mode is IdentityMode.GRAPH
    if graph and all(event.subject and event.type != LINKED for event in every):
        return [event.subject for event in every]
    identity = Identity(policy)
    return identity.observe_all(every) if graph else [identity.customer_of(event) for event in every]
