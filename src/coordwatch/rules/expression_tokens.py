"""The words of an expression: a text in, its tokens out, or the place of the first character that means nothing.

The next room: `expression_parser` makes a tree of them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from coordwatch.errors import Place, Problem, RuleError

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<double>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
      | (?P<int>\d+)
      | (?P<string>[rR]?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<operator>&&|\|\||==|!=|<=|>=|[-+*/%<>!().,\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_RAW_STRING = re.compile(r"""[rR](?:"[^"\n]*"|'[^'\n]*')""")
_HINTS = {
    "=": "write == to compare",
    "&": "write && for and",
    "|": "write || for or",
    "?": "there is no a ? b : c; write two conditions with && and ||",
    "{": "there are no maps here",
    '"': "the text is not closed",
    "'": "the text is not closed",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign, and the offset at which it begins."""

    kind: str
    text: str
    at: int


def tokens_of(text: str, find: Callable[[int], Place]) -> list[Token]:
    """Cut a text into tokens; the last one is the end.

    Raises: RuleError
    """
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        found = _RAW_STRING.match(text, at) or _TOKEN.match(text, at)
        if found is None:
            hint = _HINTS.get(text[at])
            raise RuleError([Problem(find(at), f"'{text[at]}' means nothing here", hint)])
        kind = found.lastgroup or "string"
        if kind != "space":
            tokens.append(Token(kind, found.group(), at))
        at = found.end()
    tokens.append(Token("end", "", len(text)))
    return tokens
