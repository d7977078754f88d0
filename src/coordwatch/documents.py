"""Strict YAML with places: text in, a tree of nodes that know their line and column out.

Rules, source mappings and catalogues are all read through here, so that every complaint can say `path:line:column`.
Duplicate keys, the YAML boolean trap (`no`, `on`), aliases, depth and size are refused, all problems at once.
"""

import difflib
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from coordwatch.errors import DocumentError, Place, Problem

DEPTH_MAX = 64
SIZE_MAX = 4_000_000
_TRAP = re.compile(r"^(yes|no|on|off|y|n)$", re.IGNORECASE)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: text, number, boolean or nothing, with the text as it was written."""

    value: str | int | float | bool | None
    text: str
    quoted: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Items:
    """A list of nodes."""

    items: tuple["Node", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping of names to nodes; `places` are the places of the keys."""

    items: dict[str, "Node"]
    places: dict[str, Place]
    place: Place


Node = Scalar | Items | Fields


@dataclass(slots=True)
class _Reader:
    path: str
    problems: list[Problem] = field(default_factory=list)

    def place(self, mark: Any) -> Place:
        return Place(self.path, mark.line + 1, mark.column + 1)

    def problem(self, mark: Any, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(self.place(mark), message, hint))


def read_documents(text: str, path: str) -> list[Node]:
    """Read every YAML document of a text.

    Raises: DocumentError with every problem: syntax, duplicate keys, boolean traps, aliases, depth, size
    """
    reader = _Reader(path)
    if len(text) > SIZE_MAX:
        raise DocumentError([Problem(Place(path), f"the file is larger than {SIZE_MAX:,} characters", "split it")])
    _refuse_aliases_and_depth(text, path)
    try:
        trees = list(yaml.compose_all(text, Loader=_LOADER))
    except (yaml.YAMLError, ValueError) as error:
        raise DocumentError([_syntax_problem(error, path, text)]) from None
    nodes = [_node(tree, reader) for tree in trees]
    if reader.problems:
        raise DocumentError(reader.problems)
    return nodes


def plain(node: Node) -> Any:
    """The plain Python data of a node, without places."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.items.items()}


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that looks most like the word, None when none does."""
    close = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(word: str, choices: Iterable[str]) -> str | None:
    """The nearest choice as a hint for a message, or the list of choices when it is short."""
    known = sorted(choices)
    close = nearest(word, known)
    if close:
        return f"did you mean '{close}'?"
    return f"one of: {', '.join(known)}" if 0 < len(known) <= 12 else None


def _refuse_aliases_and_depth(text: str, path: str) -> None:
    """Look at the flat event stream first, so that a bomb is refused before it is expanded."""
    depth = 0
    try:
        event: Any
        for event in _events(text):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                mark: Any = event.start_mark
                raise DocumentError(
                    [
                        Problem(
                            Place(path, mark.line + 1, mark.column + 1),
                            "YAML anchors and aliases are not allowed",
                            "write the value out",
                        )
                    ]
                )
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                depth += 1
                if depth > DEPTH_MAX:
                    mark = event.start_mark
                    raise DocumentError(
                        [Problem(Place(path, mark.line + 1, mark.column + 1), f"nested deeper than {DEPTH_MAX} levels")]
                    )
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                depth -= 1
    except (yaml.YAMLError, ValueError) as error:
        raise DocumentError([_syntax_problem(error, path, text)]) from None


def _events(text: str) -> Iterator[Any]:
    yield from yaml.parse(text, Loader=_LOADER)


def _syntax_problem(error: Exception, path: str, written: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    text = getattr(error, "problem", None) or str(error).splitlines()[0]
    context = str(getattr(error, "context", "") or "")
    if "simple key" in context:
        mark = getattr(error, "context_mark", None) or mark  # where the word stands that lacks its colon
    place = Place(path, mark.line + 1, mark.column + 1) if mark is not None else Place(path)
    hint = None
    if "flow" in context or "did not find expected ',' or" in text:
        hint = "quote an expression that holds [, { or a comma: where: 'status in [\"solved\"]'"
    elif "cannot start any token" in text:
        tab = mark is not None and written[mark.index : mark.index + 1] == "\t"
        hint = "indent with blanks: this is a tab" if tab else "quote a text that begins like this"
    elif "simple key" in context:
        hint = "a key ends with a colon and a blank: name: value"
    elif "mapping values" in text:
        hint = 'quote a text that holds a colon and a blank: "a: b"'
    elif "expected key" in text or "expected '-'" in text:
        hint = "lines that belong together begin in one column: look how far this one is indented"
    return Problem(place, f"not valid YAML: {text}", hint)


def _node(tree: Any, reader: _Reader) -> Node:
    place = reader.place(tree.start_mark)
    if isinstance(tree, yaml.ScalarNode):
        return _scalar(tree, place, reader)
    if isinstance(tree, yaml.SequenceNode):
        return Items(tuple(_node(item, reader) for item in tree.value), place)
    return _fields(tree, place, reader)


def _fields(tree: Any, place: Place, reader: _Reader) -> Fields:
    items: dict[str, Node] = {}
    places: dict[str, Place] = {}
    for key_node, value_node in tree.value:
        if not isinstance(key_node, yaml.ScalarNode):
            reader.problem(key_node.start_mark, "a key must be a plain word")
            continue
        key = str(key_node.value)
        if key == "<<":
            reader.problem(key_node.start_mark, "YAML merge keys are not allowed", "write the value out")
        if key in items:
            reader.problem(
                key_node.start_mark, f"the key '{key}' stands here twice", f"first at line {places[key].line}"
            )
            continue
        places[key] = reader.place(key_node.start_mark)
        items[key] = _node(value_node, reader)
    return Fields(items, places, place)


def _scalar(tree: Any, place: Place, reader: _Reader) -> Scalar:
    text = str(tree.value)
    quoted = bool(tree.style)
    if quoted:
        return Scalar(text, text, True, place)
    kind = tree.tag.rsplit(":", 1)[-1]
    if kind == "null":
        return Scalar(None, text, False, place)
    if kind == "bool":
        if text.lower() not in ("true", "false"):
            reader.problem(
                tree.start_mark, f"'{text}' is a boolean in YAML", f'write true or false, or quote it: "{text}"'
            )
        return Scalar(text.lower() == "true", text, False, place)
    if _TRAP.match(text):
        reader.problem(tree.start_mark, f"'{text}' is a boolean to some YAML readers", f'quote it: "{text}"')
    return Scalar(_number(text, kind), text, False, place)


def _number(text: str, kind: str) -> str | int | float:
    digits = text.replace("_", "")
    try:
        if kind == "int" and re.fullmatch(r"[-+]?(0|[1-9][0-9]*)", digits) and len(digits) <= 20:
            return int(digits)
        if kind == "float":
            number = float(digits)
            return number if math.isfinite(number) else text
    except ValueError:
        return text
    return text
