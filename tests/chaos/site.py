"""The site that chaos runs on: a source topic, settings, workers under a supervisor; and what must stand at the end.

Brokers and a seed enter; workers that are killed, paused and started again leave everything as if nothing had happened.
"""

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Producer

from coordwatch.adapters.files import load_rules
from coordwatch.clock import SystemClock
from coordwatch.codec import decode_json
from coordwatch.engine.ledger import TallyLine
from coordwatch.engine.replay import replay_events
from coordwatch.events.event import Event
from coordwatch.events.wire import decode_event
from coordwatch.processor.outcomes import line_of
from tests.chaos.workload import Sending
from tests.services.consume import latest, read_topic
from tests.services.topics import Topics
from tests.worker.house import Worker

PARTITIONS = 4
SOURCE_PARTITIONS = 4
RULES = Path(__file__).resolve().parents[2] / "bench" / "five.yaml"
KEY = "an identity key of no site at all"
SETTINGS = """\
kafka:
  bootstrap: "{bootstrap}"
  prefix: {prefix}
  partitions: {partitions}
  replication: {replication}
  session_timeout: 6s
  commit_interval: 300ms
{security}identity: {{mode: trusted_id}}
lateness: 3650d
database: {slot}.db
bind: 127.0.0.1:0
rules: [{rules}]
inputs:
  - {{kind: kafka, name: shop, topic: {source}, source: canonical, publishing_delay: 1s}}
"""


@dataclass(frozen=True, slots=True)
class Door:
    """How the workers reach the brokers, where that is another way than the tests': address, settings, secrets."""

    bootstrap: str
    security: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


class Site:
    """One site: its topics below a prefix, its workers, and everything that was sent to it."""

    def __init__(
        self, topics: Topics, folder: Path, replication: int, runtime: str = "faust", door: Door | None = None
    ) -> None:
        self.bootstrap, self.prefix, self.folder, self.runtime = (
            topics.bootstrap,
            f"{topics.prefix}.cw",
            folder,
            runtime,
        )
        self.replication, self.door = replication, door or Door(topics.bootstrap)
        self.source = topics.create("source", SOURCE_PARTITIONS)
        self.workers: list[Worker] = []
        self.events: list[bytes] = []
        self.garbage: list[bytes] = []
        self._producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "enable.idempotence": True,
                "linger.ms": 20,
                "compression.type": "lz4",
                "delivery.timeout.ms": 300_000,
                "log_level": 0,
            }
        )

    def worker(self, slot: str, *roles: str) -> Worker:
        """A worker process with these roles."""
        settings = self.folder / f"{slot}.yaml"
        settings.write_text(
            SETTINGS.format(
                bootstrap=self.door.bootstrap,
                security=self.door.security,
                prefix=self.prefix,
                partitions=PARTITIONS,
                replication=self.replication,
                slot=slot,
                rules=RULES,
                source=self.source,
            )
        )
        command = [sys.executable, "-m", "coordwatch", "worker", "--config", str(settings), "--runtime", self.runtime]
        for role in roles:
            command += ["--role", role]
        environment = {**os.environ, "COORDWATCH_IDENTITY__KEY": KEY, **self.door.environment}
        worker = Worker(command, self.folder / f"{slot}.log", environment)
        self.workers.append(worker)
        return worker

    def send(self, sendings: Sequence[Sending]) -> None:
        """Send records; returns when all of them are acknowledged."""
        for one in sendings:
            self._producer.produce(self.source, one.value, partition=one.partition)
            (self.garbage if one.garbage else self.events).append(one.value)
            self._producer.poll(0)
        assert self._producer.flush(300) == 0

    def supervise(self) -> None:
        """Start again whoever has ended."""
        for worker in self.workers:
            worker.supervise()

    # ---- what stands

    def expected(self) -> list[tuple[str, ...]]:
        """What `replay` says of everything that was sent."""
        events = [event for value in self.events if isinstance(event := decode_event(value), Event)]
        rows = replay_events(load_rules([RULES]).specs, events, SystemClock().now())
        return sorted(
            (row["rule"], row["customer"], row["act"]["source"], row["act"]["id"], row["status"]) for row in rows
        )

    def standing(self) -> list[tuple[str, ...]]:
        """What the detections topic says stands, by the last change of each."""
        last = {}
        for change in read_topic(self.bootstrap, f"{self.prefix}.detections"):
            last[change.header("cw-id")] = decode_json(change.value or b"")
        return sorted(
            (one["rule"], one["customer"], one["act"]["source"], one["act"]["id"], one["status"])
            for change in last.values()
            if (one := change["detection"])["status"] != "retracted"
        )

    def tallies(self, stage: str) -> dict[str, Counter[str]]:
        """The tallies of a stage by place, as the ledger has them."""
        found: dict[str, Counter[str]] = {}
        for key, value in latest(self.bootstrap, f"{self.prefix}.ledger").items():
            line = line_of(key or b"")
            if isinstance(line, TallyLine) and line.stage == stage:
                found.setdefault(line.place, Counter())[line.name] = int(value)
        return found

    def total(self, stage: str, name: str) -> int:
        """One tally of a stage over all places."""
        return sum(one[name] for one in self.tallies(stage).values())

    def taken(self) -> tuple[int, int, int]:
        """How many records ingest has taken, how many of them it passed on, and how many detect has taken."""
        return self.total("ingest", "in"), self.total("ingest", "passed"), self.total("detect", "in")

    def through(self) -> bool:
        """Whether everything that was sent has been taken by both stages."""
        entered, passed, arrived = self.taken()
        return entered >= len(self.events) + len(self.garbage) and arrived >= passed

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
