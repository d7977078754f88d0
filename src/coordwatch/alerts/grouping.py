"""Grouping: which open alerts have one likely cause, whatever order they come in.

Two alerts belong together when they share a campaign, journey, carrier or item (else the rule and both tools) and lie within
a day of each other, also over others in between; and when one rule or one acting tool makes alerts of ten or more such causes
within a quarter of an hour, all of those belong together: the rule or the tool is the likelier cause then. Both only ever
join, so incidents merge and never fall apart by themselves, and the outcome does not depend on the order.

What enters: clues of alerts, a book of the incidents that go on.
What leaves: every alert in exactly one incident, written into the book.
The next room: `causes`, which ranks what they have in common.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from coordwatch.alerts.alert import Alert
from coordwatch.events.times import DAY, MINUTE

QUIET, BURST_WITHIN, BURST = DAY, 15 * MINUTE, 10
_OF_ITS_OWN = frozenset({"campaign", "journey", "carrier", "item"})


@dataclass(frozen=True, slots=True)
class Clue:
    """What of an alert says where it belongs: `home` its own cause, `marks` the bursts it could be part of. Units: `at` as ever."""

    alert: str
    home: str
    at: int
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when an incident holds alerts of one home. Units: microseconds since 1970 UTC."""

    incident: str
    home: str
    first: int
    last: int

    def touches(self, other: "Span") -> bool:
        """Whether both are of one home and within a day of each other."""
        return self.home == other.home and self.first - QUIET <= other.last and other.first - QUIET <= self.last


H = TypeVar("H", Clue, Span)


class IncidentBook(Protocol):
    """The incidents that go on, while alerts are placed; later reads see earlier writes.

    What a person split off is `apart`: it takes alerts by their home and is joined with nothing.
    """

    def spans(self, homes: Iterable[str]) -> Sequence[Span]:
        """The spans of these homes in every incident that goes on."""
        ...

    def spans_of(self, incidents: Iterable[str]) -> Sequence[Span]:
        """Every span of these incidents."""
        ...

    def apart(self, incidents: Iterable[str]) -> frozenset[str]:
        """Which of these a person split off."""
        ...

    def marked(self, marks: Iterable[str]) -> Sequence[tuple[str, str, str]]:
        """Mark, home and incident of every alert with these marks in an incident that goes on and is not apart."""
        ...

    def held_by(self, alerts: Iterable[str]) -> Mapping[str, str]:
        """By alert the incident it belongs to, which may be over."""
        ...

    def begin(self, clue: Clue) -> str:
        """Begin an incident with an alert, and give its id."""
        ...

    def come_back(self, incident: str) -> bool:
        """An alert of an incident that is over is open again: whether the incident goes on now."""
        ...

    def join(self, clue: Clue, incident: str) -> None:
        """Put an alert into an incident, out of the one where it was."""
        ...

    def merge(self, incidents: Sequence[str]) -> str:
        """Make one of several, and give its id."""
        ...


def clue_of(alert: Alert) -> Clue:
    """What of an alert says where it belongs."""
    at, bucket = alert.face.at, alert.face.at // BURST_WITHIN
    marks = [f"rule|{alert.rule}|{bucket}"]
    if alert.face.act_tool:
        marks.append(f"tool|{alert.face.act_tool}|{bucket}")
    return Clue(alert.id, home_of(alert.face.incident), at, tuple(marks))


def home_of(incident_key: str) -> str:
    """The cause of an alert's own: a campaign whatever the rule, else the rule with both tools."""
    rule, _, cause = incident_key.partition("|")
    return cause if cause.partition("|")[0] in _OF_ITS_OWN else f"{rule}|{cause}"


def place(book: IncidentBook, clues: Sequence[Clue]) -> set[str]:
    """Put every alert into one incident that goes on. Gives: the incidents that changed."""
    held = book.held_by(one.alert for one in clues)
    changed: set[str] = set()
    waiting = []
    for clue in sorted(clues, key=lambda one: (one.at, one.alert)):
        before = held.get(clue.alert)
        if before is not None and book.come_back(before):
            changed.add(before)
            continue
        waiting.append(clue)
    by_home = _by_home(waiting)
    known = _by_home(book.spans(by_home))
    apart = book.apart(one.incident for several in known.values() for one in several)
    for home, alike in by_home.items():
        changed |= _at_home(book, alike, known.get(home, ()), apart)
    marks = {mark for clue in clues for mark in clue.marks}
    moved: dict[str, str] = {}
    return _closed(book, changed | _bursts(book, marks, moved), moved)


def _by_home(several: Iterable[H]) -> Mapping[str, list[H]]:
    found: dict[str, list[H]] = defaultdict(list)
    for one in several:
        found[one.home].append(one)
    return found


def _at_home(book: IncidentBook, clues: Sequence[Clue], known: Sequence[Span], apart: frozenset[str]) -> set[str]:
    """Put alerts of one home where alerts of it are already, or into new incidents; earliest first."""
    spans = {one.incident: one for one in known}
    changed: set[str] = set()
    for clue in clues:
        here = Span("", clue.home, clue.at, clue.at)
        near = [one for one in spans.values() if one.touches(here)]
        # What a person split off takes its own; of several the nearest, so that a new alert joins no two of them.
        best = min(
            near, key=lambda one: (one.incident not in apart, _distance(one, clue.at), one.incident), default=None
        )
        if best is None:
            incident, first, last = book.begin(clue), clue.at, clue.at
        else:
            incident, first, last = best.incident, min(best.first, clue.at), max(best.last, clue.at)
            book.join(clue, incident)
        spans[incident] = Span(incident, clue.home, first, last)
        changed.add(incident)
    return changed


def _distance(span: Span, at: int) -> int:
    return max(span.first - at, at - span.last, 0)


def _bursts(book: IncidentBook, marks: Iterable[str], moved: dict[str, str]) -> set[str]:
    """Join what one rule or tool did to many at once; give what came of it, and in `moved` what went where."""
    homes: dict[str, set[str]] = defaultdict(set)
    incidents: dict[str, set[str]] = defaultdict(set)
    for mark, home, incident in book.marked(marks):
        homes[mark].add(home)
        incidents[mark].add(incident)
    changed: set[str] = set()
    for mark in sorted(homes):
        together = {_now(moved, one) for one in incidents[mark]}
        if len(homes[mark]) >= BURST and len(together) > 1:
            into = book.merge(sorted(together))
            moved.update({one: into for one in together if one != into})
            changed.add(into)
    return changed


def _now(moved: Mapping[str, str], incident: str) -> str:
    while incident in moved:
        incident = moved[incident]
    return incident


def _closed(book: IncidentBook, changed: set[str], moved: dict[str, str]) -> set[str]:
    """Join what touches what has grown, until nothing does: so the outcome is the same whatever came first."""
    todo, done = set(changed), set(changed)
    while todo:
        one = _now(moved, todo.pop())
        if one in book.apart([one]):
            continue
        mine = book.spans_of([one])
        others = [span for span in book.spans({span.home for span in mine}) if span.incident != one]
        apart = book.apart({span.incident for span in others})
        touching = {
            span.incident for span in others if span.incident not in apart and any(span.touches(own) for own in mine)
        }
        if touching:
            into = book.merge(sorted({one, *touching}))
            moved.update({was: into for was in {one, *touching} if was != into})
            todo.add(into)
            done.add(into)
    return {_now(moved, one) for one in done}
