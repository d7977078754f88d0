"""Detection latency: from the broker's append of the act to the detection that a reader of committed records can have.

A broker with a worker's settings enters; quantiles leave, of an even stream, and of one in which a worker is killed.
"""

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from confluent_kafka import Consumer, Producer, TopicPartition

from bench import workload
from coordwatch.codec import decode_json, encode_json
from tests.services.topics import Topics

RATE = 1_000
PARTITIONS = 4
WARM_SECONDS = 12.0


class Broker(Protocol):
    """What is needed of the benchmark's broker."""

    bootstrap: str

    def worker(self, prefix: str, source: str, *options: str) -> list[str]:
        """The command of a worker."""
        ...


class Stream:
    """Sends acts at an even pace and notes when each was appended and when its detection could be read."""

    def __init__(self, bootstrap: str, source: str, detections: str) -> None:
        self._bootstrap, self._source, self._detections = bootstrap, source, detections
        self.sent: dict[str, float] = {}
        self.seen: dict[str, float] = {}
        self.over = threading.Event()

    def send(self, seconds: int) -> None:
        """Send for so long."""
        producer = Producer({"bootstrap.servers": self._bootstrap, "linger.ms": 2})
        began = time.time()
        for number, line in enumerate(workload.lines(seconds * RATE, 2_000, 0, seed=99, share=0.0)):
            event = decode_json(line)
            name = event["id"]

            def appended(_error: object, _message: object, name: str = name) -> None:
                self.sent.setdefault(name, time.time())

            producer.produce(self._source, encode_json(event), on_delivery=appended)
            producer.poll(0)
            ahead = number / RATE - (time.time() - began)
            if ahead > 0:
                time.sleep(ahead)
        producer.flush(30)

    def watch(self) -> None:
        """Read detections as they are committed."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": "latency",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,
            }
        )
        consumer.assign([TopicPartition(self._detections, number, 0) for number in range(PARTITIONS)])
        while not self.over.is_set():
            for message in consumer.consume(1_000, 0.02):
                if message.error() is None:
                    change = decode_json(message.value() or b"")
                    self.seen.setdefault(change["detection"]["act"]["id"], time.time())
        consumer.close()

    def waits(self) -> list[float]:
        """How long each detection took. Units: seconds."""
        return sorted(max(0.0, self.seen[name] - sent) for name, sent in self.sent.items() if name in self.seen)


def latencies(broker: Broker, seconds: int) -> None:
    """Measure both and print."""
    for kill in (False, True):
        prefix = f"latency-{int(kill)}"
        waits = one(broker, prefix, seconds, kill=kill)
        what = "while one of two workers is killed" if kill else "two workers"
        goal = "p99.9 at most 25 s" if kill else "p99 at most 1.5 s"
        print(
            f"append to detection, {RATE} events/s, {what}: {len(waits)} detections, p50 {quantile(waits, 0.5):.2f} s, "
            f"p99 {quantile(waits, 0.99):.2f} s, p99.9 {quantile(waits, 0.999):.2f} s   (goal {goal})"
        )


def one(broker: Broker, prefix: str, seconds: int, *, kill: bool) -> list[float]:
    """One run of two workers."""
    source = Topics(broker.bootstrap, f"{prefix}-shop").create("source", PARTITIONS)
    command = broker.worker(prefix, source, "--role", "ingest", "--role", "detect")
    environment = {**os.environ, "COORDWATCH_IDENTITY__KEY": "an identity key of no site at all"}
    workers = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(2)]
    stream = Stream(broker.bootstrap, source, f"{prefix}.detections")
    try:
        time.sleep(WARM_SECONDS)
        watching = threading.Thread(target=stream.watch)
        watching.start()
        sending = threading.Thread(target=stream.send, args=(seconds,))
        sending.start()
        if kill:
            time.sleep(seconds / 2)
            workers[0].kill()
            workers[0].wait()
            workers[0] = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        sending.join()
        time.sleep(25)
        stream.over.set()
        watching.join()
        return stream.waits()
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def quantile(waits: Sequence[float], share: float) -> float:
    """A quantile of sorted waits, not a number without any."""
    return waits[min(len(waits) - 1, int(share * len(waits)))] if waits else float("nan")
