"""A book of incidents in plain dictionaries, and what grouping means said once more, the slow way.

What enters: clues. What leaves: which alerts are together. The next room: the laws of grouping.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from coordwatch.alerts.grouping import BURST, Clue, Span


class PlainBook:
    """An IncidentBook without a database."""

    def __init__(self) -> None:
        self.members: dict[str, dict[str, Clue]] = {}
        self.over: set[str] = set()
        self.parted: set[str] = set()
        self.merged: dict[str, str] = {}

    def spans(self, homes: Iterable[str]) -> Sequence[Span]:
        wanted = set(homes)
        return [span for span in self.spans_of(self.members.keys() - self.over) if span.home in wanted]

    def spans_of(self, incidents: Iterable[str]) -> Sequence[Span]:
        found = []
        for incident in incidents:
            clues = self.members[incident].values()
            for home in {one.home for one in clues}:
                times = [one.at for one in clues if one.home == home]
                found.append(Span(incident, home, min(times), max(times)))
        return found

    def apart(self, incidents: Iterable[str]) -> frozenset[str]:
        return frozenset(self.parted & set(incidents))

    def marked(self, marks: Iterable[str]) -> Sequence[tuple[str, str, str]]:
        wanted = set(marks)
        going = self.members.keys() - self.over - self.parted
        return [
            (mark, one.home, incident)
            for incident in going
            for one in self.members[incident].values()
            for mark in wanted.intersection(one.marks)
        ]

    def held_by(self, alerts: Iterable[str]) -> Mapping[str, str]:
        wanted = set(alerts)
        return {alert: incident for incident, held in self.members.items() for alert in wanted & held.keys()}

    def begin(self, clue: Clue) -> str:
        self.members[f"incident {clue.alert}"] = {clue.alert: clue}
        return f"incident {clue.alert}"

    def come_back(self, incident: str) -> bool:
        self.over.discard(incident)
        return True

    def join(self, clue: Clue, incident: str) -> None:
        self.members[incident][clue.alert] = clue

    def merge(self, incidents: Sequence[str]) -> str:
        into, *others = sorted(incidents)
        for one in others:
            self.members[into] |= self.members.pop(one)
            self.over.discard(one)
        return into

    def together(self) -> set[frozenset[str]]:
        """Which alerts are in one incident."""
        return {frozenset(held) for held in self.members.values()}


def naive(clues: Iterable[Clue]) -> set[frozenset[str]]:
    """The finest parts in which nothing is left to be joined."""
    parts = [[one] for one in clues]
    while True:
        pair = next((pair for pair in combinations(parts, 2) if _belong(*pair, parts)), None)
        if pair is None:
            return {frozenset(one.alert for one in part) for part in parts}
        parts = [one for one in parts if one not in pair] + [[*pair[0], *pair[1]]]


def _belong(one: list[Clue], other: list[Clue], parts: list[list[Clue]]) -> bool:
    if any(mine.touches(theirs) for mine in _spans(one) for theirs in _spans(other)):
        return True
    both = {mark for clue in one for mark in clue.marks} & {mark for clue in other for mark in clue.marks}
    homes = {mark: {clue.home for part in parts for clue in part if mark in clue.marks} for mark in both}
    return any(len(found) >= BURST for found in homes.values())


def _spans(part: list[Clue]) -> list[Span]:
    homes = {one.home: [two.at for two in part if two.home == one.home] for one in part}
    return [Span("", home, min(times), max(times)) for home, times in homes.items()]
