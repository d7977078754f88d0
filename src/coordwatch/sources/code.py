"""Code: expressions over a Scope in, one Python function out. A mapping is written out as the loop that a person would write.

What enters: pieces of Python text made by `paths`, `conditions`, `values` and `fill`. What leaves: functions of a Scope.
The next room: `mapper`, which calls them.

No word of a mapping is ever part of the text: whatever comes from a file stands among the `names` as a value, so a mapping
can say what is done in no other way than by what it is. Ten small functions in each other cost more than their work does.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_KNOWN: dict[str, object] = {
    "__builtins__": {},
    "type": type,
    "dict": dict,
    "str": str,
    "int": int,
    "float": float,
    "list": list,
    "len": len,
    "bool": bool,
}
_EMPTY: dict[str, Any] = {}
_PLAIN = str | int | float | bool | None


class Code:
    """The names that one function reads. With `item_is_dict`, `item` and `let` stand for those of its Scope.

    Takes: `let`, the functions of the names that were made so far, each of which puts down what it makes
    """

    def __init__(self, *, item_is_dict: bool = False, let: Mapping[str, Callable[[Any], Any]] = {}) -> None:
        self.item_is_dict, self.let = item_is_dict, let
        self.each_is_local = False
        self.names: dict[str, object] = dict(_KNOWN)
        self._named: dict[object, str] = {}
        self._objects: dict[str, str] = {}
        self._temporaries = 0

    def name(self, value: object) -> str:
        """Give the name under which the function reads a value."""
        what = (type(value), repr(value)) if isinstance(value, _PLAIN) else id(value)
        name = self._named.get(what)
        if name is None:
            name = self._named[what] = f"k{len(self.names)}"
            self.names[name] = value
        return name

    def temporary(self) -> str:
        """Give a variable that nothing else uses."""
        self._temporaries += 1
        return f"t{self._temporaries}"

    def object_at(self, place: str) -> str:
        """Give a variable for the object that stands at a place, an empty one where there is none; only `.get` is asked of it.

        Takes: `place`, an expression that is the same, and changes nothing, wherever in the function it stands
        """
        return self._objects.setdefault(place, f"o{len(self._objects)}")

    def getter(self, expression: str) -> Callable[[Any], Any]:
        """Make the function of a Scope that gives an expression."""
        return self.function([f"return {expression}"])

    def function(self, lines: Sequence[str]) -> Callable[[Any], Any]:
        """Make the function of a Scope with these lines."""
        beginning = ["item = scope.item", "let = scope.let"] if self.item_is_dict else []
        text = "\n    ".join(["def made(scope):", *beginning, *self._with_objects(lines)])
        exec(compile(text, "<mapping>", "exec"), self.names)  # noqa: S102 - our own text, see above
        made: Callable[[Any], Any] = self.names["made"]  # type: ignore[assignment]
        return made

    def _with_objects(self, lines: Sequence[str]) -> list[str]:
        """Read the objects that are used more than once at the beginning, and each of the others where it is used."""
        text, empty = "\n".join(lines), self.name(_EMPTY)
        for place, name in reversed(self._objects.items()):
            uses = re.compile(rf"\b{name}\.get\((\w+)\)")
            if len(uses.findall(text)) > 1:
                text = f"{name} = {name} if type({name} := {place}) is dict else {empty}\n{text}"
            else:
                held = self.temporary()
                text = uses.sub(rf"({held}.get(\1) if type({held} := {place}) is dict else None)", text)
        return text.split("\n")
