"""What a database says went wrong, as errors that name the next move.

What enters: exceptions of SQLAlchemy and the drivers.
What leaves: TemporaryError or PermanentError.
The next room: `store` and `read`, which do nothing with a connection outside of this.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from coordwatch.errors import PermanentError, TemporaryError

_BUSY = "the database is busy: another program writes to it"
_FULL = "the disk is full: make room, nothing was lost"
_TEMPORARY = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: "the disk gave an error: look at the system's log",
    sqlite3.SQLITE_NOMEM: "there is no memory left for the database",
}
_PERMANENT = {
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened: does its folder exist, and may this user write there?",
    sqlite3.SQLITE_READONLY: "the database may only be read by this user",
    sqlite3.SQLITE_NOTADB: "the file is not a database: name another one",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged: restore a copy, or start with a new file and replay the events",
}
# PostgreSQL's five letters, or the two of their class (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_GONE = "the database cannot be reached: nothing was lost, it is tried again"
_TEMPORARY_STATES = {
    "08": _GONE,
    "57P01": _GONE,
    "57P02": _GONE,
    "57P03": "the database is starting or stopping: nothing was lost, it is tried again",
    "57P05": _GONE,
    "25P03": "the database ended a transaction that stood still; nothing of it was written",
    "57014": "the database took too long for an answer and was stopped",
    "55P03": _BUSY,
    "40": "two writers met in the database, and one has to begin again",
    "53100": "the disk of the database is full: make room there, nothing was lost",
    "53200": "there is no memory left for the database",
    "53300": "the database takes no more connections: raise its max_connections, or run fewer processes",
    "53": "the database has too little of something",
    "58": "the disk of the database gave an error: look at its log",
    "25006": "the database only reads: it is a replica, or it is being moved",
}
_PERMANENT_STATES = {
    "28": "the database lets nobody in with this user and password: set COORDWATCH_DATABASE_PASSWORD",
    "3D000": "there is no database of this name: CREATE DATABASE makes one",
    "42501": "this user may not do that in the database: it needs CREATE on the schema, and its own tables",
    "XX001": "a table of the database is damaged: restore a copy",
    "XX002": "an index of the database is damaged: REINDEX makes it anew",
}
# What the server writes while a connection is made, where libpq keeps the five letters to itself.
_AT_THE_DOOR = {
    "password authentication failed": "28",
    "no password supplied": "28",
    "no pg_hba.conf entry": "28",
    'role "': "28",
    'database "': "3D000",
    "starting up": "57P03",
    "shutting down": "57P03",
    "too many clients": "53300",
    "remaining connection slots": "53300",
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
    except NoSuchModuleError as error:
        raise PermanentError(f"the database refused: {error}") from error
    except SQLAlchemyError as error:
        raise PermanentError(f"the database refused: {error}") from error


def _translation(error: DBAPIError) -> TemporaryError | PermanentError:
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        return _said(error, _TEMPORARY.get(code), _PERMANENT.get(code))
    state = _state_of(error)
    return _said(error, _of_state(_TEMPORARY_STATES, state), _of_state(_PERMANENT_STATES, state))


def _said(error: DBAPIError, temporary: str | None, permanent: str | None) -> TemporaryError | PermanentError:
    words = " ".join(str(error.orig).split())
    if temporary is not None:
        return TemporaryError(f"{temporary} ({words})", retry_after=1.0)
    if permanent is not None:
        return PermanentError(f"{permanent} ({words})")
    return PermanentError(f"the database refused: {words}")


def _state_of(error: DBAPIError) -> str:
    state = getattr(error.orig, "sqlstate", None)
    if state:
        return str(state)
    words = str(error.orig)
    known = next((state for said, state in _AT_THE_DOOR.items() if said in words), None)
    # Without letters there was no server to give any: the connection broke, or never came about.
    return known or ("08" if error.connection_invalidated or type(error.orig).__name__ == "OperationalError" else "")


def _of_state(known: Mapping[str, str], state: str) -> str | None:
    return known.get(state) or known.get(state[:2])
