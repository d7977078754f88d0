"""The database of a worker against that of one process: the same shop, the same detections, books that add up."""

import os
import sys
from pathlib import Path

from coordwatch.adapters.files import load_rules
from coordwatch.adapters.memory import MemoryStore
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import cards_of
from coordwatch.clock import SystemClock
from coordwatch.context.progress import SourceProgress
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY
from coordwatch.processor import Input, Processor, ProcessorSettings
from tests.services.topics import Topics
from tests.services.waiting import wait_until
from tests.worker.house import Worker
from tests.worker.test_equality import KEY, MAPPINGS, OWN_SOURCES, _send, _settings, mapper, policy, shop

RESULTS = ("applied", "duplicate", "dropped", "parked", "dead_lettered")


def one_process() -> MemoryStore:
    """What `serve` keeps of the shop."""
    specs, now = load_rules().specs, SystemClock().now()
    store = MemoryStore(cards_of(specs))
    settings = ProcessorSettings(policy(), 3650 * DAY)
    sources = [SourceProgress("all", frozenset(TYPES))]
    processor = Processor(specs, store, settings, mapper=mapper(), sources=sources)
    processor.handle([Input(one, MAPPINGS.get(one.topic, OWN_SOURCES), "all") for one in shop()], now)
    processor.caught_up("all", now)
    while processor.tick(now):
        pass
    return store


def standing(store: MemoryStore | SqlStore) -> list[tuple[str, str, str]]:
    return sorted((one["id"], one["customer"], one["status"]) for one in store.standing_detections())


def rules(store: MemoryStore | SqlStore) -> list[tuple[str, int, int]]:
    return [(one.rule, one.detections, one.made_good) for one in store.rule_counts()]


def test_the_books_of_a_worker_are_those_of_one_process(topics: Topics, tmp_path: Path) -> None:
    names = sorted({record.topic for record in shop()})
    for name in names:
        topics.create(name, 3)
    settings = tmp_path / "worker.yaml"
    settings.write_text(_settings(topics, names, "120s") + "bind: 127.0.0.1:0\n")
    _send(topics, shop())
    alone = one_process()
    command = [sys.executable, "-m", "coordwatch", "worker", "--config", str(settings), "--runtime", "plain"]
    worker = Worker(command, tmp_path / "w.log", {**os.environ, "COORDWATCH_IDENTITY__KEY": KEY})
    try:
        wait_until((tmp_path / "coordwatch.db").exists, "a database", 60)
        store = SqlStore(tmp_path / "coordwatch.db", {})

        def equal() -> bool:
            assert worker.process.poll() is None, worker.said
            accounts = store.tallies()
            return accounts.get("in") == alone.tallies()["in"] and standing(store) == standing(alone)

        wait_until(equal, "what one process keeps", 180)
        wait_until(lambda: store.tallies()["under_way"] == 0, "nothing is under way", 180)
        accounts = store.tallies()
        assert accounts["in"] == sum(accounts.get(name, 0) for name in RESULTS)
        # Detections and counts come by two topics, so one may be written before the other.
        wait_until(lambda: rules(store) == rules(alone), f"the counts of one process: {rules(alone)}", 180)
        live = store.alert_totals()
        assert (live["open"], live["high"]) == (alone.alert_totals()["open"], alone.alert_totals()["high"])
        store.close()
    finally:
        worker.close()
