"""The shape of a mapping file as data: what a tool publishes, and what of it becomes which canonical event.

What enters: nothing; `parse` fills these, `compile` turns them into functions.
What leaves: frozen values that know their place in the file. The next room: `parse`, which reads the YAML.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from coordwatch.errors import Place
from coordwatch.sources.paths import Path
from coordwatch.sources.record import DropReason

Plain = str | int | float | bool
Operator = Literal["is", "in", "not", "present", "starts_with", "ends_with", "contains", "matches", "over", "under"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one place of the payload: a path or a JMESPath, an operator, what it is compared with."""

    path: Path | str
    operator: Operator
    argument: Any


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions that hold together: all of them, any of them, or none of them."""

    kind: Literal["all", "any", "none"]
    conditions: tuple["Condition", ...]


Condition = Question | Junction


@dataclass(frozen=True, slots=True)
class FromPath:
    """A value that stands in the payload."""

    path: Path


@dataclass(frozen=True, slots=True)
class FromJmes:
    """A value that a JMESPath expression finds."""

    text: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the mapping."""

    value: Plain


@dataclass(frozen=True, slots=True)
class Template:
    """A text with paths in braces; missing when any of them is."""

    parts: tuple[str | Path, ...]


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first of several values that is there."""

    choices: tuple["ValueSpec", ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of several values that is there, as one list."""

    parts: tuple["ValueSpec", ...]


@dataclass(frozen=True, slots=True)
class DigestOf:
    """A stable name made of several values; missing when all of them are."""

    parts: tuple["ValueSpec", ...]


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """One object made of named values."""

    fields: Mapping[str, "ValueSpec"]


@dataclass(frozen=True, slots=True)
class EachOf:
    """One object for each element of a list; `$each` is the element."""

    path: Path
    fields: Mapping[str, "ValueSpec"]


@dataclass(frozen=True, slots=True)
class AfterEvent:
    """The event's own time, and so much later."""

    length: "ValueSpec"


Origin = FromPath | FromJmes | Constant | Template | FirstOf | AllOf | DigestOf | ObjectOf | EachOf | AfterEvent


@dataclass(frozen=True, slots=True)
class ValueSpec:
    """Where a value comes from and what is done with it, in the order of the fields below.

    `table` is a table of the mapping or the catalogue by name, or one written in place.
    """

    origin: Origin
    place: Place
    when: Condition | None = None
    json: bool = False
    split: str | None = None
    strip: bool = False
    remove_prefix: str | None = None
    remove_suffix: str | None = None
    remove: str | None = None
    after_last: str | None = None
    lower: bool = False
    upper: bool = False
    table: str | Mapping[str, Plain] | None = None
    number: bool = False
    scale: float | None = None
    first: bool = False
    sum: bool = False
    default: Plain | None = None
    format: str | None = None
    zone: str | None = None
    hash: bool = False


def values_inside(specs: Iterable[ValueSpec]) -> Iterator[ValueSpec]:
    """Give values, and every value inside them."""
    for spec in specs:
        yield spec
        origin = spec.origin
        if isinstance(origin, FirstOf):
            yield from values_inside(origin.choices)
        elif isinstance(origin, DigestOf | AllOf):
            yield from values_inside(origin.parts)
        elif isinstance(origin, ObjectOf | EachOf):
            yield from values_inside(origin.fields.values())


@dataclass(frozen=True, slots=True)
class IdentifierSpec:
    """One way to name the customer: a type, perhaps a namespace, and the value."""

    type: ValueSpec
    value: ValueSpec
    namespace: ValueSpec | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What an emission fills an event with; an emission inherits what the mapping says for all."""

    id: ValueSpec | None = None
    time: tuple[ValueSpec, ...] = ()
    identifiers: tuple[IdentifierSpec, ...] | None = None
    refs: Mapping[str, ValueSpec] = field(default_factory=dict)
    constant: Mapping[str, tuple[Plain, Place]] = field(default_factory=dict)
    set: Mapping[str, ValueSpec] = field(default_factory=dict)
    catalogue: Mapping[str, ValueSpec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FanOut:
    """One event for each element of a list, named by identifiers that may look at `$each`."""

    path: Path
    identifiers: tuple[IdentifierSpec, ...]


@dataclass(frozen=True, slots=True)
class ForEach:
    """One event of the same customer for each element of a list, or for each `{name, value}` of an object."""

    path: Path
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Emission:
    """One canonical event that a piece may become; `type` is None when a canonical event passes through as it is."""

    name: str
    type: str | None
    when: Condition | None
    parts: Parts
    fan_out: FanOut | None
    for_each: ForEach | None
    place: Place


@dataclass(frozen=True, slots=True)
class Drop:
    """Pieces that are left aside on purpose, and why."""

    when: Condition
    reason: DropReason


@dataclass(frozen=True, slots=True)
class Match:
    """Which records a mapping is for: topic patterns, and a condition on headers and fields."""

    topics: tuple[str, ...] = ()
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Unwrap:
    """One wrapper that may lie around the payload, with its options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Example:
    """A golden example inside the mapping file: a record, and what must come of it."""

    name: str
    payload: Any
    record: Mapping[str, Any]
    events: tuple[Mapping[str, Any], ...]
    dropped: tuple[str, ...]
    rejected: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """One mapping: how the records of one tool become canonical events."""

    name: str
    family: str
    summary: str
    tool: Mapping[str, str]
    match: Match
    unwrap: tuple[Unwrap, ...]
    split: tuple[Path, ...]
    tables: Mapping[str, Mapping[str, Plain]]
    let: Mapping[str, ValueSpec]
    drop_if: tuple[Drop, ...]
    shared: Parts
    emit: tuple[Emission, ...]
    also: tuple[Emission, ...]
    examples: tuple[Example, ...]
    place: Place

    @property
    def emits(self) -> tuple[str, ...]:
        """The types of event this mapping can give, in alphabetical order; `*` for those that pass through."""
        return tuple(sorted({emission.type or "*" for emission in (*self.emit, *self.also)}))
