"""Conditions: what of a condition needs no other step, and the generated predicate of what does.

Resolved expressions enter; local conditions (for a layout's bits) and predicates over a fact and the bound steps leave
for `rules/compile.py`.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from coordwatch.context.fact import ID, OBSERVED, SOURCE, TIME, TYPE
from coordwatch.events.taxonomy import TYPES
from coordwatch.rules.compile_expression import true_code, value_code
from coordwatch.rules.expression import Expression, FieldRef
from coordwatch.rules.generate import function_of
from coordwatch.rules.layout import Layouts, conjunction, conjuncts
from coordwatch.rules.plan import Predicate
from coordwatch.rules.references import references


@dataclass(slots=True)
class Conditions:
    """Makes the predicates of one rule; `names` are its steps, the act first, `types` the event types of each."""

    number: int
    names: Sequence[str]
    types: Mapping[str, set[str]]
    layouts: Layouts
    namespace: Mapping[str, object]
    at: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.at = {name: place for place, name in enumerate(self.names)}

    def split(self, where: Expression | None) -> tuple[Expression | None, Expression | None]:
        parts = conjuncts(where)
        crossing = [part for part in parts if any(_crosses(step, path) for step, path in references(part))]
        local = [part for part in parts if all(part is not other for other in crossing)]
        return conjunction(local), conjunction(crossing)

    def predicate(self, expression: Expression, own_types: set[str], name: str, *, value: bool = False) -> Predicate:
        """A generated function (own fact, environment) -> truth, or the value itself."""

        def read(ref: FieldRef) -> ast.expr:
            if ref.path == ("observed_at",):
                self.layouts.reads_observed = True
            types, fact = own_types, _load("f")
            if ref.step is not None:
                types, fact = self.types[ref.step], _item(_load("env"), self.at[ref.step])
            return self._customer(fact, types) if ref.path == ("customer",) else self._read(fact, types, ref)

        code = value_code(expression, read) if value else true_code(expression, read)
        return function_of(f"where_{self.number}_{name}", ("f", "env"), [ast.Return(value=code)], self.namespace)

    def free(self, expression: Expression, *, value: bool) -> Predicate:
        """A predicate without an event of its own: bare names are the act's."""
        return self.predicate(expression, self.types[self.names[0]], "free", value=value)

    def _customer(self, fact: ast.expr, types: set[str]) -> ast.expr:
        """Code for the customer of an event: nobody for one of a broadcast type."""
        customer = _item(_load("env"), len(self.names))
        broadcast = sorted(event_type for event_type in types if TYPES[event_type].broadcast)
        if not broadcast:
            return customer
        if len(broadcast) == len(types):
            return ast.Constant(None)
        is_broadcast = ast.Compare(
            left=_item(fact, TYPE),
            ops=[ast.In()],
            comparators=[ast.Tuple(elts=[ast.Constant(event_type) for event_type in broadcast], ctx=ast.Load())],
        )
        return ast.IfExp(test=is_broadcast, body=ast.Constant(None), orelse=customer)

    def _read(self, fact: ast.expr, types: Iterable[str], ref: FieldRef) -> ast.expr:
        """Code that reads a field of a fact which may be of several types."""
        fixed = {"time": TIME, "source": SOURCE, "id": ID, "observed_at": OBSERVED, "type": TYPE}
        if len(ref.path) == 1 and ref.path[0] in fixed:
            return _item(fact, fixed[ref.path[0]])
        code: ast.expr | None = None
        for event_type in sorted(types, reverse=True):
            value = _item(fact, self.layouts.of(event_type).field_slot(ref))
            code = (
                value
                if code is None
                else ast.IfExp(
                    test=ast.Compare(left=_item(fact, TYPE), ops=[ast.Eq()], comparators=[ast.Constant(event_type)]),
                    body=value,
                    orelse=code,
                )
            )
        return code if code is not None else ast.Constant(None)


def _crosses(step: str | None, path: tuple[str, ...]) -> bool:
    """Whether a condition that reads this needs more than the event's own content.

    `observed_at` is no content: of a duplicate the smallest counts, so it is read when the act is judged.
    """
    return (step is not None and not step.startswith("$")) or path in (("customer",), ("observed_at",))


def _load(name: str) -> ast.expr:
    return ast.Name(id=name, ctx=ast.Load())


def _item(value: ast.expr, place: int) -> ast.expr:
    return ast.Subscript(value=value, slice=ast.Constant(place), ctx=ast.Load())
