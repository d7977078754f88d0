"""The words of the taxonomy: refs, channels, purposes, kinds of field, and the fields every event may carry.

`events/taxonomy.py` makes the event types of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PREFIX = "org.coordwatch."


ATTRIBUTES: Mapping[str, str] = {
    "time": "timestamp",
    "id": "string",
    "source": "string",
    "type": "string",
    "observed_at": "timestamp",
    "customer": "string",
}


REFS = (
    "order",
    "item",
    "shipment",
    "case",
    "conversation",
    "message",
    "campaign",
    "journey",
    "booking",
    "appointment",
    "subscription",
    "invoice",
    "outage",
    "chain",
    "cart",
    "debt",
    "account",
    "area",
    "contact",
    "commitment",
    "return",
    "audience",
    "location",
)


CHANNELS = (
    "email",
    "sms",
    "push",
    "inapp",
    "whatsapp",
    "rcs",
    "line",
    "voice",
    "chat",
    "web",
    "post",
    "in_person",
    "ad",
)


CATEGORIES = ("promotional", "transactional", "service", "legal", "unknown")


PURPOSES = (
    "order_confirmation",
    "payment_receipt",
    "shipping_notice",
    "delay_notice",
    "cancellation_notice",
    "refund_notice",
    "return_instructions",
    "appointment_reminder",
    "outage_notice",
    "recall_notice",
    "security",
    "dunning",
    "renewal",
    "promo",
    "upsell",
    "cross_sell",
    "winback",
    "retention_offer",
    "cart_abandon",
    "browse_abandon",
    "back_in_stock",
    "price_drop",
    "review_request",
    "survey",
    "loyalty",
    "birthday",
    "newsletter",
    "onboarding",
    "other",
)


CASE_KINDS = (
    "complaint",
    "incident",
    "question",
    "request",
    "dispute",
    "cancellation",
    "claim",
    "fraud",
    "bereavement",
)


Kind = Literal["string", "integer", "number", "boolean", "timestamp", "strings", "objects", "object", "any"]


@dataclass(frozen=True, slots=True)
class Field:
    """One data field: its kind, its closed list of values if it has one, and the fields inside an object."""

    kind: Kind
    values: tuple[str, ...] = ()
    fields: Mapping[str, "Field"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event. `broadcast` types belong to no customer and are read across customers."""

    name: str
    summary: str
    fields: Mapping[str, Field]
    required: tuple[str, ...]
    broadcast: bool = False


STRING, INTEGER, NUMBER, BOOLEAN = Field("string"), Field("integer"), Field("number"), Field("boolean")


TIMESTAMP, STRINGS, ANY = Field("timestamp"), Field("strings"), Field("any")


ITEMS = Field(
    "objects",
    fields={
        "sku": STRING,
        "product_id": STRING,
        "variant_id": STRING,
        "gtin": STRING,
        "quantity": NUMBER,
        "price": NUMBER,
    },
)


TOOL = Field("object", fields={"name": STRING, "family": STRING, "instance": STRING, "team": STRING})


ACTOR = Field(
    "object",
    fields={
        "kind": Field("string", ("customer", "bot", "agent", "system", "partner")),
        "id": STRING,
        "team": STRING,
    },
)


COMMON: Mapping[str, Field] = {
    **dict.fromkeys(REFS, STRINGS),
    "items": ITEMS,
    "tool": TOOL,
    "actor": ACTOR,
    "channel": Field("string", CHANNELS),
    "identifiers": Field("objects", fields={"type": STRING, "namespace": STRING, "value": STRING, "digest": STRING}),
    "time_basis": Field("string", ("event", "day", "broker", "clamped")),
    "identity_confidence": Field("string", ("high", "medium", "low")),
    "category_basis": Field("string", ("payload", "catalogue", "default")),
    "backfill": BOOLEAN,
}
