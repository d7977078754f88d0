"""What the rows of all partitions say of a person is what one process says, but for what the rows do not hold."""

import os
import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from coordwatch.codec import unpack
from coordwatch.identity.answers import customer_key
from coordwatch.identity.hops.messages import looks_like_a_form
from coordwatch.identity.hops.portrait import Portrait, head_of
from coordwatch.identity.hops.rows import NODE
from coordwatch.identity.identifier import IdClass
from coordwatch.identity.identity import Identity
from coordwatch.identity.policy import IdentityPolicy
from tests.identity.build import LINKED
from tests.identity.hops.test_laws import happen
from tests.identity.hops.world import World, crowd, policies

EXAMPLES = max(20, int(os.environ.get("COORDWATCH_EXAMPLES", "20")) // 5)
law = settings(max_examples=EXAMPLES, deadline=None)
chances = st.integers(0, 2**32 - 1).map(random.Random)


def portrait(world: World) -> Portrait:
    rows = [(unpack(key), value) for owner in world.owners for key, value in owner.rows.items()]
    for parts, value in rows:
        if parts[0] == NODE:
            answer = world.answers().get(parts[1])
            assert answer is None or head_of(value)[:2] == (answer.root, True)
    return Portrait(world.policy, rows)


def because(seen: Identity | Portrait, customer: str, equals: set[frozenset[str]]) -> set[tuple[str, str]]:
    """The edges of a customer, without those of equals, of whom partitions only keep what one of them had to decide."""
    return {
        tuple(sorted((edge.one, edge.other)))
        for edge in seen.explain(customer)
        if frozenset((edge.one.partition(":")[0], edge.other.partition(":")[0])) not in equals
        and edge.how == "seen_together"
    }


def of_one_rank(identity: Identity, policy: IdentityPolicy) -> set[frozenset[str]]:
    rows = [identity.known(digest) for digest in identity._known._edges.nodes]
    kinds = {policy.kind(row.type, row.namespace) for row in rows if row is not None}
    persons = [kind for kind in kinds if kind.rank.id_class is not IdClass.REF]
    return {frozenset((one.type, two.type)) for one in persons for two in persons if one.rank == two.rank}


@law
@given(chances)
def test_partitions_know_of_everybody_what_one_process_knows(chance: random.Random) -> None:
    policy, events = policies(chance), [one for one in crowd(chance) if one.type != LINKED]
    world, identity = World(policy, chance.randint(1, 5), chance), Identity(policy)
    happen(world, events, chance)
    identity.observe_all(events)
    for one in events:
        identity.observe(one)
    identity.learn([])
    seen, nodes = portrait(world), identity._known._edges.nodes
    equals = of_one_rank(identity, policy)
    for digest in nodes:
        ours, theirs = identity.known(digest), seen.known(digest)
        assert ours is not None
        assert theirs is not None
        assert ours[:3] == theirs[:3]
        assert identity.quarantine(digest) == seen.quarantine(digest)
        assert identity.confidence_of_ids([digest]) == seen.confidence_of_ids([digest])
        customer = customer_key(digest)
        assert identity.current(customer) in (None, seen.current(customer))
        assert identity.belongings(customer) == seen.belongings(customer)
        assert because(identity, customer, equals) == because(seen, customer, equals)
        names = [one.id for one in identity.waiting_for({digest})]
        assert sorted(names) == sorted(one.id for one in seen.waiting_for({digest}))
    for one in events:
        ids = identity.ids_of(one)
        assert identity.confidence_of_ids(ids) == seen.confidence_of_ids(ids)


@law
@given(chances)
@example(random.Random(10))
@example(random.Random(93))
@example(random.Random(123))
@example(random.Random(155))
def test_whom_tools_linked_is_explained_too(chance: random.Random) -> None:
    """Pinned: what a follower of a follower lends, what two followers lend each other's leaders, a hash that a tool linked."""
    policy, events = policies(chance), crowd(chance)
    world, identity = World(policy, chance.randint(1, 5), chance), Identity(policy)
    happen(world, events, chance)
    identity.observe_all(events)
    identity.learn([])
    seen = portrait(world)
    for digest in identity._known._edges.nodes:
        customer = customer_key(digest)
        assert identity.belongings(customer) == seen.belongings(customer)
        ours, theirs = identity.explain(customer), seen.explain(customer)
        assert {how for *_, how in theirs} <= {how for *_, how in ours}
        together = {(one, other) for one, other, how in ours if how == "seen_together"}
        assert {(one, other) for one, other, how in theirs if how == "seen_together"} <= together
        same = [(one, other) for one, other, how in ours if how == "same_address"]
        assert same == [(one, other) for one, other, how in theirs if how == "same_address"]


def test_whose_form_a_node_is_was_not_said_by_earlier_programs() -> None:
    assert looks_like_a_form("none:a", "email_sha1", ["none:b", "email", ""]) == "none:b"
    assert looks_like_a_form("k001:a", "email", ["none:b", "email", ""]) == "none:b"
    assert looks_like_a_form("none:a", "email", ["none:b", "email", ""]) is None
    assert looks_like_a_form("none:a", "email_sha1", None) is None
