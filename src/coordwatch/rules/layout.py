"""Layouts: which fields of each event type the rules need, and which conditions on one event alone they ask.

Compiled rules ask for slots (a projected field) and selectors (a condition, one bit each). The next room:
`rules/projection.py` generates the function that makes facts of events.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

from coordwatch.context.fact import SLOTS
from coordwatch.rules.expression import Binary, Expression, FieldRef

SlotKind = Literal["value", "time", "key"]


OWN_ATTRIBUTES = {"time": "time", "source": "source", "id": "id", "observed_at": "observed"}


@dataclass(slots=True)
class Layout:
    """The slots and selectors of one event type."""

    type: str
    slots: dict[tuple[SlotKind, tuple[str, ...]], int] = field(default_factory=dict)
    passing: dict[tuple[SlotKind, tuple[str, ...]], None] = field(default_factory=dict)
    shown: dict[str, None] = field(default_factory=dict)
    selectors: dict[object, int] = field(default_factory=dict)
    conditions: dict[int, Expression | None] = field(default_factory=dict)

    def slot(self, kind: SlotKind, path: tuple[str, ...]) -> int:
        """The place of a field in this type's facts."""
        return self.slots.setdefault((kind, path), SLOTS + len(self.slots))

    def field_slot(self, ref: FieldRef) -> int:
        """The place of a field that an expression reads."""
        return self.slot(slot_kind(ref), ref.path)

    @property
    def heads(self) -> list[str]:
        """The top-level data fields that anything is taken from, in order of their first use."""
        return list(dict.fromkeys((*(path[0] for _, path in (*self.slots, *self.passing)), *self.shown)))

    @property
    def variables(self) -> dict[tuple[SlotKind, tuple[str, ...]], str]:
        """The name of the variable that holds each slot, and each field that only selectors read, in a projection."""
        names = {name: f"v{place}" for name, place in self.slots.items()}
        return names | {name: f"p{number}" for number, name in enumerate(self.passing) if name not in self.slots}


def slot_kind(ref: FieldRef) -> SlotKind:
    """How a field that an expression reads is kept: as a time, or as it is."""
    return "time" if ref.kind == "timestamp" else "value"


class Layouts:
    """The layouts of every event type that some rule names; bits are unique over all types.

    Takes: `keep_data` True to keep in a fact, as its last three places, the names of the fields it was made of, the name of
           its tool, and the values of those fields: what an alert shows, and what makes the fact anew under other rules
    """

    def __init__(self, *, keep_data: bool = False) -> None:
        self.by_type: dict[str, Layout] = {}
        self.keep_data = keep_data
        self.reads_observed = False
        self._bits = 0

    def of(self, event_type: str) -> Layout:
        """The layout of one type, made when it is first asked for."""
        layout = self.by_type.get(event_type)
        if layout is None:
            layout = self.by_type[event_type] = Layout(event_type)
        return layout

    def selector(self, event_type: str, condition: Expression | None) -> int:
        """The bit that facts of this type carry when the condition on the event alone is true."""
        layout = self.of(event_type)
        name = shape(condition)
        bit = layout.selectors.get(name)
        if bit is None:
            bit = layout.selectors[name] = 1 << self._bits
            layout.conditions[bit] = condition
            self._bits += 1
            for ref in own_fields(condition):
                if ref.path[0] not in OWN_ATTRIBUTES and ref.path != ("type",):
                    layout.passing[(slot_kind(ref), ref.path)] = None
        return bit


def shape(node: Any) -> object:
    """A comparable form of an expression, without its places: equal for conditions that mean the same text."""
    if is_dataclass(node):
        return (type(node).__name__, *(shape(getattr(node, f.name)) for f in fields(node) if f.name != "place"))
    if isinstance(node, tuple):
        return tuple(shape(item) for item in node)
    return (type(node).__name__, node)


def own_fields(node: Any) -> list[FieldRef]:
    """Every field of the step's own event that an expression reads."""
    if isinstance(node, FieldRef):
        return [node] if node.step is None else []
    if is_dataclass(node):
        return [ref for f in fields(node) for ref in own_fields(getattr(node, f.name))]
    if isinstance(node, tuple):
        return [ref for item in node for ref in own_fields(item)]
    return []


def conjuncts(condition: Expression | None) -> list[Expression]:
    """The parts of a condition that must all be true."""
    if condition is None:
        return []
    if isinstance(condition, Binary) and condition.operator == "&&":
        return [*conjuncts(condition.left), *conjuncts(condition.right)]
    return [condition]


def conjunction(parts: Sequence[Expression]) -> Expression | None:
    """The condition that all parts are true; None when there are none."""
    whole: Expression | None = None
    for part in parts:
        whole = part if whole is None else Binary("&&", whole, part, part.place)
    return whole
