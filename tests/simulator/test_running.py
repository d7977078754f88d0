"""The running program against the truth: records in the order in which they arrive, batch by batch, one commit each."""

from coordwatch.adapters.mapping_files import load_mappings
from coordwatch.adapters.memory import MemoryStore
from coordwatch.alerts.card import card_of
from coordwatch.context.progress import SourceProgress
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import HOUR, MINUTE
from coordwatch.processor import Input, Processor, ProcessorSettings
from coordwatch.simulator.config import SimulationConfig
from coordwatch.simulator.run import simulate
from coordwatch.simulator.score import score
from coordwatch.sources.mapper import Mapper
from tests.simulator.shop import shop_catalogue, specs

DAYS = SimulationConfig(customers=110, days=5, seed=8)


def test_what_stands_at_the_end_of_a_run_is_what_is_true():
    store = MemoryStore({spec.id: card_of(spec) for spec in specs()})
    sources = [SourceProgress("everything", frozenset(TYPES), disorder=30 * MINUTE)]
    mapper = Mapper(load_mappings(), shop_catalogue(), b"a key of the tests")
    program = Processor(specs(), store, ProcessorSettings(), mapper=mapper, sources=sources)
    simulation, waiting, handled = simulate(DAYS), [], DAYS.start
    for record in simulation:
        now = record.record.timestamp
        waiting.append(Input(record.record, input="everything"))
        if now - handled > 30 * MINUTE:
            program.handle(waiting, now)
            program.caught_up("everything", now)
            program.tick(now)
            waiting, handled = [], now
    program.handle(waiting, now)
    program.caught_up("everything", max(now, DAYS.end) + HOUR)
    while program.tick(DAYS.end + MINUTE):
        pass
    standing = [one for one in store.standing_detections() if one["at"] <= DAYS.end]
    scores = score(simulation.labels, standing)
    wrong = {one.rule: [miss.reason for miss in (*one.missed, *one.invented)] for one in scores if not one.is_perfect}
    assert wrong == {}
    assert sum(one.right for one in scores) > 150
