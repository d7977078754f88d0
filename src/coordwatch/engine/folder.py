"""Folder: everything kept of one customer, closed: bytes, and the few numbers that say whether it must be opened at all.

What enters: the rows of facts and what was said of acts. What leaves: the same as bytes. The next room: `folders`, which
opens them.
"""

from collections.abc import Mapping
from struct import Struct
from zlib import crc32

import msgspec

from coordwatch.codec import unpack
from coordwatch.context.journal import LONG_AGO
from coordwatch.engine.book import VERSION
from coordwatch.engine.state import Said, UnknownSnapshot, entry_from_plain

NEVER = 2**62
UNSEEN = -(2**31)
"""The `room` of a folder that another plan wrote: what rules said that are gone must be ended first."""

TAG = 4
_WIDE = 2**63
_AHEAD = Struct(">qq")
_ARRAY = Struct(">BI")
_encode = msgspec.msgpack.Encoder().encode


class Folder(msgspec.Struct, array_like=True, gc=False):
    """What is kept of one customer, closed.

    `book` names how the rows are laid out; `present` and `said` are the bits of all facts and, by rule number, of what was
    said; in bytes they are `wide` where a number is too large for 64 bits. `expires` is when the first fact becomes too old,
    `room` how many more may come before some are too many, `reads` the time of the latest act that read facts across
    customers. `index` holds time, length, type and bits of each row, `names` a short digest of each event's id; `told` is how
    many entries there are, `in_order` whether the rows are in the order of their facts.

    Units: microseconds since 1970 UTC
    """

    version: int
    book: int
    deadline: int = NEVER
    reads: int = LONG_AGO
    latest: int = LONG_AGO
    expires: int = NEVER
    room: int = 0
    too_late: int = 0
    present: int = 0
    said: int = 0
    told: int = 0
    in_order: bool = True
    truncated: dict[str, int] = {}
    entries: bytes = b""
    names: bytes = b""
    index: bytes = b""
    rows: bytearray = msgspec.field(default_factory=bytearray)
    wide: tuple[bytes, bytes] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of the customer."""
        return not self.rows and not self.told

    def encode(self) -> bytes:
        """The bytes; the deadline and the time of the latest reading act stand before everything else."""
        present, said = self.present, self.said
        if present < _WIDE and said < _WIDE:
            return _AHEAD.pack(self.deadline, self.reads) + _encode(self)
        self.present, self.said, self.wide = 0, 0, (_bytes_of(present), _bytes_of(said))
        value = _AHEAD.pack(self.deadline, self.reads) + _encode(self)
        self.present, self.said, self.wide = present, said, None
        return value

    def entries_of(self) -> Said:
        """What was said of each act."""
        if not self.told:
            return {}
        return dict(map(entry_from_plain, unpack(_ARRAY.pack(0xDD, self.told) + self.entries)))


_decode = msgspec.msgpack.Decoder(Folder).decode


def decode(value: bytes) -> Folder:
    """A folder out of its bytes.

    Raises: UnknownSnapshot when another version of the program wrote them
    """
    try:
        folder = _decode(value[_AHEAD.size :])
    except msgspec.DecodeError:
        raise unknown(value[_AHEAD.size :]) from None
    if folder.version != VERSION:
        raise unknown(value[_AHEAD.size :])
    if folder.wide is not None:
        folder.present, folder.said = (int.from_bytes(bits, "big") for bits in folder.wide)
        folder.wide = None
    return folder


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
    try:
        plain = unpack(value)
        version = plain["version"] if isinstance(plain, Mapping) else plain[0]
        if isinstance(version, int) and version > VERSION:
            return UnknownSnapshot(
                f"the state was written by version {version}, this program reads up to {VERSION}: start the newer "
                "program again, or build the state again from the events"
            )
    except (ValueError, TypeError, KeyError, IndexError):
        pass
    return UnknownSnapshot("the state cannot be read; build it again from the events")


def _bytes_of(bits: int) -> bytes:
    return bits.to_bytes((bits.bit_length() + 7) // 8, "big")
