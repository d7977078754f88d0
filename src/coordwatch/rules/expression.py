"""The expression tree of a `where`, a `by` or a macro: what the parser makes, the type check resolves, the compiler reads.

Raw trees hold `Path`; resolved trees hold `FieldRef` instead, with lists and macros put in place.
"""

from dataclasses import dataclass
from typing import Literal as Choice

from coordwatch.errors import Place

Kind = Choice["string", "int", "double", "bool", "timestamp", "duration", "list", "object", "any"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. Units: a duration is an int of microseconds."""

    value: str | int | float | bool | None
    kind: Kind
    place: Place


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list written out, or a named list put in place."""

    items: tuple["Expression", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Path:
    """A dotted name as written: `category`, `promo.tool.name`."""

    names: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A resolved name: the field or attribute `path` of a step's event; `step` None is the step's own event.

    A variable of `exists` or `all` is a step named `$variable`.
    """

    step: str | None
    path: tuple[str, ...]
    kind: Kind
    place: Place


@dataclass(frozen=True, slots=True)
class Unary:
    """`!x` or `-x`."""

    operator: str
    operand: "Expression"
    place: Place


@dataclass(frozen=True, slots=True)
class Binary:
    """`&& || == != < <= > >= in + - * / %`."""

    operator: str
    left: "Expression"
    right: "Expression"
    place: Place


@dataclass(frozen=True, slots=True)
class Call:
    """A function; a method's receiver is the first argument."""

    function: str
    arguments: tuple["Expression", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Has:
    """`has(x)`: whether a field is there and not null."""

    target: "Path | FieldRef"
    place: Place


@dataclass(frozen=True, slots=True)
class Quantifier:
    """`list.exists(x, ...)` or `list.all(x, ...)`."""

    kind: Choice["exists", "all"]
    collection: "Expression"
    variable: str
    body: "Expression"
    place: Place


Expression = Literal | ListOf | Path | FieldRef | Unary | Binary | Call | Has | Quantifier
