"""Projections: a layout in, the generated function out that makes a fact of an event, or nothing of one nobody needs.

Many conditions on one field become one look-up, so that two hundred rules cost little more than five.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from coordwatch.codec import values_of
from coordwatch.context.fact import Fact, key_values
from coordwatch.rules.compile_expression import true_code
from coordwatch.rules.expression import Binary, Expression, FieldRef, ListOf
from coordwatch.rules.expression import Literal as Constant
from coordwatch.rules.generate import function_of
from coordwatch.rules.layout import OWN_ATTRIBUTES, Layout, SlotKind, conjunction, conjuncts, slot_kind

INDEX_FROM = 3
TOOL = "tool"
Form = Literal["mapping", "attributes", "values"]


Project = Callable[[int, str, str, int, Any], Fact | None]


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


def name_of_tool(value: Any) -> Any:
    """The name of a tool, whether it is written as an object or as its name alone."""
    return value.get("name") if isinstance(value, Mapping) else value


def tool_word(value: Any) -> str:
    """The name of a tool as counts and people name it, empty when the event does not say."""
    if value.__class__ is dict:
        value = value.get("name")
    elif value is not None and isinstance(value, Mapping):
        value = value.get("name")
    return value if value.__class__ is str else ""


def build_projection(layout: Layout, runtime: Mapping[str, object], form: Form, *, keep_data: bool = False) -> Project:
    """The function that makes a fact of one event of this type, or None when no selector holds.

    Takes: `form`, how the data comes: as a `mapping`; as an object with `attributes`, `d_` before each name; or as a tuple
           of `values`, one for each of the layout's heads. `keep_data` as in `Layouts`: an object with attributes then has
           one for each head, in their order
    """
    namespace: dict[str, object] = {
        **runtime,
        "_key_values": key_values,
        "_field": field_at,
        "_through": field_through,
        "_tool": name_of_tool,
        "_word": tool_word,
        "_values": values_of,
        "_heads": tuple(layout.heads),
    }
    body: list[ast.stmt] = [_assign(f"r_{head}", _head(head, form, place)) for place, head in _read(layout, keep_data)]
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
        tool: ast.expr = _name(f"r_{TOOL}") if TOOL in layout.heads else ast.Constant(None)
        values += [_name("_heads"), _call("_word", tool), _kept(layout, form)]
    body.append(
        ast.Return(value=ast.Tuple(elts=[*places, ast.Constant(layout.type), _name("mask"), *values], ctx=ast.Load()))
    )
    function: Project = function_of(
        f"project_{layout.type.replace('.', '_')}", ("time", "source", "id", "observed", "data"), body, namespace
    )
    return function


def _read(layout: Layout, keep_data: bool) -> list[tuple[int, str]]:
    """The heads that something is judged by, with their places; the others are only kept."""
    judged = {path[0] for _, path in layout.variables} | ({TOOL} if keep_data else set())
    return [(place, head) for place, head in enumerate(layout.heads) if head in judged]


def _kept(layout: Layout, form: Form) -> ast.expr:
    """The values of all heads, in their order."""
    if form == "attributes":
        return _call("_values", _name("data"))
    if form == "values":
        return _name("data")
    heads = [_head(head, form, place) for place, head in enumerate(layout.heads)]
    return ast.Tuple(elts=heads, ctx=ast.Load())


def _name(name: str) -> ast.Name:
    return ast.Name(id=name, ctx=ast.Load())


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=value)


def _call(function: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(func=_name(function), args=list(arguments), keywords=[])


def _head(head: str, form: Form, place: int) -> ast.expr:
    if form == "attributes":
        return ast.Attribute(value=_name("data"), attr=f"d_{head}", ctx=ast.Load())
    if form == "values":
        return ast.Subscript(value=_name("data"), slice=ast.Constant(place), ctx=ast.Load())
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
    if rest and path != ("tool", "name"):
        # Most fields that hold objects are not there at all.
        missing = ast.Compare(left=head, ops=[ast.Is()], comparators=[ast.Constant(None)])
        return ast.IfExp(test=missing, body=ast.Constant(None), orelse=_inner_code(kind, value))
    return _inner_code(kind, value, is_plain=not rest)


def _inner_code(kind: SlotKind, value: ast.expr, *, is_plain: bool = False) -> ast.expr:
    if kind == "key":
        is_text = ast.Compare(
            left=ast.Attribute(value=value, attr="__class__", ctx=ast.Load()),
            ops=[ast.Is()],
            comparators=[_name("str")],
        )
        return (
            ast.IfExp(test=is_text, body=value, orelse=_call("_key_values", value))
            if is_plain
            else _call("_key_values", value)
        )
    return _call("_as_time", value) if kind == "time" else value


def _mask_code(layout: Layout, namespace: dict[str, object]) -> list[ast.stmt]:
    """Statements that leave the bits of every selector that holds in `mask`."""

    def read(ref: FieldRef) -> ast.expr:
        if ref.path == ("type",):
            return ast.Constant(layout.type)
        if ref.path[0] in OWN_ATTRIBUTES and len(ref.path) == 1:
            return _name(OWN_ATTRIBUTES[ref.path[0]])
        return _name(variables[(slot_kind(ref), ref.path)])

    variables, telling = layout.variables, _most_telling(layout)
    always = 0
    indexed: dict[str, list[tuple[int, tuple[str, ...], Expression | None]]] = {}
    plain: list[tuple[int, Expression]] = []
    for bit, condition in layout.conditions.items():
        if condition is None:
            always |= bit
            continue
        if bit not in telling:
            plain.append((bit, condition))
        else:
            ref, values, rest = telling[bit]
            indexed.setdefault(variables[(slot_kind(ref), ref.path)], []).append((bit, values, rest))
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


def _equalities(condition: Expression) -> Iterator[tuple[FieldRef, tuple[str, ...], Expression | None]]:
    """The parts of the form `field == "text"` or `field in ["text", ...]`, each with what else must be true."""
    parts = conjuncts(condition)
    for number, part in enumerate(parts):
        if not isinstance(part, Binary) or not isinstance(part.left, FieldRef):
            continue
        ref, texts = part.left, _texts(part)
        if texts is None or ref.step is not None or ref.kind == "timestamp":
            continue
        if ref.path[0] not in (*OWN_ATTRIBUTES, "type"):
            yield ref, texts, conjunction([*parts[:number], *parts[number + 1 :]])


def _most_telling(layout: Layout) -> dict[int, tuple[FieldRef, tuple[str, ...], Expression | None]]:
    """For each condition the equality on the field of which the conditions name the most different values."""
    found = {bit: list(_equalities(condition)) for bit, condition in layout.conditions.items() if condition is not None}
    values: dict[tuple[str, ...], set[str]] = {}
    for equalities in found.values():
        for ref, texts, _ in equalities:
            values.setdefault(ref.path, set()).update(texts)
    return {
        bit: max(equalities, key=lambda one: len(values[one[0].path]))
        for bit, equalities in found.items()
        if equalities
    }


def _texts(part: Binary) -> tuple[str, ...] | None:
    options = part.right.items if part.operator == "in" and isinstance(part.right, ListOf) else (part.right,)
    if part.operator not in ("==", "in") or (part.operator == "in" and not isinstance(part.right, ListOf)):
        return None
    texts = [option.value for option in options if isinstance(option, Constant) and isinstance(option.value, str)]
    return tuple(texts) if texts and len(texts) == len(options) else None
