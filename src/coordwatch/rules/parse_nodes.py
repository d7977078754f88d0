"""Reading words out of a document: nodes with places in, plain values out, every complaint collected.

What enters: the nodes of `documents`. What leaves: texts, durations, choices, expressions; and the list of problems.
The next room: `parse_steps`, `parse_examples`, `parse_shared` and `parse` say which words stand where.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from coordwatch.documents import Fields, Items, Node, Scalar
from coordwatch.errors import Place, Problem, RuleError
from coordwatch.events.times import parse_duration
from coordwatch.rules.expression import Expression
from coordwatch.rules.expression_parser import TEXT_MAX, parse_expression
from coordwatch.rules.hints import hint_for

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
NAMES_RESERVED = frozenset({"true", "false", "null", "in", "has"})
# What YAML takes for the end of a line.
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_WORD_KEY = re.compile(r"[A-Za-z0-9_.\-]+")
_QUOTE_HINT = "quote an expression that holds [, { or a comma: where: 'status in [\"solved\"]'"
_ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}


class Reader:
    """Reads typed values and keeps every problem, so that one run tells all of them."""

    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self.lines = _LINE_END.split(text)
        self.problems: list[Problem] = []

    def problem(self, place: Place, message: str, hint: str | None = None) -> None:
        """Keep one problem."""
        self.problems.append(Problem(place, message, hint))

    def hint(self, word: str, choices: Iterable[str]) -> str | None:
        """The nearest of some words, as the next move."""
        return hint_for(word, choices, self.problems)

    # ---- maps

    def fields(self, node: Node, what: str) -> Fields | None:
        """The node as a map; `what` names it in the complaint."""
        if isinstance(node, Fields):
            return node
        self.problem(node.place, f"{what} must be a map of words, and this is {_words_for(node)}")
        return None

    def known_words(self, fields: Fields, words: Iterable[str], what: str) -> None:
        """Complain about each word that has no meaning here."""
        known = list(words)
        for key, place in fields.places.items():
            if key in known:
                continue
            if _WORD_KEY.fullmatch(key):
                hint = self.hint(key, known) or f"known here: {', '.join(known)}"
            else:
                hint = _QUOTE_HINT
            self.problem(place, f"unknown word '{key[:60]}' in {what}", hint)

    def required(self, fields: Fields, words: Iterable[str], what: str) -> None:
        """Complain about each word that is missing."""
        for word in words:
            if word not in fields.items:
                self.problem(fields.place, f"{what} needs the word '{word}'")

    # ---- values

    def text(self, fields: Fields, key: str) -> str:
        """A text that is not empty; empty when it is missing or something else (then there is a problem)."""
        node = fields.items.get(key)
        if node is None:
            return ""
        if (
            isinstance(node, Scalar)
            and node.value is not None
            and not isinstance(node.value, bool)
            and node.text.strip()
        ):
            return node.text.strip() if not node.quoted else node.text.strip("\n")
        self.problem(node.place, f"'{key}' must be a text, and this is {_words_for(node)}")
        return ""

    def texts(self, fields: Fields, key: str) -> tuple[str, ...]:
        """A list of texts; one text alone counts as a list of one."""
        node = fields.items.get(key)
        if node is None:
            return ()
        found: list[str] = []
        for item in node.items if isinstance(node, Items) else (node,):
            if isinstance(item, Scalar) and item.value is not None and not isinstance(item.value, bool):
                found.append(item.text.strip())
            else:
                self.problem(item.place, f"'{key}' holds texts, and this is {_words_for(item)}")
        return tuple(found)

    def choice(self, fields: Fields, key: str, choices: Iterable[str], default: str) -> str:
        """One of a few words."""
        text = self.text(fields, key)
        known = list(choices)
        if not text or text in known:
            return text or default
        self.problem(fields.items[key].place, f"'{text[:60]}' is no {key}", self.hint(text, known))
        return default

    def duration(self, fields: Fields, key: str, default: int = 0) -> int:
        """A length of time such as `10m`. Units: microseconds."""
        node = fields.items.get(key)
        return default if node is None else self.duration_of(node, key, default)

    def duration_of(self, node: Node, key: str, default: int = 0) -> int:
        """The length of time that a node holds. Units: microseconds."""
        if not isinstance(node, Scalar):
            self.problem(node.place, f"'{key}' must be a duration such as 10m, and this is {_words_for(node)}")
            return default
        try:
            return parse_duration(node.text.strip())
        except ValueError:
            number = isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
            hint = f"write the unit: {node.text}m" if number else "a number and a unit: 90s, 10m, 72h, 1d12h, 2w"
            self.problem(node.place, f"'{key}' must be a duration, and '{node.text[:40]}' is none", hint)
            return default

    def count(self, fields: Fields, key: str) -> int | None:
        """A whole number from 1 on."""
        node = fields.items.get(key)
        if node is None:
            return None
        if (
            isinstance(node, Scalar)
            and isinstance(node.value, int)
            and not isinstance(node.value, bool)
            and node.value >= 1
        ):
            return node.value
        self.problem(node.place, f"'{key}' must be a whole number from 1 on, and this is {_words_for(node)}")
        return 1

    def name(self, text: str, place: Place, what: str) -> None:
        """Complain when a name cannot be used inside an expression."""
        if not NAME.fullmatch(text):
            self.problem(place, f"'{text[:40]}' cannot be the name of {what}", "letters, digits and _, no digit first")
        elif text in NAMES_RESERVED:
            self.problem(place, f"'{text}' has a meaning of its own and cannot be the name of {what}")

    # ---- expressions

    def expression(self, fields: Fields, key: str) -> Expression | None:
        """The raw expression under a key; None when there is none or it is wrong (then there is a problem)."""
        node = fields.items.get(key)
        return None if node is None else self.expression_of(node, key)

    def expression_of(self, node: Node, key: str) -> Expression | None:
        """The raw expression that a node holds."""
        if not isinstance(node, Scalar):
            self.problem(node.place, f"'{key}' must be an expression, and this is {_words_for(node)}", _QUOTE_HINT)
            return None
        if not node.text and self._raw(node.place).startswith("!"):
            self.problem(node.place, "YAML takes the leading ! for itself", f"quote it: {key}: '!has(kind)'")
            return None
        try:
            return parse_expression(node.text, node.place, self.locator(node))
        except RuleError as error:
            self.problems.extend(error.problems)
            return None

    def _raw(self, place: Place) -> str:
        line = self.lines[place.line - 1] if place.line <= len(self.lines) else ""
        return line[place.column - 1 :]

    def locator(self, node: Scalar) -> Callable[[int], Place]:
        """How an offset in a value becomes a place in the file, through quotes, escapes and folded lines."""
        if len(node.text) > TEXT_MAX:
            return lambda _: node.place
        table = _offsets(node, self.lines)
        return lambda offset: Place(self.path, *table[min(offset, len(table) - 1)])


def _offsets(node: Scalar, lines: Sequence[str]) -> list[tuple[int, int]]:
    """The line and column of every character of a value, and of its end."""
    line, column = node.place.line - 1, node.place.column - 1
    style = lines[line][column : column + 1] if node.quoted and line < len(lines) else ""
    if style in ("|", ">"):
        line, column = line + 1, 0
    elif style:
        column += 1
    table: list[tuple[int, int]] = []
    for character in node.text:
        if not character.isspace():
            line, column = _skip_blank(lines, line, column, style)
        table.append((line + 1, column + 1))
        raw = lines[line][column : column + 2] if line < len(lines) else ""
        if character.isspace() and not raw[:1].isspace() and raw[:1] != "\\":
            continue
        if style == '"' and raw[:1] == "\\":
            column += _ESCAPE_LENGTHS.get(raw[1:2], 2)
        else:
            column += 2 if style == "'" and raw == "''" else 1
    table.append((line + 1, column + 1))
    return table


def _skip_blank(lines: Sequence[str], line: int, column: int, style: str) -> tuple[int, int]:
    """The next character that is written out: past indentation, folded line ends and escaped ones."""
    while line < len(lines):
        rest = lines[line][column:]
        blank = len(rest) - len(rest.lstrip())
        if rest.strip() and not (style == '"' and rest.strip() == "\\"):
            return line, column + blank
        line, column = line + 1, 0
    return max(len(lines) - 1, 0), 0


def _words_for(node: Node) -> str:
    if isinstance(node, Fields):
        return "a map"
    if isinstance(node, Items):
        return "a list"
    if node.value is None or not node.text:
        return "empty"
    return f"'{node.text[:40]}'"
