"""The identity key beside a database: made at the first start, kept with it from then on.

What enters: the path of a database.
What leaves: the bytes of its key.
The next room: `app`, which gives them to identity and to the mappings.
"""

import os
import secrets
from pathlib import Path

from coordwatch.errors import PermanentError

_KEY_BYTES = 32


def key_path(database: Path) -> Path:
    """Where the identity key of a database lies when the settings name none."""
    return database.with_name(database.name + ".key")


def key_beside(database: Path) -> bytes:
    """The key that lies beside a database; a new database gets a new key.

    Raises: PermanentError when the database is there and its key is gone
    """
    path = key_path(database)
    if path.exists():
        return path.read_bytes().strip()
    if database.exists():
        raise PermanentError(f"the identity key {path} is gone: put it back, or begin with a new database")
    key = secrets.token_hex(_KEY_BYTES).encode()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(key + b"\n")
        out.flush()
        os.fsync(out.fileno())
    return key
