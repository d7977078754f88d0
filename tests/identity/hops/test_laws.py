"""Identity across partitions ends where identity in one process ends, whatever happens on the way."""

import os
import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.events.event import Event
from coordwatch.identity.identity import resolve_all
from coordwatch.identity.policy import IdentityPolicy
from tests.identity.build import streams
from tests.identity.hops.world import World, copies

POLICY = IdentityPolicy(fanout_max=3)
law = settings(max_examples=int(os.environ.get("COORDWATCH_EXAMPLES", "100")), deadline=None)
chances = st.integers(0, 2**32 - 1).map(random.Random)


def filed_in_one_process(events: list[Event]) -> dict[tuple[str, str], str]:
    customers = resolve_all(events, POLICY)
    return {(one.source, one.id): key for one, key in zip(events, customers, strict=True) if key is not None}


@law
@given(streams(), st.integers(1, 4), chances)
def test_any_interleaving_duplication_and_crash_ends_where_one_process_ends(
    events: list[Event], partitions: int, chance: random.Random
) -> None:
    world = World(POLICY, partitions, chance)
    for one in copies(events, chance):
        world.bring(one, f"ingest-{chance.randint(0, 1)}")
        world.steps(chance.randint(0, 12))
    world.settle()
    assert filed_in_one_process(events) == world.filed()
    placed = Counter((one.source, one.id) for one in events if world.router.route(one).anchor is not None)
    assert placed == Counter([*world.filed(), *world.parked()])
