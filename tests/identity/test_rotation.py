"""A changed key: what the old one wrote is found again, nothing new is written under it, and nobody becomes two."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.events.event import Event, event_with
from coordwatch.identity.digest import Digester
from coordwatch.identity.hops.routing import Router
from coordwatch.identity.identity import Identity
from coordwatch.identity.policy import IdentityPolicy
from tests.identity.build import event, md5, streams
from tests.identity.hops.world import World

OLD = Digester(b"the key of last year", "2025")
NEW = Digester(b"the key of this year", "2026", [OLD])
BEFORE, AFTER = IdentityPolicy(digester=OLD), IdentityPolicy(digester=NEW)
ANN, C1 = "email:ann@example.com", "customer_id:C1"


def rotated(before: list[Event], after: list[Event]) -> Identity:
    """A site that changes its key between two events."""
    identity = Identity(BEFORE)
    for one in before:
        identity.observe(one)
    again = Identity(AFTER, identity.snapshot())
    for one in after:
        again.observe(one)
    return again


def together(customers: list[str | None]) -> set[frozenset[int]]:
    """Who is with whom, whatever they are called."""
    parts: dict[str | None, set[int]] = {}
    for place, customer in enumerate(customers):
        parts.setdefault(customer, set()).add(place)
    return {frozenset(part) for customer, part in parts.items() if customer is not None}


@settings(max_examples=40, deadline=None)
@given(streams(most=8), st.integers(0, 8))
def test_who_is_with_whom_does_not_depend_on_when_the_key_changed(events: list[Event], at: int) -> None:
    """Of persons; a ref that two keys name may say a customer where one key would have said: shared."""
    some = [event_with(one, data={"identifiers": one.data.get("identifiers", [])}) for one in events]
    after = rotated(some[:at], some)
    old = Identity(BEFORE)
    for one in some:
        old.observe(one)
    assert together([old.customer_of(one) for one in some]) == together([after.customer_of(one) for one in some])


def test_what_was_written_under_the_old_key_is_of_the_same_customer() -> None:
    first = event(1, C1, ANN, order="O1")
    hashed = f"email_md5:{md5('ann@example.com')}"
    site = rotated([first], [event(2, ANN), event(3, order="O1"), event(4, hashed), event(5, C1)])
    stored = Identity(BEFORE).pseudonymous(first)
    customers = {site.customer_of(one) for one in (stored, event(2, ANN), event(3, order="O1"), event(5, C1))}
    assert len(customers) == 1
    assert customers == {Identity(BEFORE).observe(first).customer}, "a key id that sorts behind keeps customers' names"


def test_nothing_new_is_written_under_the_old_key() -> None:
    site = rotated([], [event(1, C1, ANN, order="O1")])
    written = {row.digest.partition(":")[0] for row in site._known.everything().ids}
    people = [row for row in site._known.everything().ids if row.digest.startswith("2025:")]
    assert written == {"2026", "2025"}
    assert {row.type for row in people} == {"order"}, "a ref is also named as the old key called it"
    hidden = site.pseudonymous(event(1, C1, ANN))
    assert all(one["digest"].startswith("2026:") for one in hidden.data["identifiers"])


def test_the_same_over_partitions() -> None:
    world = World(BEFORE, 4, random.Random(1))
    world.bring(event(1, C1, ANN, order="O1"))
    world.settle()
    world.policy, world.router = AFTER, Router(AFTER)
    for owner in world.owners:
        world.give(owner)
        world.crash(owner)
    for one in (event(2, ANN, "phone:+33123456789"), event(3, order="O1"), event(4, C1)):
        world.bring(one)
        world.settle()
    assert len(set(world.filed().values())) == 1
    assert len(world.filed()) == 4


def test_keys_need_ids_of_their_own() -> None:
    with pytest.raises(ValueError, match="two identity keys have the id '2025'"):
        Digester(b"another", "2025", [OLD])


def test_a_key_that_was_taken_out_is_foreign() -> None:
    hidden = Identity(BEFORE).pseudonymous(event(1, C1))
    assert Identity(AFTER).observe(hidden).customer is not None
    assert Identity(IdentityPolicy(digester=Digester(b"the key of this year", "2026"))).observe(hidden).customer is None
