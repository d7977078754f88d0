"""Identity across partitions ends where identity in one process ends, whatever happens on the way."""

import os
import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.codec import unpack
from coordwatch.events.event import Event, event_with
from coordwatch.events.times import DAY
from coordwatch.identity.answers import customer_key
from coordwatch.identity.identity import Identity
from coordwatch.identity.policy import IdentityPolicy
from tests.identity.build import streams
from tests.identity.hops.world import World, copies, crowd, policies
from tests.identity.test_laws import POLICY, naive_customers

# A world takes about thirty times as long as one process.
EXAMPLES = max(60, int(os.environ.get("COORDWATCH_EXAMPLES", "60")) // 5)
law = settings(max_examples=EXAMPLES, deadline=None)
chances = st.integers(0, 2**32 - 1).map(random.Random)


def happen(world: World, events: list[Event], chance: random.Random) -> None:
    """Let events come in any order, some twice, from two ingests, with steps of everybody between them."""
    most = chance.choice([0, 3, 12, 40])
    for one in copies(events, chance):
        world.bring(one, f"ingest-{chance.randint(0, 1)}")
        world.steps(chance.randint(0, most))
    world.settle()


def check(world: World, events: list[Event], policy: IdentityPolicy) -> None:
    """What stands at the end is what one process says, to the last hop; nothing is lost, nothing is there twice."""
    identity = Identity(policy)
    customers = identity.observe_all(events)
    assert {(one.source, one.id): key for one, key in zip(events, customers, strict=True) if key} == world.filed()
    placed = Counter((one.source, one.id) for one in events if world.router.route(one).anchor is not None)
    assert placed == Counter([*world.filed(), *world.parked()])
    assert {digest: identity._known.answer(digest) for digest in identity._known._edges.nodes} == world.answers()
    world.check_the_books()


@law
@given(streams(), st.integers(1, 4), chances)
def test_any_interleaving_duplication_and_crash_ends_where_one_process_ends(
    events: list[Event], partitions: int, chance: random.Random
) -> None:
    world = World(POLICY, partitions, chance)
    happen(world, events, chance)
    assert naive_customers(events) == world.filed()
    check(world, events, POLICY)


@law
@given(chances)
def test_so_do_long_and_crowded_histories(chance: random.Random) -> None:
    policy, events = policies(chance), crowd(chance)
    world = World(policy, chance.randint(1, 5), chance)
    happen(world, events, chance)
    check(world, events, policy)


@law
@given(chances)
def test_a_customer_that_became_another_one_is_found_by_its_old_key(chance: random.Random) -> None:
    """Every key under which any event ever stood; it may have been another's for a while, and be nobody's now."""
    policy, events = policies(chance), crowd(chance)
    world = World(policy, chance.randint(1, 5), chance)
    happen(world, events, chance)
    identity = Identity(policy)
    identity.observe_all(events)
    ever = {customer for journals in world.journals for customer in journals}
    for digest in identity._known._edges.nodes:
        if customer_key(digest) in ever:
            root = identity._known.answer(digest).root
            now = None if root in (None, digest) else customer_key(root)
            assert now == world.aliases.get(customer_key(digest))


@law
@given(chances)
def test_refs_that_were_forgotten_can_be_named_again(chance: random.Random) -> None:
    """Between two times everything old is let go of; while that is told, the new time may have begun."""
    policy = policies(chance)
    before = crowd(chance)
    after = [
        event_with(one, id=f"later-{one.id}", time=one.time + 1000 * DAY, observed_at=one.observed_at + 1000 * DAY)
        for one in crowd(chance)
    ]
    world = World(policy, chance.randint(1, 5), chance)
    happen(world, before, chance)
    for owner in world.owners:
        owner.hops.expire(2 * 10**18)
    world.settle()
    world.journals = [{} for _ in world.journals]
    world.prune(500 * DAY)
    happen(world, after, chance)
    identity = Identity(policy)
    for one in before:
        identity.observe(one)
    identity.expire(2 * 10**18)
    identity.prune(500 * DAY)
    for one in after:
        identity.observe(one)
    customers = {(one.source, one.id): identity.customer_of(one) for one in after}
    assert {name: customer for name, customer in customers.items() if customer} == world.filed()
    answers = world.answers()
    assert {digest: identity._known.answer(digest) for digest in identity._known._edges.nodes} == answers
    keys = [unpack(key) for owner in world.owners for key in owner.rows]
    assert [key for key in keys if key[0] in ("4", "b") and key[2] not in answers] == [], "kept of a ref that is gone"
    world.check_the_books()
