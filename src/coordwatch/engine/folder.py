"""Folder: everything kept of one customer, closed: bytes, and the few numbers that say whether it must be opened at all.

What enters: the rows of facts and what was said of acts. What leaves: the same as bytes. The next room: `folders`, which
opens them.

The bytes begin with numbers at fixed places, the next deadline first. Then come the digests of the events' ids, the index of
the rows, what is seldom there, what was said, and the rows. Most events read no more than the numbers and the digests, and
what they add stands apart until the folder is closed again: a customer who was not touched for long lies far away in memory.
"""

from struct import Struct, error
from zlib import crc32

from coordwatch.codec import pack, unpack
from coordwatch.context.journal import LONG_AGO
from coordwatch.engine.book import VERSION
from coordwatch.engine.state import Said, UnknownSnapshot, entry_from_plain

NEVER = 2**62
UNSEEN = -(2**31)
"""The `room` of a folder that another plan wrote: what rules said that are gone must be ended first."""

TAG = 4
_AHEAD = Struct(">qq")
_VERSION_AT = _AHEAD.size
_HEAD = Struct(">qqBBQqqQQiIIIIII")
_ARRAY = Struct(">BI")
_WIDE = 2**64


class Folder:
    """What is kept of one customer, closed.

    `book` names how the rows are laid out; `present` and `said` are the bits of all facts and, by rule number, of what was
    said. `expires` is when the first fact becomes too old, `room` how many more may come before some are too many, `reads`
    the time of the latest act that read facts across customers. `names` holds a short digest of each event's id; `told` is
    how many entries there are, `in_order` whether the rows are in the order of their facts. What was added since the folder
    was closed lies in `new_index`, `new_entries` and `new_rows`.

    Units: microseconds since 1970 UTC
    """

    __slots__ = (
        "_bytes", "_entries", "_index", "_places", "_rows", "book", "deadline", "expires", "in_order", "latest", "names",
        "new_entries", "new_index", "new_rows", "present", "reads", "room", "said", "told", "too_late", "truncated",
    )  # fmt: skip
    # None: as it lies in the bytes.
    _entries: bytes | None
    _index: bytes | None
    _rows: bytes | None

    def __init__(self, book: int, room: int) -> None:
        self.book, self.room, self.expires, self.reads, self.too_late = book, room, NEVER, LONG_AGO, 0
        self.truncated: dict[str, int] = {}
        self._bytes, self._places = b"", (0, 0, 0, 0)
        self.set_rows(b"", b"", b"")
        self.clear_entries()
        self.present, self.latest = 0, LONG_AGO

    # ---- parts

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of the customer."""
        return not self.names and not self.told

    @property
    def index(self) -> bytes:
        """A line for every row: time, begin, length, type and bits."""
        begin, end, _, _ = self._places
        return (self._bytes[begin:end] if self._index is None else self._index) + self.new_index

    @property
    def size(self) -> int:
        """How many bytes all rows have: where the next one begins."""
        first = len(self._bytes) - self._places[3] if self._rows is None else len(self._rows)
        return first + len(self.new_rows)

    @property
    def rows(self) -> bytes:
        """Every row, one behind the other."""
        first = self._bytes[self._places[3] :] if self._rows is None else self._rows
        return first + self.new_rows if self.new_rows else first

    @property
    def row_parts(self) -> tuple[bytes, int, bytes]:
        """The rows without a copy: bytes, where in them the rows begin, and the rows that were added since."""
        if self._rows is None:
            return self._bytes, self._places[3], self.new_rows
        return self._rows, 0, self.new_rows

    @property
    def entries(self) -> Said:
        """What was said of each act."""
        if not self.told:
            return {}
        _, _, begin, end = self._places
        first = self._bytes[begin:end] if self._entries is None else self._entries
        return dict(map(entry_from_plain, unpack(_ARRAY.pack(0xDD, self.told) + first + self.new_entries)))

    def set_rows(self, names: bytes, index: bytes, rows: bytes) -> None:
        """Put other rows in the place of those that are there."""
        self.names, self.in_order = names, True
        self._index, self._rows = index, rows
        self.new_index = self.new_rows = b""

    def clear_entries(self) -> None:
        """Forget everything that was said."""
        self._entries, self.new_entries = b"", b""
        self.told, self.said, self.deadline = 0, 0, NEVER

    def mentions(self, value: bytes) -> bool:
        """Whether some row holds this text somewhere."""
        if self._rows is None:
            if self._bytes.find(value, self._places[3]) >= 0:
                return True
        elif value in self._rows:
            return True
        return value in self.new_rows

    # ---- bytes

    def encode(self) -> bytes:
        """All of it as bytes."""
        present, said, begin = self.present, self.said, self._places
        rest = pack([self.truncated]) if self.truncated else b""
        if present >= _WIDE or said >= _WIDE:
            rest = pack([self.truncated, _bytes_of(present), _bytes_of(said)])
            present = said = 0
        whole = self._bytes
        index = whole[begin[0] : begin[1]] if self._index is None else self._index
        entries = whole[begin[2] : begin[3]] if self._entries is None else self._entries
        rows = whole[begin[3] :] if self._rows is None else self._rows
        head = _HEAD.pack(
            self.deadline, self.reads, VERSION, self.in_order, self.book, self.latest, self.expires, present, said,
            self.room, self.too_late, self.told, len(self.names), len(index) + len(self.new_index), len(rest),
            len(entries) + len(self.new_entries),
        )  # fmt: skip
        return b"".join((head, self.names, index, self.new_index, rest, entries, self.new_entries, rows, self.new_rows))

    @classmethod
    def decode(cls, value: bytes) -> "Folder":
        """A folder out of its bytes.

        Raises: UnknownSnapshot when another version of the program wrote them
        """
        try:
            (
                deadline, reads, version, in_order, book, latest, expires, present, said, room, too_late, told, names, index,
                rest, entries,
            ) = _HEAD.unpack_from(value)  # fmt: skip
        except error:
            raise unknown(value) from None
        if version != VERSION:
            raise unknown(value)
        self = cls.__new__(cls)
        self.deadline, self.reads, self.in_order, self.book, self.latest = deadline, reads, in_order, book, latest
        self.expires, self.present, self.said, self.room = expires, present, said, room
        self.too_late, self.told = too_late, told
        begin = _HEAD.size + names
        self.names = value[_HEAD.size : begin]
        after = begin + index
        self._bytes, self._places = value, (begin, after, after + rest, after + rest + entries)
        self._index = self._entries = self._rows = None
        self.new_index = self.new_entries = self.new_rows = b""
        self.truncated = {}
        if rest:
            self._read_rest(value[after : after + rest])
        return self

    def _read_rest(self, rest: bytes) -> None:
        """Read what is seldom there: which types are not complete, and bits that need more than 64."""
        self.truncated, *wide = unpack(rest)
        if wide:
            self.present, self.said = (int.from_bytes(bits, "big") for bits in wide)


def deadline_in(value: bytes) -> int:
    """The next deadline of a closed folder, NEVER when there is none; reads no more than that."""
    return int(_AHEAD.unpack_from(value)[0])


def reads_in(value: bytes) -> int:
    """The time of the latest act that read facts across customers; reads no more than that."""
    return int(_AHEAD.unpack_from(value)[1])


def tag_of(event_id: str) -> bytes:
    """A short digest of an event's id: where it is not among a folder's names, the event is new."""
    return crc32(event_id.encode("utf-8", "surrogatepass")).to_bytes(TAG, "big")


def unknown(value: bytes) -> UnknownSnapshot:
    """Say which version wrote some bytes, as far as they tell."""
    version = value[_VERSION_AT] if len(value) > _VERSION_AT else 0
    if version > VERSION:
        return UnknownSnapshot(
            f"the state was written by version {version}, this program reads up to {VERSION}: start the newer program "
            "again, or build the state again from the events"
        )
    return UnknownSnapshot("the state cannot be read; build it again from the events")


def _bytes_of(bits: int) -> bytes:
    return bits.to_bytes((bits.bit_length() + 7) // 8, "big")
