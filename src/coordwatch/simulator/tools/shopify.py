"""Shopify: the shop's webhooks; what happened stands in a header, and a refund or a parcel knows only its order.

What enters: what happens to orders. What leaves: Drafts. The next room: `post`.
"""

from collections.abc import Sequence
from typing import Any

from coordwatch.events.event import Event, event_with
from coordwatch.events.times import format_time
from coordwatch.simulator.mint import Mint
from coordwatch.simulator.post import Draft
from coordwatch.simulator.tools.meaning import SHOPIFY, meaning
from coordwatch.simulator.truth import Order
from coordwatch.simulator.world import Item, Person

TOPIC = "shopify.webhooks"
SOURCE = "shopify"
TOOL = {"name": "Shopify"}
# The mapping makes an event for each detail of a customer's record, and names them by the detail.
_PHONE = "/phone"


class Shop:
    """The shop system. Units: times in microseconds since 1970 UTC, in whole seconds."""

    def __init__(self, mint: Mint, items: Sequence[Item]) -> None:
        self._mint = mint
        self._items = {item.sku: item for item in items}

    def placed(self, time: int, person: Person, order: Order) -> Draft:
        """Say that an order was placed."""
        event = self._meaning(
            "commerce.order.changed",
            time,
            person,
            order=str(order.number),
            status="placed",
            items=[{"sku": sku} for sku in order.skus],
        )
        return self._draft("orders/create", time, event, self._order(time, person, order))

    def cancelled(self, time: int, person: Person, order: Order, reason: str) -> Draft:
        """Say that an order was cancelled, with the shop's reason (customer, inventory, fraud, declined, other)."""
        event = self._meaning(
            "commerce.order.changed",
            time,
            person,
            order=str(order.number),
            status="cancelled",
            items=[{"sku": sku} for sku in order.skus],
            cancel={"reason": reason, "initiator": "customer" if reason == "customer" else "company"},
        )
        body = {**self._order(time, person, order), "cancelled_at": format_time(time), "cancel_reason": reason}
        return self._draft("orders/cancelled", time, event, body)

    def fulfilled(self, time: int, person: Person, order: Order) -> Draft:
        """Say that the parcel of an order was handed over; this is where its tracking code meets the order."""
        event = self._meaning(
            "fulfilment.shipment.changed",
            time,
            person,
            order=str(order.number),
            shipment=order.tracking,
            status="created",
        )
        body = {
            "id": self._mint.number("fulfilment", 820_001),
            "order_id": order.number,
            "status": "success",
            "created_at": format_time(time),
            "updated_at": format_time(time),
            "tracking_company": "Invented Parcels",
            "tracking_number": order.tracking,
            "tracking_numbers": [order.tracking],
            "line_items": [self._line(sku) for sku in order.skus],
        }
        return self._draft("fulfillments/create", time, event, body)

    def refunded(self, time: int, person: Person, order: Order) -> Draft:
        """Say that the money of an order went back."""
        amount = sum(float(self._items[sku].price) for sku in order.skus)
        event = self._meaning(
            "commerce.payment.changed", time, person, order=str(order.number), status="refunded", amount=amount
        )
        transaction = {"id": self._mint.number("payment", 610_001), "kind": "refund", "status": "success"}
        body = {
            "id": self._mint.number("refund", 510_001),
            "order_id": order.number,
            "created_at": format_time(time),
            "processed_at": format_time(time),
            "user_id": 77,
            "refund_line_items": [
                {"id": self._mint.number("line", 1), "quantity": 1, "line_item": self._line(sku)} for sku in order.skus
            ],
            "transactions": [{**transaction, "amount": f"{amount:.2f}", "currency": "EUR", "order_id": order.number}],
        }
        return self._draft("refunds/create", time, event, body)

    def telephone_changed(self, time: int, person: Person, phone: str) -> Draft:
        """Say that the shop holds another telephone number."""
        event = self._meaning(
            "customer.profile.changed", time, person, system="shopify", field="phone", value_hash=f"hash of {phone}"
        )
        event = event_with(event, id=event.id + _PHONE)
        body = {
            "id": person.shop_account,
            "email": person.email,
            "phone": phone,
            "created_at": format_time(time),
            "updated_at": format_time(time),
            "tags": "",
        }
        return self._draft("customers/update", time, event, body)

    def _order(self, time: int, person: Person, order: Order) -> dict[str, Any]:
        return {
            "id": order.number,
            "name": f"#{order.number % 1_000_000}",
            "email": person.email,
            "contact_email": person.email,
            "created_at": format_time(order.placed),
            "updated_at": format_time(time),
            "cancelled_at": None,
            "cancel_reason": None,
            "currency": "EUR",
            "total_price": f"{sum(float(self._items[sku].price) for sku in order.skus):.2f}",
            "financial_status": "paid",
            "fulfillment_status": None,
            "customer": {"id": person.shop_account, "email": person.email},
            "line_items": [self._line(sku) for sku in order.skus],
        }

    def _line(self, sku: str) -> dict[str, Any]:
        item = self._items[sku]
        return {"id": item.number * 10, "sku": sku, "variant_id": item.number, "quantity": 1, "price": item.price}

    def _meaning(self, event_type: str, time: int, person: Person, **data: Any) -> Event:
        return meaning(event_type, (SOURCE, self._mint.uuid()), time + SHOPIFY, person.key, tool=TOOL, **data)

    def _draft(self, topic: str, time: int, event: Event, body: dict[str, Any]) -> Draft:
        headers = {
            "X-Shopify-Topic": topic,
            "X-Shopify-Event-Id": event.id.removesuffix(_PHONE),
            "X-Shopify-Webhook-Id": self._mint.uuid(),
            "X-Shopify-Shop-Domain": "invented.example",
            "X-Shopify-Triggered-At": format_time(time),
        }
        return Draft(TOPIC, body, (event,), headers)
