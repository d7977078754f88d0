"""Expressions in English: a resolved tree in, the words a person would say out.

`sentence` puts them between the words for steps. The words follow the tree, never the other way round, so that what a
rule says and what it does cannot drift apart.
"""

import re
from collections.abc import Mapping

from coordwatch.events.times import DAY, format_time
from coordwatch.events.words import duration_words
from coordwatch.rules.expression import (
    Binary,
    Call,
    Expression,
    FieldRef,
    Has,
    ListOf,
    Literal,
    Quantifier,
    Unary,
)
from coordwatch.rules.kinds import kind_of

_LISTED = 8
_PLAIN = re.compile(r"[a-z][a-z0-9_]*")
_COMPARED: Mapping[str, str] = {
    "==": "is", "!=": "is not", "<": "is less than", "<=": "is at most", ">": "is more than", ">=": "is at least",
    "in": "is one of",
}  # fmt: skip
_TIMED: Mapping[str, str] = {"<": "is before", "<=": "is not after", ">": "is after", ">=": "is not before"}
_NOT: Mapping[str, str] = {
    "is": "is not", "is not": "is", "is one of": "is none of", "is less than": "is at least",
    "is at most": "is more than", "is more than": "is at most", "is at least": "is less than", "is before": "is not before",
    "is not after": "is after", "is after": "is not after", "is not before": "is before",
}  # fmt: skip
_COMPUTED: Mapping[str, str] = {"+": "plus", "-": "minus", "*": "times", "/": "divided by", "%": "modulo"}
_TESTED: Mapping[str, tuple[str, str]] = {
    "startsWith": ("starts with", "does not start with"),
    "endsWith": ("ends with", "does not end with"),
    "contains": ("contains", "does not contain"),
    "matches": ("matches", "does not match"),
}
_CLOCKS: Mapping[str, str] = {"getHours": "hour", "getMinutes": "minute", "getDayOfWeek": "day of the week"}


def condition_words(node: Expression) -> str:
    """A condition in English, as in `category is promotional and channel is one of sms, voice`."""
    return _condition(node, negated=False)


def value_words(node: Expression) -> str:
    """A value in English, as in `the promise's due at plus 15 min`."""
    if isinstance(node, Literal):
        return _literal(node)
    if isinstance(node, FieldRef):
        return field_words(node)
    if isinstance(node, ListOf):
        return _list(node)
    if isinstance(node, Binary) and node.operator in _COMPUTED:
        return f"{_operand(node.left)} {_COMPUTED[node.operator]} {_operand(node.right)}"
    if isinstance(node, Unary) and node.operator == "-":
        return f"minus {_operand(node.operand)}"
    if isinstance(node, Call) and node.function not in _TESTED:
        return _call(node)
    return f"whether {_condition(node, negated=False)}"


def field_words(ref: FieldRef) -> str:
    """A field as a person says it: `offer price`, `the promo's tool name`."""
    words = " ".join(ref.path).replace("_", " ")
    if ref.step is None:
        return words
    step = ref.step.removeprefix("$").replace("_", " ")
    owner = step if ref.step.startswith("$") else f"the {step}"
    return f"{owner}'s {words}" if words else owner


def listed(words: list[str], last: str = "or") -> str:
    """Words as a sentence lists them: `a, b or c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _condition(node: Expression, *, negated: bool) -> str:
    if isinstance(node, Unary) and node.operator == "!":
        return _condition(node.operand, negated=not negated)
    if isinstance(node, Binary) and node.operator in ("&&", "||"):
        return _joined(node, negated=negated)
    if isinstance(node, Binary) and node.operator in _COMPARED:
        return _comparison(node, negated=negated)
    if isinstance(node, Has):
        return f"{value_words(node.target)} is {'not known' if negated else 'known'}"
    if isinstance(node, Quantifier):
        return _quantified(node, negated=negated)
    if isinstance(node, Call) and node.function in _TESTED:
        verb = _TESTED[node.function][negated]
        return f"{value_words(node.arguments[0])} {verb} {value_words(node.arguments[1])}"
    if isinstance(node, Literal):
        return str(node.value is not negated).lower() if isinstance(node.value, bool) else value_words(node)
    return f"{value_words(node)} is {'false' if negated else 'true'}"


def _joined(node: Binary, *, negated: bool) -> str:
    """`and` and `or`; not (a and b) is said as not a or not b."""
    word = "and" if (node.operator == "&&") != negated else "or"
    parts = [
        f"({words})" if _other_word(part, word, negated) else words
        for part in _flat(node)
        for words in [_condition(part, negated=negated)]
    ]
    return f" {word} ".join(parts)


def _flat(node: Binary) -> list[Expression]:
    parts: list[Expression] = []
    for side in (node.left, node.right):
        parts += _flat(side) if isinstance(side, Binary) and side.operator == node.operator else [side]
    return parts


def _other_word(part: Expression, word: str, negated: bool) -> bool:
    """Whether a part needs brackets: it joins with the other word, or goes on to its own end."""
    while isinstance(part, Unary) and part.operator == "!":
        part, negated = part.operand, not negated
    if isinstance(part, Quantifier):
        return True
    if not (isinstance(part, Binary) and part.operator in ("&&", "||")):
        return False
    return ("and" if (part.operator == "&&") != negated else "or") != word


def _comparison(node: Binary, *, negated: bool) -> str:
    left, right, operator = node.left, node.right, node.operator
    timed = "timestamp" in (kind_of(left), kind_of(right))
    words = _TIMED.get(operator, _COMPARED[operator]) if timed else _COMPARED[operator]
    if operator == "in" and not isinstance(right, ListOf):
        words = "is in"
        return f"{value_words(left)} {'is not in' if negated else words} {value_words(right)}"
    return f"{value_words(left)} {_NOT[words] if negated else words} {value_words(right)}"


def _quantified(node: Quantifier, *, negated: bool) -> str:
    some = (node.kind == "exists") is not negated
    scope = "some" if some else "every"
    body = _condition(node.body, negated=negated)
    return f"for {scope} {node.variable} of {value_words(node.collection)}, {body}"


def _operand(node: Expression) -> str:
    words = value_words(node)
    return f"({words})" if isinstance(node, Binary) and node.operator in ("+", "-", "*", "/", "%") else words


def _literal(node: Literal) -> str:
    if node.kind == "duration" and isinstance(node.value, int):
        return length_words(node.value)
    if node.kind == "timestamp" and isinstance(node.value, int):
        return format_time(node.value)
    if isinstance(node.value, str):
        return node.value if _PLAIN.fullmatch(node.value) else f"“{node.value}”"
    return "unknown" if node.value is None else str(node.value).lower()


def length_words(length: int) -> str:
    """A length of time that a rule names: `15 min`, `48 h`, `30 days`. Units: microseconds."""
    if length == 0:
        return "no time"
    return "1 day" if length == DAY else duration_words(length)


def _list(node: ListOf) -> str:
    words = [value_words(item) for item in node.items]
    if not words:
        return "nothing"
    if len(words) > _LISTED:
        return f"{', '.join(words[:_LISTED])} and {len(words) - _LISTED} more"
    return listed(words)


def _call(node: Call) -> str:
    first, *rest = node.arguments
    if node.function == "size":
        return f"the {'length' if kind_of(first) == 'string' else 'number'} of {value_words(first)}"
    if node.function in _CLOCKS:
        zone = f" in {value_words(rest[0])}" if rest else " in UTC"
        return f"the {_CLOCKS[node.function]} of {value_words(first)}{zone}"
    calendar = rest[1].value if isinstance(rest[1], Literal) else ""
    if node.function == "addOpen":
        return f"{_operand(first)} plus {value_words(rest[0])} of open time ({calendar})"
    return f"{value_words(rest[0])} business days ({calendar}) after {_operand(first)}"
