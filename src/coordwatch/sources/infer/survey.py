"""A survey: every field of many payloads, how often it is there, what its values look like, and a few of them.

What enters: pieces of payloads with what their wrappers said. What leaves: Fields by path. The next room: `choose`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from coordwatch.sources.infer.shapes import shapes_of
from coordwatch.sources.paths import Scope

DEPTH_MAX, FIELDS_MAX, VALUES_MAX, LIST_MAX, PATH_MAX = 8, 2000, 300, 20, 300
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TECHNICAL = re.compile(
    r"accept.*|user-agent|host|content-.*|authorization|cookie|x-forwarded-.*|connection|via|.*signature.*|.*hmac.*|"
    r".*traceparent.*|.*request-timestamp"
)


@dataclass(slots=True)
class FieldSeen:
    """One field: its path, the words of its name, in how many pieces it is, and what its values look like.

    `present` has one bit for each piece that holds it.
    """

    path: str
    words: tuple[str, ...]
    depth: int
    pieces: int = 0
    values: int = 0
    shapes: Counter[str] = field(default_factory=Counter)
    distinct: dict[str, Any] = field(default_factory=dict)
    many: bool = False
    present: int = 0

    @property
    def listed(self) -> bool:
        """Whether it is inside a list."""
        return "[*]" in self.path or self.many

    def share(self, shape: str) -> float:
        """Which part of its values has this shape."""
        return self.shapes[shape] / self.values if self.values else 0.0

    @property
    def numbered(self) -> bool:
        """Whether every value has a digit, as ids have and words have not."""
        return all(any(letter.isdigit() for letter in str(value)) for value in self.distinct.values())

    def add(self, value: Any) -> None:
        """Note one value."""
        self.values += 1
        self.shapes.update(shapes_of(value))
        if len(self.distinct) < VALUES_MAX:
            self.distinct.setdefault(f"{type(value).__name__}:{value}"[:200], value)

    @property
    def examples(self) -> Sequence[Any]:
        """Three of its values."""
        return list(self.distinct.values())[:3]


@dataclass(slots=True)
class Survey:
    """All fields of all pieces."""

    pieces: int = 0
    fields: dict[str, FieldSeen] = field(default_factory=dict)

    def covered(self, one: FieldSeen) -> float:
        """In which part of the pieces a field is."""
        return one.pieces / self.pieces if self.pieces else 0.0

    @property
    def all(self) -> int:
        """A bit for each piece."""
        return ((1 << self.pieces) - 1) << 1


def survey(scopes: Iterable[Scope]) -> Survey:
    """Look at every field of the pieces, of their headers and of what wrappers said."""
    found = Survey()
    for scope in scopes:
        found.pieces += 1
        seen: set[str] = set()
        leaves = [(steps, value) for steps, value in _leaves(scope.item, (), 0)]
        leaves += [(("$attributes", name), value) for name, value in scope.attributes.items() if name != "origin"]
        leaves += [
            (("$headers", name), value) for name, value in scope.headers.items() if not _TECHNICAL.fullmatch(name)
        ]
        for steps, value in leaves:
            _note(found, steps, value, seen)
    return found


def _note(found: Survey, steps: tuple[str, ...], value: Any, seen: set[str]) -> None:
    many = steps[-1:] == ("[*]",)
    path = path_of(steps[:-1] if many else steps)
    one = found.fields.get(path)
    if one is None:
        if len(found.fields) >= FIELDS_MAX or value is None or len(path) > PATH_MAX:
            return
        names = [step for step in steps if step not in ("[*]", "$attributes", "$headers")]
        words = tuple(word.lower() for name in names for word in _WORDS.findall(name))
        one = found.fields[path] = FieldSeen(path, words, len(names), many=many)
    if value is None or isinstance(value, dict | list):
        return
    if path not in seen:
        seen.add(path)
        one.pieces += 1
        one.present |= 1 << found.pieces
    one.add(value)


def _leaves(value: Any, steps: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and depth < DEPTH_MAX:
        for name, inner in value.items():
            yield from _leaves(inner, (*steps, name), depth + 1)
    elif isinstance(value, list):
        for inner in value[:LIST_MAX]:
            yield from _leaves(inner, (*steps, "[*]"), depth + 1)
    elif steps:
        yield steps, value


def path_of(steps: Sequence[str]) -> str:
    """The steps as a path that a mapping can hold."""
    text = ""
    for step in steps:
        if step == "[*]":
            text += "[*]"
            continue
        plain = step in ("$attributes", "$headers") or _PLAIN.fullmatch(step)
        quoted = step.replace("\\", "\\\\").replace('"', '\\"')
        text += ("." if text else "") + (step if plain else f'"{quoted}"')
    return text
