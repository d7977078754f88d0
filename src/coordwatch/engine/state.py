"""The state of one customer: the journal, and what has been said of each act so far; facts and entries as plain data.

`folder` turns it into bytes and back.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coordwatch.context.fact import ID, OBSERVED, SOURCE, TIME, TYPE, Fact
from coordwatch.context.journal import Journal
from coordwatch.errors import PermanentError
from coordwatch.events.event import Event
from coordwatch.rules.evaluate import Outcome
from coordwatch.rules.plan import Plan
from coordwatch.rules.shown import SUBJECT

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


Said = dict[ActName, Entry]


class CustomerState:
    """All that is remembered of one customer; `entries` is keyed by (rule, act source, act id).

    Takes: `closed`, which reads what was said before, where it is not there yet
    """

    __slots__ = ("_closed", "_entries", "_new", "customer", "journal")

    def __init__(self, customer: str, journal: Journal | None = None, closed: Callable[[], Said] | None = None) -> None:
        self.customer = customer
        self.journal = Journal() if journal is None else journal
        self._closed = closed
        self._entries: Said | None = {} if closed is None else None
        self._new: Said = {}

    @property
    def entries(self) -> Said:
        """What was said of each act; read when it is first asked for."""
        if self._entries is None:
            self._entries = {} if self._closed is None else self._closed()
            self._entries.update(self._new)
        return self._entries

    def tell(self, name: ActName, entry: Entry) -> None:
        """Note what is said of an act of which nothing was said before."""
        (self._new if self._entries is None else self._entries)[name] = entry

    def running(self) -> frozenset[tuple[str, str]]:
        """The acts whose deadline still runs."""
        return frozenset((name[1], name[2]) for name, entry in self.entries.items() if entry.outcome is Outcome.PENDING)

    def forget(self, gone: Iterable[Fact]) -> None:
        """Let go of what was said of acts that are no longer kept."""
        names = {(fact[SOURCE], fact[ID]) for fact in gone}
        if names:
            self._entries = {name: one for name, one in self.entries.items() if (name[1], name[2]) not in names}

    def unsay(self, source: str, event_id: str) -> Said:
        """Take out what was said of one act."""
        names = [name for name in self.entries if name[1] == source and name[2] == event_id]
        return {name: self.entries.pop(name) for name in names}

    def next_deadline(self) -> int | None:
        """The earliest deadline that still runs, None when none does.

        Units: microseconds since 1970 UTC
        """
        return min((entry.at for entry in self.entries.values() if entry.outcome is Outcome.PENDING), default=None)


def entry_to_plain(name: ActName, entry: Entry) -> list[Any]:
    """What was said of an act as plain data."""
    outcome, at, evidence = entry.outcome.value, entry.at, entry.evidence
    return [*name, outcome, at, entry.revision, evidence, entry.evidence_tool, entry.known_for, entry.moved]


def entry_from_plain(plain: Sequence[Any]) -> tuple[ActName, Entry]:
    """What `entry_to_plain` wrote; the first version did not say whether it had moved."""
    rule, source, event_id, outcome, at, revision, evidence, tool, known_for, *moved = plain
    named = tuple((step, of, one) for step, of, one in evidence)
    return (rule, source, event_id), Entry(Outcome(outcome), at, revision, named, tool, known_for, any(moved))


class UnknownSnapshot(PermanentError):
    """State written by another version of the program."""


def fact_data(fact: Fact) -> Mapping[str, Any]:
    """The fields a fact was made of (facts of a plan compiled with `display`)."""
    return {name: value for name, value in zip(fact[-3], fact[-1], strict=True) if value is not None}


def tool_of(fact: Fact) -> str:
    """The name of the tool an event came from, empty when it does not say (facts of a plan compiled with `display`)."""
    tool: str = fact[-2]
    return tool


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
