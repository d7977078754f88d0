"""The shape of a rule as written: what `parse` makes, and every later stage reads.

Durations and times are int microseconds; expressions are parsed trees (see `rules/expression.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from coordwatch.errors import Place
from coordwatch.rules.expression import Expression

DAY = 86_400_000_000


class RuleStatus(StrEnum):
    """Where a rule is in its life."""

    DRAFT = "draft"
    SHADOW = "shadow"
    LIVE = "live"
    RETIRED = "retired"


class Severity(StrEnum):
    """How bad a conflict is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Match:
    """Which events a step takes: a type, a condition, and where each key stands in that event.

    `same` maps the key's name to the dotted path of its value in this event.
    """

    event: str
    where: Expression | None
    same: Mapping[str, str]
    place: Place


@dataclass(frozen=True, slots=True)
class Window:
    """A length of time; with a calendar only its open time counts.

    Units: microseconds
    """

    length: int
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """The `when` step: the event a rule judges."""

    name: str
    matches: tuple[Match, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class After:
    """An event that happened before the act. `within` None is `forever`; `at_least` None means a single event."""

    name: str
    matches: tuple[Match, ...]
    place: Place
    within: Window | None
    at_least: int | None = None
    distinct: str | None = None
    grace: int = 0
    since: str | None = None

    @property
    def is_counting(self) -> bool:
        """Whether the step counts events instead of binding one."""
        return self.at_least is not None or self.distinct is not None


@dataclass(frozen=True, slots=True)
class State:
    """A state: opened and closed by events, per value of the keys in `same`. `at_most` None is `forever`."""

    name: str
    opened: tuple[Match, ...]
    closed: tuple[Match, ...]
    reopened: tuple[Match, ...]
    same: Mapping[str, str]
    place: Place
    grace: int = 0
    linger: int = 0
    at_most: int | None = 180 * DAY


@dataclass(frozen=True, slots=True)
class Given:
    """A reference fact, read as of the act."""

    name: str
    matches: tuple[Match, ...]
    place: Place
    per: Mapping[str, str] = field(default_factory=dict)
    within: Window | None = None


@dataclass(frozen=True, slots=True)
class UnlessEvent:
    """An event that cancels."""

    name: str
    matches: tuple[Match, ...]
    place: Place
    within: Window | None = None
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """The event that must follow the act; its absence is the violation.

    Units: `early` and `repair` in microseconds
    """

    name: str
    matches: tuple[Match, ...]
    place: Place
    within: Window | None = None
    by: Expression | None = None
    early: int = 0
    repair: int = 30 * DAY


Unless = UnlessEvent | State
Step = Act | After | State | Given | UnlessEvent | Expect


@dataclass(frozen=True, slots=True)
class ExceptionSpec:
    """A named exception: bindings for which `where` is true do not count, for acts before `until`.

    Units: `until` in microseconds since 1970 UTC (00:00 of the written day)
    """

    name: str
    where: Expression
    reason: str
    owner: str
    until: int
    place: Place


@dataclass(frozen=True, slots=True)
class AlertSpec:
    """How detections fold into alerts, and the sentence an alert shows. Units: `quiet` in microseconds."""

    once_per: tuple[str, ...] = ("customer",)
    quiet: int = DAY
    say: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A test inside a rule: events at relative times, and what they must raise.

    `events` are plain dicts {"at": us, "type": str, "data": {...}, "id"?, "source"?}; `expect` are plain dicts {"at": us,
    "status"?: str, "evidence"?: [step names]}. Units: microseconds after the example's start
    """

    name: str
    events: tuple[Mapping[str, Any], ...]
    expect: tuple[Mapping[str, Any], ...]
    until: int | None
    place: Place


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One rule as written."""

    id: str
    title: str
    status: RuleStatus
    severity: Severity
    owner: str
    why: str
    when: Act
    place: Place
    after: tuple[After, ...] = ()
    while_: tuple[State, ...] = ()
    given: tuple[Given, ...] = ()
    unless: tuple[Unless, ...] = ()
    expect: Expect | None = None
    exceptions: tuple[ExceptionSpec, ...] = ()
    alert: AlertSpec = AlertSpec()
    tags: tuple[str, ...] = ()
    runbook: str = ""
    references: tuple[str, ...] = ()
    false_positives: tuple[str, ...] = ()
    tests: tuple[Example, ...] = ()
    shared: "SharedSpec | None" = None
    # Where each word of the rule stands (`title`, `alert.say`), for what only `lint` complains of.
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Open hours: `weekly` maps 0 (Monday) to 6 to open spans in microseconds of the local day; holidays are ISO dates."""

    name: str
    zone: str
    weekly: Mapping[int, tuple[tuple[int, int], ...]]
    holidays: frozenset[str]


@dataclass(frozen=True, slots=True)
class SharedSpec:
    """What `_shared.yaml` holds: lists, macros (parsed expressions) and calendars."""

    lists: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    macros: Mapping[str, Expression] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
