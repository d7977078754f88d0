"""The stage `identity` over any number of partitions, owners, crashes and orders: where it ends, and what its marks claim."""

import os
import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.events.event import Event
from coordwatch.identity.identity import resolve_all
from coordwatch.identity.policy import IdentityPolicy
from tests.identity.build import streams
from tests.identity.hops.world import copies
from tests.processor.town import Town

POLICY = IdentityPolicy(fanout_max=3, park_for=10**18)
law = settings(max_examples=max(60, int(os.environ.get("COORDWATCH_EXAMPLES", "60")) // 5), deadline=None)
chances = st.integers(0, 2**32 - 1).map(random.Random)


@law
@given(streams(), st.integers(1, 4), chances)
def test_it_ends_where_one_process_ends_and_no_mark_overtakes_an_event(
    events: list[Event], partitions: int, chance: random.Random
) -> None:
    town = Town(POLICY, partitions, chance)
    for one in copies(events, chance):
        part = chance.randint(0, 1)
        town.bring(one, part, astray=chance.random() < 0.1)
        if chance.random() < 0.5:
            town.mark(part)
        town.steps(chance.randint(0, 20))
    for part in range(2):
        town.mark(part)
    town.settle()
    customers = resolve_all(events, POLICY)
    expected = {(one.source, one.id): key for one, key in zip(events, customers, strict=True) if key is not None}
    assert expected == town.filed()
    placed = Counter((one.source, one.id) for one in events if town.router.route(one).anchor is not None)
    assert placed == Counter([*town.filed(), *town.parked()])
    assert [] == town.late()
    for place, nth in town.placed.items():
        assert {nth} == {journals.claimed(place) for journals in town.journals}
    town.check_the_books()
    assert [] == town.letters
