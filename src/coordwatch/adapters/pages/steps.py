"""What a rule's step looks for, in a few words: the type of event, made exact by the plain comparisons of its condition.

What enters: a Match.
What leaves: words such as `delay notice sent` or `case solved, closed, merged or deleted`.
The next room: `picture`, `why` and the rule's page.
"""

from collections.abc import Iterable

from coordwatch.adapters.pages.words import event_words
from coordwatch.rules.expression import Binary, Expression, FieldRef, ListOf, Literal
from coordwatch.rules.spec import Match, RuleSpec, UnlessEvent

_VALUES_MOST = 4


def match_words(match: Match) -> str:
    """What a step looks for, in a few words."""
    values: dict[str, str] = {}
    if match.where is not None:
        _collect(match.where, values)
    return event_words(match.event, values)


def matches_words(matches: Iterable[Match]) -> str:
    """What several alternatives look for."""
    return listed(list(dict.fromkeys(match_words(match) for match in matches)), "or") or "such event"


def listed(words: list[str], last: str) -> str:
    """Words as a sentence lists them: `solved, closed or deleted`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def _collect(expression: Expression, values: dict[str, str]) -> None:
    """What a condition demands of the step's own fields: only what must hold, so only through `&&`."""
    if not isinstance(expression, Binary):
        return
    if expression.operator == "&&":
        _collect(expression.left, values)
        _collect(expression.right, values)
        return
    field, wanted = expression.left, expression.right
    if not isinstance(field, FieldRef) or field.step is not None or len(field.path) != 1:
        return
    if expression.operator == "==" and isinstance(wanted, Literal) and isinstance(wanted.value, str):
        values[field.path[0]] = wanted.value
    if expression.operator == "in" and isinstance(wanted, ListOf) and len(wanted.items) <= _VALUES_MOST:
        words = [item.value for item in wanted.items if isinstance(item, Literal) and isinstance(item.value, str)]
        if len(words) == len(wanted.items):
            values[field.path[0]] = listed(words, "or")


def step_words(spec: RuleSpec) -> list[tuple[str, str, str]]:
    """Each step of a rule: its kind, its name, what it looks for."""
    steps = [("when", spec.when.name, spec.when.matches)]
    steps += [("after", one.name, one.matches) for one in spec.after]
    steps += [("while", one.name, one.opened) for one in spec.while_]
    steps += [("given", one.name, one.matches) for one in spec.given]
    for one in spec.unless:
        steps.append(("unless", one.name, one.matches if isinstance(one, UnlessEvent) else one.opened))
    if spec.expect:
        steps.append(("expect", spec.expect.name, spec.expect.matches))
    return [(kind, name.replace("_", " "), matches_words(matches)) for kind, name, matches in steps]
