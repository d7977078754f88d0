"""What it costs to find whose an event is, counted in messages between the nodes of identifiers, over eight partitions."""

import random
from collections import Counter

from coordwatch.adapters.mapping_files import load_mappings
from coordwatch.events.event import Event, event_with
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.simulator.config import SimulationConfig
from coordwatch.simulator.run import simulate
from coordwatch.sources.mapper import Mapper
from tests.processor.town import Town
from tests.simulator.shop import shop_catalogue

DAYS = SimulationConfig(customers=14, days=4, seed=5)


def shop() -> list[Event]:
    mapper = Mapper(load_mappings(), shop_catalogue(), b"a key of the tests")
    return [event for one in simulate(DAYS) for event in mapper.map_record(one.record).events]


def cost(town: Town, events: list[Event]) -> dict[str, float]:
    """Messages for each event that is placed, by kind."""
    messages, placed = Counter(town.messages), sum(town.placed.values())
    for event in events:
        town.bring(event)
    town.settle()
    count = sum(town.placed.values()) - placed
    kinds = {name: amount / count for name, amount in (town.messages - messages).items()}
    return {name: each for name, each in kinds.items() if name.startswith("identity.") and not name.endswith("mark")}


def test_an_event_of_identifiers_that_are_known_costs_the_message_that_carries_it() -> None:
    town, events = Town(IdentityPolicy(), 8, random.Random(1)), shop()
    first = cost(town, events)
    later = cost(town, [event_with(event, id=f"{event.id}/again") for event in events])
    assert sum(later.values()) <= 1.2, later
    assert {"identity.place"} == later.keys(), "nobody is asked anything that is known"
    # Of a shop's first days nearly every event names something new: an order, a message, an address beside another.
    assert sum(first.values()) <= 4.5, first
