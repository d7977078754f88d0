"""How sure a customer is beside a Kafka: as in one process where the nodes are in this process, else nothing is said."""

import random

import pytest

from coordwatch.adapters.kafka.partitioner import partition_of
from coordwatch.identity.digest import Digester
from coordwatch.identity.hops.routing import PLACE, Router
from coordwatch.identity.identity import Identity
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.processor.resolving import Resolving, ResolvingSettings
from coordwatch.processor.stage import KIND, Place, Slice
from coordwatch.processor.topics import Topics
from coordwatch.worker.sureness import Sureness
from tests.identity.build import event
from tests.identity.hops.world import crowd

TOPICS, NOW = Topics("cw", 3), 1_700_000_000_000_000
POLICY = IdentityPolicy(digester=Digester(b"a key of no site"), park_for=10**18)


def settled(stage: Resolving, events: list) -> None:
    """Place events, and carry each message to its node until nobody has anything to say."""
    router, offsets = Router(POLICY), [0] * TOPICS.partitions
    for partition in range(TOPICS.partitions):
        stage.assign(Place(TOPICS.identity, partition), {})
    routes = [(router.route(one).anchor, one) for one in events]
    waiting = [(anchor.encode(), router.place(one), PLACE.encode()) for anchor, one in routes if anchor is not None]
    while waiting:
        for key, value, kind in waiting:
            partition = partition_of(key, TOPICS.partitions)
            place = Place(TOPICS.identity, partition)
            stage.take(Slice(place, [offsets[partition]], [key], [value], [((KIND, kind),)], [NOW]), NOW)
            offsets[partition] += 1
        said = [one for one in stage.give(NOW) if one.topic == TOPICS.identity and one.key is not None]
        waiting = [(one.key or b"", one.value or b"", dict(one.headers or ())[KIND] or b"") for one in said]


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_one_process_says(seed: int) -> None:
    events = crowd(random.Random(seed))
    stage, identity = Resolving(ResolvingSettings(TOPICS, POLICY, 0)), Identity(POLICY)
    settled(stage, events)
    identity.observe_all(events)
    sure = Sureness(TOPICS, POLICY, stage)
    for one in events:
        assert sure.of([one]) == identity.confidence([one]), one
    assert sure.of(events) == identity.confidence(events)


def test_where_a_node_is_held_elsewhere_nothing_is_said() -> None:
    events = [event(1, "customer_id:C1", "email:p1@example.com")]
    stage = Resolving(ResolvingSettings(TOPICS, POLICY, 0))
    settled(stage, events)
    assert Sureness(TOPICS, POLICY, stage).of(events) == "high"
    stage.revoke([Place(TOPICS.identity, number) for number in range(TOPICS.partitions)])
    assert Sureness(TOPICS, POLICY, stage).of(events) == ""
    assert Sureness(TOPICS, POLICY, None).of(events) == ""


def test_a_trusted_customer_is_always_sure() -> None:
    assert Sureness(TOPICS, IdentityPolicy(mode=IdentityMode.TRUSTED_ID), None).of([]) == "high"
