"""EasyPost: what carriers say of parcels; it knows a tracking code and nothing of orders or customers.

What enters: what happens to a parcel. What leaves: Drafts. The next room: `post`.
"""

from typing import Any

from coordwatch.events.times import format_time
from coordwatch.simulator.mint import Mint
from coordwatch.simulator.post import Draft
from coordwatch.simulator.tools.meaning import EASYPOST, clock_text, meaning
from coordwatch.simulator.world import Person

TOPIC = "easypost.events"
SOURCE = "easypost"
TOOL = {"name": "EasyPost"}


class Tracker:
    """The tracker of one parcel. Units: times in microseconds since 1970 UTC, in whole seconds."""

    def __init__(self, mint: Mint, person: Person, code: str, eta: int) -> None:
        self._mint = mint
        self._person = person
        self._code = code
        self._eta = eta
        self._status = "unknown"
        self._id = f"trk_{mint.hex(32)}"

    def moved(self, time: int, status: str, eta: int | None = None) -> Draft:
        """Say where the parcel is, and when it will come if that has changed."""
        previous: dict[str, Any] = {}
        if status != self._status:
            previous["status"] = self._status
        old_eta = None
        if eta is not None and eta != self._eta:
            old_eta, self._eta = self._eta, eta
            previous["est_delivery_date"] = format_time(old_eta)
        created = self._status == "unknown"
        self._status = status
        moment = time + EASYPOST
        event = meaning(
            "fulfilment.shipment.changed",
            (SOURCE, f"evt_{self._mint.hex(32)}"),
            moment,
            self._person.key,
            shipment=self._code,
            status=status,
            eta=format_time(self._eta),
            previous_eta=format_time(old_eta) if old_eta is not None else None,
            tool=TOOL,
        )
        payload = {
            "id": event.id,
            "object": "Event",
            "mode": "production",
            "description": "tracker.created" if created else "tracker.updated",
            "created_at": clock_text(moment),
            "updated_at": clock_text(moment),
            "status": "pending",
            "previous_attributes": previous,
            "result": self._result(moment),
        }
        return Draft(TOPIC, payload, (event,), {})

    def _result(self, moment: int) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "Tracker",
            "mode": "production",
            "tracking_code": self._code,
            "status": self._status,
            "status_detail": "status_update",
            "carrier": "InventedParcels",
            "created_at": clock_text(moment),
            "updated_at": clock_text(moment),
            "est_delivery_date": format_time(self._eta),
            "shipment_id": None,
            "tracking_details": [],
        }
