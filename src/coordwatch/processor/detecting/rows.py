"""Rows of the detect state: the keys and the versioned bytes of everything that one partition remembers.

Plain values enter and bytes leave, or the other way round. The next room: `watching`, which holds a partition.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from coordwatch.codec import pack, unpack
from coordwatch.engine.folders import Folders
from coordwatch.engine.state import CustomerState, UnknownSnapshot
from coordwatch.processor.marks import Mark
from coordwatch.processor.outcomes import Reach

VERSION = 1
CUSTOMER, COUNT, MARK, RULE, BOOK = b"customer/", b"count/", b"mark/", b"rule/", b"book/"
HELD = b"held/"
PLACE, TALLIES, SUPPRESSING = b"place", b"tallies", b"suppressing"


class Restored:
    """What the rows of a partition say; its counts are taken up by its books."""

    def __init__(self) -> None:
        self.fence: int | None = None
        self.facts_end: int | None = None
        self.customers: dict[bytes, bytes] = {}
        self.marks: list[Mark] = []
        self.rules: dict[str, tuple[str, int]] = {}
        self.books: dict[int, Sequence[Any]] = {}
        self.held: dict[bytes, Sequence[Any]] = {}
        self.suppressing = ""


class Counted(Protocol):
    """Takes up rows of counts."""

    def restore(self, key: bytes, value: bytes) -> bool:
        """Take a row. Gives: whether it was one of counts."""
        ...


Books = Mapping[int, Sequence[Any]]
Upcaster = Callable[[list[Any]], list[Any]]

UPCASTERS: Mapping[int, Upcaster] = {}
"""For each older version, what makes its parts those of the next one. Version 1 is the first."""


def pack_row(*parts: Any) -> bytes:
    """A row of the present version."""
    return pack([VERSION, *parts])


def unpack_row(key: bytes, value: bytes) -> list[Any]:
    """The parts of a row.

    Raises: UnknownSnapshot when another version of the program wrote it; the message says what to do
    """
    parts: list[Any]
    try:
        version, *parts = unpack(value)
    except (ValueError, TypeError):
        raise UnknownSnapshot(f"the row {key[:60]!r} cannot be read; build the state again from the events") from None
    while version != VERSION:
        upcast = UPCASTERS.get(version)
        if upcast is None:
            raise UnknownSnapshot(
                f"the row {key[:60]!r} was written by version {version} of the state, this program reads up to "
                f"{VERSION}: start the newer program again, or build the state again from the events"
            )
        version, parts = version + 1, upcast(parts)
    return parts


def pack_mark(mark: Mark) -> bytes:
    """The row of what one emitter said."""
    progress = {name: {place: list(one) for place, one in places.items()} for name, places in mark.progress.items()}
    return pack_row(mark.of, progress)


def unpack_mark(key: bytes, value: bytes) -> Mark:
    """What one emitter said, from its row. Raises: UnknownSnapshot."""
    of, progress = unpack_row(key, value)
    reaches = {name: {place: Reach(*one) for place, one in places.items()} for name, places in progress.items()}
    return Mark(reaches, key.removeprefix(MARK).decode(), of)


def customer_key(customer: str) -> bytes:
    """The key of a customer's row."""
    return CUSTOMER + customer.encode()


def state_of(customer: str, found: Mapping[bytes, bytes], folders: Callable[[Books], Folders]) -> CustomerState:
    """A customer's state out of its row and the rows that say how such rows are laid out.

    Takes: `folders`, which makes the folders of a plan
    Raises: UnknownSnapshot
    """
    books = {
        int(key.removeprefix(BOOK), 16): unpack_row(key, row) for key, row in found.items() if key.startswith(BOOK)
    }
    return folders(books).restore(customer, found.get(customer_key(customer)))


def book_key(digest: int) -> bytes:
    """The key of the row that says how the rows of customers are laid out."""
    return BOOK + f"{digest:012x}".encode()


def restore(stored: Mapping[bytes, bytes], counted: Counted) -> Restored:
    """What the rows of a partition say; customers stay bytes.

    Raises: UnknownSnapshot when a newer program wrote them
    """
    found, prefix = Restored(), len(CUSTOMER)
    for key, value in stored.items():
        if key.startswith(CUSTOMER):
            found.customers[key[prefix:]] = value
        elif key == PLACE:
            found.fence, found.facts_end = unpack_row(key, value)
        elif key.startswith(MARK):
            found.marks.append(unpack_mark(key, value))
        elif key.startswith(RULE):
            revision, first = unpack_row(key, value)
            found.rules[key.removeprefix(RULE).decode()] = (revision, first)
        elif key.startswith(BOOK):
            found.books[int(key.removeprefix(BOOK), 16)] = unpack_row(key, value)
        elif key.startswith(HELD):
            found.held[key.removeprefix(HELD)] = unpack_row(key, value)
        elif key == SUPPRESSING:
            (found.suppressing,) = unpack_row(key, value)
        elif not counted.restore(key, value):
            raise UnknownSnapshot(
                f"the row {key[:60]!r} is of no kind that this program knows: a newer program wrote it, so start that one "
                "again, or build the state again from the events"
            )
    return found
