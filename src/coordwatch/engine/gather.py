"""Gather: a history's lines or events in any order in; each customer's facts, the reference facts and the clock out.

The quick half of `replay`: each line is decoded once, and only the fields that some rule needs are made.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from coordwatch.context.fact import TYPE, Fact
from coordwatch.engine.lines import NotALine, Times, Word, data_class
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import PREFIX
from coordwatch.events.wire import Rejected, decode_event
from coordwatch.rules.plan import Plan
from coordwatch.rules.projection import Project
from coordwatch.rules.search import BEGINNING


class NeedsIdentity(Exception):
    """An event names no customer: the identity stage must see the whole history first."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no canonical event, counted from 1, and why."""

    line: int
    rejected: Rejected


@dataclass(slots=True)
class ReplayCounts:
    """How many lines were read, what became of those that were not used, and, when asked for, each rule's acts."""

    lines: int = 0
    events: int = 0
    later: int = 0
    duplicates: int = 0
    conflicting_duplicates: int = 0
    no_customer: int = 0
    acts: Counter[str] = field(default_factory=Counter)


def _undecided(_: bytes) -> list[Any]:
    """Stands in for the decoder until the first lines come."""
    raise NotImplementedError


@dataclass(slots=True)
class Gathering:
    """Gathers a history: feed lines or events in any order.

    Of an event of a needed type that no rule selects only the hash of its identity is kept, so that other content under
    the same identity is refused later (RULES 31).

    Units: `until`, when given, is the clock: later events are not yet there (RULES 38)
    """

    plan: Plan
    until: int | None = None
    counts: ReplayCounts = field(default_factory=ReplayCounts)
    bad: list[BadLine] = field(default_factory=list)
    latest: int = BEGINNING
    journals: defaultdict[str, list[Fact | int]] = field(default_factory=lambda: defaultdict(list))
    broadcasts: list[Fact] = field(default_factory=list)
    _decode_lines: Callable[[bytes], list[Any]] = field(default=_undecided)
    _table: Mapping[str, Project | None] = field(default_factory=dict)
    _empty: Any = None
    _times: Times = field(default_factory=Times)
    _sources: dict[str, str] = field(default_factory=dict)

    def feed(self, lines: bytes) -> None:
        """Take whole lines of canonical events; bad ones are noted in `bad`.

        Raises: NeedsIdentity when an event that some rule needs names no customer
        """
        if self._decode_lines is _undecided:
            self._prepare()
        try:
            decoded = self._decode_lines(lines)
        except NotALine:
            for line in lines.split(b"\n"):
                self._feed_line(line)
            self.counts.lines -= lines.endswith(b"\n")
            return
        self._take(decoded, lines)

    def _prepare(self) -> None:
        """Generate the decoder that makes only the fields some rule needs, and the table of types."""
        heads = sorted({head for layout in self.plan.layouts.by_type.values() for head in layout.heads})
        data = data_class("Data", heads)
        recorded: list[Any] = [("recordedtime", Any, None)] if self.plan.layouts.reads_observed else []
        attributes: list[Any] = [
            ("id", Word),
            ("source", Word),
            ("type", str),
            ("time", str),
            ("subject", Word | None, None),
            ("data", data | None, None),
            ("specversion", Literal["1.0"], "1.0"),
        ]
        line = msgspec.defstruct("Line", [*attributes, *recorded], gc=False)
        self._decode_lines = msgspec.json.Decoder(line).decode_lines
        self._empty = data()
        projections = self.plan.projections_of("attributes")
        self._table = {
            name: projections.get(event_type) for event_type in TYPES for name in (event_type, PREFIX + event_type)
        }

    def _take(self, decoded: Sequence[Any], lines: bytes) -> None:
        """The hot loop: for each event its time, its fact if a rule needs it, its customer's list."""
        table, minutes, rests = self._table, self._times.minutes, self._times.rests
        until, latest, journals = self.until, self.latest, self.journals
        intern, empty, reads_observed = self._sources.setdefault, self._empty, self.plan.layouts.reads_observed
        observed = 0
        for number, event in enumerate(decoded):
            text = event.time
            try:
                project = table[event.type]
                time = minutes[text[:16]] + rests[text[16:]]
            except KeyError:
                if event.type not in table or not self._times.learn(text):
                    self._bad_line(number, lines)
                    continue
                project, time = table[event.type], self._times.parse(text)
            if until is not None and time > until:
                self.counts.later += 1
                continue
            if time > latest:  # noqa: PLR1730 - max() costs a call for each event
                latest = time
            if project is None:
                continue
            if reads_observed:
                observed = self._times.observed(event.recordedtime, time)
            subject, source = event.subject, event.source
            fact = project(time, intern(source, source), event.id, observed, event.data or empty)
            if subject is None:
                if fact is not None:
                    self._without_customer(fact)
            elif fact is None:
                journals[subject].append(hash(source) ^ hash(event.id))
            else:
                journals[subject].append(fact)
                if fact[TYPE] in self.plan.broadcast:
                    self.broadcasts.append(fact)
        self.latest = latest
        self._count(decoded, lines)

    def _count(self, decoded: Sequence[Any], lines: bytes) -> None:
        """Count lines as an editor does, but count line ends only where some line is empty: it is slow."""
        self.counts.lines += len(decoded) if b"\n\n" not in lines else lines.count(b"\n")
        self.counts.events += len(decoded)

    def _without_customer(self, fact: Fact) -> None:
        if fact[TYPE] not in self.plan.broadcast:
            raise NeedsIdentity
        self.broadcasts.append(fact)

    def _bad_line(self, number: int, lines: bytes) -> None:
        """Find the line again, to say what is wrong with it."""
        places = [(place, line) for place, line in enumerate(lines.splitlines(), 1) if line.strip()]
        place, line = places[number]
        rejected = decode_event(line)
        if isinstance(rejected, Rejected):
            self.bad.append(BadLine(self.counts.lines + place, rejected))
        else:
            self.add(rejected)
        self.counts.events -= 1

    def _feed_line(self, line: bytes) -> None:
        self.counts.lines += 1
        if not line.strip():
            return
        event = decode_event(line)
        if isinstance(event, Rejected):
            self.bad.append(BadLine(self.counts.lines, event))
        else:
            self.counts.events += 1
            self.add(event)

    def add(self, event: Event, customer: str | None = None) -> None:
        """Take one event; `customer` is its key where the identity stage found one.

        Raises: NeedsIdentity as `feed`
        """
        if self.until is not None and event.time > self.until:
            self.counts.later += 1
            return
        self.latest = max(self.latest, event.time)
        fact = self.plan.project(event)
        subject = customer or event.subject
        if fact is None:
            if subject is not None and event.type in self.plan.projections:
                self.journals[subject].append(hash(event.source) ^ hash(event.id))
            return
        if subject is None:
            self._without_customer(fact)
            return
        self.journals[subject].append(fact)
        if event.type in self.plan.broadcast:
            self.broadcasts.append(fact)

    @property
    def clock(self) -> int:
        """Up to when everything is proven: `until`, else the largest event time read."""
        return self.latest if self.until is None else self.until
