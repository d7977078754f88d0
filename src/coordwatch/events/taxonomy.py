"""The canonical event types: their fields, which of them are required, and which types are broadcast.

The one table from which the JSON Schemas, the rule type check, the mapping check and the documentation are made.
Sources: CloudEvents 1.0.2 for the envelope; Segment e-commerce, schema.org order status, TM Forum 621 and Snowplow for
the vocabulary. Names are additive only: a field is never renamed or given another kind.
"""

from collections.abc import Mapping

from coordwatch.events.vocabulary import (
    ANY,
    BOOLEAN,
    CASE_KINDS,
    CATEGORIES,
    COMMON,
    INTEGER,
    NUMBER,
    PURPOSES,
    STRING,
    STRINGS,
    TIMESTAMP,
    EventType,
    Field,
)


def _enum(words: str) -> Field:
    return Field("string", tuple(words.split()))


_MESSAGE = {
    "category": Field("string", CATEGORIES),
    "purpose": Field("string", PURPOSES),
    "template": STRING,
    "owner_team": STRING,
    "recipient_tz": STRING,
    "recipient_state": STRING,
    "subject_hash": STRING,
    "offer_price": NUMBER,
}


_STATUS_BOOKING = "confirmed rescheduled cancelled_by_company cancelled_by_customer completed no_show"


BROADCAST = ("inventory.level.changed", "inventory.item.flagged", "outage.changed")


_table: list[EventType] = []


def _type(name: str, summary: str, required: str, /, **own: Field) -> None:
    fields = {**COMMON, **own}
    _table.append(EventType(name, summary, fields, tuple(required.split()), name in BROADCAST))


# fmt: off
_type("marketing.message.sent", "A message left for the customer.", "message channel category", **_MESSAGE)
_type("marketing.message.suppressed", "A message was held back by the tool that would have sent it.", "reason",
      reason=STRING, **_MESSAGE)
_type("marketing.message.engaged", "The customer opened, clicked or answered a message.", "message kind",
      kind=_enum("open click reply"), url_host=STRING, machine_open=BOOLEAN)
_type("marketing.message.failed", "A message did not arrive.", "message kind",
      kind=_enum("bounce soft reject deferral"), code=STRING)
_type("marketing.message.spam_reported", "The customer reported a message as spam.", "message")
_type("marketing.journey.changed", "The customer entered or left a journey.", "journey action",
      action=_enum("entered exited converted"), step=STRING, in_control=BOOLEAN)
_type("marketing.audience.changed", "The customer was added to or removed from an ad audience.",
      "audience action platform", action=_enum("added removed"), platform=STRING, expires=TIMESTAMP)
_type("marketing.ad.exposed", "The customer saw or clicked an ad.", "kind", kind=_enum("impression click"))
_type("customer.consent.changed", "The customer granted or withdrew consent.", "scope status",
      scope=STRING, status=_enum("granted withdrawn"), via=STRING, legal_basis=STRING)
_type("feedback.received", "The customer answered a survey or left a review.", "instrument score",
      instrument=_enum("csat nps ces review"), score=NUMBER, text_ref=STRING)
_type("bot.conversation.started", "A conversation with the bot began.", "conversation channel",
      entry_point=STRING, authenticated=BOOLEAN)
_type("bot.message.received", "The customer wrote to the bot.", "conversation",
      turn=INTEGER, intent=STRING, confidence=NUMBER, sentiment=NUMBER, text_hash=STRING)
_type("bot.message.sent", "The bot wrote to the customer.", "conversation",
      turn=INTEGER, response_id=STRING, fallback=BOOLEAN, asked_field=STRING)
_type("bot.detail.captured", "The bot learned a detail from the customer.", "conversation field",
      field=STRING, value_hash=STRING, verified=BOOLEAN)
_type("bot.handoff.requested", "The bot asked for a human.", "conversation", reason=STRING, target_queue=STRING)
_type("bot.handoff.completed", "A human took over from the bot.", "conversation",
      transcript_attached=BOOLEAN, fields_passed=STRINGS)
_type("bot.conversation.ended", "A conversation with the bot ended.", "conversation outcome",
      outcome=_enum("resolved assumed_resolved abandoned escalated error"), turns=INTEGER)
_type("service.case.opened", "A case was opened for the customer.", "case kind",
      kind=Field("string", CASE_KINDS), severity=STRING, topic=STRING, owner_team=STRING)
_type("service.case.status_changed", "A case moved to another status.", "case status",
      status=_enum("new open pending_customer on_hold solved closed reopened merged deleted"), previous=STRING,
      kind=Field("string", CASE_KINDS), topic=STRING, owner_team=STRING)
_type("service.case.updated", "A case got a comment, a priority or a due time.", "case",
      priority=STRING, kind=Field("string", CASE_KINDS), sla_due_at=TIMESTAMP,
      comment=Field("object", fields={"public": BOOLEAN, "author_kind": STRING}))
_type("service.contact.started", "The customer and an agent came into contact.", "contact channel direction",
      direction=_enum("inbound outbound"), queue=STRING, previous_contact=STRING, connected=BOOLEAN)
_type("service.contact.transferred", "A contact was handed to another queue.", "contact previous_contact",
      previous_contact=STRING, from_queue=STRING, to_queue=STRING)
_type("service.contact.ended", "A contact ended.", "contact", wrapup=STRING, duration=NUMBER, outcome=STRING)
_type("service.commitment.made", "Somebody promised the customer something.", "commitment kind due_at",
      kind=_enum("refund callback replacement credit delivery_date resolution_date technician"), due_at=TIMESTAMP,
      amount=NUMBER, currency=STRING, made_by=_enum("bot agent system"))
_type("service.commitment.closed", "A promise was kept, broken or withdrawn.", "commitment outcome",
      outcome=_enum("kept broken withdrawn"))
_type("service.statement.made", "A bot or an agent told the customer a fact.", "about field value",
      about=STRING, field=STRING, value=ANY)
_type("agent.detail.requested", "An agent asked the customer for a detail.", "contact field",
      field=STRING, via=_enum("screen speech"))
_type("agent.verification.performed", "The customer had to prove who they are.", "contact method outcome",
      method=STRING, outcome=STRING, attempt=INTEGER)
_type("agent.context.shown", "An agent's screen showed what is known of the customer.", "contact fields",
      fields=STRINGS, transcript_available=BOOLEAN)
_type("customer.status.changed", "The customer's standing changed.", "status",
      status=_enum("deceased_notified vulnerable legal_hold fraud_hold churn_requested churned reactivated"),
      effective_at=TIMESTAMP)
_type("customer.profile.changed", "A detail of the customer changed in one system.", "system field value_hash",
      system=STRING, field=STRING, value_hash=STRING, previous_hash=STRING)
_type("customer.identifiers.linked", "A tool says that identifiers belong to one customer.", "identifiers", reason=STRING)
_type("customer.erased", "The customer must be forgotten.", "request_id", request_id=STRING, reason=STRING)
_type("commerce.order.changed", "An order moved to another status.", "order status",
      status=_enum("placed payment_due processing partially_shipped shipped delivered cancelled returned problem"),
      total=NUMBER, currency=STRING, promised_delivery=TIMESTAMP,
      cancel=Field("object", fields={"reason": STRING, "initiator": STRING}))
_type("commerce.cart.changed", "A cart was changed, left or bought.", "cart action",
      action=_enum("updated abandoned recovered converted"), total=NUMBER)
_type("commerce.payment.changed", "Money moved, or failed to.", "status",
      status=_enum("succeeded failed refunded disputed dunning invoiced"), amount=NUMBER, currency=STRING, refund_id=STRING)
_type("commerce.subscription.changed", "A subscription changed.", "subscription action",
      action=_enum("started renewed cancel_requested cancelled paused resumed"), effective_at=TIMESTAMP)
_type("fulfilment.shipment.changed", "A parcel moved, or its date did.", "shipment status",
      status=_enum("created pre_transit in_transit out_for_delivery available_for_pickup delivered attempt_failed "
                   "exception delayed returned_to_sender lost cancelled"),
      eta=TIMESTAMP, previous_eta=TIMESTAMP)
_type("fulfilment.return.changed", "A return moved.", "status",
      status=_enum("requested approved in_transit received rejected refunded"), reason=STRING)
_type("inventory.level.changed", "The stock of an item at a location changed.", "item available",
      available=NUMBER)
_type("inventory.item.flagged", "An item was recalled, found defective, discontinued or cleared.", "item flag",
      flag=_enum("recalled defective discontinued cleared"), lots=STRINGS)
_type("booking.changed", "A booking changed.", "booking status", status=_enum(_STATUS_BOOKING), new_time=TIMESTAMP)
_type("appointment.changed", "An appointment changed.", "appointment status",
      status=_enum(_STATUS_BOOKING + " started"), new_time=TIMESTAMP)
_type("outage.changed", "A service went down or came back.", "outage status",
      status=_enum("started restored"), affected=STRING, eta_restore=TIMESTAMP)
# fmt: on

TYPES: Mapping[str, EventType] = {event_type.name: event_type for event_type in _table}
