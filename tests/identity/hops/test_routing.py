"""Where events go from ingest."""

from typing import Any

import pytest

from coordwatch.codec import unpack
from coordwatch.events.event import Event
from coordwatch.identity.hops.routing import Router
from coordwatch.identity.observation import Outcome
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from tests.identity.build import event

ANN, BEN = "email:ann@example.com", "email:ben@example.com"
ROUTER = Router(IdentityPolicy())


def anchor(*identifiers: Any, subject: str | None = None, **data: Any) -> str | None:
    return ROUTER.route(event(1, *identifiers, subject=subject, **data)).anchor


def alone(text: str) -> str | None:
    return anchor(text)


@pytest.mark.parametrize(
    ("together", "strongest"),
    [
        (("cookie:browser", ANN, "customer_id:C1"), "customer_id:C1"),
        (("phone:+33123456789", ANN), ANN),
        (("cookie:browser", "requester:desk:77"), "requester:desk:77"),
        (("subject:S1", "customer_id:C1"), "subject:S1"),
        (("customer_id:C1", "subject:S1"), "subject:S1"),
    ],
)
def test_the_strongest_person_decides(together: tuple[str, ...], strongest: str) -> None:
    assert alone(strongest) == anchor(*together) == anchor(*together, order="O1", message=["M1", "M2"])


def test_of_two_equally_strong_ones_the_least_digest_decides() -> None:
    assert min(alone(ANN) or "", alone(BEN) or "") == anchor(ANN, BEN) == anchor(BEN, ANN)


def test_without_a_person_the_least_ref_decides() -> None:
    order, shipment = anchor(order="O1"), anchor(shipment="T1")
    assert min(order or "", shipment or "") == anchor(order="O1", shipment="T1") == anchor(shipment="T1", order="O1")


def test_a_stamped_subject_decides_whatever_else_is_named() -> None:
    assert "subject:S9" == anchor("customer_id:C1", "subject:A1", subject="S9")


def test_who_names_nobody_goes_nowhere() -> None:
    nowhere = ROUTER.route(event(1, "email:noreply@example.com", campaign="spring"))
    assert (None, None, Outcome.UNIDENTIFIED) == nowhere[:3]
    assert ["functional_mailbox"] == [one.reason for one in nowhere.unusable]
    stock = event(1, type="inventory.level.changed", item="SKU", available=0)
    assert Outcome.BROADCAST is ROUTER.route(stock).outcome
    affected = event(1, "customer_id:C1", type="outage.changed", outage="X", status="started")
    assert alone("customer_id:C1") == ROUTER.route(affected).anchor


def test_a_trusted_id_is_the_customer_at_once() -> None:
    trusted = Router(IdentityPolicy(mode=IdentityMode.TRUSTED_ID))
    assert "C1" == trusted.route(event(1, "customer_id:C1", ANN)).customer
    assert "S1" == trusted.route(event(1, "customer_id:C1", subject="S1")).customer
    assert Outcome.UNIDENTIFIED is trusted.route(event(1, ANN)).outcome
    assert Outcome.UNIDENTIFIED is trusted.route(event(1, "customer_id:C1", "customer_id:C2")).outcome


def test_a_place_message_shows_no_identifier_in_the_clear_and_the_same_anchor() -> None:
    clear = event(1, ANN, "customer_id:C-10042", subject="S1", order="O1")
    message = ROUTER.place(clear, [["said"]])
    assert not any(secret in message for secret in (b"ann@", b"10042"))
    plain, said = unpack(message)
    assert [["said"]] == said
    assert ROUTER.route(clear) == ROUTER.route(Event(*plain))
    assert message == ROUTER.place(Event(*plain), [["said"]])
