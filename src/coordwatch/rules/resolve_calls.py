"""Functions in expressions: a call in, the call or the constant it stands for, or what is wrong with it, out.

Durations, times, patterns and calendars are written out in a rule, so they are read here, once, and not per event.
The next room: `resolve`, which looks up the names inside the call.
"""

from collections.abc import Mapping, Sequence

from coordwatch.errors import Place, Problem
from coordwatch.events.times import parse_duration, parse_time
from coordwatch.rules.expression import Call, Expression, Literal
from coordwatch.rules.hints import hint_for
from coordwatch.rules.kinds import ARGUMENTS
from coordwatch.rules.patterns import BadPattern, compile_pattern
from coordwatch.rules.spec import SharedSpec

FUNCTIONS: Mapping[str, tuple[int, int]] = {
    name: (1 if name.startswith("get") else len(wanted), len(wanted)) for name, wanted in ARGUMENTS.items()
}
_WRITTEN_OUT: Mapping[str, tuple[int, str]] = {
    "duration": (0, "its value"),
    "timestamp": (0, "its value"),
    "matches": (1, "a pattern"),
    "addOpen": (2, "the name of a calendar"),
    "addBusinessDays": (2, "the name of a calendar"),
}


def wrong_call(node: Call, problems: Sequence[Problem]) -> Problem | None:
    """What is wrong with a function's name or the number of its values, None when nothing is."""
    if node.function not in FUNCTIONS:
        hint = hint_for(node.function, [*FUNCTIONS, "has", "exists", "all"], problems)
        return Problem(node.place, f"there is no function '{node.function}'", hint)
    least, most = FUNCTIONS[node.function]
    if least <= len(node.arguments) <= most:
        return None
    count = str(most) if least == most else f"{least} or {most}"
    message = f"{node.function}() takes {count} values, and {len(node.arguments)} are given"
    return Problem(node.place, message, "the receiver of x.f(y) counts as the first")


def checked_call(node: Call, shared: SharedSpec, problems: Sequence[Problem]) -> Expression | Problem:
    """A call whose arguments are looked up: the constant it stands for, or the call, or what is wrong with it."""
    if node.function not in _WRITTEN_OUT:
        return node
    number, what = _WRITTEN_OUT[node.function]
    argument = node.arguments[number]
    if not isinstance(argument, Literal) or not isinstance(argument.value, str):
        return Problem(argument.place, f"{node.function}() wants {what} written out in quotes")
    if node.function in ("duration", "timestamp"):
        return _constant(node, argument.value, argument.place)
    if node.function == "matches":
        return _pattern(node, argument.value, argument.place)
    if argument.value in shared.calendars:
        return node
    hint = hint_for(argument.value, shared.calendars, problems) or "calendars stand in _shared.yaml"
    return Problem(argument.place, f"there is no calendar '{argument.value[:60]}'", hint)


def _constant(node: Call, text: str, place: Place) -> Expression | Problem:
    try:
        if node.function == "duration":
            return Literal(parse_duration(text), "duration", node.place)
        return Literal(parse_time(text), "timestamp", node.place)
    except ValueError as error:
        return Problem(place, str(error))


def _pattern(node: Call, text: str, place: Place) -> Expression | Problem:
    try:
        compile_pattern(text)
    except BadPattern as error:
        return Problem(place, str(error), 'the syntax is RE2\'s; a text r"..." keeps backslashes')
    return node
