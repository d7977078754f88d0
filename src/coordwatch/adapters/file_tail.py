"""A file of lines, read from where the last commit left it and followed as it grows.

What enters: a path and a position.
What leaves: whole lines with their offsets, and the position after them.
The next room: `embedded`, which commits the position with what the lines changed.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from coordwatch.codec import NotJson, decode_json
from coordwatch.errors import PermanentError

LINE_MAX = 16 * 1024 * 1024
_HEAD = 4096
_STILL = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end, and where in the file it begins."""

    offset: int
    text: bytes


class FileTail:
    """Reads a file to its end once, or follows it through growth, truncation and rotation.

    A position says how far was read and how the file begins, so that another file under the same name is read whole.
    A line longer than LINE_MAX comes in pieces; nothing of it is lost.
    """

    def __init__(self, path: Path, *, follow: bool, position: str | None = None) -> None:
        self._path = path
        self._follow = follow
        self._handle: BinaryIO | None = None
        self._head = b""
        self._still = 0
        self._size = -1
        self._wanted = position
        self.offset = 0
        self.at_end = False

    @property
    def position(self) -> str:
        """Where reading goes on, as text to be kept."""
        return f"{self.offset}:{len(self._head)}:{sha256(self._head).hexdigest()[:32]}"

    def rewind(self, position: str | None) -> None:
        """Go back to a position that was kept."""
        self.close()
        self._wanted, self._still, self._size = position, 0, -1

    def close(self) -> None:
        """Let go of the file."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def read(self, limit: int) -> list[Line]:
        """At most `limit` lines; `at_end` tells afterwards whether there is more.

        Raises: PermanentError when a file that is to be read once is not there
        """
        self.at_end = False
        if self._handle is None and not self._open():
            return []
        return list(self._lines(limit))

    def _open(self) -> bool:
        try:
            self._handle = self._path.open("rb")
        except OSError as error:
            if not self._follow or not isinstance(error, FileNotFoundError):
                raise PermanentError(f"the input {self._path} cannot be read: {error.strerror}") from None
            self.at_end = True
            return False
        self.offset = self._offset_of(self._wanted, self._handle)
        self._handle.seek(0)
        self._head = self._handle.read(min(self.offset, _HEAD))
        self._handle.seek(self.offset)
        return True

    def _offset_of(self, position: str | None, handle: BinaryIO) -> int:
        """Where to go on: 0 when the position speaks of another file, or of one that has become shorter."""
        try:
            offset, head, digest = (position or "").split(":")
            length = max(0, min(int(head), _HEAD))
            beginning = handle.read(length)
            fits = sha256(beginning).hexdigest()[:32] == digest and os.fstat(handle.fileno()).st_size >= int(offset)
            return int(offset) if fits and len(beginning) == length else 0
        except ValueError:
            return 0

    def _lines(self, limit: int) -> Iterator[Line]:
        handle = self._handle
        assert handle is not None, "opened by the caller"
        for _ in range(limit):
            start = self.offset
            text = handle.readline(LINE_MAX)
            if not text.endswith(b"\n") and len(text) < LINE_MAX and not self._is_last(handle, text):
                self._end(handle, start)
                return
            self.offset += len(text)
            if len(self._head) < _HEAD:
                self._head = (self._head + text)[:_HEAD]
            yield Line(start, text.rstrip(b"\r\n"))

    def _is_last(self, handle: BinaryIO, text: bytes) -> bool:
        """Whether what stands after the last line end is a line too, or may still grow.

        A file that is read once has no more to come. A file that is followed may end without a line end for good: then
        what stands there is taken when it has stood still for a while and is whole, or when the file was replaced.
        """
        if not text or not self._follow:
            return bool(text)
        size = os.fstat(handle.fileno()).st_size
        self._still = self._still + 1 if size == self._size else 0
        self._size = size
        return self._still >= _STILL and (_is_whole(text) or self._is_replaced(handle))

    def _end(self, handle: BinaryIO, start: int) -> None:
        """Stay where the unfinished line begins; after a rotation or a truncation, go to the file that has the name now."""
        unfinished = os.fstat(handle.fileno()).st_size > start
        if self._follow and not unfinished and self._is_replaced(handle):
            self.rewind(None)
            self._open()
            return
        handle.seek(start)
        self.at_end = True

    def _is_replaced(self, handle: BinaryIO) -> bool:
        try:
            there = self._path.stat()
        except OSError:
            return False
        here = os.fstat(handle.fileno())
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino) or here.st_size < self.offset


def _is_whole(text: bytes) -> bool:
    try:
        decode_json(text)
    except NotJson:
        return False
    return True
