"""One truth: for the same records of the same tools, `replay`, the one-process runtime and workers find the same.

The records are those of the simulator, in the vendors' own shapes, without a customer id on most of them: the customer is
found across the partitions of a real Kafka, while a worker is killed, and comes out under the same key.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Producer

import coordwatch
from coordwatch.adapters.files import load_rules
from coordwatch.adapters.mapping_files import SourceFiles, load_sources
from coordwatch.adapters.memory import MemoryStore
from coordwatch.alerts.card import cards_of
from coordwatch.clock import SystemClock
from coordwatch.codec import decode_json
from coordwatch.context.progress import SourceProgress
from coordwatch.engine.replay import Replay
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY, format_time
from coordwatch.identity.digest import Digester
from coordwatch.identity.identity import Identity
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.processor import Input, Processor, ProcessorSettings
from coordwatch.processor.stage import KIND
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.detection import detection_id
from coordwatch.simulator.config import SimulationConfig
from coordwatch.simulator.run import simulate
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import Record
from tests.services.consume import read_topic
from tests.services.topics import Topics
from tests.services.waiting import wait_until
from tests.worker.house import Worker

CATALOGUE = Path(coordwatch.__file__).parent / "simulator" / "catalogue.yaml"
KEY = "an identity key of no site at all"
OWN_SOURCES = "cloudevents"
MAPPINGS = {
    "sendgrid.events": "sendgrid",
    "rasa.events": "rasa",
    "zendesk.events": "zendesk",
    "shopify.webhooks": "shopify",
    "easypost.events": "easypost",
}
Row = tuple[str, str, str, str]


def shop() -> list[Record]:
    return [one.record for one in simulate(SimulationConfig(customers=50, days=3, seed=5))]


def mapper() -> Mapper:
    mappings, catalogue = load_sources(SourceFiles((), CATALOGUE))
    return Mapper(mappings, catalogue, KEY.encode())


def policy() -> IdentityPolicy:
    return IdentityPolicy(digester=Digester(KEY.encode()))


def by_one_process(records: list[Record]) -> list[Row]:
    """What `serve` finds: the same processor over a store in memory."""
    specs, now = load_rules().specs, SystemClock().now()
    store = MemoryStore(cards_of(specs))
    everything = [SourceProgress("all", frozenset(TYPES))]
    settings = ProcessorSettings(policy(), 3650 * DAY)
    processor = Processor(specs, store, settings, mapper=mapper(), sources=everything)
    inputs = [Input(one, MAPPINGS.get(one.topic, OWN_SOURCES), "all") for one in records]
    processor.handle(inputs, now)
    processor.caught_up("all", now)
    while processor.tick(now):
        pass
    return sorted(
        (row["id"], row["customer"], row["status"], format_time(row["at"])) for row in store.standing_detections()
    )


def by_replay(records: list[Record]) -> list[Row]:
    """What `replay` finds of the events that the mappings make of the records."""
    mapping = mapper()
    events = [
        event for one in records for event in mapping.map_record(one, MAPPINGS.get(one.topic, OWN_SOURCES)).events
    ]
    replay = Replay(compile_rules(list(load_rules().specs)), SystemClock().now())
    for event, customer in zip(events, Identity(policy()).observe_all(events), strict=True):
        if customer is not None or TYPES[event.type].broadcast:
            replay.add(event, customer)
    return sorted(
        (detection_id(row["rule"], row["act"]["source"], row["act"]["id"]), row["customer"], row["status"], row["at"])
        for row in replay.finish()
    )


def by_workers(topics: Topics, folder: Path, runtime: str, records: list[Record]) -> list[Row]:
    """What two workers find, one of which is killed in the middle; given when it no longer changes."""
    names = sorted({record.topic for record in records})
    for name in names:
        topics.create(name, 3)
    settings = folder / "worker.yaml"
    settings.write_text(_settings(topics, names))
    command = [sys.executable, "-m", "coordwatch", "worker", "--config", str(settings), "--runtime", runtime]
    command += ["--role", "ingest", "--role", "detect"]
    environment = {**os.environ, "COORDWATCH_IDENTITY__KEY": KEY}
    (here := folder / "here").mkdir()
    workers = [Worker(command, folder / f"w{number}.log", environment, here) for number in range(2)]
    expected = by_one_process(records)
    try:
        _send(topics, records[: len(records) // 2])
        wait_until(lambda: _standing(topics), "a first detection", 240)
        workers[0].kill()
        _send(topics, records[len(records) // 2 :])

        def equal() -> list[Row] | None:
            for worker in workers:
                worker.supervise()
            found = _standing(topics)
            return found if found == expected else None

        return wait_until(equal, "what one process finds", 400)
    finally:
        for worker in workers:
            worker.close()


def _settings(topics: Topics, names: list[str], session: str = "6s") -> str:
    inputs = "".join(
        f"  - {{kind: kafka, name: {name.replace('.', '-')}, topic: {topics.prefix}.{name}, publishing_delay: 1s, "
        f"source: {MAPPINGS.get(name, OWN_SOURCES)}}}\n"
        for name in names
    )
    return (
        f"kafka: {{bootstrap: '{topics.bootstrap}', prefix: {topics.prefix}.cw, partitions: 4, replication: 1, "
        f"session_timeout: {session}, commit_interval: 200ms}}\n"
        f"lateness: 3650d\nsources: {{catalogue: {CATALOGUE}}}\ninputs:\n{inputs}"
    )


def _send(topics: Topics, records: list[Record]) -> None:
    producer = Producer({"bootstrap.servers": topics.bootstrap, "log_level": 0})
    for number, record in enumerate(records):
        headers = [(name, value) for name, value in record.headers]  # type: ignore[misc]
        producer.produce(f"{topics.prefix}.{record.topic}", record.value, headers=headers, partition=number % 3)
        producer.poll(0)
    assert producer.flush(60) == 0


def _standing(topics: Topics) -> list[Row]:
    name = f"{topics.prefix}.cw.detections"
    if name not in topics.existing():
        return []
    last = {
        one.header("cw-id"): decode_json(one.value or b"")["detection"] for one in read_topic(topics.bootstrap, name)
    }
    return sorted(
        (one["id"], one["customer"], one["status"], format_time(one["at"]))
        for one in last.values()
        if one["status"] != "retracted"
    )


def by_range(topics: Topics, folder: Path, *names: str) -> list[Row]:
    """What `replay` finds of topics, from their beginning to their end: payloads of tools, or what the workers filed."""
    ranges = [word for name in names for word in ("--kafka", f"{topics.prefix}.{name}")]
    command = [sys.executable, "-m", "coordwatch", "replay", *ranges, "--config", str(folder / "worker.yaml")]
    done = subprocess.run(
        [*command, "--until", format_time(SystemClock().now())],
        env={**os.environ, "COORDWATCH_IDENTITY__KEY": KEY}, capture_output=True, check=False, timeout=400,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    rows = [decode_json(line) for line in done.stdout.splitlines()]
    return sorted(
        (detection_id(row["rule"], row["act"]["source"], row["act"]["id"]), row["customer"], row["status"], row["at"])
        for row in rows
    )


def test_replay_and_the_one_process_find_the_same():
    records = shop()
    found = by_one_process(records)
    assert len(found) > 40
    assert found == by_replay(records)


@pytest.mark.parametrize("runtime", ["faust", "plain"])
def test_workers_find_the_same(topics, tmp_path, runtime):
    records = shop()
    expected = by_one_process(records)
    assert by_workers(topics, tmp_path, runtime, records) == expected
    assert list((tmp_path / "here").iterdir()) == [], "a worker needs nowhere to write"
    filed = read_topic(topics.bootstrap, f"{topics.prefix}.cw.events")
    assert any(one.header(KIND) == b"move" for one in filed), "customers who turn out to be one are in it"
    assert by_range(topics, tmp_path, "cw.events") == expected
    assert by_range(topics, tmp_path, *sorted({record.topic for record in records})) == expected
