"""A real Kafka on loopback: one node or three, with all that can happen to them.

Enters: `Options` and a folder. Leaves: a running cluster and its address; nodes are killed, paused and started again.
`python -m tests.services.kafka --port 9092` keeps one node until Ctrl-C: it is what `make kafka` runs.
"""

import argparse
import secrets
import signal
import sys
import tempfile
import threading
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.services.cache import MissingError
from tests.services.certificates import make_certificates
from tests.services.kafka_jars import JAVA, class_path, loaded_classes
from tests.services.kafka_options import (
    ADMIN,
    ADMIN_PASSWORD,
    CONTROLLER,
    INSIDE,
    OUTSIDE,
    Options,
    Place,
    server_properties,
)
from tests.services.processes import LOOPBACK, Tied, accepts, free_port
from tests.services.waiting import wait_until

# A start is most of what a test sees of Java, so it gets the quick compiler only, and says nothing about its classes.
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xlog:aot*=off")
LOGGING = """\
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %m (%c)%n%ex
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
"""
PATIENCE = 180.0  # seconds to be ready: eight test runs may share two cores
STARTS = 3  # a port may be taken between the asking and the listening
TAKEN = "Address already in use"


class NotStartedError(Exception):
    """A node ended before it was ready; the text is the end of its log."""


class Broker:
    """One node of a cluster: a process that comes and goes, over data that stays."""

    def __init__(self, place: Place, jars: str, options: Options) -> None:
        self.place = place
        self._java = [JAVA, f"-Xmx{options.heap}", *JVM, "-cp", jars]
        self._java.append(f"-Dlog4j2.configurationFile={place.folder / 'log4j2.properties'}")
        self._loaded = [f"-XX:AOTCache={loaded_classes()}"]
        self._of_its_own = list(options.java) or self._loaded
        self._process: Tied | None = None
        self.away = True  # nobody expects an answer: not started, killed or stopped

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.place.ports[INSIDE]}"

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def _running(self) -> Tied:
        assert self._process is not None, f"node {self.place.number} was never started"
        return self._process

    def format(self, cluster_id: str, users: dict[str, str]) -> Tied:
        """Begin to write the empty log, with the passwords of its users in it."""
        words = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self.place.settings)]
        for name, password in users.items():
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                words += ["--add-scram", f"{mechanism}=[name={name},password={password}]"]
        return Tied([*self._java, *self._loaded, *words], self.place.folder / "format.log")

    def start(self) -> None:
        """Start the process, or start it again after `kill` or `stop`; does not wait."""
        words = ["kafka.Kafka", str(self.place.settings)]
        self._process = Tied([*self._java, *self._of_its_own, *words], self.place.folder / "node.log")
        self.away = False

    def accepting(self) -> bool:
        """Whether clients are let in.

        Raises: NotStartedError when the process has ended instead.
        """
        if not self._running.running:
            raise NotStartedError(f"Kafka node {self.place.number} ended:\n{self.said()}")
        return accepts(self.place.ports[INSIDE])

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.away = True
        if self._process is not None:
            self._process.kill()

    def pause(self) -> None:
        """Stop its time (SIGSTOP): connections stay open, nothing answers."""
        self._running.send(signal.SIGSTOP)

    def resume(self) -> None:
        self._running.send(signal.SIGCONT)

    def stop(self, patience: float = 30.0) -> None:
        """Let it end in order, so that its leaderships move away first; after `patience` seconds it is killed."""
        self.away = True
        self._running.stop(patience)

    def said(self) -> str:
        """Give the end of its log."""
        return self._running.said()


class Cluster:
    """One node or several; `with Cluster(options, folder) as kafka:` has it ready, and leaves nothing running."""

    def __init__(self, options: Options, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.certificates = folder / "certificates"
        self.nodes: tuple[Broker, ...] = ()

    @property
    def bootstrap(self) -> str:
        """The addresses of the plain listeners."""
        return self.addresses(INSIDE)

    def addresses(self, listener: str) -> str:
        """Give the addresses of one kind of listener, see `kafka_options.OUTSIDE`."""
        return ",".join(f"{LOOPBACK}:{node.place.ports[listener]}" for node in self.nodes)

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def client(self, user: str, password: str, listener: str = "SASLSSL") -> dict[str, str]:
        """Give the settings of a client that says who it is by SCRAM."""
        return {
            "bootstrap.servers": self.addresses(listener),
            "security.protocol": OUTSIDE[listener],
            "ssl.ca.location": str(self.certificates / "ca.pem"),
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": password,
        }

    def start(self) -> None:
        """Format and start all nodes, and wait until each is a member.

        Raises: NotStartedError, MissingError
        """
        jars = class_path()
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.options.users:
            make_certificates(self.certificates)
        for attempt in range(1, STARTS + 1):
            self._lay_out(Path(tempfile.mkdtemp(dir=self.folder, prefix="start-")), jars)
            try:
                self._bring_up()
                return
            except NotStartedError as error:
                self.stop()
                if attempt == STARTS or self.options.ports or TAKEN not in str(error):
                    raise
            except BaseException:
                self.stop()
                raise

    def _lay_out(self, folder: Path, jars: str) -> None:
        kinds = (*self.options.listeners, CONTROLLER)
        places = []
        for number in range(1, self.options.nodes + 1):
            ports = {kind: free_port() for kind in kinds}
            if self.options.ports:
                ports[INSIDE] = self.options.ports[number - 1]
            places.append(Place(number, ports, folder / str(number)))
        for place in places:
            place.folder.mkdir(parents=True)
            (place.folder / "log4j2.properties").write_text(LOGGING, encoding="ascii")
            text = server_properties(self.options, place, tuple(places), self.certificates)
            place.settings.write_text(text, encoding="utf-8")
        self.nodes = tuple(Broker(place, jars, self.options) for place in places)

    def _bring_up(self) -> None:
        # Never with a dash in front: the tool would take it for an option.
        cluster_id = "C" + urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")[1:]
        users = {ADMIN: ADMIN_PASSWORD, **self.options.users} if self.options.users else {}
        formatting = [node.format(cluster_id, users) for node in self.nodes]
        for each in formatting:
            wait_until(lambda each=each: not each.running, "the formatting of a node", PATIENCE)  # type: ignore[misc]
            if each.stop() != 0:
                raise NotStartedError(f"a node could not be formatted:\n{each.said()}")
        for node in self.nodes:
            node.start()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until every node that is not away is a member and lets clients in.

        Raises: NotStartedError when one has ended by itself.
        """
        expected = [node for node in self.nodes if not node.away]

        def accepting() -> bool:
            return all(node.accepting() for node in expected)

        wait_until(accepting, "Kafka to listen", PATIENCE)
        admin = self.admin()

        def ready() -> bool:
            with suppress(KafkaException):
                accepting()  # a node that has ended is no member, whoever answers at its port
                return len(admin.list_topics(timeout=2).brokers) == len(expected)
            return False

        wait_until(ready, f"{len(expected)} Kafka nodes to be ready", PATIENCE)

    def stop(self) -> None:
        """End every node and wait for each, whatever state it is in.

        At once and by kill: nodes that go in order wait for each other, and the data goes with the test.
        """
        for node in self.nodes:
            node.kill()

    def __enter__(self) -> "Cluster":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def main(words: Sequence[str]) -> int:
    """Keep one node until Ctrl-C, its data in a temporary folder that goes with it."""
    parser = argparse.ArgumentParser(prog="make kafka", description="One Kafka node on loopback, until Ctrl-C.")
    parser.add_argument("--port", type=int, default=9092)
    port: int = parser.parse_args(words).port
    asked_to_end = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        asked_to_end.set()

    if accepts(port):
        print(f"Something listens on {LOOPBACK}:{port} already. Name another: --port 9093", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="coordwatch-kafka-", ignore_cleanup_errors=True) as folder:
        try:
            print("Starting Kafka ...", file=sys.stderr)
            with Cluster(Options(ports=(port,)), Path(folder)) as kafka:
                signal.signal(signal.SIGINT, end)
                signal.signal(signal.SIGTERM, end)
                print(kafka.bootstrap, flush=True)
                print("Ctrl-C ends it; its data goes with it.", file=sys.stderr)
                while not asked_to_end.wait(1) and kafka.nodes[0].accepting():
                    pass
        except (MissingError, NotStartedError) as error:
            print(error, file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
