"""Books: how the rows of customers are laid out under one plan, so that another plan can read them.

A plan enters, or what an older one left; a Book leaves, for `folders`.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from struct import Struct
from typing import Any

from coordwatch.context.fact import MASK
from coordwatch.context.journal import Row
from coordwatch.rules.plan import Plan

VERSION = 2
"""Of the state of customers; raised whenever bytes of the present version could no longer be read as they are."""

_NARROW = 8


class Book:
    """A number for each event type, the names of its values in order, and how many bytes the bits of a fact need."""

    __slots__ = ("_form", "codes", "digest", "heads", "is_wide", "types", "width")

    def __init__(self, types: Sequence[str], heads: Sequence[Sequence[str]], width: int, digest: int = 0) -> None:
        self.types, self.width, self.digest = tuple(types), width, digest
        self.heads = tuple(tuple(names) for names in heads)
        self.codes = {event_type: code for code, event_type in enumerate(self.types)}
        self.is_wide = width > _NARROW
        # Time and bits stand where a fact has them: time, begin, length, type, a place that is not used, bits.
        self._form = Struct(f"<qIIBB{width}s" if self.is_wide else "<qIIBBQ")

    @property
    def line(self) -> int:
        """How many bytes of an index one row has."""
        return self._form.size

    def packer(self) -> Callable[[int, int, int, int, int, int], bytes]:
        """What makes the line of one row in the index of a folder, of time, begin, length, type, 0 and bits."""
        form, width = self._form, self.width
        if self.is_wide:
            return lambda *line: form.pack(*line[:MASK], line[MASK].to_bytes(width, "little"))
        return form.pack

    def unpack(self, index: bytes) -> list[Row]:
        """Every line of an index, its time and its bits in the places where a fact has them."""
        rows: list[Row] = list(self._form.iter_unpack(index))
        if self.is_wide:
            return [(*row[:MASK], int.from_bytes(row[MASK], "little")) for row in rows]
        return rows

    def plain(self) -> list[Any]:
        """As plain data for a row."""
        return [list(self.types), [list(names) for names in self.heads], self.width]


def book_of(plan: Plan) -> Book:
    """The book of a plan; another plan whose facts carry the same bits for the same reasons has an equal one."""
    layouts = plan.layouts.by_type
    types, heads = list(layouts), [layout.heads for layout in layouts.values()]
    bits = max((bit.bit_length() for layout in layouts.values() for bit in layout.conditions), default=0)
    rules = [(rule.id, rule.revision) for rule in plan.rules]
    shape = repr((VERSION, types, heads, bits, rules)).encode()
    digest = int.from_bytes(sha256(shape).digest()[:6], "big")
    return Book(types, heads, max(_NARROW, (bits + 7) // 8), digest)
