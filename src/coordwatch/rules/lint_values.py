"""Texts that a field can never hold, looked for by `lint`.

What enters: a rule. What leaves: every comparison with a value outside a field's closed list, and the nearest inside.
The next room: `lint` itself, which prints them as warnings.
"""

from collections.abc import Iterator, Mapping

from coordwatch.documents import did_you_mean
from coordwatch.errors import Place
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import EventType, Field
from coordwatch.rules.expression import Binary, Expression, FieldRef, ListOf, Literal
from coordwatch.rules.fields import field_of_any
from coordwatch.rules.outline import all_steps, conditions, types_of
from coordwatch.rules.references import walk
from coordwatch.rules.spec import RuleSpec

_Issues = Iterator[tuple[str, Place, str, str | None]]


def value_issues(spec: RuleSpec) -> _Issues:
    """Every text in a condition or a test that its field can never hold, with the nearest one it can."""
    steps = {step.name: types_of(step) for step in all_steps(spec)}
    for condition in conditions(spec):
        for node in walk(condition.expression):
            if isinstance(node, Binary):
                yield from _compared(node, condition.own, steps)
        yield from _excluding(condition.expression)
    for example in spec.tests:
        for event in example.events:
            for name, value in event["data"].items():
                field = TYPES[event["type"]].fields.get(name)
                if field is not None and field.values and isinstance(value, str) and value not in field.values:
                    yield _issue(name, value, field, example.place)


def _compared(node: Binary, own: tuple[EventType, ...], steps: Mapping[str, tuple[EventType, ...]]) -> _Issues:
    if node.operator in ("==", "!="):
        for side, other in ((node.left, node.right), (node.right, node.left)):
            field = _field(side, own, steps)
            if field is not None and isinstance(other, Literal) and _is_outside(other, field):
                yield _issue(_name(side), str(other.value), field, other.place)
    elif node.operator == "in" and isinstance(node.right, ListOf):
        field = _field(node.left, own, steps)
        if field is None:
            return
        words = [item for item in node.right.items if isinstance(item, Literal)]
        outside = [word for word in words if _is_outside(word, field)]
        # A named list serves several fields: it is wrong here only when nothing in it can be true.
        named = len(words) > 1 and len({word.place for word in words}) == 1
        if not named or len(outside) == len(words):
            for word in outside:
                yield _issue(_name(node.left), str(word.value), field, word.place)


def _excluding(expression: Expression) -> _Issues:
    """A field that would have to be two different values at once: `kind == "a" && kind == "b"`."""
    asked: dict[tuple[str | None, tuple[str, ...]], Literal] = {}
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Binary):
            continue
        if node.operator == "&&":
            waiting += [node.right, node.left]
        elif node.operator == "==":
            field, value = (node.left, node.right) if isinstance(node.left, FieldRef) else (node.right, node.left)
            if not isinstance(field, FieldRef) or not isinstance(value, Literal):
                continue
            first = asked.setdefault((field.step, field.path), value)
            if first.value != value.value:
                message = f"'{_name(field)}' cannot be both '{first.value}' and '{value.value}', so this never holds"
                yield "never-holds", value.place, message, "write || or: in [...]"


def _field(node: Expression, own: tuple[EventType, ...], steps: Mapping[str, tuple[EventType, ...]]) -> Field | None:
    if not isinstance(node, FieldRef) or (node.step or "").startswith("$"):
        return None
    found = field_of_any(own if node.step is None else steps.get(node.step, ()), node.path, through_lists=False)
    return found if isinstance(found, Field) and found.values else None


def _is_outside(word: Literal, field: Field) -> bool:
    return isinstance(word.value, str) and word.value not in field.values


def _name(node: Expression) -> str:
    return ".".join(node.path) if isinstance(node, FieldRef) else ""


def _issue(name: str, value: str, field: Field, place: Place) -> tuple[str, Place, str, str | None]:
    return "unknown-value", place, f"'{name}' is never '{value}'", did_you_mean(value, field.values)
