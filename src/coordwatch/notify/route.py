"""Routing: the way of an alert through a tree, as Alertmanager walks it: to whom now, to whom later, and why.

What enters: the labels of an alert, the present, the tree of the settings.
What leaves: channels to tell now; steps to be taken later unless somebody looks at it; or what it waits for.
The next room: `plan`, which makes the messages; a store, which keeps the steps.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from coordwatch.alerts.labels import Labels
from coordwatch.alerts.matchers import Matcher, all_hold, matchers_text
from coordwatch.alerts.words import time_words
from coordwatch.events.times import SECOND
from coordwatch.events.words import duration_words
from coordwatch.notify.decide import Hold, NotifyReason
from coordwatch.notify.hours import Hours, is_open, opens_at

GROUP_WAIT = 30 * SECOND


@dataclass(frozen=True, slots=True)
class Receiver:
    """A name and the channels behind it; without any, the inbox alone."""

    name: str
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who is told when nobody has looked at an alert so long after it was told. Units: microseconds."""

    after: int
    receiver: Receiver


@dataclass(frozen=True, slots=True)
class Route:
    """One node of the tree; what it does not say of itself it has from the node above, but for its hours.

    `path` is where it stands in the settings. With `goes_on` the routes beside it are tried too. What is alike in all of the
    labels `group_by` is gathered for `group_wait` and told as one. Units: microseconds
    """

    path: str
    receiver: Receiver
    matchers: tuple[Matcher, ...] = ()
    goes_on: bool = False
    active: tuple[Hours, ...] = ()
    mute: tuple[Hours, ...] = ()
    escalate: tuple[Escalation, ...] = ()
    group_by: tuple[str, ...] = ()
    group_wait: int = GROUP_WAIT
    routes: tuple["Route", ...] = ()

    def takes(self, labels: Labels) -> bool:
        """Whether its matchers hold."""
        return all_hold(self.matchers, labels)


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts that are alike, gathered by the clock: those of one stretch of `wait` are told at its end.

    `skip` leaves stretches out whose message is on its way already. Units: microseconds
    """

    key: str
    wait: int
    skip: int = 0

    def stretch(self, now: int) -> tuple[str, int]:
        """What the message of this stretch is called, and when it is due. Units: microseconds since 1970 UTC."""
        number = now // self.wait + self.skip
        return f"group:{number}:{self.key}", (number + 1) * self.wait


@dataclass(frozen=True, slots=True)
class Step:
    """Something to be told later, unless the alert is not open then. `name` is the same for the same step of an alert.

    Units: `due` in microseconds since 1970 UTC
    """

    name: str
    due: int
    to: tuple[str, ...]
    reason: NotifyReason
    words: str


@dataclass(frozen=True, slots=True)
class Routed:
    """Where an alert goes: channels `to` tell now, `steps` for later; `hold` when all of its ways are shut just now.

    `groups` says by channel with which others it is told together.
    """

    to: frozenset[str]
    steps: tuple[Step, ...] = ()
    hold: Hold | None = None
    words: str = ""
    groups: Mapping[str, Group] = field(default_factory=dict)


def ways_of(route: Route, labels: Labels) -> list[Route]:
    """The nodes that an alert comes to rest at, as Alertmanager finds them: the deepest that take it, else the one above."""
    if not route.takes(labels):
        return []
    found: list[Route] = []
    for one in route.routes:
        inside = ways_of(one, labels)
        found += inside
        if inside and not one.goes_on:
            break
    return found or [route]


def routed(root: Route, labels: Labels, now: int) -> Routed:
    """Where an alert goes that somebody is to be told of now. Units: microseconds since 1970 UTC."""
    to: set[str] = set()
    steps: dict[str, Step] = {}
    groups: dict[str, Group] = {}
    shut: list[tuple[int | None, Route]] = []
    ways = ways_of(root, labels)
    for way in ways:
        begins = opens_at(way.active, way.mute, now)
        if begins != now:
            shut.append((begins, way))
        else:
            to.update(way.receiver.channels)
            if way.group_by:
                group = Group(_alike(way, labels), way.group_wait)
                groups.update({one: group for one in way.receiver.channels if one not in groups})
        if begins is not None:
            steps.update((step.name, step) for step in _steps(way, begins, now))
    if len(shut) == len(ways):
        return Routed(frozenset(), (), _waits(shut))
    words = "" if to else f"{', '.join(way.path for way in ways)}: the inbox alone"
    later = tuple(sorted(steps.values(), key=lambda one: (one.due, one.name)))
    return Routed(frozenset(to), later, None, words, groups)


def _alike(way: Route, labels: Labels) -> str:
    """What alerts of one group have in common, as a digest: values may be long, or name somebody."""
    values = repr([(name, labels.get(name, ())) for name in way.group_by])
    return blake2b(f"{way.path}\x1e{values}".encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _steps(way: Route, begins: int, now: int) -> Iterator[Step]:
    if begins != now and way.receiver.channels:
        words = f"{way.path}: {way.receiver.name} is told from {time_words(begins)} on"
        yield Step(way.path, begins, way.receiver.channels, NotifyReason.HOURS_BEGAN, words)
    for number, one in enumerate(way.escalate, 1):
        words = f"nobody had looked at it after {duration_words(one.after)}: {one.receiver.name} is told"
        yield Step(
            f"{way.path} step {number}", begins + one.after, one.receiver.channels, NotifyReason.ESCALATED, words
        )


def _waits(shut: Sequence[tuple[int | None, Route]]) -> Hold:
    """All ways are shut: the question is asked again when the first one opens."""
    opens = [begins for begins, _ in shut if begins is not None]
    until = min(opens) if opens else None
    names = ", ".join(way.path for _, way in shut)
    words = f"outside the hours of {names}" + (f"; asked again at {time_words(until)}" if until is not None else "")
    return Hold(NotifyReason.OUTSIDE_HOURS, f"route:{names}"[:200], until, words)


@dataclass(frozen=True, slots=True)
class Visit:
    """One node that was looked at, for whoever asks why: `depth` in the tree, whether it takes the alert, and the words."""

    path: str
    depth: int
    takes: bool
    is_end: bool
    words: str


@dataclass(frozen=True, slots=True)
class Explained:
    """Which way an alert goes and why: every node that was looked at, and what comes of it."""

    visits: tuple[Visit, ...]
    routed: Routed


@dataclass(slots=True)
class _Walk:
    labels: Labels
    now: int
    ends: frozenset[str]
    visits: list[Visit] = field(default_factory=list)

    def node(self, route: Route, depth: int) -> bool:
        failed = [one for one in route.matchers if not one.holds(self.labels)]
        is_end = route.path in self.ends
        self.visits.append(
            Visit(route.path, depth, not failed, is_end and not failed, self._words(route, failed, is_end))
        )
        if failed:
            return False
        for place, one in enumerate(route.routes):
            if self.node(one, depth + 1) and not one.goes_on:
                left = len(route.routes) - place - 1
                if left:
                    words = f"{left} more not looked at, since {one.path} does not say 'continue: true'"
                    self.visits.append(Visit(route.path, depth + 1, False, False, words))
                break
        return True

    def _words(self, route: Route, failed: Sequence[Matcher], is_end: bool) -> str:
        if failed:
            return f"no: {matchers_text(failed)} does not hold; the alert has {_having(failed, self.labels)}"
        held = f"{matchers_text(route.matchers)} holds" if route.matchers else "takes every alert"
        if not is_end:
            return f"yes: {held}; a route below takes it"
        told = ", ".join(route.receiver.channels) or "the inbox alone"
        open_now = is_open(route.active, route.mute, self.now)
        together = f", told together by {', '.join(route.group_by)}" if route.group_by else ""
        return (
            f"yes: {held}; receiver {route.receiver.name} ({told}){together}{'' if open_now else ', shut at this hour'}"
        )


def _having(matchers: Iterable[Matcher], labels: Labels) -> str:
    names = dict.fromkeys(one.name for one in matchers)
    return ", ".join(f"{name}={'|'.join(labels.get(name, ())) or '(none)'}" for name in names)


def explain(root: Route, labels: Labels, now: int) -> Explained:
    """Which way an alert goes and why. Units: microseconds since 1970 UTC."""
    walk = _Walk(labels, now, frozenset(way.path for way in ways_of(root, labels)))
    walk.node(root, 0)
    return Explained(tuple(walk.visits), routed(root, labels, now))
