"""One process a database: a lock that the system lets go of when the process ends, however it ends.

What enters: the path of a database.
What leaves: a lock held until it is closed.
The next room: `app`, which takes it before the database is opened.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from coordwatch.errors import PermanentError


class ProcessLock:
    """Holds `<database>.lock`.

    Raises: PermanentError when another process holds it, or the folder cannot be written
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        try:
            self._file = self.path.open("a+")
        except OSError as error:
            raise PermanentError(f"{self.path} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = self._read_owner()
            self._file.close()
            raise PermanentError(
                f"another coordwatch{owner} is running on {database}: end it first, or name another database"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def close(self) -> None:
        """Let go."""
        self._file.close()

    def __enter__(self) -> "ProcessLock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_owner(self) -> str:
        self._file.seek(0)
        owner = self._file.read(20).strip()
        return f" (process {owner})" if owner.isdecimal() else ""
