"""Rows of the detect state: the keys and the versioned bytes of everything that one partition remembers.

Plain values enter and bytes leave, or the other way round. The next room: `watching`, which holds a partition.
"""

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any

from coordwatch.codec import pack, unpack
from coordwatch.engine.state import UnknownSnapshot
from coordwatch.processor.marks import Mark
from coordwatch.processor.outcomes import Reach

VERSION = 1
CUSTOMER, READS, COUNT, MARK, RULE = b"customer/", b"reads/", b"count/", b"mark/", b"rule/"
PLACE, TALLIES = b"place", b"tallies"

DEADLINE = Struct(">q")
"""A customer's next deadline stands before the snapshot, so that it can be read without the rest."""

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


def customer_key(customer: str) -> bytes:
    """The key of a customer's row."""
    return CUSTOMER + customer.encode()


def snapshot_of(row: bytes) -> bytes:
    """The snapshot in a customer's row."""
    return row[DEADLINE.size :]


def pack_mark(mark: Mark) -> bytes:
    """The row of what one emitter said."""
    progress = {name: {place: list(one) for place, one in places.items()} for name, places in mark.progress.items()}
    return pack_row(mark.of, progress)


def unpack_mark(key: bytes, value: bytes) -> Mark:
    """What one emitter said, from its row. Raises: UnknownSnapshot."""
    of, progress = unpack_row(key, value)
    reaches = {name: {place: Reach(*one) for place, one in places.items()} for name, places in progress.items()}
    return Mark(reaches, key.removeprefix(MARK).decode(), of)
