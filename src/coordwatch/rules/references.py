"""What an expression reads: a tree in, the steps and fields it names out.

The parser bounds trees with it, the compiler keeps only the fields that some rule reads.
"""

from collections.abc import Iterator

from coordwatch.rules.expression import (
    Binary,
    Call,
    Expression,
    FieldRef,
    Has,
    ListOf,
    Quantifier,
    Unary,
)


def children(expression: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside one, in the order they are written."""
    if isinstance(expression, Binary):
        return (expression.left, expression.right)
    if isinstance(expression, Unary):
        return (expression.operand,)
    if isinstance(expression, Call):
        return expression.arguments
    if isinstance(expression, ListOf):
        return expression.items
    if isinstance(expression, Has):
        return (expression.target,)
    if isinstance(expression, Quantifier):
        return (expression.collection, expression.body)
    return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Every node of a tree, the outer ones first; no recursion, so that depth does not matter."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def depth_of(expression: Expression) -> int:
    """How deep a tree is; a single value is 1."""
    deepest = 0
    waiting = [(expression, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting.extend((child, depth + 1) for child in children(node))
    return deepest


def references(expression: Expression) -> frozenset[tuple[str | None, tuple[str, ...]]]:
    """The fields a resolved expression reads, as (step, path); step None is the step's own event.

    Variables of `exists` and `all` are left out: the list they walk through is named instead.
    """
    return frozenset(
        (node.step, node.path)
        for node in walk(expression)
        if isinstance(node, FieldRef) and not (node.step or "").startswith("$")
    )


def is_local(expression: Expression) -> bool:
    """Whether a resolved expression reads nothing but the step's own event."""
    return all(step is None for step, _ in references(expression))
