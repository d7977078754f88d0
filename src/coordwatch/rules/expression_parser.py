"""Expressions: the text of a `where`, a `by` or a macro in, its raw tree out.

The syntax is a subset of CEL (github.com/google/cel-spec, doc/langdef.md). Names are not looked up here: `resolve` does
that. Length and depth are bounded, so that a hostile text is an error and never a crash.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal as Choice
from typing import NoReturn, cast

from coordwatch.errors import Place, Problem, RuleError
from coordwatch.rules.expression import (
    Binary,
    Call,
    Expression,
    Has,
    ListOf,
    Literal,
    Path,
    Quantifier,
    Unary,
)
from coordwatch.rules.expression_tokens import Token, tokens_of
from coordwatch.rules.references import depth_of

TEXT_MAX = 10_000
DEPTH_MAX = 64
INT_MAX = 2**63 - 1
RESERVED = frozenset({"true", "false", "null", "in"})

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_PLAIN_ESCAPES = "\\\"'`?"
_POWER = {
    "||": 1, "&&": 2,
    "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "in": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5,
}  # fmt: skip
_COMPARING = 3
_WORD_HINTS = {"and": "write &&", "or": "write ||", "not": "write !", "is": "write =="}


def parse_expression(text: str, place: Place, locate: Callable[[int], Place] | None = None) -> Expression:
    """Parse one expression.

    Takes:  the text, where it stands, and how an offset in it becomes a place (when it was quoted or folded)
    Raises: RuleError with the exact place of the first mistake
    """
    if len(text) > TEXT_MAX:
        raise RuleError([Problem(place, f"the expression is longer than {TEXT_MAX:,} characters", "split the rule")])
    find = locate or (lambda offset: Place(place.path, place.line, place.column + offset))
    parser = _Parser(text, tokens_of(text, find), find)
    return parser.whole()


class _Parser:
    """A Pratt parser over the tokens of one expression."""

    def __init__(self, text: str, tokens: Sequence[Token], find: Callable[[int], Place]) -> None:
        self.text = text
        self.tokens = tokens
        self.find = find
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def whole(self) -> Expression:
        if self.token.kind == "end":
            self.fail("the expression is empty", "leave the word out when there is no condition")
        tree = self.expression(1)
        if self.token.kind != "end":
            self.unexpected("the end")
        if depth_of(tree) > DEPTH_MAX:
            raise RuleError([Problem(self.find(0), f"nested deeper than {DEPTH_MAX} levels", "split it with macros")])
        return tree

    def fail(self, message: str, hint: str | None = None, token: Token | None = None) -> NoReturn:
        raise RuleError([Problem(self.find((token or self.token).at), message, hint)])

    def unexpected(self, wanted: str) -> NoReturn:
        token = self.token
        if token.kind == "end":
            self.fail(f"the expression ends where {wanted} should follow")
        if token.text == "[":
            self.fail("there is no x[i]", "use list.exists(x, ...) or list.all(x, ...)")
        self.fail(f"'{token.text}' stands where {wanted} should follow", _WORD_HINTS.get(token.text))

    def take(self, text: str) -> bool:
        if self.token.kind in ("operator", "name") and self.token.text == text:
            self.at += 1
            return True
        return False

    def need(self, text: str) -> None:
        if not self.take(text):
            self.unexpected(f"'{text}'")

    def expression(self, least: int) -> Expression:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            self.fail(f"nested deeper than {DEPTH_MAX} levels", "split it with macros")
        left = self.prefix()
        while (power := self.power()) >= least:
            token = self.token
            self.at += 1
            if token.text in ("&&", "||"):
                left = self.chain(token, left, power)
                continue
            right = self.expression(power + 1)
            left = Binary(token.text, left, right, self.find(token.at))
            if power == _COMPARING and self.power() == _COMPARING:
                self.fail("comparisons do not chain", "join two comparisons with &&")
        self.depth -= 1
        return left

    def power(self) -> int:
        return _POWER.get(self.token.text, 0) if self.token.kind in ("operator", "name") else 0

    def chain(self, operator: Token, first: Expression, power: int) -> Expression:
        """Read `a && b && c` as one balanced tree: a long chain is wide, not deep."""
        operands = [first, self.expression(power + 1)]
        while self.token.text == operator.text and self.token.kind == "operator":
            self.at += 1
            operands.append(self.expression(power + 1))
        while len(operands) > 1:
            pairs = [
                Binary(operator.text, operands[i], operands[i + 1], self.find(operator.at))
                for i in range(0, len(operands) - 1, 2)
            ]
            operands = [*pairs, *operands[len(pairs) * 2 :]]
        return operands[0]

    def prefix(self) -> Expression:
        token = self.token
        if token.kind == "operator" and token.text in ("!", "-"):
            self.at += 1
            if token.text == "-" and self.token.kind in ("int", "double") and self.next_is_adjacent(token):
                return self.postfix(self.number(self.token, token))
            self.depth += 1
            if self.depth > DEPTH_MAX:
                self.fail(f"nested deeper than {DEPTH_MAX} levels")
            operand = self.prefix()
            self.depth -= 1
            return Unary(token.text, operand, self.find(token.at))
        return self.postfix(self.primary())

    def next_is_adjacent(self, token: Token) -> bool:
        return self.token.at == token.at + 1

    def primary(self) -> Expression:
        token = self.token
        place = self.find(token.at)
        if token.kind in ("int", "double"):
            return self.number(token, None)
        if token.kind == "string":
            self.at += 1
            return Literal(self.string(token), "string", place)
        if token.kind == "name":
            return self.name(token, place)
        if self.take("("):
            inside = self.expression(1)
            self.need(")")
            return inside
        if not self.take("["):
            self.unexpected("a value")
        return ListOf(self.arguments("]"), place)

    def name(self, token: Token, place: Place) -> Expression:
        if token.text == "in":
            self.unexpected("a value")
        self.at += 1
        if token.text in ("true", "false"):
            return Literal(token.text == "true", "bool", place)
        if token.text == "null":
            return Literal(None, "any", place)
        if self.take("("):
            if token.text == "has":
                return self.has(place)
            return Call(token.text, self.arguments(")"), place)
        return Path((token.text,), place)

    def has(self, place: Place) -> Expression:
        target = self.expression(1)
        self.need(")")
        if not isinstance(target, Path):
            raise RuleError([Problem(place, "has() takes one field", "write has(refund_id)")])
        return Has(target, place)

    def number(self, token: Token, minus: Token | None) -> Literal:
        self.at += 1
        start = minus or token
        text = ("-" if minus else "") + token.text
        if token.kind == "double":
            value = float(text)
            if value in (float("inf"), float("-inf")):
                self.fail(f"{text} is too large for a number", token=start)
            return Literal(value, "double", self.find(start.at))
        if len(token.text) > 19 or not -INT_MAX - 1 <= int(text) <= INT_MAX:
            self.fail(f"{text[:24]} does not fit into 64 bits", token=start)
        return Literal(int(text), "int", self.find(start.at))

    def string(self, token: Token) -> str:
        if token.text[0] in "rR":
            return token.text[2:-1]

        def escape(found: re.Match[str]) -> str:
            code = found.group(1)
            if code[0] in "uUx" and len(code) > 1:
                number = int(code[1:], 16)
                if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
                    self.fail(f"'\\{code}' is no character", token=token)
                return chr(number)
            if code in _ESCAPES:
                return _ESCAPES[code]
            if code not in _PLAIN_ESCAPES:
                self.fail(f"'\\{code}' is no escape", 'write \\\\ for a backslash, or r"..." for a pattern', token)
            return code

        return _ESCAPE.sub(escape, token.text[1:-1])

    def arguments(self, close: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        while not self.take(close):
            items.append(self.expression(1))
            if (self.token.text != close or self.token.kind != "operator") and not self.take(","):
                self.unexpected(f"',' or '{close}'")
        return tuple(items)

    def postfix(self, left: Expression) -> Expression:
        while self.take("."):
            token = self.token
            if token.kind != "name" or token.text in RESERVED:
                self.unexpected("a name")
            self.at += 1
            if self.take("("):
                left = self.method(left, token)
            elif isinstance(left, Path):
                left = Path((*left.names, token.text), left.place)
            else:
                self.fail("only a field has parts", "write step.field", token)
        if self.token.text == "[" and self.token.kind == "operator":
            self.unexpected("an operator")
        return left

    def method(self, receiver: Expression, token: Token) -> Expression:
        place = self.find(token.at)
        arguments = self.arguments(")")
        if token.text not in ("exists", "all"):
            return Call(token.text, (receiver, *arguments), place)
        if len(arguments) != 2 or not isinstance(arguments[0], Path) or len(arguments[0].names) != 1:
            raise RuleError([Problem(place, f"{token.text}() takes a name and a condition", self.example(token.text))])
        kind = cast("Choice['exists', 'all']", token.text)
        return Quantifier(kind, receiver, arguments[0].names[0], arguments[1], place)

    @staticmethod
    def example(function: str) -> str:
        return f'items.{function}(i, i.sku == "A")'
