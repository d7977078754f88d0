"""The shop's own services, which publish canonical CloudEvents: accounts, warehouse, agents' desktop, audience sync.

What enters: what they do. What leaves: Drafts, some in structured and some in binary mode. The next room: `post`.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from coordwatch.events.times import format_time
from coordwatch.events.vocabulary import PREFIX
from coordwatch.simulator.mint import Mint
from coordwatch.simulator.post import Draft
from coordwatch.simulator.tools.meaning import CLOUDEVENTS, meaning
from coordwatch.simulator.world import Person

ACCOUNTS = ("cloudevents.accounts", "/accounts", {"name": "Account service", "team": "accounts"}, False)
WAREHOUSE = ("cloudevents.warehouse", "/warehouse", {"name": "Warehouse", "team": "warehouse"}, True)
DESKTOP = ("cloudevents.agent-desktop", "/agent-desktop", {"name": "Agent desktop", "team": "contact-centre"}, False)
AUDIENCES = ("cloudevents.audiences", "/audience-sync", {"name": "Audience sync", "team": "paid-media"}, True)
Service = tuple[str, str, dict[str, str], bool]


class Services:
    """The shop's own services. Units: times in microseconds since 1970 UTC, in whole seconds."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint

    def says(self, service: Service, time: int, event_type: str, person: Person | None, **data: Any) -> Draft:
        """Publish one canonical event; it names nobody unless its refs do."""
        return self._publish(service, time, event_type, person, data)

    def linked(self, time: int, person: Person) -> Draft:
        """Say which customer number, address and shop account are one customer."""
        who = [
            {"type": "customer_id", "value": person.key},
            {"type": "email", "value": person.email},
            {"type": "shopify_customer", "namespace": "Shopify", "value": str(person.shop_account)},
        ]
        return self._publish(ACCOUNTS, time, "customer.identifiers.linked", person, {"identifiers": who})

    def shown(self, time: int, event_type: str, person: Person, **data: Any) -> Draft:
        """Publish what an ad platform is told about a customer, who is named as ad platforms name people."""
        if person.guest or (person.number % 2 and not person.shares_mailbox):
            digest = hashlib.sha256(person.email.encode()).hexdigest()
            who = [{"type": "email_sha256", "value": digest}]
        else:
            who = [{"type": "customer_id", "value": person.key}]
        return self._publish(AUDIENCES, time, event_type, person, {**data, "identifiers": who})

    def _publish(
        self, service: Service, time: int, event_type: str, person: Person | None, data: Mapping[str, Any]
    ) -> Draft:
        topic, source, tool, is_binary = service
        event_id, moment = self._mint.uuid(), time + CLOUDEVENTS
        body = {**data, "tool": tool}
        subject = person.key if person else None
        # The canonical shape names the customer by its subject and needs no identifiers.
        known = {name: value for name, value in body.items() if name != "identifiers"}
        event = meaning(event_type, (source, event_id), moment, subject, **known)
        if is_binary:
            headers = {
                "content-type": "application/json",
                "ce_specversion": "1.0",
                "ce_id": event_id,
                "ce_source": source,
                "ce_type": PREFIX + event_type,
                "ce_time": format_time(moment),
            }
            return Draft(topic, body, (event,), headers)
        envelope = {
            "specversion": "1.0",
            "id": event_id,
            "source": source,
            "type": PREFIX + event_type,
            "time": format_time(moment),
            "datacontenttype": "application/json",
            "data": body,
        }
        return Draft(topic, envelope, (event,), {"content-type": "application/cloudevents+json; charset=utf-8"})
