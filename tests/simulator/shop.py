"""One simulated week, told once for all tests that look at it, and the walk from its records to detections."""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from coordwatch.adapters.files import load_rules
from coordwatch.adapters.mapping_files import load_mappings
from coordwatch.engine.replay import Replay, replay_events
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.identity.identity import resolve_all
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.spec import RuleSpec
from coordwatch.simulator.config import SimulationConfig
from coordwatch.simulator.labels import Label
from coordwatch.simulator.post import SimRecord
from coordwatch.simulator.run import simulate
from coordwatch.sources.catalogue import Catalogue, parse_catalogue
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import MapResult

WEEK = SimulationConfig(customers=300, days=7, seed=23)


@cache
def week() -> tuple[tuple[SimRecord, ...], tuple[Label, ...]]:
    """Give the records and the truth of the week."""
    simulation = simulate(WEEK)
    return tuple(simulation), tuple(simulation.labels)


@cache
def specs() -> tuple[RuleSpec, ...]:
    """Give the shipped rules."""
    return load_rules(None).specs


def shop_catalogue() -> Catalogue:
    """Give the campaign catalogue that ships with the simulator."""
    path = files("coordwatch.simulator").joinpath("catalogue.yaml")
    return parse_catalogue(path.read_text(encoding="utf-8"), "catalogue.yaml")


@cache
def mapped() -> tuple[MapResult, ...]:
    """Give what the shipped mappings make of the week's records."""
    mapper = Mapper(load_mappings(), shop_catalogue(), b"a key of the tests")
    return tuple(mapper.map_record(record.record) for record in week()[0])


@cache
def customers() -> tuple[tuple[Event, str | None], ...]:
    """Give every mapped event of the week with the customer that identity finds."""
    events = [event for result in mapped() for event in result.events]
    return tuple(zip(events, resolve_all(events), strict=True))


def detect(rules: Sequence[RuleSpec], events: Iterable[tuple[Event, str | None]]) -> list[dict[str, Any]]:
    """Replay events whose customers are known."""
    replay = Replay(compile_rules(rules), WEEK.end)
    for event, customer in events:
        if event.time <= WEEK.end and (customer is not None or TYPES[event.type].broadcast):
            replay.add(event, customer)
    return replay.finish()


def detect_canonical(rules: Sequence[RuleSpec], records: Iterable[SimRecord]) -> list[dict[str, Any]]:
    """Replay the canonical shape of records."""
    return replay_events(rules, [event for record in records for event in record.events], WEEK.end)
