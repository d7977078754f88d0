"""SendGrid: the marketing and notice mails, as its event webhook posts them, several in one request.

What enters: mails that leave. What leaves: one Draft for each request. The next room: `post`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coordwatch.events.times import SECOND
from coordwatch.simulator.mint import Mint
from coordwatch.simulator.post import Draft
from coordwatch.simulator.tools.meaning import meaning
from coordwatch.simulator.truth import Order
from coordwatch.simulator.world import Campaign, Item, Person

TOPIC = "sendgrid.events"
SOURCE = "sendgrid"
TOOL = {"name": "SendGrid"}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one customer; a notice names the order, a promotion may name an item and a store."""

    person: Person
    campaign: Campaign
    order: Order | None = None
    item: Item | None = None
    store: str | None = None


def processed(mint: Mint, time: int, mails: Sequence[Mail]) -> Draft:
    """Say that mails have left. Units: `time` in microseconds since 1970 UTC, in whole seconds."""
    written = [_processed(mint, time, mail) for mail in mails]
    return Draft(TOPIC, [payload for payload, _ in written], tuple(event for _, event in written), {})


def _processed(mint: Mint, time: int, mail: Mail) -> tuple[dict[str, Any], Any]:
    message, event_id = f"{mint.token()}.filter{mint.number('filter', 1000)}.0", mint.token()
    order, item, campaign = mail.order, mail.item, mail.campaign
    arguments = {
        "campaign_id": campaign.title if order is None else None,
        "order_id": str(order.number) if order else None,
        "tracking_code": order.tracking or None if order else None,
        "sku": item.sku if item else None,
        "store": mail.store,
    }
    payload = {
        "email": mail.person.email,
        "timestamp": time // SECOND,
        "smtp-id": f"<{mint.token()}@mail.example>",
        "event": "processed",
        "category": [campaign.name],
        "sg_event_id": event_id,
        "sg_message_id": message,
        **{name: value for name, value in arguments.items() if value is not None},
    }
    event = meaning(
        "marketing.message.sent",
        (SOURCE, event_id),
        time,
        None if mail.person.shares_mailbox and order is None else mail.person.key,
        message=message,
        channel="email",
        category=campaign.category,
        purpose=campaign.purpose or None,
        owner_team=campaign.team or None,
        campaign=arguments["campaign_id"] or campaign.name,
        order=arguments["order_id"],
        shipment=arguments["tracking_code"],
        items=[{"sku": item.sku}] if item else None,
        location=mail.store,
        tool=TOOL,
    )
    return payload, event


def opened(mint: Mint, time: int, mail: Mail, message: str) -> Draft:
    """Say that a customer opened a mail. Units: `time` in microseconds since 1970 UTC, in whole seconds."""
    event_id = mint.token()
    payload = {
        "email": mail.person.email,
        "timestamp": time // SECOND,
        "event": "open",
        "category": [mail.campaign.name],
        "sg_event_id": event_id,
        "sg_message_id": message,
        "useragent": "Mozilla/5.0 (invented)",
        "sg_machine_open": False,
    }
    event = meaning(
        "marketing.message.engaged",
        (SOURCE, event_id),
        time,
        None if mail.person.shares_mailbox else mail.person.key,
        message=message,
        kind="open",
        campaign=mail.campaign.name,
        tool=TOOL,
    )
    return Draft(TOPIC, [payload], (event,), {})
