"""The kind of every part of a resolved expression: a tree in, its static kind and what can never be known out.

At run time a time and a duration are whole numbers, so the compiler must know here which is which; `lint` reports what
is certain to be unknown (RULES 22).
"""

from collections.abc import Iterator

from coordwatch.errors import Problem
from coordwatch.rules.expression import (
    Binary,
    Call,
    Expression,
    FieldRef,
    Kind,
    ListOf,
    Literal,
    Quantifier,
    Unary,
)
from coordwatch.rules.fields import WORDS
from coordwatch.rules.references import walk

NUMBERS = ("int", "double")
ORDERING = ("<", "<=", ">", ">=")
EQUALITY = ("==", "!=")
LOGIC = ("&&", "||")
ARITHMETIC = ("+", "-", "*", "/", "%")
_RESULTS: dict[str, Kind] = {
    "size": "int", "getHours": "int", "getMinutes": "int", "getDayOfWeek": "int",
    "startsWith": "bool", "endsWith": "bool", "contains": "bool", "matches": "bool",
    "duration": "duration", "timestamp": "timestamp", "addOpen": "timestamp", "addBusinessDays": "timestamp",
}  # fmt: skip
ARGUMENTS: dict[str, tuple[tuple[Kind, ...], ...]] = {
    "size": (("string", "list", "object"),),
    "startsWith": (("string",), ("string",)),
    "endsWith": (("string",), ("string",)),
    "contains": (("string",), ("string",)),
    "matches": (("string",), ("string",)),
    "duration": (("string",),),
    "timestamp": (("string",),),
    "getHours": (("timestamp",), ("string",)),
    "getMinutes": (("timestamp",), ("string",)),
    "getDayOfWeek": (("timestamp",), ("string",)),
    "addOpen": (("timestamp",), ("duration",), ("string",)),
    "addBusinessDays": (("timestamp",), ("int", "double"), ("string",)),
}
_TIMES: dict[tuple[str, str, str], Kind] = {
    ("+", "timestamp", "duration"): "timestamp",
    ("+", "duration", "timestamp"): "timestamp",
    ("+", "duration", "duration"): "duration",
    ("-", "timestamp", "duration"): "timestamp",
    ("-", "timestamp", "timestamp"): "duration",
    ("-", "duration", "duration"): "duration",
}


def kind_of(expression: Expression) -> Kind:
    """The static kind of a resolved expression; `any` when only the event can tell."""
    if isinstance(expression, (Literal, FieldRef)):
        return expression.kind
    if isinstance(expression, ListOf):
        return "list"
    if isinstance(expression, Unary):
        if expression.operator == "!":
            return "bool"
        return negated_kind(kind_of(expression.operand)) or "any"
    if isinstance(expression, Binary):
        if expression.operator not in ARITHMETIC:
            return "bool"
        return arithmetic_kind(expression.operator, kind_of(expression.left), kind_of(expression.right)) or "any"
    if isinstance(expression, Call):
        return _RESULTS[expression.function]
    return "bool"


def negated_kind(kind: Kind) -> Kind | None:
    """The kind of `-x`, None when it can never be known."""
    return kind if kind in (*NUMBERS, "duration", "any") else None


def arithmetic_kind(operator: str, left: Kind, right: Kind) -> Kind | None:
    """The kind of `left operator right`, None when it can never be known."""
    timed = _TIMES.get((operator, left, right))
    if timed or is_timed(left) or is_timed(right):
        return timed
    if left in NUMBERS and right in NUMBERS:
        return "double" if "double" in (left, right) else "int"
    if operator == "+" and left == right == "string":
        return "string"
    allowed = (*NUMBERS, "any", "string") if operator == "+" else (*NUMBERS, "any")
    if left in allowed and right in allowed and "any" in (left, right):
        return "any"
    return None


def is_timed(kind: Kind) -> bool:
    """Whether values of this kind are numbers of microseconds at run time; a value of kind `any` never is."""
    return kind in ("timestamp", "duration")


def may_equal(left: Kind, right: Kind) -> bool:
    """Whether two values of these kinds can be equal; `any` can be everything except a time or a duration."""
    if is_timed(left) or is_timed(right):
        return left == right
    if left in NUMBERS and right in NUMBERS:
        return True
    return "any" in (left, right) or left == right


def may_order(left: Kind, right: Kind) -> bool:
    """Whether two values of these kinds can be ordered: numbers, texts, times and durations among themselves."""
    orderable = (*NUMBERS, "string", "timestamp", "duration", "any")
    return left in orderable and right in orderable and may_equal(left, right)


def may_be(kind: Kind, wanted: tuple[Kind, ...]) -> bool:
    """Whether a value of this kind can be one of the wanted kinds."""
    return kind in wanted or (kind == "any" and not all(is_timed(each) for each in wanted))


def element_kind(expression: Expression) -> Kind:
    """The kind of every element of a list written out; `any` for another list."""
    if isinstance(expression, ListOf) and expression.items:
        kinds = {kind_of(item) for item in expression.items}
        return kinds.pop() if len(kinds) == 1 else "any"
    return "any"


def never_known(expression: Expression) -> Iterator[Problem]:
    """Every part that can never be known, or never be true, whatever the event holds."""
    for node in walk(expression):
        if isinstance(node, Binary):
            yield from _binary_problems(node)
        elif isinstance(node, Unary):
            kind = kind_of(node.operand)
            fits = may_be(kind, ("bool",)) if node.operator == "!" else negated_kind(kind) is not None
            if not fits:
                yield Problem(node.place, f"{node.operator} on {WORDS[kind]} is never known")
        elif isinstance(node, Call):
            for argument, wanted in zip(node.arguments, ARGUMENTS[node.function], strict=False):
                if not may_be(kind_of(argument), wanted):
                    words = " or ".join(WORDS[kind] for kind in wanted)
                    message = f"{node.function}() wants {words}, and this is {WORDS[kind_of(argument)]}"
                    yield Problem(argument.place, message)
        elif isinstance(node, Quantifier):
            if not may_be(kind_of(node.collection), ("list",)):
                message = f"{node.kind}() wants a list, and this is {WORDS[kind_of(node.collection)]}"
                yield Problem(node.collection.place, message)
            yield from _condition_problem(node.body)


def condition_problems(expression: Expression) -> Iterator[Problem]:
    """What `never_known` tells of a whole `where`, whose own value must be true or false."""
    yield from _condition_problem(expression)
    yield from never_known(expression)


def _condition_problem(expression: Expression) -> Iterator[Problem]:
    kind = kind_of(expression)
    if not may_be(kind, ("bool",)):
        yield Problem(expression.place, f"a condition must be true or false, and this is {WORDS[kind]}")


def _binary_problems(node: Binary) -> Iterator[Problem]:
    left, right = kind_of(node.left), kind_of(node.right)
    both = f"{WORDS[left]} and {WORDS[right]}"
    if node.operator in LOGIC:
        for side in (node.left, node.right):
            yield from _condition_problem(side)
    elif node.operator in EQUALITY:
        if not may_equal(left, right):
            always = "never equal" if node.operator == "==" else "always unequal"
            yield Problem(node.place, f"{both} are {always}", _time_hint(left, right))
    elif node.operator in ORDERING:
        if not may_order(left, right):
            yield Problem(node.place, f"{both} have no order: this is never known", _time_hint(left, right))
    elif node.operator == "in":
        if not may_be(right, ("list",)):
            yield Problem(node.place, f"'in' wants a list on its right, and this is {WORDS[right]}")
        elif isinstance(node.right, ListOf) and not any(may_equal(left, kind_of(item)) for item in node.right.items):
            yield Problem(node.place, f"the list holds no {WORDS[left].removeprefix('a ')}: this is never true")
    elif arithmetic_kind(node.operator, left, right) is None:
        yield Problem(node.place, f"{both} cannot be joined with {node.operator}: this is never known")


def _time_hint(left: Kind, right: Kind) -> str | None:
    if "timestamp" in (left, right) and "string" in (left, right):
        return 'write timestamp("2026-01-31T09:00:00Z")'
    if "duration" in (left, right) and "string" in (left, right):
        return 'write duration("72h")'
    return None
