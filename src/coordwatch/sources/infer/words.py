"""The words by which tools call what happened, and the canonical event that each probably is.

Pure data. What enters: nothing. What leaves: Meanings by noun. The next room: `meaning`, which looks a value up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Meaning:
    """One canonical event for any of some words; `set` are the fixed fields that those words tell."""

    words: frozenset[str]
    type: str
    set: Mapping[str, str] = field(default_factory=dict)


def words_of(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def _m(words: str, type: str, **fixed: str) -> Meaning:
    return Meaning(words_of(words), type, fixed)


_CONSENT, _FAILED, _ENGAGED = "customer.consent.changed", "marketing.message.failed", "marketing.message.engaged"
_ORDER, _CASE, _SHIP, _PAID = (
    "commerce.order.changed",
    "service.case.status_changed",
    "fulfilment.shipment.changed",
    "commerce.payment.changed",
)
_MAIL = (
    _m("unsubscribe unsubscribed unsub optout stop", _CONSENT, scope="email", status="withdrawn"),
    _m("resubscribe resubscribed subscribe subscribed optin", _CONSENT, scope="email", status="granted"),
    _m("spam complaint complained spamreport spamcomplaint abuse", "marketing.message.spam_reported"),
    _m("suppressed suppress dropped drop skipped", "marketing.message.suppressed", reason="other"),
    _m("deferred deferral delayed delay", _FAILED, kind="deferral"),
    _m("soft softbounce softbounced", _FAILED, kind="soft"),
    _m("bounce bounced hardbounce hard invalid undelivered permanent", _FAILED, kind="bounce"),
    _m("reject rejected blocked failed failure rejection error policy temporary", _FAILED, kind="reject"),
    _m("click clicked clicks", _ENGAGED, kind="click"),
    _m("open opened opens", _ENGAGED, kind="open"),
    _m("reply replied", _ENGAGED, kind="reply"),
    _m(
        "delivered delivery sent send processed injection accepted dispatched",
        "marketing.message.sent",
        channel="email",
    ),
)
_CASES = (
    _m("created create opened new submitted", "service.case.opened", kind="request"),
    _m("reopened reopen", _CASE, status="reopened"),
    _m("solved resolved resolve", _CASE, status="solved"),
    _m("closed close completed", _CASE, status="closed"),
    _m("pending waiting", _CASE, status="pending_customer"),
    _m("deleted trashed", _CASE, status="deleted"),
    _m("merged", _CASE, status="merged"),
    _m(
        "updated update changed assigned comment commented note reply replied tagged priority added",
        "service.case.updated",
    ),
)
_ORDERS = (
    _m("cancelled canceled cancel", _ORDER, status="cancelled"),
    _m("refunded returned", _ORDER, status="returned"),
    _m("delivered", _ORDER, status="delivered"),
    _m("shipped fulfilled fulfillment dispatched", _ORDER, status="shipped"),
    _m("created create placed new completed paid ordered", _ORDER, status="placed"),
    _m("failed problem", _ORDER, status="problem"),
    _m("updated update edited processing", _ORDER, status="processing"),
)
_SHIPMENTS = (
    _m("returned return returning rts", _SHIP, status="returned_to_sender"),
    _m("delivered delivery", _SHIP, status="delivered"),
    _m("out outfordelivery", _SHIP, status="out_for_delivery"),
    _m("pickup available", _SHIP, status="available_for_pickup"),
    _m("attempt attemptfail attempted", _SHIP, status="attempt_failed"),
    _m("delayed delay", _SHIP, status="delayed"),
    _m("exception failure failed error", _SHIP, status="exception"),
    _m("lost", _SHIP, status="lost"),
    _m("cancelled canceled", _SHIP, status="cancelled"),
    _m("pre pending inforeceived label", _SHIP, status="pre_transit"),
    _m("created create", _SHIP, status="created"),
    _m("transit shipped intransit updated update", _SHIP, status="in_transit"),
)
_PAYMENTS = (
    _m("refunded refund", _PAID, status="refunded"),
    _m("dispute disputed chargeback", _PAID, status="disputed"),
    _m("failed declined failure", _PAID, status="failed"),
    _m("succeeded paid captured completed success created", _PAID, status="succeeded"),
)
BY_NOUN: Mapping[str, tuple[Meaning, ...]] = {
    "message": _MAIL,
    "case": _CASES,
    "order": _ORDERS,
    "shipment": _SHIPMENTS,
    "payment": _PAYMENTS,
    "cart": (
        _m("abandoned", "commerce.cart.changed", action="abandoned"),
        _m("completed converted", "commerce.cart.changed", action="converted"),
        _m("created create updated update added viewed started", "commerce.cart.changed", action="updated"),
    ),
    "subscription": (
        _m("cancelled canceled deleted", "commerce.subscription.changed", action="cancelled"),
        _m("paused", "commerce.subscription.changed", action="paused"),
        _m("resumed", "commerce.subscription.changed", action="resumed"),
        _m("renewed updated", "commerce.subscription.changed", action="renewed"),
        _m("created started", "commerce.subscription.changed", action="started"),
    ),
    "return": (
        _m("approved approve", "fulfilment.return.changed", status="approved"),
        _m("received", "fulfilment.return.changed", status="received"),
        _m("declined rejected", "fulfilment.return.changed", status="rejected"),
        _m("request requested created create", "fulfilment.return.changed", status="requested"),
    ),
    "contact": (
        _m(
            "started initiated connected queued answered",
            "service.contact.started",
            channel="voice",
            direction="inbound",
        ),
        _m("ended disconnected completed hangup end", "service.contact.ended"),
    ),
    "conversation": (
        _m("started created opened open", "bot.conversation.started", channel="chat"),
        _m("user received input", "bot.message.received"),
        _m("bot sent output", "bot.message.sent"),
        _m("handoff handover escalated", "bot.handoff.requested"),
        _m("ended closed resolved", "bot.conversation.ended", outcome="resolved"),
    ),
    "appointment": (
        _m("cancelled canceled", "appointment.changed", status="cancelled_by_customer"),
        _m("rescheduled", "appointment.changed", status="rescheduled"),
        _m("completed", "appointment.changed", status="completed"),
        _m("created confirmed booked scheduled", "appointment.changed", status="confirmed"),
    ),
    "booking": (
        _m("cancelled canceled", "booking.changed", status="cancelled_by_customer"),
        _m("changed rescheduled", "booking.changed", status="rescheduled"),
        _m("created confirmed booked", "booking.changed", status="confirmed"),
    ),
}
NOUNS: Mapping[str, str] = {
    "email": "message", "mail": "message", "message": "message", "sms": "message", "push": "message", "inapp": "message",
    "newsletter": "message", "ticket": "case", "tickets": "case", "case": "case", "issue": "case", "order": "order",
    "orders": "order", "shipment": "shipment", "shipments": "shipment", "tracker": "shipment", "tracking": "shipment",
    "parcel": "shipment", "fulfillments": "shipment", "track": "shipment", "payment": "payment", "charge": "payment", "invoice": "payment",
    "refunds": "payment", "disputes": "payment", "cart": "cart", "carts": "cart", "checkout": "cart", "checkouts": "cart",
    "basket": "cart", "user": "person", "customer": "person", "profile": "person", "account": "person", "subscription": "subscription", "return": "return", "returns": "return", "rma": "return",
    "call": "contact", "contact": "contact", "conversation": "conversation", "dialog": "conversation",
    "appointment": "appointment", "booking": "booking", "reservation": "booking",
}  # fmt: skip
FAMILIES: Mapping[str, str] = {
    "marketing": "marketing", "customer": "marketing", "commerce": "commerce", "service": "crm", "bot": "bot",
    "fulfilment": "fulfilment", "appointment": "commerce", "booking": "commerce",
}  # fmt: skip
REF_NOUNS = (
    "case",
    "shipment",
    "message",
    "cart",
    "appointment",
    "booking",
    "return",
    "order",
    "contact",
    "conversation",
)
