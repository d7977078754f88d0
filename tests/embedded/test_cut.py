"""Cut between any two effects and go on: the same as if nothing had happened (laws 4 and 8), vendor payloads included."""

import random
from itertools import islice
from pathlib import Path

import pytest

import coordwatch
from coordwatch.adapters.files import load_rules
from coordwatch.adapters.mapping_files import SourceFiles, load_sources
from coordwatch.adapters.memory import MemoryStore
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import cards_of
from coordwatch.app import types_of
from coordwatch.context.progress import SourceProgress
from coordwatch.errors import TemporaryError
from coordwatch.events.times import MINUTE
from coordwatch.identity.digest import Digester
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.processor import Input, Processor, ProcessorSettings
from coordwatch.simulator.run import live
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import Record

RECORDS = 1500
BATCH = 25
KEY = b"a key that no site has"
PARTS = ("applied", "duplicate", "dropped", "parked", "dead_lettered")


class House:
    """A processor that can be thrown away and built again over what its store holds."""

    def __init__(self, open_store) -> None:
        shop = Path(coordwatch.__file__).parent / "simulator" / "catalogue.yaml"
        self.mappings, catalogue = load_sources(SourceFiles((), shop))
        self.specs = load_rules().specs
        self.mapper = Mapper(self.mappings, catalogue, KEY)
        self.open_store = open_store
        self.start()

    def start(self) -> None:
        self.store = self.open_store(cards_of(self.specs))
        sources = [SourceProgress(one.name, types_of([one]), publishing_delay=30 * MINUTE) for one in self.mappings]
        settings = ProcessorSettings(IdentityPolicy(digester=Digester(KEY)))
        self.processor = Processor(self.specs, self.store, settings, mapper=self.mapper, sources=sources)

    def take(self, records: list[Record], number: int) -> None:
        now = records[-1].timestamp or 0
        self.processor.handle([Input(record) for record in records], now, {"shop": str(number)})

    def catch_up(self, now: int) -> None:
        for mapping in self.mappings:
            self.processor.caught_up(mapping.name, now)
        while self.processor.tick(now):
            pass

    def books(self):
        """Everything that stands, in words that two runs share."""
        tallies = self.store.tallies()
        assert tallies["in"] == sum(tallies.get(part, 0) for part in PARTS)
        detections = sorted(
            (row["id"], row["customer"], row["status"], row["at"], tuple(one["id"] for one in row["evidence"]))
            for row in self.store.standing_detections()
        )
        counts = [
            (one.rule, one.acts, one.detections, one.in_flight, one.made_good) for one in self.store.rule_counts()
        ]
        alerts = sorted((row.id, row.status, row.count, row.sentence) for row in self.store.alerts({}, 1000, None)[0])
        return detections, counts, alerts, {name: tallies.get(name, 0) for name in (*PARTS, "in", "aliased")}


@pytest.fixture(scope="module")
def batches() -> list[list[Record]]:
    records = [one.record for one in islice(live(7), RECORDS)]
    return [records[start : start + BATCH] for start in range(0, RECORDS, BATCH)]


@pytest.fixture(scope="module")
def undisturbed(batches):
    house = House(MemoryStore)
    for number, batch in enumerate(batches):
        house.take(batch, number)
        house.catch_up(batch[-1].timestamp)
    books = house.books()
    assert len(books[0]) > 10
    return books


@pytest.mark.parametrize(("kind", "seed"), [("sqlite", 0), ("sqlite", 1), ("sqlite", 2), ("postgres", 3)])
def test_a_process_that_ends_between_any_two_batches_goes_on_as_if_nothing_had_been(
    new_place, batches, undisturbed, kind, seed
):
    rng = random.Random(seed)
    place = new_place(kind)
    house = House(lambda cards: SqlStore(place, cards, durable=False))
    number = 0
    while number < len(batches):
        if rng.random() < 0.15:
            house.store.close()
            house.start()
            number = int(house.store.positions().get("shop", "-1")) + 1
        house.take(batches[number], number)
        if rng.random() < 0.1:
            house.store.close()
            house.start()
        house.catch_up(batches[number][-1].timestamp)
        number += 1
    books = house.books()
    house.store.close()
    assert books == undisturbed


def test_a_commit_that_is_refused_now_and_then_changes_nothing(batches, undisturbed):
    rng = random.Random(1)

    class Refusing(MemoryStore):
        def commit(self, effects, now):
            if rng.random() < 0.3:
                raise TemporaryError("the disk is full")
            super().commit(effects, now)

    house = House(Refusing)

    def until_taken(act) -> None:
        while True:
            try:
                return act()
            except TemporaryError:
                continue

    for number, batch in enumerate(batches):
        until_taken(lambda batch=batch, number=number: house.take(batch, number))
        until_taken(lambda batch=batch: house.catch_up(batch[-1].timestamp))
    assert house.books() == undisturbed


def test_a_batch_that_is_handed_in_again_is_known(batches):
    house = House(MemoryStore)
    for number, batch in enumerate(batches[:20]):
        house.take(batch, number)
    before = house.books()
    for number, batch in enumerate(batches[:20]):
        house.take(batch, number)
    after = house.books()
    assert after[:3] == before[:3]
