"""Holdings: everything that is stored of one person, as plain data for the answer to their question.

What enters: a customer key or an identifier, and the files of a site: of one process, or of workers beside a Kafka.
What leaves: identifiers (as digests, for nothing else is kept), events, what was said of them, alerts and what people did with
them, waiting events, dead letters; why they are one person. The next room: the commands `subject` and `identity`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from coordwatch.engine.state import CustomerState, entry_to_plain, event_of
from coordwatch.errors import PermanentError
from coordwatch.events.event import Event
from coordwatch.events.times import format_time
from coordwatch.events.wire import event_to_plain
from coordwatch.identity.answers import Confidence, QuarantineReason
from coordwatch.identity.belonging import Explained
from coordwatch.identity.edges import IdRow
from coordwatch.identity.identity import Identity
from coordwatch.ports import AlertReader, DeadLetter
from coordwatch.processor.erasing import Erasing
from coordwatch.processor.processor import Processor
from coordwatch.processor.requests import PersonStore
from coordwatch.processor.traces import Traces
from coordwatch.processor.work import Work


class People(Protocol):
    """What a site knows of who is who."""

    def belongings(self, customer: str) -> set[str]:
        """Every identifier and ref of a customer, by digest."""
        ...

    def names(self, customer: str) -> set[str]:
        """Every key under which a customer was ever known."""
        ...

    def known(self, digest: str) -> IdRow | None:
        """The row of an identifier, None for one never seen."""
        ...

    def explain(self, customer: str) -> list[Explained]:
        """The edges that make a customer one."""
        ...

    def waiting_for(self, digests: Set[str]) -> list[Event]:
        """The parked events that name one of these."""
        ...

    def confidence_of_ids(self, ids: Sequence[str]) -> Confidence | None:
        """How sure the customer of an event that named these is."""
        ...

    def quarantine(self, digest: str) -> QuarantineReason | None:
        """Why an identifier has no customer although others were seen with it."""
        ...


class Holder(PersonStore, AlertReader, Protocol):
    """A store that also answers for alerts."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where everything about a person stands.

    `who` gives the customers and the digests that a text names; `reader` makes digests of what dead letters name; `letters`
    are all dead letters, `alerts` answers for those of customers.
    """

    people: People
    reader: Identity
    who: Callable[[str], tuple[set[str], set[str]]]
    state: Callable[[str], CustomerState]
    letters: Callable[[], Iterable[DeadLetter]]
    alerts: AlertReader


def files_of(processor: Processor, store: Holder) -> Files:
    """The files of one process."""
    who = Erasing(Work(processor.rooms, 0)).who
    return Files(processor.identity, processor.identity, who, processor.state, store.letters, store)


def holdings(files: Files, who: str) -> dict[str, Any] | None:
    """Everything that is held of a person; None when nobody is known by this name."""
    people = files.people
    customers, digests = files.who(who)
    ids = set(digests).union(*(people.belongings(one) for one in customers))
    keys = set(customers).union(*(people.names(one) for one in customers))
    rows = [row for one in sorted(ids) if (row := people.known(one)) is not None]
    found = [one for key in sorted(keys) if (one := _of_customer(files, key))]
    parked = [event_to_plain(event) for event in people.waiting_for(ids)]
    if not rows and not found and not parked:
        return None
    traces = Traces(files.reader, (ids | keys).__contains__, {(row.type, row.namespace) for row in rows})
    letters = [_letter(letter) for letter in files.letters() if traces.in_bytes(letter.original)]
    return {
        "customer": sorted(customers),
        "identifiers": [row._asdict() | {"seen": format_time(row.seen) if row.seen else None} for row in rows],
        "because": [one._asdict() for key in sorted(customers) for one in people.explain(key)],
        "held": found,
        "waiting_events": parked,
        "dead_letters": letters,
    }


def explained(people: People, named: tuple[Set[str], Set[str]], masked: str) -> list[dict[str, Any]]:
    """Why the events of a customer, or of each customer whom an identifier names, are one person.

    Takes:  `named`, the customers and the digests that are meant; `masked`, the name as an error may show it
    Raises: PermanentError when nobody is known by this name, or it is shared
    """
    customers, digests = named
    found = []
    for customer in sorted(customers):
        ours = people.belongings(customer)
        kinds = Counter(row.type for one in ours if (row := people.known(one)) is not None)
        sure = people.confidence_of_ids(sorted(digests) or sorted(ours))
        found.append(
            {
                "customer": customer,
                "confidence": "high" if not ours else str(sure) if sure is not None else "low",
                "because": [edge._asdict() for edge in people.explain(customer)],
                "identifiers": dict(sorted(kinds.items())),
            }
        )
    if not found:
        shared = [str(reason) for one in digests if (reason := people.quarantine(one)) is not None]
        unknown = "nobody is known by it (write a customer key, or type:value such as email:ann@example.com)"
        why = f"it is quarantined ({shared[0]}): too many customers have it" if shared else unknown
        raise PermanentError(f"'{masked}' names no customer: {why}")
    return found


def _of_customer(files: Files, key: str) -> Mapping[str, Any] | None:
    state, alerts, repairs = files.state(key), files.alerts.customer_alerts(key), files.alerts.customer_repairs(key)
    if not state.journal.facts and not state.entries and not alerts and not repairs:
        return None
    views = [view for row in alerts if (view := files.alerts.alert(row.id)) is not None]
    return {
        "key": key,
        "events": [event_to_plain(event_of(fact)) for fact in state.journal.facts],
        "judged": [entry_to_plain(name, entry) for name, entry in sorted(state.entries.items())],
        "alerts": [_mine(asdict(view), key) for view in views],
        "repairs": [asdict(one) | {"at": format_time(one.at)} for one in repairs],
    }


def _mine(view: dict[str, Any], key: str) -> dict[str, Any]:
    """An alert without what it says of other customers."""
    detections = [one for one in view["detections"] if one.get("customer") == key]
    return view | {"detections": detections, "also_affected": len(view["also_affected"])}


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return asdict(letter) | {"at": format_time(letter.at), "original": letter.original.decode("utf-8", "replace")}
