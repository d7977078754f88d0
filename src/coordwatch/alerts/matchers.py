"""Matchers in Alertmanager's grammar: `severity="high"`, `tool!=Journeys`, `campaign=~"Spring.*"`, `rule!~"bot-.*"`.

What enters: text that a person wrote.
What leaves: matchers that hold of labels or not; or what is wrong with the text, and where.
The next rooms: `silence` and `inhibition`, which are made of them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from coordwatch.alerts.labels import LABELS, Labels
from coordwatch.documents import nearest
from coordwatch.errors import PermanentError
from coordwatch.rules.patterns import BadPattern, compile_pattern

TEXT_MAX, MATCHERS_MAX = 2_000, 20
_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_OPERATOR = re.compile(r"=~|!~|!=|=")
_BARE = re.compile(r"[^\s,{}\"'`=]+(?:[ \t]+[^\s,{}\"'`=]+)*")
_SHORT = re.compile(r"[A-Za-z0-9_./:-]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
_PLAIN = re.compile(r"[A-Za-z0-9_./:@+-]+")


class BadMatcher(PermanentError):
    """A text that is no matcher; the message says where it stops being one."""


class Operator(StrEnum):
    """How a matcher compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LIKE = "=~"
    NOT_LIKE = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label. A label without a value has the empty one; of several values one is enough.

    A pattern is RE2 and must take the whole value. The negative operators are the exact opposite of the positive ones.
    """

    name: str
    operator: Operator
    value: str
    _pattern: Any = field(default=None, compare=False, repr=False)

    @property
    def is_regex(self) -> bool:
        """Whether the value is a pattern."""
        return self.operator in (Operator.LIKE, Operator.NOT_LIKE)

    @property
    def is_equal(self) -> bool:
        """Whether it holds of what is like its value, rather than of everything else."""
        return self.operator in (Operator.EQUAL, Operator.LIKE)

    def holds(self, labels: Labels) -> bool:
        """Whether it holds of an alert's labels."""
        values = labels.get(self.name) or ("",)
        return any(self._like(value) for value in values) is self.is_equal

    def _like(self, value: str) -> bool:
        return value == self.value if self._pattern is None else self._pattern.search(value) is not None

    def __str__(self) -> str:
        return f"{self.name}{self.operator.value}{_written(self.value)}"


def matcher(name: str, operator: Operator, value: str) -> Matcher:
    """A matcher.

    Raises: BadMatcher for a label that no alert has, or a pattern that is none
    """
    if name not in LABELS:
        close = nearest(name, LABELS)
        hint = f"did you mean '{close}'?" if close else f"the labels are: {', '.join(LABELS)}"
        raise BadMatcher(f"no alert has a label '{name[:40]}'; {hint}")
    if operator in (Operator.EQUAL, Operator.NOT_EQUAL):
        return Matcher(name, operator, value)
    try:
        compile_pattern(value)  # alone first: a bracket too many must not reach out of what is put around it
        return Matcher(name, operator, value, compile_pattern(f"^(?s:{value})$"))
    except BadPattern as error:
        raise BadMatcher(f"{name}{operator.value}{_written(value)[:80]}: {error}") from None


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers of a text, with commas between them and braces around them or not; a word alone is a rule's name.

    Raises: BadMatcher
    """
    if len(text) > TEXT_MAX:
        raise BadMatcher(f"more than {TEXT_MAX:,} characters of matchers: write a pattern instead of a list")
    inner = text.strip()
    if inner.startswith("{") != inner.endswith("}"):
        raise BadMatcher(f"'{text[:60]}': a brace stands alone: write {{severity=high}}, or no braces at all")
    if inner.startswith("{"):
        inner = inner[1:-1]
    found, position = [], _blanks(inner, 0)
    while position < len(inner):
        one, position = _one(inner, position)
        found.append(one)
        position = _blanks(inner, position)
        if position < len(inner):
            if inner[position] != ",":
                raise _wrong(inner, position, "a comma between two matchers")
            position = _blanks(inner, position + 1)
    if not found:
        raise BadMatcher("no matcher at all: write for example severity=high, tool=Journeys")
    if len(found) > MATCHERS_MAX:
        raise BadMatcher(f"more than {MATCHERS_MAX} matchers: write a pattern instead of a list")
    return tuple(found)


def parse_all(texts: Iterable[str]) -> tuple[Matcher, ...]:
    """The matchers of several texts, each once, in order. Raises: BadMatcher."""
    return tuple(dict.fromkeys(one for text in texts for one in parse_matchers(text)))


def all_hold(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Whether every one holds."""
    return all(one.holds(labels) for one in matchers)


def take_everything(matchers: Sequence[Matcher]) -> bool:
    """Whether nothing narrows them down: each holds of an alert that has none of the labels."""
    return all_hold(matchers, {})


def matchers_text(matchers: Iterable[Matcher]) -> str:
    """Matchers as `parse_matchers` reads them."""
    return ", ".join(map(str, matchers))


def _one(text: str, start: int) -> tuple[Matcher, int]:
    named = _NAME.match(text, start)
    quoted = _QUOTED.match(text, start)
    if named is None and quoted is None:
        raise _wrong(text, start, "the name of a label")
    name, position = (named.group(), named.end()) if named is not None else _unquoted(quoted)
    at = _blanks(text, position)
    operator = _OPERATOR.match(text, at)
    if operator is None:
        # amtool's short form: `silence add bot-loop` means the rule of that name, whatever stands in a name.
        bare = _SHORT.match(text, start)
        if bare is not None and text[_blanks(text, bare.end()) :][:1] in ("", ","):
            return matcher("alertname", Operator.EQUAL, bare.group()), bare.end()
        raise _wrong(text, at, "=, !=, =~ or !~")
    value, position = _value(text, _blanks(text, operator.end()))
    return matcher(name, Operator(operator.group()), value), position


def _value(text: str, start: int) -> tuple[str, int]:
    if start < len(text) and text[start] == '"':
        quoted = _QUOTED.match(text, start)
        if quoted is None:
            raise _wrong(text, start, "a closing quotation mark")
        return _unquoted(quoted)
    bare = _BARE.match(text, start)
    if bare is None:
        if start >= len(text) or text[start] == ",":
            return "", start
        raise _wrong(text, start, 'a value; put it between " if it holds commas, braces or quotation marks')
    return bare.group(), bare.end()


def _unquoted(found: re.Match[str] | None) -> tuple[str, int]:
    assert found is not None, "somebody looked first"
    text = re.sub(r"\\(.)", lambda one: _ESCAPES.get(one.group(1), one.group()), found.group(1), flags=re.DOTALL)
    return text, found.end()


def _written(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _blanks(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _wrong(text: str, position: int, wanted: str) -> BadMatcher:
    there = f"stands '{text[position : position + 20]}'" if position < len(text) else "it ends"
    return BadMatcher(f"'{text[:60]}', at character {position + 1}: {there}, where {wanted} belongs")
