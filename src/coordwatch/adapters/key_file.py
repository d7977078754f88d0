"""The identity key beside a database: made at the first start, kept with it from then on, and changed by a person.

What enters: the path of a database.
What leaves: its key, and those before it. One line each, the present one first: the key's id if it has one, and the key.
The next room: `app`, which gives them to identity and to the mappings.
"""

import os
import secrets
from pathlib import Path
from typing import NamedTuple

from coordwatch.errors import PermanentError

_KEY_BYTES = 32


class Key(NamedTuple):
    """A secret, and the id that stands before its digests; None derives the id from the secret."""

    secret: bytes
    id: str | None = None


def key_path(database: Path) -> Path:
    """Where the identity key of a database lies when the settings name none."""
    return database.with_name(database.name + ".key")


def keys_beside(database: Path) -> list[Key]:
    """The keys that lie beside a database, the present one first; a new database gets a new key.

    Raises: PermanentError when the database is there and its key is gone
    """
    path = key_path(database)
    if path.exists():
        return _read(path)
    if database.exists():
        raise PermanentError(f"the identity key {path} is gone: put it back, or begin with a new database")
    key = Key(secrets.token_hex(_KEY_BYTES).encode())
    _write(path, [key])
    return [key]


def rotate_beside(database: Path) -> Key:
    """Give a database a new key and keep those before it, to be read; its id sorts behind theirs, so customers keep their names.

    Raises: PermanentError when there is no key yet
    """
    path = key_path(database)
    if not path.exists():
        raise PermanentError(f"there is no identity key {path} to be changed: one is made when the database is")
    known = _read(path)
    key = Key(secrets.token_hex(_KEY_BYTES).encode(), f"k{len(known):03}")
    beside = path.with_name(path.name + ".new")
    _write(beside, [key, *known])
    beside.replace(path)
    return key


def _read(path: Path) -> list[Key]:
    found = []
    for line in path.read_bytes().splitlines():
        *name, secret = line.split()[-2:] or [b""]
        if secret:
            found.append(Key(secret, name[0].decode("ascii", "replace") if name else None))
    if not found:
        raise PermanentError(f"the identity key {path} is empty: put it back, or begin with a new database")
    return found


def _write(path: Path, keys: list[Key]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        for key in keys:
            out.write(b"%s %s\n" % (key.id.encode(), key.secret) if key.id else key.secret + b"\n")
        out.flush()
        os.fsync(out.fileno())
