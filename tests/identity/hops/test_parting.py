"""Parting over partitions: who is forgotten is forgotten everywhere, who is kept apart is apart, as in one process."""

import os
import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.codec import unpack
from coordwatch.identity.hops.rows import AWAY
from coordwatch.identity.identity import Identity
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.identity.reading import Reader
from tests.identity.build import LINKED, event
from tests.identity.hops.test_laws import happen
from tests.identity.hops.world import World, crowd, policies

EXAMPLES = max(40, int(os.environ.get("COORDWATCH_EXAMPLES", "40")) // 5)
law = settings(max_examples=EXAMPLES, deadline=None)
chances = st.integers(0, 2**32 - 1).map(random.Random)


@law
@given(chances)
def test_who_is_forgotten_is_forgotten_by_everybody_and_nobody_else_is(chance: random.Random) -> None:
    # A follower lends its leader no more persons than it takes to be quarantined: of those, forgetting may leave too few.
    policy, events = replace(policies(chance), fanout_max=20), crowd(chance)
    world = World(policy, chance.randint(1, 4), chance)
    happen(world, events, chance)
    identity = Identity(policy)
    identity.observe_all(events)
    customers = sorted(set(world.filed().values()))
    if not customers:
        return
    customer = chance.choice(customers)
    theirs, reader = identity.belongings(customer), Reader(policy)
    world.forget(customer)
    for _ in range(20):
        world.steps(chance.randint(0, 6))
    world.settle()
    world.reap()
    identity.forget(theirs)
    rows = [unpack(key) for owner in world.owners for key in owner.rows]
    named = {part for key in rows if key[0] != AWAY for part in key[1:]}
    assert named.isdisjoint(theirs)
    held = b"".join(value for owner in world.owners for value in owner.rows.values())
    assert not [digest for digest in theirs if digest.encode() in held]
    assert {digest: identity._known.answer(digest) for digest in identity._known._edges.nodes} == world.answers()
    after = world.filed()
    assert customer not in after.values()
    others = [one for one in events if theirs.isdisjoint(reader.read(one).ids)]
    expected = {(one.source, one.id): key for one in others if (key := identity.customer_of(one))}
    assert expected == {name: after[name] for one in others if (name := (one.source, one.id)) in after}
    world.check_the_books()


def test_another_form_that_went_with_its_address_need_not_go_again() -> None:
    """It is doomed itself, and hears that the address is gone before its own time has come."""
    for first in range(3):
        world = World(IdentityPolicy(), 3, random.Random(0))
        world.bring(event(1, "email:ann@example.com", order="O1"))
        world.settle()
        (customer,) = set(world.filed().values())
        world.forget(customer)
        world.settle()
        for owner in world.owners:
            owner.hops.forget(1, 10)
        for owner in (*world.owners[first:], *world.owners[:first]):
            owner.hops.forget(100, 10)
            world.give(owner)
            world.settle()
        assert world.filed() == {}
        assert {unpack(key)[0] for owner in world.owners for key in owner.rows} == {AWAY}


def test_what_was_on_its_way_to_somebody_who_is_forgotten_falls_away() -> None:
    world = World(IdentityPolicy(), 3, random.Random(0))
    ann = "email:ann@example.com"
    world.bring(event(1, ann, order="O1"))
    world.settle()
    (customer,) = set(world.filed().values())
    world.bring(event(2, ann, order="O1"))
    world.forget(customer)
    world.settle()
    world.reap()
    world.bring(event(3, ann, "phone:+33123456789"))
    world.settle()
    assert world.filed() == {}
    assert world.counts["dropped.forgotten"] >= 1
    kept = IdentityPolicy().digester.kept_away
    held = {unpack(key)[1] for owner in world.owners for key in owner.rows if unpack(key)[0] == AWAY}
    assert {kept(digest) for digest in world.forgotten} <= held
    for owner in world.owners:
        for now in (1, 2, 10**9):
            owner.hops.tidy(now, 10**6)
        world.give(owner)
    world.bring(event(4, ann))
    world.settle()
    assert set(world.filed().values()) == {customer}, "by then whoever sends events knows who is kept away"


@law
@given(chances)
def test_two_who_are_not_one_are_apart_over_partitions_as_in_one_process(chance: random.Random) -> None:
    policy = policies(chance)
    events = [one for one in crowd(chance) if one.type != LINKED]
    reader = Reader(policy)
    pairs = [
        (one, other) for some in events for one in reader.read(some).named for other in reader.read(some).named
        if one.digest < other.digest and not one.kind.type.startswith("email")
        and not other.kind.type.startswith("email")
    ]  # fmt: skip
    if not pairs:
        return
    one, other = chance.choice(pairs)
    world = World(policy, chance.randint(1, 4), chance)
    at = chance.randint(0, len(events))
    happen(world, events[:at], chance)
    world.split(one, other)
    happen(world, events[at:], chance)
    identity = Identity(policy)
    identity.observe_all(events[:at])
    identity.exclude(one.digest, other.digest)
    for some in events[at:]:
        identity.observe(some)
    nodes = identity._known._edges.nodes
    assert {digest: identity._known.answer(digest) for digest in nodes} == world.answers()
    assert {(some.source, some.id): key for some in events if (key := identity.customer_of(some))} == world.filed()
