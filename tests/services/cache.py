"""Where what was fetched is kept, and how several workers take turns at it.

Enters: `COORDWATCH_TEST_CACHE`, or nothing. Leaves: a folder, a lock, and the one error that says what is missing.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class MissingError(Exception):
    """A service cannot be had on this machine; the text says what to type."""


def cache_folder() -> Path:
    """Give the folder that outlives a test run; it may be deleted at any time between two."""
    named = os.environ.get("COORDWATCH_TEST_CACHE")
    folder = Path(named) if named else Path.home() / ".cache" / "coordwatch-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Wait for a lock that ends with its process, however that ends; `how` may be LOCK_SH."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield
