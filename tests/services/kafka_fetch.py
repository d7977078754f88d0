"""Kafka's own jars, fetched once, each held against its digest.

Enters: the folder that is to hold them. Leaves: that folder, whole, or nothing and the reason.
`python -m tests.services.kafka_fetch --lock` resolves `ROOTS` anew and writes `kafka.lock`.
"""

import hashlib
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.env import EnvironmentBuilder, LinkStrategy, LockFile
from jgo.maven import MavenContext

from tests.services.kafka_jars import LOCK, VERSION, locked_jars

# The clients are named, since their version is otherwise taken from somewhere else and the broker does not start.
ROOTS = (
    f"org.apache.kafka:kafka_2.13:{VERSION}+org.apache.kafka:kafka-clients:{VERSION}"
    "+org.apache.logging.log4j:log4j-core:2.24.3+org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"
)
AT_ONCE = 6
TRIES = 3
PATIENCE = 60  # seconds for one answer


class NotFetchedError(Exception):
    """A jar could not be had, or is not the one that the lock names."""


def fetch(home: Path) -> None:
    """Fetch beside the place and move there whole, so that half a fetch is never taken for one.

    Raises: NotFetchedError
    """
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="fetching-") as folder:
        ready = Path(folder) / "ready"
        ready.mkdir()
        context = _context(Path(folder) / "repository")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for jar in pool.map(lambda each: _one(context, *each), locked_jars().items()):
                shutil.move(jar, ready)
        ready.rename(home)


def _one(context: MavenContext, coordinate: str, digest: str) -> Path:
    group, artifact, version = coordinate.split(":")
    wanted = context.project(group, artifact).at_version(version).artifact()
    reason: object = "no attempt was made"
    for _ in range(TRIES):
        try:
            path: Path = wanted.resolve()
        except (OSError, RuntimeError) as error:
            reason = error
            if wanted.cached_path is not None:
                wanted.cached_path.unlink(missing_ok=True)  # it broke off in the middle
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            return path
        reason = f"{coordinate} came with a content that {LOCK.name} does not name"
        path.unlink()
    raise NotFetchedError(" ".join(str(reason).split()))


def _context(repository: Path) -> MavenContext:
    """A repository folder of our own: what others do in the shared one is never half seen."""
    sources = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    return MavenContext(repo_cache=repository, remote_repos=sources, timeout=PATIENCE)


def write_lock() -> None:
    """Resolve the roots and write what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        context = _context(Path(folder) / "repository")
        built = EnvironmentBuilder(context, Path(folder), link_strategy=LinkStrategy.COPY).from_endpoint(ROOTS)
        found = LockFile.load(built.lock_path).dependencies
    rows = sorted(f"{each.groupId}:{each.artifactId}:{each.version} {each.sha256}\n" for each in found)
    head = f"# Kafka {VERSION} and all that it needs. Written by `python -m tests.services.kafka_fetch --lock`.\n"
    LOCK.write_text(head + "".join(rows), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "--lock":
        write_lock()
    else:
        try:
            fetch(Path(sys.argv[1]))
        except NotFetchedError as reason:
            sys.exit(str(reason))
