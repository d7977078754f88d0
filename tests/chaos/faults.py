"""Faults: what happens to workers and brokers while records flow, drawn from a seed.

A site and its cluster enter; a list of what was done leaves, so that a run can be told and made again.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests.chaos.site import Site
from tests.services.kafka import Cluster
from tests.services.waiting import wait_until
from tests.worker.house import Worker

SESSION = 6.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How many faults of each kind."""

    kills: int = 0
    pauses: int = 0
    restarts: int = 0
    broker_kills: int = 0
    refusals: int = 0

    def faults(self, rng: random.Random) -> list[str]:
        """All of them, in an order of chance."""
        counted = {
            "kill": self.kills,
            "pause": self.pauses,
            "rolling restart": self.restarts,
            "broker kill": self.broker_kills,
            "produce refused": self.refusals,
        }
        faults = [name for name, count in counted.items() for _ in range(count)]
        rng.shuffle(faults)
        return faults


@dataclass(slots=True)
class Chaos:
    """Does faults to a site, one after the other."""

    site: Site
    cluster: Cluster
    rng: random.Random
    done: Counter[str] = field(default_factory=Counter)
    wait: Callable[[float], object] = field(default_factory=lambda: threading.Event().wait)

    def do(self, fault: str) -> None:
        """One fault, and a moment in which the site goes on."""
        self.site.supervise()
        {
            "kill": self._kill,
            "pause": self._pause,
            "rolling restart": self._rolling_restart,
            "broker kill": self._broker_kill,
            "produce refused": self._produce_refused,
        }[fault]()
        self.done[fault] += 1
        self.wait(self.rng.uniform(0.3, 3.0))

    def _one(self) -> Worker:
        return self.rng.choice(self.site.workers)

    def _kill(self) -> None:
        worker = self._one()
        worker.kill()
        self.wait(self.rng.choice([0.0, 0.2, 1.0]))
        worker.start()

    def _pause(self) -> None:
        worker = self._one()
        worker.pause()
        self.wait(SESSION + self.rng.uniform(2.0, 6.0))
        worker.go_on()

    def _rolling_restart(self) -> None:
        for worker in self.site.workers:
            if worker.process.poll() is None:
                worker.stop()
            worker.start()
            self.wait(1.0)

    def _broker_kill(self) -> None:
        node = self.rng.choice(self.cluster.nodes)
        node.kill()
        self.wait(self.rng.uniform(3.0, 7.0))
        node.start()
        wait_until(node.accepting, "the broker again", 120)

    def _produce_refused(self) -> None:
        """More copies are asked for than there are brokers: every write is refused until that is taken back."""
        topic = f"{self.site.prefix}.{self.rng.choice(['detections', 'detect-state', 'events'])}"
        self._min_copies(topic, "4")
        self.wait(self.rng.uniform(2.0, 8.0))
        self._min_copies(topic, "2")

    def _min_copies(self, topic: str, copies: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.site.bootstrap, "log_level": 0})
        entry = ConfigEntry("min.insync.replicas", copies, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        for changed in admin.incremental_alter_configs([resource]).values():
            changed.result(60)
