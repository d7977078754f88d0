"""Conditions: a question about a payload as data in, a function that answers it out.

What enters: `Question` and `Junction` of a mapping. What leaves: `Holds`, a function of a Scope.
The next room: `values` and `emit`, which ask before they act.
"""

import math
from collections.abc import Callable
from typing import Any

import jmespath
import jmespath.exceptions
import re2

from coordwatch.sources.mapping import Condition, Junction, Question
from coordwatch.sources.paths import Getter, Scope, compile_path, is_missing

Holds = Callable[[Scope], bool]
Answer = Callable[[Any], bool]
_JMES_ERRORS = (jmespath.exceptions.JMESPathError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError)


def compile_condition(condition: Condition) -> Holds:
    """Make the function that answers a condition; it never raises."""
    if isinstance(condition, Junction):
        return _junction(condition)
    return _test(condition)


def _junction(junction: Junction) -> Holds:
    parts = tuple(compile_condition(part) for part in junction.conditions)
    holds = _every(parts) if junction.kind == "all" else _some(parts)
    return holds if junction.kind != "none" else lambda scope: not holds(scope)


def _every(parts: tuple[Holds, ...]) -> Holds:
    """All of them; a few are asked in a row, since a loop costs more than the questions."""
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda scope: first(scope) and second(scope)
    return lambda scope: all(part(scope) for part in parts)


def _some(parts: tuple[Holds, ...]) -> Holds:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda scope: first(scope) or second(scope)
    return lambda scope: any(part(scope) for part in parts)


def jmes_getter(text: str) -> Getter:
    """Make the function that asks a JMESPath expression; what it cannot work with is missing.

    Raises: jmespath's own ValueErrors when the expression is not one
    """
    expression = jmespath.compile(text)

    def get(scope: Scope) -> Any:
        try:
            return expression.search(scope.item)
        except _JMES_ERRORS:
            return None

    return get


def _test(test: Question) -> Holds:
    get = jmes_getter(test.path) if isinstance(test.path, str) else compile_path(test.path)
    if test.operator == "present":
        return (lambda scope: not is_missing(get(scope))) if test.argument else lambda scope: is_missing(get(scope))
    if test.operator == "contains":
        holds = _contains(test.argument)
        return lambda scope: holds(get(scope))
    if test.operator == "not":
        unwanted = _any_element(_answer("in", test.argument if isinstance(test.argument, tuple) else (test.argument,)))
        return lambda scope: not unwanted(get(scope))
    if test.operator == "is" and isinstance(test.argument, str) and not _through_list(test):
        word = test.argument
        return lambda scope: bool(get(scope) == word)
    if test.operator == "in" and not _through_list(test) and all(isinstance(word, str) for word in test.argument):
        words = frozenset(test.argument)
        return lambda scope: type(value := get(scope)) is str and value in words
    answer = _any_element(_answer(test.operator, test.argument))
    return lambda scope: answer(get(scope))


def _through_list(test: Question) -> bool:
    return isinstance(test.path, str) or None in test.path.steps


def _any_element(answer: Answer) -> Answer:
    return lambda value: any(answer(element) for element in value) if isinstance(value, list) else answer(value)


def _contains(part: Any) -> Answer:
    same = _answer("is", part)

    def holds(value: Any) -> bool:
        if isinstance(value, str):
            return isinstance(part, str) and part in value
        return isinstance(value, list) and any(same(element) for element in value)

    return holds


def _answer(operator: str, argument: Any) -> Answer:
    if operator in ("is", "in"):
        wanted = argument if isinstance(argument, tuple) else (argument,)
        # A boolean is not a number here: true must not answer for 1.
        known = frozenset((isinstance(value, bool), value) for value in wanted)
        return lambda value: isinstance(value, (str, int, float)) and (isinstance(value, bool), value) in known
    if operator == "matches":
        search = re2.compile(argument).search
        return lambda value: isinstance(value, str) and search(value) is not None
    if operator == "starts_with":
        return lambda value: isinstance(value, str) and value.startswith(argument)
    if operator == "ends_with":
        return lambda value: isinstance(value, str) and value.endswith(argument)
    over = operator == "over"
    return lambda value: _is_number(value) and (value > argument if over else value < argument)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
