"""What a database says went wrong, as errors that name the next move.

What enters: exceptions of SQLAlchemy and the driver.
What leaves: TemporaryError or PermanentError.
The next room: `store` and `read`, which do nothing with a connection outside of this.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from coordwatch.errors import PermanentError, TemporaryError

_TEMPORARY = {
    sqlite3.SQLITE_BUSY: "the database is busy: another program writes to it",
    sqlite3.SQLITE_LOCKED: "the database is busy: another program writes to it",
    sqlite3.SQLITE_FULL: "the disk is full: make room, nothing was lost",
    sqlite3.SQLITE_IOERR: "the disk gave an error: look at the system's log",
    sqlite3.SQLITE_NOMEM: "there is no memory left for the database",
}
_PERMANENT = {
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened: does its folder exist, and may this user write there?",
    sqlite3.SQLITE_READONLY: "the database may only be read by this user",
    sqlite3.SQLITE_NOTADB: "the file is not a database: name another one",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged: restore a copy, or start with a new file and replay the events",
}


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the driver raises inside into this program's errors."""
    try:
        yield
    except PoolTimeoutError:
        raise TemporaryError("every reading connection is in use", retry_after=1.0) from None
    except DBAPIError as error:
        raise _translation(error) from error
    except SQLAlchemyError as error:
        raise PermanentError(f"the database refused: {error}") from error


def _translation(error: DBAPIError) -> TemporaryError | PermanentError:
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code in _TEMPORARY:
        return TemporaryError(f"{_TEMPORARY[code]} ({error.orig})", retry_after=1.0)
    if code in _PERMANENT:
        return PermanentError(f"{_PERMANENT[code]} ({error.orig})")
    return PermanentError(f"the database refused: {error.orig}")
