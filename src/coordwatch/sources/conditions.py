"""Conditions: a question about a payload as data in, a function that answers it out.

What enters: `Question` and `Junction` of a mapping. What leaves: `Holds`, a function of a Scope.
The next room: `values` and `emit`, which ask before they act.
"""

import math
from collections.abc import Callable
from typing import Any

import jmespath.exceptions
import re2

from coordwatch.sources.code import Code
from coordwatch.sources.jmes import compile_jmes
from coordwatch.sources.mapping import Condition, Question
from coordwatch.sources.paths import Getter, Scope, path_expression, present_expression

Holds = Callable[[Scope], bool]
Answer = Callable[[Any], bool]
_REMEMBERED_MAX, _WORD_MAX = 1000, 80
_HOLDERS = frozenset((str, list))
_JMES_ERRORS = (jmespath.exceptions.JMESPathError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError)


def compile_condition(condition: Condition) -> Holds:
    """Make the function that answers a condition; it never raises."""
    code = Code()
    return code.getter(f"bool({condition_expression(condition, code)})")


def condition_expression(condition: Condition, code: Code) -> str:
    """Write out a condition; it is true or false, or as good as that."""
    if isinstance(condition, Question):
        return _question(condition, code)
    word = " and " if condition.kind == "all" else " or "
    parts = word.join(condition_expression(part, code) for part in condition.conditions)
    return f"(not ({parts or 'False'}))" if condition.kind == "none" else f"({parts or condition.kind == 'all'})"


def jmes_getter(text: str) -> Getter:
    """Make the function that asks a JMESPath expression; what it cannot work with is missing.

    Raises: jmespath's own ValueErrors when the expression is not one
    """
    ask = compile_jmes(text)

    def get(scope: Scope) -> Any:
        try:
            return ask(scope.item)
        except _JMES_ERRORS:
            return None

    return get


def _question(test: Question, code: Code) -> str:
    value = (
        f"{code.name(jmes_getter(test.path))}(scope)"
        if isinstance(test.path, str)
        else path_expression(test.path, code)
    )
    argument, many = test.argument, _through_list(test)
    if test.operator == "present":
        present, _ = present_expression(value, code)
        return present if argument else f"(not {present})"
    if test.operator == "contains":
        asked = f"{code.name(_contains(argument))}({value})"
        if not isinstance(argument, str):
            return asked
        found = code.temporary()
        return f"(type({found} := {value}) in {code.name(_HOLDERS)} and {code.name(argument)} in {found})"
    if test.operator == "not":
        unwanted = _any_element(_answer("in", argument if isinstance(argument, tuple) else (argument,)))
        return f"(not {code.name(unwanted)}({value}))"
    if test.operator == "matches" and not many:
        found, answer = code.temporary(), _answer("matches", argument)
        return f"({code.name(answer)}({found}) if type({found} := {value}) is str else {code.name(_any_element(answer))}({found}))"
    if test.operator == "is" and isinstance(argument, str) and not many:
        return f"({value} == {code.name(argument)})"
    if test.operator == "is" and isinstance(argument, bool) and not many:
        return f"({value} is {argument})"
    if test.operator in ("starts_with", "ends_with") and not many:
        found, method = code.temporary(), "startswith" if test.operator == "starts_with" else "endswith"
        return f"(type({found} := {value}) is str and {found}.{method}({code.name(argument)}))"
    if test.operator == "in" and not many and all(isinstance(word, str) for word in argument):
        found = code.temporary()
        return f"(type({found} := {value}) is str and {found} in {code.name(frozenset(argument))})"
    return f"{code.name(_any_element(_answer(test.operator, argument)))}({value})"


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
        return _matching(re2.compile(argument).search)
    if operator == "starts_with":
        return lambda value: isinstance(value, str) and value.startswith(argument)
    if operator == "ends_with":
        return lambda value: isinstance(value, str) and value.endswith(argument)
    over = operator == "over"
    return lambda value: _is_number(value) and (value > argument if over else value < argument)


def _matching(search: Callable[[str], Any]) -> Answer:
    """Answers are remembered: what mappings match, such as the names of events, comes again and again."""
    remembered: dict[str, bool] = {}

    def matches(value: Any) -> bool:
        if type(value) is not str:
            return False
        found = remembered.get(value)
        if found is None:
            found = search(value) is not None
            if len(remembered) < _REMEMBERED_MAX and len(value) <= _WORD_MAX:
                remembered[value] = found
        return found

    return matches


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
