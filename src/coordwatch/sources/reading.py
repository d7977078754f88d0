"""Reading nodes: what a file holds against what it may hold, with every complaint at its place.

What enters: nodes of `documents`. What leaves: their values, and a list of problems that grows while reading goes on.
The next room: `parse` and `catalogue`, which know the words of their files.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from coordwatch.documents import Fields, Items, Node, Scalar, did_you_mean
from coordwatch.errors import Place, Problem
from coordwatch.sources.mapping import Plain


@dataclass(slots=True)
class Reading:
    """The problems found so far in one file; every reader gives something harmless where it found one."""

    path: str
    problems: list[Problem] = field(default_factory=list)

    def problem(self, place: Place, message: str, hint: str | None = None) -> None:
        """Note a problem and go on."""
        self.problems.append(Problem(place, message, hint))

    def fields(self, node: Node | None, what: str, known: Collection[str] | None = None) -> dict[str, Node]:
        """Give the named nodes of a mapping; a name that is not known is a problem."""
        if node is None:
            return {}
        if not isinstance(node, Fields):
            self.problem(node.place, f"{what} wants names with values", "write name: value, one a line")
            return {}
        for name in node.items if known is not None else ():
            if name not in (known or ()):
                self.problem(node.places[name], f"{what} has no '{name}'", did_you_mean(name, known or ()))
        return {name: value for name, value in node.items.items() if known is None or name in known}

    def items(self, node: Node | None, what: str) -> tuple[Node, ...]:
        """Give the elements of a list."""
        if node is None:
            return ()
        if not isinstance(node, Items):
            self.problem(node.place, f"{what} wants a list", "begin each element with '- '")
            return ()
        return node.items

    def text(self, node: Node | None, what: str) -> str | None:
        """Give a text that is not empty."""
        if node is None:
            return None
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.value:
            self.problem(node.place, f"{what} wants a text", "quote it when it looks like a number")
            return None
        return node.value

    def choice(self, node: Node | None, what: str, choices: Collection[str]) -> str | None:
        """Give one word out of a closed list."""
        word = self.text(node, what)
        if word is None or node is None or word in choices:
            return word
        self.problem(node.place, f"'{word}' is no {what}", did_you_mean(word, choices))
        return None

    def flag(self, node: Node | None, what: str) -> bool:
        """Give true or false; absent is false."""
        if node is None:
            return False
        if not isinstance(node, Scalar) or not isinstance(node.value, bool):
            self.problem(node.place, f"{what} wants true or false")
            return False
        return node.value

    def plain(self, node: Node | None, what: str) -> Plain | None:
        """Give a text, a number or a boolean."""
        if node is None:
            return None
        if not isinstance(node, Scalar) or node.value is None:
            self.problem(node.place, f"{what} wants a text, a number, true or false")
            return None
        return node.value

    def table(self, node: Node | None, what: str) -> Mapping[str, Plain]:
        """Give a table of words and what they mean."""
        rows = self.fields(node, what)
        return {
            name: value for name, row in rows.items() if (value := self.plain(row, f"{what}: '{name}'")) is not None
        }

    def words(self, node: Node | None, what: str, known: Collection[str]) -> Mapping[str, str]:
        """Give texts by name."""
        rows = self.fields(node, what, known)
        return {name: value for name, row in rows.items() if (value := self.text(row, f"{what}: {name}")) is not None}
