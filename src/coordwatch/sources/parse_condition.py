"""Conditions of a mapping file: nodes in, `Question` and `Junction` out.

What enters: the node under `when`, `match` or `drop_if`. What leaves: a Condition, or problems with their places.
The next room: `conditions`, which compiles it.
"""

from typing import Any, cast, get_args

import jmespath
import jmespath.exceptions
import re2

from coordwatch.documents import Fields, Items, Node, Scalar
from coordwatch.sources.mapping import Condition, Junction, Operator, Question
from coordwatch.sources.paths import Path, parse_path
from coordwatch.sources.reading import Reading

OPERATORS = get_args(Operator)
_TEXT_OPERATORS = ("starts_with", "ends_with", "matches")
_JUNCTIONS = ("all", "any", "none")


def parse_condition(node: Node, reading: Reading) -> Condition:
    """Read a condition: paths with what they must be, all of which hold; `any`, `all`, `none` take lists of conditions."""
    rows = reading.fields(node, "a condition")
    if isinstance(node, Fields) and not rows:
        reading.problem(node.place, "an empty condition", "write path: value")
    parts: list[Condition] = []
    for name, value in rows.items():
        if name in _JUNCTIONS:
            inner = tuple(parse_condition(item, reading) for item in reading.items(value, f"'{name}'"))
            parts.append(Junction(cast(Any, name), inner))
        elif name == "jmes":
            text = read_jmes(value, reading)
            parts.append(Question(text or "@", "is", True))
        else:
            parts.append(_test(name, value, node, reading))
    return parts[0] if len(parts) == 1 else Junction("all", tuple(parts))


def read_path(text: str, node: Node, reading: Reading) -> Path:
    """Read a path; a wrong one is a problem and stands for the whole piece."""
    try:
        return parse_path(text)
    except ValueError as error:
        reading.problem(node.place, f"'{text[:80]}': {error}")
        return Path(text, None, ())


def read_jmes(node: Node, reading: Reading) -> str | None:
    """Read a JMESPath expression and see that it is one."""
    text = reading.text(node, "jmes")
    if text is None:
        return None
    try:
        jmespath.compile(text)
    except (jmespath.exceptions.JMESPathError, ValueError, RecursionError) as error:
        reading.problem(node.place, f"not a JMESPath expression: {str(error).splitlines()[0]}")
        return None
    return text


def _test(name: str, value: Node, parent: Node, reading: Reading) -> Condition:
    at = parent.places.get(name, parent.place) if isinstance(parent, Fields) else parent.place
    path = read_path(name, Scalar(name, name, False, at), reading)
    if isinstance(value, Scalar):
        return Question(path, "is", _argument(value, reading))
    if isinstance(value, Items):
        return Question(path, "in", _arguments(value, reading))
    tests: list[Condition] = []
    for operator, argument in reading.fields(value, f"the test of '{name}'", OPERATORS).items():
        tests.append(_operator(path, cast(Operator, operator), argument, reading))
    if not tests:
        reading.problem(value.place, f"no test of '{name}'", "write a value, a list of values, or {present: true}")
    return tests[0] if len(tests) == 1 else Junction("all", tuple(tests))


def _operator(path: Path, operator: Operator, node: Node, reading: Reading) -> Question:
    if operator == "present":
        return Question(path, operator, reading.flag(node, "present"))
    if operator == "in" or (operator == "not" and isinstance(node, Items)):
        return Question(path, operator, _arguments(node, reading))
    argument = _argument(node, reading)
    if operator in _TEXT_OPERATORS and not isinstance(argument, str):
        reading.problem(node.place, f"'{operator}' wants a text")
        argument = ""
    if operator in ("over", "under") and (isinstance(argument, bool) or not isinstance(argument, int | float)):
        reading.problem(node.place, f"'{operator}' wants a number")
        argument = 0
    if operator == "matches":
        _see_pattern(str(argument), node, reading)
    return Question(path, operator, argument)


def _see_pattern(pattern: str, node: Node, reading: Reading) -> None:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options=options)
    except re2.error as error:
        reading.problem(node.place, f"not a pattern of RE2: {error}")


def _argument(node: Node, reading: Reading) -> Any:
    if isinstance(node, Scalar) and node.value is None:
        reading.problem(node.place, "null is no value to compare with", "write {present: false}")
        return ""
    value = reading.plain(node, "a test")
    return "" if value is None else value


def _arguments(node: Node, reading: Reading) -> tuple[Any, ...]:
    items = reading.items(node, "a list of values")
    if not items:
        reading.problem(node.place, "an empty list never holds")
    return tuple(_argument(item, reading) for item in items)
