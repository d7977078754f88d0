"""Names: a raw expression and what is in scope in, an expression whose every name is looked up out.

A bare name is a field of the step's own event, then an attribute of the envelope, then an earlier step, then a list or
a macro (RULES 20). Lists and macros are put in place. All mistakes go into `Scope.problems`; the next room compiles.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from coordwatch.errors import Place, Problem
from coordwatch.events.vocabulary import ANY, ATTRIBUTES, EventType, Field
from coordwatch.rules.expression import (
    Binary,
    Call,
    Expression,
    FieldRef,
    Has,
    Kind,
    ListOf,
    Literal,
    Path,
    Quantifier,
    Unary,
)
from coordwatch.rules.fields import NoField, field_inside, field_of_any, kind_of_field
from coordwatch.rules.hints import hint_for
from coordwatch.rules.kinds import EQUALITY, element_kind, is_timed, kind_of
from coordwatch.rules.resolve_calls import checked_call, wrong_call
from coordwatch.rules.spec import SharedSpec

NODES_MAX = 5_000
DEPTH_MAX = 128
LOOPS_MAX = 3


@dataclass(slots=True)
class Scope:
    """What the names in one expression may mean, and where its mistakes go.

    `own_step` names the step whose fields bare names are (None: the event the expression is asked of). `closed_to` gives,
    for a name that is a step but may not be read here, the reason. `act_alias` is the step that `act` means, where a rule
    may say `act` instead of its name.
    """

    own: tuple[EventType, ...]
    steps: Mapping[str, tuple[EventType, ...]]
    shared: SharedSpec
    problems: list[Problem]
    own_step: str | None = None
    act_alias: str | None = None
    closed_to: Mapping[str, str] = field(default_factory=dict)


def resolve(expression: Expression, scope: Scope) -> Expression:
    """Look up every name of a raw expression.

    Gives: the resolved tree; where a name was not found stands an unknown value, and the problem is in the scope
    """
    before = len(scope.problems)
    resolved = _Resolver(scope).visit(expression, {}, 0)
    if len(scope.problems) == before and isinstance(resolved, Literal) and resolved.value is None:
        scope.problems.append(_null_problem(resolved.place))
    return resolved


def _null_problem(place: Place) -> Problem:
    return Problem(place, "comparing with null is never known", "write has(x) or !has(x)")


def _as_text(word: str) -> str:
    return f'as a text it is written "{word[:60]}"'


class _TooLarge(Exception):
    """The expression grew beyond its bounds while macros were put in place."""


class _Resolver:
    """One walk over one expression; `variables` gives the element of each enclosing `exists` or `all`."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.nodes = 0
        self.macros: list[str] = []
        self.loops = 0
        self.lists = 0

    def problem(self, place: Place, message: str, hint: str | None = None) -> Literal:
        self.scope.problems.append(Problem(place, message, hint))
        return Literal(None, "any", place)

    def visit(self, node: Expression, variables: Mapping[str, Field], depth: int) -> Expression:
        self.nodes += 1
        if self.nodes > NODES_MAX or depth > DEPTH_MAX:
            if self.macros:
                raise _TooLarge
            return self.problem(node.place, f"the expression is larger than {NODES_MAX:,} parts", "split the rule")
        depth += 1
        if isinstance(node, Literal | FieldRef):
            return node
        if isinstance(node, Path):
            return self.path(node, variables, depth)
        if isinstance(node, ListOf):
            return self.list_of(node, variables, depth)
        if isinstance(node, Unary):
            return Unary(node.operator, self.operand(node.operand, variables, depth), node.place)
        if isinstance(node, Binary):
            return self.binary(node, variables, depth)
        if isinstance(node, Call):
            return self.call(node, variables, depth)
        if isinstance(node, Has):
            return self.has(node, variables, depth)
        return self.quantifier(node, variables, depth)

    def operand(self, node: Expression, variables: Mapping[str, Field], depth: int) -> Expression:
        if isinstance(node, Literal) and node.value is None:
            self.scope.problems.append(_null_problem(node.place))
            return node
        return self.visit(node, variables, depth)

    def binary(self, node: Binary, variables: Mapping[str, Field], depth: int) -> Expression:
        left = self.operand(node.left, variables, depth)
        right = self.operand(node.right, variables, depth)
        if node.operator in EQUALITY:
            for side in (left, right):
                if is_timed(element_kind(side)):
                    self.problem(side.place, "a list of times cannot be compared as one", "write x in [...]")
        return Binary(node.operator, left, right, node.place)

    def list_of(self, node: ListOf, variables: Mapping[str, Field], depth: int) -> Expression:
        self.lists += 1
        items = tuple(self.operand(item, variables, depth) for item in node.items)
        self.lists -= 1
        kinds = {kind_of(item) for item in items}
        if "list" in kinds:
            return self.problem(node.place, "a list cannot hold a list")
        if len(kinds) > 1 and any(is_timed(kind) for kind in kinds):
            return self.problem(node.place, "a list cannot mix times or durations with other values")
        return ListOf(items, node.place)

    def quantifier(self, node: Quantifier, variables: Mapping[str, Field], depth: int) -> Expression:
        collection = self.operand(node.collection, variables, depth)
        inside = {**variables, node.variable: self.element(collection, variables)}
        if self.loops == LOOPS_MAX:
            # Each level multiplies the work by the length of a list, for every event.
            message = f"{node.kind}() inside {node.kind}() goes {LOOPS_MAX} levels deep at most"
            return self.problem(node.place, message, "split the condition")
        self.loops += 1
        body = self.visit(node.body, inside, depth)
        self.loops -= 1
        return Quantifier(node.kind, collection, node.variable, body, node.place)

    def element(self, collection: Expression, variables: Mapping[str, Field]) -> Field:
        kind = element_kind(collection)
        if kind in ("timestamp", "duration"):
            return Field("timestamp") if kind == "timestamp" else _DURATION
        if not isinstance(collection, FieldRef) or collection.kind != "list":
            return ANY
        found = self.field(collection, variables)
        return Field("object", fields=found.fields) if found.fields else ANY

    def field(self, ref: FieldRef, variables: Mapping[str, Field]) -> Field:
        """The taxonomy's field behind a reference that was found before."""
        if ref.step and ref.step.startswith("$"):
            found = field_inside(variables[ref.step[1:]], (ref.step[1:], *ref.path), through_lists=False)
        else:
            own = ref.step is None or ref.step == self.scope.own_step
            types = self.scope.own if own else self.scope.steps[ref.step or ""]
            found = field_of_any(types, ref.path, through_lists=False)
        return ANY if isinstance(found, NoField) else found

    def has(self, node: Has, variables: Mapping[str, Field], depth: int) -> Expression:
        target = self.visit(node.target, variables, depth)
        if isinstance(target, FieldRef):
            return Has(target, node.place)
        if isinstance(target, Literal) and target.value is None:
            return target
        return self.problem(node.place, "has() takes one field", "write has(refund_id)")

    # ---- names

    def path(self, node: Path, variables: Mapping[str, Field], depth: int) -> Expression:
        first, names = node.names[0], node.names
        if first in variables:
            found = field_inside(variables[first], names, through_lists=False)
            return self.reference(found, f"${first}", names[1:], node)
        if first in ATTRIBUTES or any(first in event_type.fields for event_type in self.scope.own):
            found = field_of_any(self.scope.own, names, through_lists=False)
            return self.reference(found, self.scope.own_step, names, node)
        if first in self.scope.steps:
            return self.step_field(node)
        if first == "act" and self.scope.act_alias is not None:
            return self.step_field(Path((self.scope.act_alias, *names[1:]), node.place))
        if len(names) == 1 and first in self.scope.shared.lists:
            return self.named_list(first, node.place)
        if len(names) == 1 and first in self.scope.shared.macros:
            return self.macro(first, node, depth)
        return self.unknown(node, variables)

    def step_field(self, node: Path) -> Expression:
        step, path = node.names[0], node.names[1:]
        if step in self.scope.closed_to:
            return self.problem(node.place, self.scope.closed_to[step], None if path else _as_text(step))
        if not path:
            return self.problem(node.place, f"'{step}' is a step, not a value", f"name a field of it: {step}.time")
        if not self.scope.steps[step]:
            # The step's own type is unknown and already complained of.
            return FieldRef(step, path, "any", node.place)
        found = field_of_any(self.scope.steps[step], path, through_lists=False)
        return self.reference(found, step, path, node)

    def reference(self, found: Field | NoField, step: str | None, path: tuple[str, ...], node: Path) -> Expression:
        if isinstance(found, NoField):
            return self.problem(node.place, found.message, found.hint(self.scope.problems))
        kind: Kind = "duration" if found is _DURATION else kind_of_field(found)
        return FieldRef(step, path, kind, node.place)

    def named_list(self, name: str, place: Place) -> Expression:
        values = self.scope.shared.lists[name]
        self.nodes += len(values)
        return ListOf(tuple(Literal(value, kind_of_value(value), place) for value in values), place)

    def macro(self, name: str, node: Path, depth: int) -> Expression:
        if name in self.macros:
            return self.problem(node.place, f"the macro '{name}' uses itself")
        self.macros.append(name)
        outermost = len(self.macros) == 1
        before = len(self.scope.problems)
        try:
            # A macro sees no variable of the place that uses it: it means the same everywhere.
            resolved = self.visit(self.scope.shared.macros[name], {}, depth)
        except _TooLarge:
            if not outermost:
                raise
            return self.problem(node.place, f"the macro '{name}' makes the expression too large", "split the rule")
        finally:
            self.macros.pop()
        if outermost:
            self._say_where_used(name, node.place, before)
        return resolved

    def _say_where_used(self, name: str, place: Place, before: int) -> None:
        """Let a mistake inside a macro name the rule that uses it: there the fields are what they are."""
        inside = self.scope.problems[before:]
        self.scope.problems[before:] = [
            Problem(place, f"in the macro '{name}': {problem.message}", problem.hint) for problem in inside
        ]

    def unknown(self, node: Path, variables: Mapping[str, Field]) -> Expression:
        first = node.names[0]
        shared = self.scope.shared
        if first in self.scope.closed_to:
            return self.problem(node.place, self.scope.closed_to[first], None if node.names[1:] else _as_text(first))
        known = [*(name for event_type in self.scope.own for name in event_type.fields), *ATTRIBUTES]
        known += [*variables, *self.scope.steps, *shared.lists, *shared.macros]
        owners = " or ".join(event_type.name for event_type in self.scope.own) or "the event"
        message = f"'{first}' is no field of {owners}, and no earlier step, list or macro"
        hint = hint_for(first, known, self.scope.problems)
        if len(node.names) == 1 and (hint is None or self.lists):
            hint = _as_text(first)
        return self.problem(node.place, message, hint)

    def call(self, node: Call, variables: Mapping[str, Field], depth: int) -> Expression:
        problems = self.scope.problems
        wrong = wrong_call(node, problems)
        if wrong is not None:
            problems.append(wrong)
            return Literal(None, "any", node.place)
        before = len(problems)
        arguments = tuple(self.operand(argument, variables, depth) for argument in node.arguments)
        if len(problems) > before:
            return Literal(None, "any", node.place)
        found = checked_call(Call(node.function, arguments, node.place), self.scope.shared, problems)
        if isinstance(found, Problem):
            problems.append(found)
            return Literal(None, "any", node.place)
        return found


_DURATION = Field("integer")


def kind_of_value(value: object) -> Kind:
    """The kind of a plain value from a list in `_shared.yaml`."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "double"
    return "string" if isinstance(value, str) else "any"
