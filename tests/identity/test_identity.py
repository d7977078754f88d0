"""The stage as its caller sees it: parking, promotion, exclusion, modes, state."""

import pytest

from coordwatch.errors import PermanentError
from coordwatch.events.event import event_with
from coordwatch.events.times import DAY, MINUTE
from coordwatch.identity.cross_reference import Alias
from coordwatch.identity.edges import NOTHING
from coordwatch.identity.identity import Identity, resolve_all
from coordwatch.identity.observation import Outcome
from coordwatch.identity.parking import ParkReason
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from tests.identity.build import LINKED, event
from tests.identity.ledger import Ledger

ANN, BEN = "email:ann@example.com", "email:ben@example.com"


def digest(identity: Identity, text: str) -> str:
    found = identity.digest(text)
    assert found is not None
    return found


def test_an_event_with_refs_alone_waits_until_a_link_reaches_its_ref() -> None:
    identity = Identity()
    early = event(1, order="O1", shipment="T1")
    parked = identity.observe(early)
    assert (Outcome.PARKED, ParkReason.NO_OWNER, None) == (parked.outcome, parked.waits, parked.customer)
    assert () == identity.observe(event(2, ANN)).released
    link = identity.observe(event(3, ANN, order="O1"))
    assert [(early, link.customer)] == [(one.event, one.customer) for one in link.released]
    assert () == identity.observe(event(4, ANN, order="O1")).released
    assert link.customer == identity.observe(event(5, shipment="T1")).customer


def test_a_link_between_two_known_refs_releases_whichever_waited() -> None:
    """Many times, so that either ref may be the first of the pair."""
    identity = Identity()
    for tale in range(16):
        identity.observe(event(1, f"email:a-{tale}@example.com", order=f"O{tale}"))
        waiting = event(100 + tale, shipment=f"T{tale}")
        identity.observe(waiting)
        assert [waiting] == [
            one.event for one in identity.observe(event(3, order=f"O{tale}", shipment=f"T{tale}")).released
        ]


def test_a_shorter_way_to_the_same_customer_releases_what_was_torn_between_two() -> None:
    identity = Identity()
    for one in (event(1, ANN, order="O1"), event(2, order="O1", shipment="T1"),
                event(3, BEN, case="K1"), event(4, case="K1", conversation="V1")):  # fmt: skip
        identity.observe(one)
    torn = event(5, shipment="T1", conversation="V1")
    assert ParkReason.AMBIGUOUS is identity.observe(torn).waits
    nearer = identity.observe(event(6, ANN, shipment="T1"))
    assert [(torn, nearer.customer)] == [(one.event, one.customer) for one in nearer.released]


def test_an_event_parked_again_waits_its_own_time() -> None:
    identity = Identity()
    identity.observe(event(1, order="O1"))
    identity.observe(event(2, ANN, order="O1"))
    again = event_with(event(1, order="O2"), time=50 * MINUTE)
    assert Outcome.PARKED is identity.observe(again).outcome
    assert () == identity.expire(1 * MINUTE + DAY)
    assert [again] == [one.event for one in identity.expire(50 * MINUTE + DAY)]


def test_an_event_that_waits_too_long_comes_back_with_its_reason() -> None:
    identity = Identity()
    early, later = event(1, order="O1"), event(2, order="O2")
    for one in (later, early):
        identity.observe(one)
    assert () == identity.expire(1 * MINUTE + DAY - 1)
    (expired,) = identity.expire(1 * MINUTE + DAY)
    assert (early, "identity_unresolved", ParkReason.NO_OWNER) == (expired.event, expired.reason, expired.why)
    assert [later] == [one.event for one in identity.expire(9 * DAY)]
    assert () == identity.expire(99 * DAY)
    assert () == identity.observe(event(3, ANN, order="O1")).released


def test_a_parked_event_is_parked_once_and_remembers_when_it_was_first_seen() -> None:
    identity = Identity()
    one = event(5, order="O1")
    assert not identity.observe(one).repeated
    early = event_with(one, observed_at=one.observed_at - 1)
    assert identity.observe(early).repeated
    assert identity.observe(one).repeated
    assert 1 == identity.counters()["parked"] == identity.counters()["parked_now"]
    (released,) = identity.observe(event(6, ANN, order="O1")).released
    assert early == released.event


def test_promotion_publishes_an_alias_from_cookie_to_address_to_declared_id() -> None:
    identity = Identity()
    cookie = identity.observe(event(1, "cookie:browser"))
    address = identity.observe(event(2, "cookie:browser", ANN))
    declared = identity.observe(event(3, ANN, "customer_id:C1"))
    assert (True, True, True) == (cookie.minted, address.minted, declared.minted)
    assert (Alias(cookie.customer or "", address.customer or ""),) == address.change.aliases
    assert (Alias(address.customer or "", declared.customer or ""),) == declared.change.aliases
    assert () == address.change.divided == declared.change.divided
    for old in (cookie.customer, address.customer, declared.customer):
        assert declared.customer == identity.current(old or "")
    assert declared.customer == identity.customer_of(event(4, "cookie:browser"))
    assert identity.current("cust_unheard_of") is None


def test_a_trusted_link_of_two_customers_is_an_alias_too() -> None:
    identity = Identity()
    one, two = (identity.observe(event(1, f"customer_id:{name}")).customer for name in ("C1", "C2"))
    linked = identity.observe(event(3, "customer_id:C1", "customer_id:C2", type=LINKED))
    (alias,) = linked.change.aliases
    assert {one, two} == set(alias)
    assert alias.new == linked.customer == identity.current(alias.old)


def test_a_shared_identifier_divides_the_customer_it_spoke_for() -> None:
    identity = Identity()
    first = identity.observe(event(1, "customer_id:C1", "cookie:kiosk"))
    ids = identity.observe(event(2, "cookie:kiosk")).ids
    second = identity.observe(event(3, "customer_id:C2", "cookie:kiosk"))
    assert (first.customer,) == second.change.divided
    assert () == second.change.aliases
    assert identity.customer_of_ids(ids) is None
    assert identity.customer_of_ids(first.ids) == first.customer


def test_a_customer_that_moved_and_must_be_asked_again_is_named_by_its_new_key() -> None:
    identity = Identity()
    identity.observe(event(1, ANN, order="O1"))
    identity.observe(event(2, order="O1", shipment="T1"))
    nearer = identity.observe(event(3, "customer_id:C1", ANN, shipment="T1"))
    assert [nearer.customer] == [alias.new for alias in nearer.change.aliases] == list(nearer.change.divided)


def test_an_exclusion_splits_what_an_edge_joined() -> None:
    identity = Identity()
    declared = identity.observe(event(1, "customer_id:C1", ANN)).customer
    identity.observe(event(2, ANN, "requester:desk:77"))
    one, other = digest(identity, "customer_id:C1"), digest(identity, ANN)
    cut = identity.exclude(one, other)
    assert (declared,) == cut.change.divided
    address = identity.customer_of(event(3, ANN))
    assert address not in (None, declared)
    assert address == identity.customer_of(event(3, "requester:desk:77"))
    assert NOTHING == identity.observe(event(4, "customer_id:C1", ANN)).taught
    assert address == identity.observe(event(5, ANN)).customer
    assert NOTHING == identity.exclude(other, one).taught


def test_an_exclusion_undoes_a_trusted_link_and_releases_nobody_wrongly() -> None:
    identity = Identity()
    identity.observe(event(1, "customer_id:C1", "customer_id:C2", type=LINKED))
    one, other = digest(identity, "customer_id:C1"), digest(identity, "customer_id:C2")
    identity.exclude(one, other)
    assert identity.customer_of(event(2, "customer_id:C1")) != identity.customer_of(event(2, "customer_id:C2"))


def test_a_link_that_was_cut_before_it_was_said_does_not_hold() -> None:
    identity = Identity()
    for name in ("C1", "C2"):
        identity.observe(event(1, f"customer_id:{name}"))
    identity.exclude(digest(identity, "customer_id:C1"), digest(identity, "customer_id:C2"))
    identity.observe(event(2, "customer_id:C1", "customer_id:C2", type=LINKED))
    assert identity.customer_of(event(3, "customer_id:C1")) != identity.customer_of(event(3, "customer_id:C2"))


def test_an_exclusion_can_release_what_waited() -> None:
    """The team mailbox was wrongly seen with a second customer; cut apart, it speaks for the first again."""
    identity = Identity()
    identity.observe(event(1, "customer_id:C1", ANN))
    identity.observe(event(2, "customer_id:C2", ANN))
    waiting = event(3, ANN)
    assert Outcome.PARKED is identity.observe(waiting).outcome
    second, address = digest(identity, "customer_id:C2"), digest(identity, ANN)
    (released,) = identity.exclude(second, address).released
    assert (waiting, identity.customer_of(event(4, "customer_id:C1"))) == (released.event, released.customer)


def test_what_was_cut_before_it_was_seen_together_still_moves_the_events_that_name_both() -> None:
    ledger = Ledger(Identity())
    phone = "phone:+33123456789"
    ledger.observe(event(1, "customer_id:C1", ANN))
    ledger.observe(event(2, "customer_id:C2", ANN))
    ledger.observe(event(3, phone))
    ledger.exclude(digest(ledger.identity, phone), digest(ledger.identity, ANN))
    both = event(4, phone, ANN)
    ledger.observe(both)
    assert ledger.customers()["test", "e4"] == ledger.identity.customer_of(event(9, phone))
    ledger.observe(event(5, "customer_id:C1", "customer_id:C2", type=LINKED))
    assert ledger.customers()["test", "e4"] == ledger.identity.customer_of(event(9, "customer_id:C1"))


def test_explain_names_types_and_digests_and_no_values() -> None:
    identity = Identity()
    customer = identity.observe(event(1, "customer_id:C1", ANN, order="O1")).customer
    identity.observe(event(2, BEN, order="O2"))
    edges = identity.explain(customer or "")
    ends = [(edge.one.split(":")[0], edge.other.split(":")[0], edge.how) for edge in edges]
    assert [("customer_id", "email", "seen_together"), ("customer_id", "order", "seen_together"),
            ("email", "order", "seen_together")] == ends  # fmt: skip
    assert not any(clear in str(edges) for clear in ("C1", "ann", "O1"))
    assert [] == identity.explain("cust_unheard_of")


def test_what_names_nothing_is_said_at_once() -> None:
    identity = Identity()
    nothing = identity.observe(event(1, "email:noreply@example.com", campaign="spring"))
    assert (Outcome.UNIDENTIFIED, ["functional_mailbox"]) == (nothing.outcome, [one.reason for one in nothing.unusable])
    stock = identity.observe(event(2, type="inventory.level.changed", item="SKU", available=0))
    assert Outcome.BROADCAST is stock.outcome
    affected = identity.observe(event(3, "customer_id:C1", type="outage.changed", outage="X", status="started"))
    assert Outcome.RESOLVED is affected.outcome
    assert identity.counters()["unusable.functional_mailbox"] == identity.counters()["unidentified"] == 1


def test_a_trusted_id_is_the_key_and_needs_no_graph() -> None:
    identity = Identity(IdentityPolicy(mode=IdentityMode.TRUSTED_ID, trusted_type="loyalty_id"))
    assert "L-1" == identity.observe(event(1, "loyalty_id: L-1 ", ANN, order="O1")).customer
    assert "S1" == identity.observe(event(2, "loyalty_id:L-2", subject="S1")).customer
    for without in (event(3, ANN), event(4, order="O1"), event(5, "loyalty_id:L-1", "loyalty_id:L-2")):
        assert Outcome.UNIDENTIFIED is identity.observe(without).outcome
    assert ["L-1", None] == resolve_all([event(1, "loyalty_id:L-1"), event(2, ANN)], identity.policy)


def test_pruning_forgets_old_refs_and_nobody_who_is_still_needed() -> None:
    identity = Identity()
    identity.observe(event(1, ANN, order="O1"))
    identity.observe(event(1, ANN, message="M1"))
    identity.observe(event(2, order="O1", shipment="T1"))
    identity.observe(event(3, order="O9"))
    identity.observe(event(50, shipment="T1"))
    gone = identity.prune(40 * MINUTE)
    assert 1 == len(gone), "the message; the order still speaks for the shipment, the other order is waited for"
    assert identity.customer_of(event(51, shipment="T1")) == identity.customer_of(event(51, ANN))
    assert identity.customer_of(event(51, message="M1")) is None
    assert identity.snapshot() == Identity(state=identity.snapshot()).snapshot()


def test_state_of_an_unknown_version_is_refused_with_the_next_move() -> None:
    with pytest.raises(PermanentError, match=r"version 7.*rebuild"):
        Identity(state={"version": 7})


def test_the_state_shows_no_identifier_in_the_clear() -> None:
    identity = Identity()
    for one in (event(1, ANN, "customer_id:C-10042", order="O-77"), event(2, ANN, "email:noreply@example.com"),
                event(3, "email:two@example.com", "email:three@example.com")):  # fmt: skip
        identity.observe(identity.pseudonymous(one))
    assert 1 == identity.counters()["parked_now"]
    assert not any(clear in str(identity.snapshot()) for clear in ("@", "10042", "O-77"))


def test_with_a_subject_everywhere_a_replay_reads_nothing_else() -> None:
    assert ["S1", "S2"] == resolve_all([event(1, ANN, subject="S1"), event(2, ANN, subject="S2")])
