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
from typing import Protocol

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
    together = _Together(book)
    waiting = []
    for clue in sorted(clues, key=lambda one: (one.at, one.alert)):
        before = held.get(clue.alert)
        if before is None or not book.come_back(before):
            waiting.append(clue)
        elif book.apart([before]):
            together.apart.add(before)
        else:
            together.involve(before)
    free = _where_people_put(book, waiting, together.apart)
    for clue in free:
        together.add(clue)
    together.burst({mark for clue in clues for mark in clue.marks})
    together.close()
    return together.write()


def _where_people_put(book: IncidentBook, clues: Sequence[Clue], parted: set[str]) -> list[Clue]:
    """Put alerts where a person split off others of their home, the nearest first; give the rest."""
    known = _by_home(book.spans({one.home for one in clues}))
    apart = book.apart(one.incident for several in known.values() for one in several)
    rest = []
    for clue in clues:
        here = Span("", clue.home, clue.at, clue.at)
        theirs = [one for one in known.get(clue.home, ()) if one.incident in apart and one.touches(here)]
        best = min(theirs, key=lambda one: (_distance(one, clue.at), one.incident), default=None)
        if best is None:
            rest.append(clue)
            continue
        book.join(clue, best.incident)
        parted.add(best.incident)
        known[clue.home].remove(best)
        known[clue.home].append(Span(best.incident, clue.home, min(best.first, clue.at), max(best.last, clue.at)))
    return rest


def _by_home(several: Iterable[Span]) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = defaultdict(list)
    for one in several:
        found[one.home].append(one)
    return found


def _distance(span: Span, at: int) -> int:
    return max(span.first - at, at - span.last, 0)


class _Together:
    """What comes to lie together: new alerts and incidents, each under the name of one of them, until it is written.

    `reach` says, by name and home, from when to when it holds alerts of that home.
    """

    def __init__(self, book: IncidentBook) -> None:
        self._book = book
        self.apart: set[str] = set()
        self._up: dict[str, str] = {}
        self._clues: list[Clue] = []
        self._incidents: set[str] = set()
        self._reach: dict[str, dict[str, Span]] = {}
        self._unread: set[str] = set()

    def add(self, clue: Clue) -> None:
        """One more alert."""
        self._clues.append(clue)
        self._up[_new(clue)] = _new(clue)
        self._reach[_new(clue)] = {clue.home: Span("", clue.home, clue.at, clue.at)}

    def involve(self, incident: str) -> None:
        """One more incident, of which something changes."""
        if incident not in self._incidents:
            self._incidents.add(incident)
            self._up[incident] = incident
            self._reach[incident] = {}
            self._unread.add(incident)

    def name(self, one: str) -> str:
        """The name under which it lies now."""
        while self._up[one] != one:
            self._up[one] = self._up[self._up[one]]
            one = self._up[one]
        return one

    def join(self, one: str, other: str) -> bool:
        """Let two lie together; whether they did not before."""
        into, gone = sorted((self.name(one), self.name(other)), key=lambda name: (-len(self._reach[name]), name))
        if into == gone:
            return False
        self._up[gone] = into
        for home, span in self._reach.pop(gone).items():
            self._widen(into, home, span)
        return True

    def _widen(self, name: str, home: str, span: Span) -> None:
        mine = self._reach[name].get(home, span)
        self._reach[name][home] = Span("", home, min(mine.first, span.first), max(mine.last, span.last))

    def burst(self, marks: Iterable[str]) -> None:
        """Join what one rule or tool did to many at once."""
        homes: dict[str, set[str]] = defaultdict(set)
        members: dict[str, set[str]] = defaultdict(set)
        for mark, home, incident in self._book.marked(marks):
            homes[mark].add(home)
            members[mark].add(incident)
        for clue in self._clues:
            for mark in clue.marks:
                homes[mark].add(clue.home)
                members[mark].add(_new(clue))
        for mark in sorted(homes):
            if len(homes[mark]) >= BURST:
                for one in members[mark] - self._up.keys():
                    self.involve(one)
                first, *others = sorted(members[mark])
                for one in others:
                    self.join(first, one)

    def close(self) -> None:
        """Join what touches what has grown, until nothing does: so the outcome is the same whatever came first."""
        around: dict[str, list[Span]] = {}
        while True:
            self._read()
            homes = {home for reach in self._reach.values() for home in reach}
            new = homes - around.keys()
            found = _by_home(self._book.spans(new)) if new else {}
            around |= {home: found.get(home, []) for home in new}
            apart = self._book.apart({one.incident for several in found.values() for one in several})
            around |= {home: [one for one in around[home] if one.incident not in apart] for home in new}
            if not self._touching(around):
                return

    def _read(self) -> None:
        """Take in from when to when incidents reach that were not looked at yet."""
        unread, self._unread = self._unread, set()
        for span in self._book.spans_of(unread) if unread else ():
            self._widen(self.name(span.incident), span.home, span)

    def _touching(self, around: Mapping[str, Sequence[Span]]) -> bool:
        grew = False
        by_home: dict[str, list[tuple[Span, str]]] = defaultdict(list)
        for name, reach in self._reach.items():
            for home, span in reach.items():
                by_home[home].append((span, name))
        for home, several in by_home.items():
            several.sort(key=lambda one: (one[0].first, one[1]))
            # Whatever touches lies next to what it touches, once it is in the order of time.
            last, before = several[0][0].last, several[0][1]
            for span, name in several[1:]:
                if span.first - QUIET <= last:
                    grew = self.join(before, name) or grew
                last, before = max(last, span.last), name
            for other in around[home]:
                if other.incident not in self._incidents and any(other.touches(span) for span, _ in several):
                    near = next(name for span, name in several if other.touches(span))
                    self.involve(other.incident)
                    self.join(near, other.incident)
                    grew = True
        return grew

    def write(self) -> set[str]:
        """Put everything where it belongs, and give the incidents that changed."""
        incidents: dict[str, list[str]] = defaultdict(list)
        for one in sorted(self._incidents):
            incidents[self.name(one)].append(one)
        clues: dict[str, list[Clue]] = defaultdict(list)
        for clue in self._clues:
            clues[self.name(_new(clue))].append(clue)
        changed = set(self.apart)
        for name in sorted({*incidents, *clues}):
            mine, coming = incidents.get(name, []), clues.get(name, [])
            if not mine:
                into, coming = self._book.begin(coming[0]), coming[1:]
            else:
                into = mine[0] if len(mine) == 1 else self._book.merge(mine)
            for clue in coming:
                self._book.join(clue, into)
            changed.add(into)
        return changed


def _new(clue: Clue) -> str:
    """The name of an alert among names of incidents."""
    return f"alert {clue.alert}"
