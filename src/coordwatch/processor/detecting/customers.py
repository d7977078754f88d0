"""Customers of one partition: closed ones as bytes, and those that were touched since the last commit as folders.

The rows of the changelog enter, a customer's key asks; rows that changed leave.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import NamedTuple

from coordwatch.context.journal import Journal
from coordwatch.engine.folder import NEVER, UNSEEN, Folder, deadline_in, reads_in
from coordwatch.engine.folders import Folders
from coordwatch.engine.state import CustomerState, UnknownSnapshot
from coordwatch.errors import PermanentError
from coordwatch.processor.stage import Place


class Open(NamedTuple):
    """A customer who is looked into, and the folder that is to be kept in step."""

    state: CustomerState
    folder: Folder


class Customers:
    """Every customer of one partition; `touched` are the folders that changed since the last commit.

    Nobody is kept open from one event to the next: to make the few facts that a rule asks for anew costs less than to reach
    them in memory that grew cold. `retire` ends what rules said that are gone or changed.
    """

    def __init__(
        self, place: Place, folders: Folders, size_max: int, retire: Callable[[CustomerState], object]
    ) -> None:
        self._place, self._size_max, self._retire = place, size_max, retire
        self.folders = folders
        self.closed: dict[bytes, bytes] = {}
        self.touched: dict[bytes, Folder] = {}

    def touch(self, key: bytes) -> Folder:
        """The folder of a customer, to be changed.

        Raises: UnknownSnapshot when another version of the program wrote it
        """
        folder = self.touched.get(key)
        if folder is None:
            folder = self.touched[key] = self._read(key)
            if folder.room == UNSEEN:
                state = self._open(key, folder)
                self._retire(state)
                self.folders.retell(folder, state.entries)
        return folder

    def look(self, key: bytes) -> Open:
        """The open state of a customer, to be looked into and changed."""
        folder = self.touch(key)
        return Open(self._open(key, folder), folder)

    def peek(self, key: bytes) -> tuple[int, Callable[[], Journal]]:
        """The bits of all facts of a customer as they are now, and the journal for whoever needs it; nothing is changed.

        Raises: UnknownSnapshot when another version of the program wrote it
        """
        folder = self.touched[key] if key in self.touched else self._read(key)
        return folder.present, lambda: self._open(key, folder).journal

    def empty(self, key: bytes) -> None:
        """Let go of everything that is kept of a customer."""
        self.touched[key] = self.folders.new()

    def deadline(self, key: bytes) -> int:
        """The next deadline of a customer, NEVER when none runs; a closed customer stays closed."""
        folder = self.touched.get(key)
        if folder is not None:
            return folder.deadline
        value = self.closed.get(key)
        return NEVER if value is None else deadline_in(value)

    def readers(self, since: int) -> Iterator[bytes]:
        """The customers with an act at or after an instant that read facts across customers; looks at every one."""
        for key, folder in self.touched.items():
            if folder.reads >= since:
                yield key
        touched = self.touched
        for key, value in self.closed.items():
            if key not in touched and reads_in(value) >= since:
                yield key

    def give(self, now: int) -> Iterator[tuple[bytes, bytes | None]]:
        """Every customer that changed, closed; None for one of whom nothing is left.

        Raises: PermanentError when a customer is too large whatever is let go
        """
        closed, too_old, size_max = self.closed, now - self.folders.retention.slack, self._size_max
        for key, folder in self.touched.items():
            if folder.room < 0 or folder.expires < too_old:
                self._tidy(key, folder, now)
            value = folder.encode()
            if len(value) > size_max:
                value = self._smaller(key, folder, len(value))
            if folder.is_empty:
                closed.pop(key, None)
                yield key, None
            else:
                closed[key] = value
                yield key, value
        self.touched = {}

    def _tidy(self, key: bytes, folder: Folder, now: int) -> None:
        if folder.room < 0 or not self.folders.trim(folder, now):
            self.folders.tidy(folder, self._open(key, folder), now)

    def _open(self, key: bytes, folder: Folder) -> CustomerState:
        return self.folders.open(key.decode("utf-8", "replace"), folder)

    def _smaller(self, key: bytes, folder: Folder, size: int) -> bytes:
        """Make a customer small enough."""
        most = self._size_max
        self.folders.truncate(folder, self._open(key, folder), size, most)
        value = folder.encode()
        if len(value) > most:
            raise PermanentError(
                f"customer {digest_of(key)} of {self._place} needs {len(value):,} bytes, at most {most:,} are kept: let "
                "the rules name fewer fields, or keep fewer events of a type"
            )
        return value

    def _read(self, key: bytes) -> Folder:
        value = self.closed.get(key)
        if value is None:
            return self.folders.new()
        try:
            return self.folders.decode(value)
        except UnknownSnapshot as error:
            raise UnknownSnapshot(f"customer {digest_of(key)} of {self._place}: {error}") from None


def digest_of(key: bytes) -> str:
    """A customer as logs may name it."""
    return sha256(key).hexdigest()[:16]
