"""The stage `ingest` on a simulated shop, in the tools' own words: what the one-process runtime makes of the same records."""

from __future__ import annotations

from functools import cache

from coordwatch.adapters.mapping_files import load_mappings
from coordwatch.adapters.memory import MemoryStore
from coordwatch.codec import unpack
from coordwatch.context.progress import SourceProgress
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY
from coordwatch.events.wire import decode_event
from coordwatch.identity.identity import Identity
from coordwatch.processor import Input, Processor, ProcessorSettings
from coordwatch.processor.ingesting import SourceTopic
from coordwatch.processor.mapping import map_input
from coordwatch.processor.stage import Place
from coordwatch.simulator.config import SimulationConfig
from coordwatch.simulator.run import simulate
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import Record
from tests.processor.ingest import GRAPH, TOPICS, Line, Process, Shore, site
from tests.simulator.shop import shop_catalogue

DAYS = SimulationConfig(customers=60, days=3, seed=5)
PASSED = ("applied", "duplicate", "parked")


@cache
def shop() -> tuple[tuple[Record, ...], Mapper]:
    """The records of some days, every fiftieth damaged on its way."""
    records = [one.record for one in simulate(DAYS)]
    for n in range(7, len(records), 50):
        one = records[n]
        records[n] = Record(
            (one.value or b"")[:-3], one.topic, one.partition, one.offset, one.key, one.headers, one.timestamp
        )
    return tuple(records), Mapper(load_mappings(), shop_catalogue(), b"a key of the tests")


def logs() -> dict[Place, list[Line]]:
    found: dict[Place, list[Line]] = {}
    for one in shop()[0]:
        pairs = dict(one.headers).items()
        headers = [(name, text.encode() if isinstance(text, str) else text) for name, text in pairs]
        found.setdefault(Place(one.topic, 0), []).append(Line(one.value, headers, one.key, one.timestamp or 0))
    return found


def ingested() -> Shore:
    found, shore = logs(), Shore()
    sources = [SourceTopic(place.topic, None, SourceProgress(place.topic, frozenset(TYPES))) for place in found]
    process = Process(site(*sources, identity=GRAPH), shore, list(found), shop()[1])
    for place, log in found.items():
        while process.positions[place] < len(log):
            process.take(place, log, 97, DAYS.end)
            process.give(DAYS.end)
            shore.check_the_books()
    return shore


def test_everything_is_counted_as_the_one_process_runtime_counts_it() -> None:
    shore, store = ingested(), MemoryStore({})
    processor = Processor((), store, ProcessorSettings(GRAPH, 3650 * DAY), mapper=shop()[1])
    processor.handle([Input(record) for record in shop()[0]], DAYS.end)
    theirs = store.tallies()
    ours: dict[str, int] = {}
    for names in shore.tallies().values():
        for name, amount in names.items():
            ours[name] = ours.get(name, 0) + amount
    assert ours.pop("passed") == sum(theirs.get(name, 0) for name in PASSED) > 1000
    assert 0 < ours.pop("facts") < theirs["applied"]
    assert ours["dead_lettered"] > 20
    assert ours == {name: theirs[name] for name in ours}


def test_every_event_is_the_one_that_the_one_process_runtime_stores() -> None:
    shore, identity, (records, mapper) = ingested(), Identity(GRAPH), shop()
    placed = [Event(*unpack(one.value or b"")[0]) for one in shore.on(TOPICS.identity)]
    facts = [decode_event(one.value or b"") for one in shore.on(TOPICS.facts)]
    assert [one for one in facts if not isinstance(one, Event)] == []
    mapped = [event for one in records for event in map_input(Input(one), mapper, DAYS.end).events]
    wanted = [identity.pseudonymous(event) for event in mapped]
    found = {(event.source, event.id): event for event in (*placed, *facts) if isinstance(event, Event)}
    assert found == {(event.source, event.id): event for event in wanted}
