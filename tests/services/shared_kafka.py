"""One Kafka node for a whole test run, whatever the number of workers.

Enters: a folder that the workers share. Leaves: the address of its node. Each user holds a shared lock; a process of
its own keeps the node, and stops it when it gets that lock alone. So the last one out switches off the light, also
when it was killed.
"""

import fcntl
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.cache import locked
from tests.services.kafka import PATIENCE, Cluster, NotStartedError
from tests.services.kafka_options import Options
from tests.services.kafka_training import train
from tests.services.processes import accepts
from tests.services.waiting import wait_until

ROOT = Path(__file__).parents[2]
USERS, ADDRESS, LOG, DATA = "users.lock", "address", "keeper.log", "data"
LOOK = 0.25  # seconds between two looks whether anybody is left


@contextmanager
def shared_kafka(folder: Path) -> Iterator[str]:
    """Give the address of the node, starting it if nobody has; it stays at least until this ends.

    Raises: MissingError, NotStartedError
    """
    with locked(folder / "starting.lock"):
        using = locked(folder / USERS, fcntl.LOCK_SH)
        using.__enter__()  # waits out a keeper that is just leaving
        try:
            address = _address(folder) or _started(folder)
        except BaseException:
            using.__exit__(None, None, None)
            raise
    try:
        yield address
    finally:
        using.__exit__(None, None, None)


def _address(folder: Path) -> str | None:
    """Give the address of a node that lives."""
    path = folder / ADDRESS
    address = path.read_text(encoding="ascii") if path.exists() else ""
    return address if address and accepts(int(address.rpartition(":")[2])) else None


def _started(folder: Path) -> str:
    train()  # what cannot be fetched is said here, where somebody reads it
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    # Not a child to wait for: it outlives the worker that happened to need it first.
    keeper = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", __name__, str(folder)],
        {**os.environ, "PYTHONPATH": str(ROOT)},
        file_actions=[(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)],
        setsid=True,
    )
    os.close(log)

    def answered() -> str | None:
        ended, _ = os.waitpid(keeper, os.WNOHANG)
        if ended:
            raise NotStartedError((folder / LOG).read_text(encoding="utf-8"))
        return _address(folder)

    return wait_until(answered, "the shared Kafka", 2 * PATIENCE)


def keep(folder: Path) -> None:
    """Start the node, say where it is, and stop it when nobody is left."""
    pause = threading.Event()
    with Cluster(Options(heap="512m"), folder / DATA) as kafka:
        said = folder / f"{ADDRESS}.new"
        said.write_text(kafka.bootstrap, encoding="ascii")
        said.rename(folder / ADDRESS)
        with (folder / USERS).open("a") as users:
            while kafka.nodes[0].accepting() and not _alone(users.fileno()):
                pause.wait(LOOK)
            (folder / ADDRESS).unlink()
            kafka.stop()
    shutil.rmtree(folder / DATA, ignore_errors=True)


def _alone(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
