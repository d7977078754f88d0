"""Who is who, told in small stories."""

from typing import Any

import pytest

from coordwatch.identity.answers import Confidence, QuarantineReason
from coordwatch.identity.identity import Identity, resolve_all
from coordwatch.identity.observation import Outcome
from coordwatch.identity.policy import IdentityPolicy, Scope
from tests.identity.build import LINKED, event, md5, sha1, sha256

ANN, BEN = "email:ann@example.com", "email:ben@example.com"


def together(*events: Any) -> list[str | None]:
    """Give the customers after all events, as letters in order of appearance."""
    names: dict[str, str] = {}
    return [
        None if customer is None else names.setdefault(customer, "abcdefgh"[len(names)])
        for customer in resolve_all(events)
    ]


def test_an_order_an_address_and_a_requester_lead_to_one_customer() -> None:
    assert ["a"] * 5 == together(
        event(1, "customer_id:C1", ANN),
        event(2, ANN, order="O1"),
        event(3, {"type": "requester", "namespace": "desk", "value": "77"}, ANN),
        event(4, "requester:desk:77", case="K1"),
        event(5, case="K1"),
    )


def test_a_tracker_finds_the_customer_through_its_order() -> None:
    assert ["a", "a", "a", None] == together(
        event(1, ANN, order="O1"), event(2, order="O1", shipment="T1"), event(3, shipment="T1"), event(4, shipment="T2")
    )


def test_refs_look_a_bounded_number_of_hops_through_refs() -> None:
    chain = [event(1, ANN, order="O1"), event(2, order="O1", shipment="T1"), event(3, shipment="T1", invoice="I1"),
             event(4, invoice="I1", **{"return": "R1"}), event(5, **{"return": "R1"})]  # fmt: skip
    assert ["a", "a", "a", "a", None] == together(*chain)
    strict = resolve_all(chain, IdentityPolicy(ref_hops=0))
    assert [True, True, False, False, False] == [customer is not None for customer in strict]


def test_of_two_ways_through_refs_the_shorter_one_counts() -> None:
    """Many times the same story: sets of neighbours have no order, and none of their orders may matter."""
    story = []
    for tale in range(16):
        near, far = f"email:near-{tale}@example.com", f"email:far-{tale}@example.com"
        story += [
            event(1, near, order=f"O{tale}"),
            event(2, far, case=f"K{tale}"),
            event(3, case=f"K{tale}", conversation=f"V{tale}"),
            event(4, order=f"O{tale}", shipment=f"T{tale}"),
            event(5, shipment=f"T{tale}", conversation=f"V{tale}"),
            event(6, shipment=f"T{tale}"),
        ]
    customers = resolve_all(story)
    assert customers[0::6] == customers[5::6]
    assert [None] * 16 == customers[4::6]


def test_a_person_beside_a_ref_outweighs_every_ref() -> None:
    """A case that mentions somebody else's order does not take it over; what names just the two is nobody's."""
    assert ["a", None, "b", "b"] == together(
        event(1, ANN, case="K1"), event(2, case="K1", order="O1"), event(3, BEN, order="O1"), event(4, order="O1")
    )


def test_two_declared_ids_never_join_by_themselves() -> None:
    assert ["a", "b", None] == together(
        event(1, "customer_id:C1"), event(2, "customer_id:C2"), event(3, "customer_id:C1", "customer_id:C2")
    )


def test_two_declared_ids_join_when_a_tool_says_so() -> None:
    said = event(3, "customer_id:C1", "customer_id:C2", type=LINKED)
    events = [event(1, "customer_id:C1"), event(2, "customer_id:C2"), said]
    assert ["a", "a", "a"] == together(*events) == together(*events[::-1])


def test_two_addresses_join_when_a_tool_says_so_and_not_before() -> None:
    assert ["a", "b"] == together(event(1, ANN), event(2, BEN))
    assert ["a", "a", "a"] == together(event(1, ANN), event(2, BEN), event(3, ANN, BEN, type=LINKED))


def test_a_shared_mailbox_belongs_to_nobody() -> None:
    team = "email:team-a@example.com"
    identity = Identity()
    identity.observe(event(1, "customer_id:C1", team))
    second = identity.observe(event(2, "customer_id:C2", team))
    assert [("email", QuarantineReason.SHARED)] == [(one.type, one.reason) for one in second.change.quarantined]
    assert second.customer is not None
    alone = identity.observe(event(3, team))
    assert (Outcome.PARKED, "quarantined") == (alone.outcome, alone.waits)
    own_order = identity.observe(event(4, "customer_id:C1", team, order="O1"))
    assert (
        own_order.customer
        == identity.customer_of(event(5, team, order="O1"))
        == identity.customer_of(event(1, "customer_id:C1"))
    )


def test_an_address_with_too_many_tool_ids_is_quarantined() -> None:
    identity = Identity(IdentityPolicy(fanout_max=3))
    reasons = [
        identity.observe(event(number, ANN, f"cookie:browser-{number}")).change.quarantined for number in range(5)
    ]
    assert [0, 0, 0, 1, 0] == list(map(len, reasons))
    assert QuarantineReason.FAN_OUT is reasons[3][0].reason
    assert identity.customer_of(event(9, ANN)) is None
    assert 5 == len({identity.customer_of(event(9, f"cookie:browser-{number}")) for number in range(5)})


def test_refs_do_not_count_as_fan_out() -> None:
    identity = Identity(IdentityPolicy(fanout_max=3))
    for number in range(50):
        identity.observe(event(number, ANN, message=f"M{number}"))
    assert identity.customer_of(event(99, ANN)) is not None


def test_every_hash_of_an_address_is_the_address() -> None:
    address = "ann@example.com"
    hashes = [f"email_md5:{md5(address)}", f"email_sha1:{sha1(address)}", f"email_sha256:{sha256(address)}"]
    assert ["a"] * 4 == together(event(1, ANN), *(event(2, one) for one in hashes))
    assert ["a"] * 4 == together(*(event(2, one) for one in hashes), event(9, ANN))
    assert ["a", "b"] == together(event(1, hashes[0]), event(2, hashes[1]))


def test_a_hash_seen_with_another_customer_makes_the_address_shared() -> None:
    assert ["a", "b", None] == together(
        event(1, "customer_id:C1", ANN),
        event(2, "customer_id:C2", f"email_md5:{md5('ann@example.com')}"),
        event(3, ANN),
    )


def test_an_address_outweighs_a_phone_number_unless_both_have_a_customer() -> None:
    phone = "phone:+33123456789"
    assert ["a", "a", "a"] == together(event(1, ANN, phone), event(2, phone), event(3, ANN))
    assert [None, "a", "b"] == together(
        event(1, ANN, phone, order="O1"), event(2, "customer_id:C1", ANN), event(3, "customer_id:C2", phone)
    )


def test_a_stamped_subject_passes_and_teaches() -> None:
    identity = Identity()
    first = identity.observe(event(1, ANN, "customer_id:C1", subject="Customer 1", order="O1"))
    assert ("Customer 1", Confidence.HIGH) == (first.customer, first.confidence)
    for told in (event(2, order="O1"), event(3, ANN), event(4, "customer_id:C1")):
        assert "Customer 1" == identity.observe(told).customer
    assert {"passed": 1, "resolved": 3} == {name: identity.counters()[name] for name in ("passed", "resolved")}


def test_two_subjects_share_and_never_join() -> None:
    identity = Identity()
    events = [event(1, ANN, subject="S1"), event(2, ANN, subject="S2"), event(3, ANN)]
    assert ["S1", "S2", None] == [identity.observe(one).customer for one in events]
    assert ["S1", "S2", None] == resolve_all(events)


def test_a_kiosk_cookie_belongs_to_nobody_and_costs_nobody_else() -> None:
    assert ["a", "b", None, "a"] == together(
        event(1, "customer_id:C1", "cookie:kiosk"), event(2, "customer_id:C2", "cookie:kiosk"), event(3, "cookie:kiosk"),
        event(4, "customer_id:C1"),
    )  # fmt: skip


def test_orders_of_two_shops_are_one_unless_the_site_says_otherwise() -> None:
    events = [event(1, ANN, order="1001", tool="shop-a"), event(2, BEN, order="1001", tool="shop-b")]
    later = [event(3, order="1001", tool="shop-a"), event(4, order="1001", tool="shop-b")]
    assert [None, None] == resolve_all(events + later)[2:]
    apart = resolve_all(events + later, IdentityPolicy(scopes=(Scope("order", None),)))
    assert apart[:2] == apart[2:]


@pytest.mark.parametrize(
    ("story", "confidence"),
    [
        ([event(1, "customer_id:C1")], Confidence.HIGH),
        ([event(1, "customer_id:C1", ANN), event(2, ANN)], Confidence.HIGH),
        ([event(1, "customer_id:C1", order="O1"), event(2, order="O1")], Confidence.HIGH),
        ([event(1, "customer_id:C1", ANN), event(2, ANN, order="O1"), event(3, order="O1")], Confidence.MEDIUM),
        ([event(1, ANN)], Confidence.MEDIUM),
        ([event(1, "requester:desk:77")], Confidence.MEDIUM),
        ([event(1, "cookie:browser")], Confidence.LOW),
        ([event(1, "cookie:browser", cart="B1"), event(2, cart="B1")], Confidence.LOW),
    ],
)
def test_confidence_says_what_the_customer_rests_on(story: list[Any], confidence: Confidence) -> None:
    identity = Identity()
    assert confidence is [identity.observe(one) for one in story][-1].confidence


def test_keys_depend_on_nothing_but_the_identifier() -> None:
    """Written down: a change of this key moves every customer of every site."""
    assert ["cust_77edb9c9dc255a0eaf5f13b113aeb83c"] == resolve_all([event(1, ANN)])
    assert resolve_all([event(1, ANN)]) == resolve_all([event(7, "email: ANN@Example.com", order="O9")])
