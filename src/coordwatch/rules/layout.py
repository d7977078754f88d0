"""Layouts: which fields of each event type the rules need, and the generated function that makes facts of events.

Compiled rules ask for slots (a projected field) and selectors (a condition on one event alone, one bit each); an event
that satisfies no selector is no fact at all. The next room is `rules/compile.py`.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

from coordwatch.context.fact import SLOTS, Fact, key_values
from coordwatch.rules.compile_expression import true_code
from coordwatch.rules.expression import Binary, Expression, FieldRef, ListOf
from coordwatch.rules.expression import Literal as Constant
from coordwatch.rules.generate import function_of

SlotKind = Literal["value", "time", "key"]
INDEX_FROM = 3
_ATTRIBUTES = {"time": "time", "source": "source", "id": "id", "observed_at": "observed"}
Project = Callable[[int, str, str, int, Any], Fact | None]


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
        return self.slot(_slot_kind(ref), ref.path)

    @property
    def heads(self) -> list[str]:
        """The top-level data fields that anything is taken from, in order of their first use."""
        return list(dict.fromkeys((*(path[0] for _, path in (*self.slots, *self.passing)), *self.shown)))

    @property
    def variables(self) -> dict[tuple[SlotKind, tuple[str, ...]], str]:
        """The name of the variable that holds each slot, and each field that only selectors read, in a projection."""
        names = {name: f"v{place}" for name, place in self.slots.items()}
        return names | {name: f"p{number}" for number, name in enumerate(self.passing) if name not in self.slots}


def _slot_kind(ref: FieldRef) -> SlotKind:
    return "time" if ref.kind == "timestamp" else "value"


class Layouts:
    """The layouts of every event type that some rule names; bits are unique over all types.

    Takes: `keep_data` True to keep in a fact, as its last place, the fields it was made of: what an alert shows, and
           what makes the fact anew under other rules
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
                if ref.path[0] not in _ATTRIBUTES and ref.path != ("type",):
                    layout.passing[(_slot_kind(ref), ref.path)] = None
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


def field_at(value: Any, *path: str) -> Any:
    """The value under a path of names inside an object, None when some name is missing."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def field_through(value: Any, *path: str) -> Any:
    """As `field_at`, going through lists on the way (keys may, conditions may not)."""
    if not path:
        return value
    if isinstance(value, list):
        return [field_through(item, *path) for item in value]
    return field_through(value.get(path[0]), *path[1:]) if isinstance(value, Mapping) else None


def present_fields(names: tuple[str, ...], *values: Any) -> dict[str, Any]:
    """The fields that are there, by name."""
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def name_of_tool(value: Any) -> Any:
    """The name of a tool, whether it is written as an object or as its name alone."""
    return value.get("name") if isinstance(value, Mapping) else value


def build_projection(
    layout: Layout, runtime: Mapping[str, object], *, attributes: bool = False, keep_data: bool = False
) -> Project:
    """The function that makes a fact of one event of this type, or None when no selector holds.

    Takes: `attributes` True when the data comes as an object with attributes instead of a mapping; `keep_data` as in
           `Layouts`
    """
    namespace: dict[str, object] = {
        **runtime,
        "_key_values": key_values,
        "_field": field_at,
        "_through": field_through,
        "_tool": name_of_tool,
        "_present": present_fields,
    }
    heads = layout.heads
    body: list[ast.stmt] = [_assign(f"r_{head}", _head(head, attributes)) for head in heads]
    body += [_assign(name, _slot_code(kind, path)) for (kind, path), name in layout.variables.items()]
    body += _mask_code(layout, namespace)
    body.append(
        ast.If(
            test=ast.UnaryOp(op=ast.Not(), operand=_name("mask")),
            body=[ast.Return(value=ast.Constant(None))],
            orelse=[],
        )
    )
    places = [_name(name) for name in ("time", "source", "id", "observed")]
    values: list[ast.expr] = [_name(f"v{slot}") for slot in layout.slots.values()]
    if keep_data:
        values.append(_call("_present", ast.Tuple(elts=[ast.Constant(head) for head in heads], ctx=ast.Load()), *(_name(f"r_{head}") for head in heads)))
    body.append(
        ast.Return(value=ast.Tuple(elts=[*places, ast.Constant(layout.type), _name("mask"), *values], ctx=ast.Load()))
    )
    function: Project = function_of(
        f"project_{layout.type.replace('.', '_')}", ("time", "source", "id", "observed", "data"), body, namespace
    )
    return function


def _name(name: str) -> ast.Name:
    return ast.Name(id=name, ctx=ast.Load())


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=value)


def _call(function: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(func=_name(function), args=list(arguments), keywords=[])


def _head(head: str, attributes: bool) -> ast.expr:
    if attributes:
        return ast.Attribute(value=_name("data"), attr=f"d_{head}", ctx=ast.Load())
    get = ast.Attribute(value=_name("data"), attr="get", ctx=ast.Load())
    return ast.Call(func=get, args=[ast.Constant(head)], keywords=[])


def _slot_code(kind: SlotKind, path: tuple[str, ...]) -> ast.expr:
    head = _name(f"r_{path[0]}")
    rest = [ast.Constant(name) for name in path[1:]]
    if path == ("tool", "name"):
        value: ast.expr = _call("_tool", head)
    elif kind == "key":
        value = _call("_through", head, *rest) if rest else head
    else:
        value = _call("_field", head, *rest) if rest else head
    if kind == "key":
        is_text = ast.Compare(
            left=ast.Attribute(value=value, attr="__class__", ctx=ast.Load()),
            ops=[ast.Is()],
            comparators=[_name("str")],
        )
        return (
            ast.IfExp(test=is_text, body=value, orelse=_call("_key_values", value))
            if not rest
            else _call("_key_values", value)
        )
    return _call("_as_time", value) if kind == "time" else value


def _mask_code(layout: Layout, namespace: dict[str, object]) -> list[ast.stmt]:
    """Statements that leave the bits of every selector that holds in `mask`."""

    def read(ref: FieldRef) -> ast.expr:
        if ref.path == ("type",):
            return ast.Constant(layout.type)
        if ref.path[0] in _ATTRIBUTES and len(ref.path) == 1:
            return _name(_ATTRIBUTES[ref.path[0]])
        return _name(variables[(_slot_kind(ref), ref.path)])

    variables = layout.variables
    always = 0
    indexed: dict[str, list[tuple[int, tuple[str, ...], Expression | None]]] = {}
    plain: list[tuple[int, Expression]] = []
    for bit, condition in layout.conditions.items():
        if condition is None:
            always |= bit
            continue
        equality = _first_equality(condition)
        if equality is None:
            plain.append((bit, condition))
        else:
            ref, values, rest = equality
            indexed.setdefault(variables[(_slot_kind(ref), ref.path)], []).append((bit, values, rest))
    body: list[ast.stmt] = [_assign("mask", ast.Constant(always))]
    for variable, entries in indexed.items():
        if len(entries) < INDEX_FROM:
            plain += [(bit, layout.conditions[bit]) for bit, _, _ in entries]  # type: ignore[misc]
        else:
            body += _index_code(variable, entries, read, (tuple(variables.values()), namespace))
    for bit, condition in plain:
        body.append(ast.If(test=true_code(condition, read), body=[_or_mask(ast.Constant(bit))], orelse=[]))
    return body


def _or_mask(value: ast.expr) -> ast.stmt:
    return ast.AugAssign(target=ast.Name(id="mask", ctx=ast.Store()), op=ast.BitOr(), value=value)


def _index_code(
    variable: str,
    entries: Sequence[tuple[int, tuple[str, ...], Expression | None]],
    read: Callable[[FieldRef], ast.expr],
    scope: tuple[tuple[str, ...], dict[str, object]],
) -> list[ast.stmt]:
    """One dictionary look-up instead of a comparison for each of many constants of one field.

    Takes: `scope`, the variables of the projection and its namespace, which gains the tables
    """
    variables, namespace = scope
    parameters = ("time", "source", "id", "observed", *variables)
    table: dict[str, int] = {}
    rests: dict[str, list[tuple[int, Expression]]] = {}
    for bit, values, rest in entries:
        for value in values:
            if rest is None:
                table[value] = table.get(value, 0) | bit
            else:
                rests.setdefault(value, []).append((bit, rest))
    more: dict[str, Callable[..., int]] = {}
    for number, (value, conditions) in enumerate(rests.items()):
        body: list[ast.stmt] = [_assign("mask", ast.Constant(0))]
        body += [
            ast.If(test=true_code(rest, read), body=[_or_mask(ast.Constant(bit))], orelse=[])
            for bit, rest in conditions
        ]
        body.append(ast.Return(value=_name("mask")))
        more[value] = function_of(f"rest_{variable}_{number}", parameters, body, namespace)
    namespace[f"_index_{variable}"] = table.get
    namespace[f"_more_{variable}"] = more.get
    value_code = _name(variable)
    found = [_or_mask(_call(f"_index_{variable}", value_code, ast.Constant(0)))]
    if more:
        found += [
            _assign("found", _call(f"_more_{variable}", value_code)),
            ast.If(
                test=ast.Compare(left=_name("found"), ops=[ast.IsNot()], comparators=[ast.Constant(None)]),
                body=[_or_mask(_call("found", *(_name(name) for name in parameters)))],
                orelse=[],
            ),
        ]
    is_text = ast.Compare(
        left=ast.Attribute(value=value_code, attr="__class__", ctx=ast.Load()),
        ops=[ast.Is()],
        comparators=[_name("str")],
    )
    return [ast.If(test=is_text, body=found, orelse=[])]


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


def _first_equality(condition: Expression) -> tuple[FieldRef, tuple[str, ...], Expression | None] | None:
    """The first part of the form `field == "text"` or `field in ["text", ...]`, with what else must be true."""
    parts = conjuncts(condition)
    for number, part in enumerate(parts):
        if not isinstance(part, Binary) or not isinstance(part.left, FieldRef):
            continue
        if part.left.step is not None or part.left.kind == "timestamp" or part.left.path[0] in (*_ATTRIBUTES, "type"):
            continue
        texts = _texts(part)
        if texts is not None:
            return part.left, texts, conjunction([*parts[:number], *parts[number + 1 :]])
    return None


def _texts(part: Binary) -> tuple[str, ...] | None:
    options = part.right.items if part.operator == "in" and isinstance(part.right, ListOf) else (part.right,)
    if part.operator not in ("==", "in") or (part.operator == "in" and not isinstance(part.right, ListOf)):
        return None
    texts = [option.value for option in options if isinstance(option, Constant) and isinstance(option.value, str)]
    return tuple(texts) if texts and len(texts) == len(options) else None
