"""The state of one customer: the journal, and what has been said of each act so far; and its versioned snapshot.

A snapshot holds the fields that facts were made of, not the facts: under changed rules they are made anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coordwatch.codec import pack, unpack
from coordwatch.context.fact import ID, OBSERVED, SOURCE, TIME, TYPE, Fact
from coordwatch.context.journal import Journal
from coordwatch.errors import PermanentError
from coordwatch.events.event import Event
from coordwatch.rules.evaluate import Outcome
from coordwatch.rules.plan import Plan
from coordwatch.rules.shown import SUBJECT

VERSION = 1
ActName = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """What was last said of an act by a rule: the outcome, when, and by which events.

    `moved` is true of what was said under another customer key, until it is said again under this one.

    Units: `at` in microseconds since 1970 UTC, `known_for` (how long the evidence had lain there, negative when it came
    after the act) in microseconds
    """

    outcome: Outcome
    at: int
    revision: str
    evidence: tuple[tuple[str, str, str], ...] = ()
    evidence_tool: str = ""
    known_for: int | None = None
    moved: bool = False

    def said(self) -> tuple[Any, ...]:
        """Everything but the outcome, as plain data for a snapshot."""
        return self.at, self.revision, self.evidence, self.evidence_tool, self.known_for


Said = dict[ActName, Entry]


@dataclass(slots=True)
class CustomerState:
    """All that is remembered of one customer; `entries` is keyed by (rule, act source, act id)."""

    customer: str
    journal: Journal = field(default_factory=Journal)
    entries: Said = field(default_factory=dict)

    def unsay(self, source: str, event_id: str) -> Said:
        """Take out what was said of one act."""
        names = [name for name in self.entries if name[1] == source and name[2] == event_id]
        return {name: self.entries.pop(name) for name in names}

    def next_deadline(self) -> int | None:
        """The earliest deadline that still runs, None when none does.

        Units: microseconds since 1970 UTC
        """
        return min((entry.at for entry in self.entries.values() if entry.outcome is Outcome.PENDING), default=None)


def said_to_plain(said: Said) -> list[list[Any]]:
    """What was said of one act as plain data, for a fact that moves; its event is named beside it."""
    return [[name[0], entry.outcome.value, *entry.said()] for name, entry in said.items()]


def said_from_plain(plain: Iterable[Sequence[Any]], source: str, event_id: str) -> Said:
    """What `said_to_plain` wrote of an act."""
    return {
        (rule, source, event_id): _entry_of(outcome, at, revision, evidence, tool, known_for)
        for rule, outcome, at, revision, evidence, tool, known_for in plain
    }


def _entry_of(*parts: Any) -> Entry:
    outcome, at, revision, evidence, tool, known_for = parts
    return Entry(Outcome(outcome), at, revision, tuple((s, o, i) for s, o, i in evidence), tool, known_for)


class UnknownSnapshot(PermanentError):
    """State written by another version of the program."""


def fact_data(fact: Fact) -> Mapping[str, Any]:
    """The fields a fact was made of (facts of a plan compiled with `display`)."""
    data: Mapping[str, Any] = fact[-1]
    return data


def fact_of(event: Event, plan: Plan) -> Fact | None:
    """The fact of an event with its own subject kept among its fields, so that the event can be had back."""
    data = event.data if event.subject is None else {**event.data, SUBJECT: event.subject}
    return plan.project(Event(event.source, event.id, event.type, event.time, event.observed_at, None, data))


def event_of(fact: Fact) -> Event:
    """The event of a fact, with the fields that were kept."""
    data = dict(fact_data(fact))
    subject = data.pop(SUBJECT, None)
    return Event(fact[SOURCE], fact[ID], fact[TYPE], fact[TIME], fact[OBSERVED], subject, data)


def fact_to_plain(fact: Fact) -> list[Any]:
    """A fact as plain data for a snapshot."""
    return [fact[TIME], fact[SOURCE], fact[ID], fact[OBSERVED], fact[TYPE], fact_data(fact)]


def fact_from_plain(plain: list[Any], plan: Plan) -> Fact | None:
    """The fact again, made anew by the plan; None when no rule needs it any more."""
    time, source, event_id, observed_at, event_type, data = plain
    return plan.project(Event(source, event_id, event_type, time, observed_at, None, data))


def save(state: CustomerState) -> bytes:
    """The snapshot of a state."""
    return pack(
        {
            "version": VERSION,
            "facts": [fact_to_plain(fact) for fact in state.journal.facts],
            "truncated": state.journal.truncated,
            "too_late": state.journal.too_late,
            "entries": [[*name, entry.outcome.value, *entry.said()] for name, entry in state.entries.items()],
        }
    )


def restore(customer: str, snapshot: bytes | None, plan: Plan) -> CustomerState:
    """The state again.

    Raises: UnknownSnapshot when it was written by another version of the program
    """
    if snapshot is None:
        return CustomerState(customer)
    try:
        plain = unpack(snapshot)
        version = plain["version"]
    except (ValueError, TypeError, KeyError):
        raise UnknownSnapshot("the state of a customer cannot be read; rebuild it from the events") from None
    if version != VERSION:
        raise UnknownSnapshot(f"the state was written by version {version}, this program reads {VERSION}: upgrade it")
    facts = (fact_from_plain(fact, plan) for fact in plain["facts"])
    journal = Journal(fact for fact in facts if fact is not None)
    journal.truncated.update(plain["truncated"])
    journal.too_late = plain["too_late"]
    entries = {(rule, source, event_id): _entry_of(*entry) for rule, source, event_id, *entry in plain["entries"]}
    return CustomerState(customer, journal, entries)
