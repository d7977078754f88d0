"""Holdings: everything that is stored of one person, as plain data for the answer to their question.

What enters: a customer key or an identifier. What leaves: identifiers (as digests, for nothing else is kept), events, what was
said of them, alerts and what people did with them, waiting events, dead letters. The next room: the command `subject`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

from coordwatch.engine.state import entry_to_plain, event_of
from coordwatch.events.times import format_time
from coordwatch.events.wire import event_to_plain
from coordwatch.ports import AlertReader, DeadLetter
from coordwatch.processor.erasing import Erasing
from coordwatch.processor.processor import Processor
from coordwatch.processor.requests import PersonStore
from coordwatch.processor.traces import Traces
from coordwatch.processor.work import Work


class Holder(PersonStore, AlertReader, Protocol):
    """A store that also answers for alerts."""


def holdings(processor: Processor, store: Holder, who: str) -> dict[str, Any] | None:
    """Everything that is held of a person; None when nobody is known by this name."""
    identity = processor.identity
    customers, digests = Erasing(Work(processor.rooms, 0)).who(who)
    ids = set(digests).union(*(identity.belongings(one) for one in customers))
    keys = set(customers).union(*(identity.names(one) for one in customers))
    rows = [row for one in sorted(ids) if (row := identity.known(one)) is not None]
    found = [one for key in sorted(keys) if (one := _of_customer(processor, store, key))]
    parked = [event_to_plain(event) for event in identity.waiting_for(ids)]
    traces = Traces(identity, (ids | keys).__contains__, {(row.type, row.namespace) for row in rows})
    letters = [_letter(letter) for letter in store.letters() if traces.in_bytes(letter.original)]
    if not rows and not found and not parked:
        return None
    return {
        "customer": sorted(customers),
        "identifiers": [row._asdict() | {"seen": format_time(row.seen)} for row in rows],
        "because": [one._asdict() for key in sorted(customers) for one in identity.explain(key)],
        "held": found,
        "waiting_events": parked,
        "dead_letters": letters,
    }


def _of_customer(processor: Processor, store: Holder, key: str) -> Mapping[str, Any] | None:
    state, alerts = processor.state(key), store.customer_alerts(key)
    if not state.journal.facts and not state.entries and not alerts:
        return None
    views = [view for row in alerts if (view := store.alert(row.id)) is not None]
    return {
        "key": key,
        "events": [event_to_plain(event_of(fact)) for fact in state.journal.facts],
        "judged": [entry_to_plain(name, entry) for name, entry in state.entries.items()],
        "alerts": [_mine(asdict(view), key) for view in views],
    }


def _mine(view: dict[str, Any], key: str) -> dict[str, Any]:
    """An alert without what it says of other customers."""
    detections = [one for one in view["detections"] if one.get("customer") == key]
    return view | {"detections": detections, "also_affected": len(view["also_affected"])}


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return asdict(letter) | {"at": format_time(letter.at), "original": letter.original.decode("utf-8", "replace")}
