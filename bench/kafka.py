"""The benchmark beside a real broker: every figure from one run, as events a second of one core and as ratios.

    python -m bench.kafka [--events N] [--rounds N] [--guards]

Each row is a process of its own, held to one core, whose CPU time is read between the commit of 20 % and of 90 % of the
records: starting and joining a group are left out. The broker runs on the same machine; its core is not counted.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import psutil
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from bench import workload
from bench.kafka_guards import GUARDS, without
from bench.kafka_latency import latencies
from bench.twenty import twenty
from tests.services.consume import Sent, produce
from tests.services.kafka import Cluster
from tests.services.kafka_options import Options
from tests.services.topics import Topics

PARTITIONS = 4
CORE = os.cpu_count() or 1
FROM, TO = 0.2, 0.9
PATIENCE = 400.0
PREFIX = "bench-worker"
KEY = "an identity key of no site at all"
SETTINGS = """\
kafka: {{bootstrap: "{bootstrap}", prefix: {prefix}, partitions: {partitions}, replication: 1}}
identity: {{mode: trusted_id}}
lateness: 3650d
database: {folder}/{prefix}.db
bind: 127.0.0.1:0
rules: [{rules}]
inputs:
  - {{kind: kafka, name: shop, topic: {source}, source: canonical}}
"""


@dataclass
class Row:
    """One program: what it is called, how it is started, what it reads and as which group; `path` is a package of its own."""

    name: str
    command: Callable[[str], Sequence[str]]
    topic: str
    group: Callable[[str], str]
    events: int
    path: Path | None = None
    speeds: list[float] = field(default_factory=list)
    memory: float = 0.0

    @property
    def speed(self) -> float:
        """The best of the rounds. Units: events a second of CPU."""
        return max(self.speeds)


class Broker:
    """The topics and the settings of one run."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.bootstrap, self.folder = bootstrap, folder
        self.topics = Topics(bootstrap, "bench")

    def settings(self, prefix: str, source: str) -> Path:
        """A settings file for a worker."""
        path = self.folder / f"{prefix}.yaml"
        path.write_text(
            SETTINGS.format(
                bootstrap=self.bootstrap,
                prefix=prefix,
                partitions=PARTITIONS,
                rules=twenty(self.folder),
                source=source,
                folder=self.folder,
            )
        )
        return path

    def worker(self, prefix: str, source: str, *options: str) -> list[str]:
        """The command of a worker."""
        config = self.settings(prefix, source)
        return [sys.executable, "-m", "coordwatch", "worker", "--quiet", "--config", str(config), *options]


def fill(broker: Broker, events: int, customers: int) -> tuple[str, str, int, int]:
    """A topic of canonical events of 500 bytes, and a short one for those that are slow; and how many each holds."""
    full = broker.topics.create("source", PARTITIONS)
    short = broker.topics.create("short", PARTITIONS)
    lines = workload.lines(events, customers, 300)
    sent = few = 0
    while batch := list(islice(lines, 20_000)):
        records = [Sent(line.rstrip(), b"%d" % (sent + number)) for number, line in enumerate(batch)]
        produce(broker.bootstrap, full, records)
        if sent < events // 10:
            produce(broker.bootstrap, short, records)
            few += len(batch)
        sent += len(batch)
        print(f"\r{sent:,} events written", end="", file=sys.stderr)
    print(file=sys.stderr)
    return full, short, sent, few


def committed(bootstrap: str, group: str, topic: str) -> Callable[[], int]:
    """How many records of a topic a group has committed."""
    asking = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "log_level": 0})
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]

    def count() -> int:
        try:
            return sum(max(0, one.offset) for one in asking.committed(places, timeout=20))
        except KafkaException:  # the coordinator is still on its way
            return 0

    return count


def measure(bootstrap: str, row: Row, name: str, to: float = TO) -> None:
    """Run once, and note events a second of CPU."""
    group = row.group(name)
    environment = {**os.environ, "COORDWATCH_IDENTITY__KEY": KEY, "NO_CYTHON": ""}
    if row.path is not None:
        environment["PYTHONPATH"] = str(row.path)
    process = subprocess.Popen(list(row.command(name)), env=environment, stdout=subprocess.DEVNULL)
    os.sched_setaffinity(process.pid, {CORE - 1})
    watched, done = psutil.Process(process.pid), committed(bootstrap, group, row.topic)
    first: tuple[int, float] | None = None
    give_up_at = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < give_up_at:
            if process.poll() is not None:
                raise SystemExit(f"{row.name}: ended with exit code {process.returncode}")
            count, cpu = done(), sum(watched.cpu_times()[:2])
            if first is None and count >= FROM * row.events:
                first = (count, cpu)
            if count >= to * row.events and first is not None and count > first[0]:
                row.speeds.append((count - first[0]) / (cpu - first[1]))
                row.memory = max(row.memory, watched.memory_info().rss / 1e6)
                return
            time.sleep(0.02)
        raise SystemExit(f"{row.name}: {done():,} of {row.events:,} records in {PATIENCE:.0f} s")
    finally:
        process.kill()
        process.wait()


def rows_for(broker: Broker, filled: tuple[str, str, int, int]) -> dict[str, Row]:
    """Every row."""
    bootstrap, (full, short, events, few) = broker.bootstrap, filled

    def peer(what: str, topic: str) -> Callable[[str], Sequence[str]]:
        return lambda name: [sys.executable, "-m", "bench.kafka_peers", what, bootstrap, topic, name]

    def worker(*options: str) -> Callable[[str], Sequence[str]]:
        return lambda _: broker.worker(PREFIX, full, *options)

    events_topic = f"{PREFIX}.events"

    return {
        "raw": Row("raw consume, every field touched", peer("raw", full), full, str, events),
        "faust": Row("plain Faust agent that only reads", peer("faust", short), short, str, few),
        "table": Row("plain Faust agent with a table", peer("table", short), short, str, few),
        "ingest": Row(
            "worker, ingest: canonical events filed",
            worker("--role", "ingest"),
            full,
            lambda _: f"{PREFIX}.ingest",
            events,
        ),
        "detect": Row(
            "worker, detect: 20 rules, on Faust",
            worker("--role", "detect"),
            events_topic,
            lambda _: f"{PREFIX}.detect",
            events,
        ),
        "plain": Row(
            "worker, detect: 20 rules, plain runtime",
            worker("--role", "detect", "--runtime", "plain"),
            events_topic,
            lambda _: f"{PREFIX}.detect",
            events,
        ),
    }


def guarded(broker: Broker, rows: dict[str, Row]) -> dict[str, Row]:
    """`detect` on the plain runtime again, without one of its guards in each row."""
    plain = rows["plain"]
    return {
        f"plain-{number}": Row(
            f"  {guard.name}", plain.command, plain.topic, plain.group, plain.events, without(guard, broker.folder)
        )
        for number, guard in enumerate(GUARDS)
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--latency", type=int, default=60, help="seconds of 1,000 events a second; 0 leaves it out")
    parser.add_argument("--guards", action="store_true", help="also what each guard of the hot path costs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="coordwatch-bench-") as temporary:
        folder = Path(temporary)
        with Cluster(Options(), folder / "kafka") as cluster:
            broker = Broker(cluster.bootstrap, folder)
            rows = rows_for(broker, fill(broker, arguments.events, arguments.customers))
            rows |= guarded(broker, rows) if arguments.guards else {}
            for number in range(arguments.rounds):
                one_round(broker, rows, number)
            report(rows)
            if arguments.latency:
                latencies(broker, arguments.latency)


def one_round(broker: Broker, rows: dict[str, Row], number: int) -> None:
    """Every row once; what ingest filed in the first round is what detect reads in all."""
    for key, row in rows.items():
        print(f"round {number + 1}: {row.name}", file=sys.stderr)
        if key.startswith(("detect", "plain")):
            reset(broker, "detect", ("detect-state", "detections", "ledger"))
        if key != "ingest":
            measure(broker.bootstrap, row, f"peer-{key}-{number}")
        elif number == 0:
            measure(broker.bootstrap, row, key, to=1.0)


def reset(broker: Broker, role: str, topics: Sequence[str]) -> None:
    """Let a role begin anew: its group and its topics are gone, and made again by the worker."""
    admin = broker.topics.admin
    while not deleted(admin, f"{PREFIX}.{role}"):
        time.sleep(0.5)  # a member that was killed is one until its session ends
    names = [f"{PREFIX}.{name}" for name in topics]
    for gone in admin.delete_topics(names, operation_timeout=60).values():
        with suppress(KafkaException):
            gone.result(60)
    there = admin.list_topics(timeout=30).topics
    while set(names) & set(there):
        time.sleep(0.1)
        there = admin.list_topics(timeout=30).topics


def deleted(admin: AdminClient, group: str) -> bool:
    """Whether a group is gone."""
    try:
        admin.delete_consumer_groups([group])[group].result(30)
    except KafkaException as failure:
        return bool(failure.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND)
    return True


def report(rows: dict[str, Row]) -> None:
    """Print the rows and the ratios."""
    raw, plain = rows["raw"].speed, rows["faust"].speed
    print(f"\n{'':44} {'events/s of one core':>20} {'of raw':>7} {'x plain Faust':>13} {'MB':>6}")
    for row in rows.values():
        print(f"{row.name:44} {row.speed:20,.0f} {row.speed / raw:7.2f} {row.speed / plain:13.1f} {row.memory:6.0f}")
    detect = rows["detect"].speed
    for row in rows.values():
        if row.path is not None:
            print(
                f"{row.name:44} {1 - rows['plain'].speed / row.speed:19.0%}    of the plain runtime's time is this guard's"
            )
    print()
    print(f"{'the worker against a plain Faust agent':44} {detect / plain:20.1f}   (goal at least 8)")
    print(f"{'the worker against the raw limit':44} {detect / raw:20.2f}   (goal at least 0.10)")
    print(f"{'Faust runtime against the plain one':44} {detect / rows['plain'].speed:20.2f}")


if __name__ == "__main__":
    main()
