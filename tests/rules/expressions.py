"""A naive reading of expressions, and short ways to build and run them.

`meaning` walks the tree with an explicit unknown, one node at a time, straight from RULES 20 to 23. It shares no code
with the compiler and its runtime.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from coordwatch.errors import Place, Problem
from coordwatch.events.taxonomy import TYPES
from coordwatch.rules.compile_expression import (
    build_function,
    call_code,
    constant_code,
    false_code,
    true_code,
    value_code,
)
from coordwatch.rules.expression import (
    Binary,
    Call,
    Expression,
    FieldRef,
    Has,
    ListOf,
    Literal,
    Quantifier,
    Unary,
)
from coordwatch.rules.expression_parser import parse_expression
from coordwatch.rules.kinds import kind_of
from coordwatch.rules.resolve import Scope, resolve
from coordwatch.rules.runtime import Runtime
from coordwatch.rules.spec import SharedSpec

PLACE = Place("rule.yaml", 1, 1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def scope(own: str = "marketing.message.sent", shared: SharedSpec | None = None, **steps: str) -> Scope:
    return Scope(
        own=(TYPES[own],),
        steps={name: (TYPES[event_type],) for name, event_type in steps.items()},
        shared=shared or SharedSpec(),
        problems=[],
    )


def resolved(text: str, where: Scope | None = None) -> Expression:
    where = where or scope()
    tree = resolve(parse_expression(text, PLACE), where)
    assert where.problems == [], [str(problem) for problem in where.problems]
    return tree


def problems_of(text: str, where: Scope | None = None) -> list[Problem]:
    where = where or scope()
    resolve(parse_expression(text, PLACE), where)
    return where.problems


def micros(text: str) -> int | None:
    try:
        return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError):
        return None


def field_value(ref: FieldRef, data: Mapping[str, Any]) -> Any:
    """A field's value; `data` holds the step's own fields, and under `@step` those of other steps."""
    value: Any = data if ref.step is None else data.get(f"@{ref.step}")
    for name in ref.path:
        value = value.get(name) if isinstance(value, dict) else None
    if ref.kind == "timestamp":
        return micros(value) if isinstance(value, str) else None
    return value


class Ran:
    """What the compiled code says of one expression and one event."""

    def __init__(self, tree: Expression, data: Mapping[str, Any], shared: SharedSpec | None = None) -> None:
        runtime = Runtime((shared or SharedSpec()).calendars)
        refs: list[FieldRef] = []

        def read(ref: FieldRef) -> Any:
            refs.append(ref)
            return call_code("_field", constant_code(len(refs) - 1))

        def run(code: Callable[..., Any]) -> Any:
            body = code(tree, read)
            names = {**runtime.namespace(), "_field": lambda number: field_value(refs[number], data)}
            return build_function("condition", [], body, names)()

        self.true = bool(run(true_code))
        self.false = bool(run(false_code))
        before = runtime.mismatches
        self.value = run(value_code)
        self.mismatches = runtime.mismatches - before


class Unknown:
    """The third truth value."""


UNKNOWN = Unknown()


def meaning(node: Expression, data: Mapping[str, Any], variables: Mapping[str, Any] | None = None) -> Any:
    """The value of an expression: UNKNOWN, or what it is."""
    variables = variables or {}
    if isinstance(node, Literal):
        return UNKNOWN if node.value is None else node.value
    if isinstance(node, FieldRef):
        return _field_meaning(node, data, variables)
    if isinstance(node, ListOf):
        return [meaning(item, data, variables) for item in node.items]
    if isinstance(node, Has):
        return meaning(node.target, data, variables) is not UNKNOWN
    if isinstance(node, Quantifier):
        return _quantified(node, data, variables)
    if isinstance(node, Unary):
        return _unary(node, meaning(node.operand, data, variables))
    if isinstance(node, Call):
        return _called(node, [meaning(argument, data, variables) for argument in node.arguments])
    return _joined(node, meaning(node.left, data, variables), meaning(node.right, data, variables))


def _field_meaning(node: FieldRef, data: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
    if node.step is not None and node.step.startswith("$"):
        value = variables[node.step]
        for name in node.path:
            value = value.get(name) if isinstance(value, dict) else None
    else:
        value = field_value(node, data)
    return UNKNOWN if value is None else value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same(left: Any, right: Any) -> bool:
    if _is_number(left) and _is_number(right):
        return left == right
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(_same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, dict):
        return set(left) == set(right) and all(_same(left[key], right[key]) for key in left)
    return left == right


def _family(node: Expression) -> str:
    kind = kind_of(node)
    return kind if kind in ("timestamp", "duration") else "plain"


def _unary(node: Unary, value: Any) -> Any:
    if node.operator == "!":
        return (not value) if isinstance(value, bool) else UNKNOWN
    if not _is_number(value) or _family(node.operand) == "timestamp" or (isinstance(value, int) and value == -(2**63)):
        return UNKNOWN
    return -value


def _joined(node: Binary, left: Any, right: Any) -> Any:
    if node.operator == "&&":
        if left is False or right is False:
            return False
        return True if left is True and right is True else UNKNOWN
    if node.operator == "||":
        if left is True or right is True:
            return True
        return False if left is False and right is False else UNKNOWN
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    if node.operator == "in":
        return _member(node, left, right)
    families = {_family(node.left), _family(node.right)}
    if node.operator in ("==", "!="):
        return (len(families) == 1 and _same(left, right)) == (node.operator == "==")
    if node.operator in ("<", "<=", ">", ">="):
        fits = (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str))
        if len(families) != 1 or not fits:
            return UNKNOWN
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[node.operator]
    return _computed(node, left, right)


def _member(node: Binary, left: Any, right: Any) -> Any:
    if not isinstance(right, list):
        return UNKNOWN
    kinds = {_family(item) for item in node.right.items} if isinstance(node.right, ListOf) else {"plain"}
    if _family(node.left) in kinds and any(_same(left, item) for item in right if item not in (None, UNKNOWN)):
        return True
    return UNKNOWN if any(item is None or item is UNKNOWN for item in right) else False


def _computed(node: Binary, left: Any, right: Any) -> Any:
    sides = (_family(node.left), _family(node.right))
    if node.operator == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    allowed = {
        "+": [("plain", "plain"), ("timestamp", "duration"), ("duration", "timestamp"), ("duration", "duration")],
        "-": [("plain", "plain"), ("timestamp", "duration"), ("timestamp", "timestamp"), ("duration", "duration")],
    }.get(node.operator, [("plain", "plain")])
    if sides not in allowed or not (_is_number(left) and _is_number(right)):
        return UNKNOWN
    try:
        result = _number(node, left, right)
    except (ZeroDivisionError, OverflowError):
        return UNKNOWN
    if isinstance(result, float):
        return result if math.isfinite(result) else UNKNOWN
    if "timestamp" in sides and sides != ("timestamp", "timestamp"):
        try:
            EPOCH + timedelta(microseconds=result)
        except OverflowError:
            return UNKNOWN
    return result if -(2**63) <= result < 2**63 else UNKNOWN


def _number(node: Binary, left: Any, right: Any) -> Any:
    if node.operator == "+":
        return left + right
    if node.operator == "-":
        return left - right
    if node.operator == "*":
        return left * right
    whole = (
        isinstance(left, int) and isinstance(right, int) and "double" not in (kind_of(node.left), kind_of(node.right))
    )
    if not whole:
        return left / right if node.operator == "/" else math.fmod(left, right) if right else 1 / 0
    quotient = abs(left) // abs(right) * (1 if (left >= 0) == (right > 0) else -1)
    return quotient if node.operator == "/" else left - quotient * right


def _called(node: Call, values: list[Any]) -> Any:
    if any(value is UNKNOWN for value in values):
        return UNKNOWN
    if any(_family(argument) != "plain" for argument in node.arguments):
        return UNKNOWN
    if node.function == "size":
        return len(values[0]) if isinstance(values[0], (str, list, dict)) else UNKNOWN
    if not all(isinstance(value, str) for value in values):
        return UNKNOWN
    return {
        "startsWith": lambda: values[0].startswith(values[1]),
        "endsWith": lambda: values[0].endswith(values[1]),
        "contains": lambda: values[1] in values[0],
    }[node.function]()


def _quantified(node: Quantifier, data: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
    items = meaning(node.collection, data, variables)
    if not isinstance(items, list):
        return UNKNOWN
    answers = [meaning(node.body, data, {**variables, f"${node.variable}": None if i is UNKNOWN else i}) for i in items]
    wanted = node.kind == "exists"
    if any(answer is wanted for answer in answers):
        return wanted
    return (not wanted) if all(answer is (not wanted) for answer in answers) else UNKNOWN
