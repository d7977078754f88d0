"""Zendesk: the help desk's events; a ticket knows its requester by number, and only a user event knows the address.

What enters: what happens to cases and to the desk's records. What leaves: Drafts. The next room: `post`.
"""

from typing import Any

from coordwatch.events.times import MINUTE, format_time
from coordwatch.simulator.mint import Mint
from coordwatch.simulator.post import Draft
from coordwatch.simulator.tools.meaning import ZENDESK, meaning
from coordwatch.simulator.truth import Case
from coordwatch.simulator.world import Person

TOPIC = "zendesk.events"
SOURCE = "zendesk"
TOOL = {"name": "Zendesk"}
_ACCOUNT = 4200042


class Desk:
    """The help desk. Units: times in microseconds since 1970 UTC, in whole seconds."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint

    def met(self, time: int, person: Person) -> Draft:
        """Say that the desk has a new requester."""
        identity = (SOURCE, self._mint.uuid())
        detail = self._user(time, person)
        event = meaning("customer.identifiers.linked", identity, time + ZENDESK, person.key, identifiers=[], tool=TOOL)
        return self._draft("user.created", f"zen:user:{person.requester}", event, detail, {})

    def opened(self, time: int, person: Person, case: Case) -> Draft:
        """Say that a ticket was opened."""
        event = meaning(
            "service.case.opened",
            (SOURCE, self._mint.uuid()),
            time + ZENDESK,
            person.key,
            case=_name(case),
            kind=case.kind,
            conversation=case.chat.id if case.chat else None,
            tool=TOOL,
        )
        return self._ticket("ticket.created", event, person, case, {})

    def moved(self, time: int, person: Person, case: Case, status: str) -> Draft:
        """Say that a ticket went to another status; the case keeps it."""
        previous, case.status = case.status, status
        reopened = status == "open" and previous in ("solved", "closed")
        event = meaning(
            "service.case.status_changed",
            (SOURCE, self._mint.uuid()),
            time + ZENDESK,
            person.key,
            case=_name(case),
            status="reopened" if reopened else _STATUS[status],
            previous=_STATUS[previous],
            kind=case.kind,
            conversation=case.chat.id if case.chat else None,
            tool=TOOL,
        )
        change = {"current": status.upper(), "previous": previous.upper()}
        return self._ticket("ticket.status_changed", event, person, case, change)

    def commented(self, time: int, person: Person, case: Case) -> Draft:
        """Say that an agent wrote to the customer."""
        event = meaning(
            "service.case.updated",
            (SOURCE, self._mint.uuid()),
            time + ZENDESK,
            person.key,
            case=_name(case),
            comment={"public": True, "author_kind": "agent"},
            tool=TOOL,
        )
        author = {"id": "815", "is_staff": True, "name": "Support"}
        comment = {
            "comment": {"id": str(self._mint.number("comment")), "body": "", "is_public": True, "author": author}
        }
        return self._ticket("ticket.comment_added", event, person, case, comment)

    def telephone_changed(self, time: int, person: Person, phone: str, previous: str | None) -> Draft:
        """Say that the desk holds another telephone number."""
        event = meaning(
            "customer.profile.changed",
            (SOURCE, f"{self._mint.uuid()}/profile"),
            time + ZENDESK,
            person.key,
            system="zendesk",
            field="phone",
            value_hash=f"hash of {phone}",
            tool=TOOL,
        )
        change: dict[str, Any] = {"current": {"type": "phone_number", "value": phone}}
        if previous is not None:
            change["previous"] = {"type": "phone_number", "value": previous}
        return self._draft(
            "user.identity_changed", f"zen:user:{person.requester}", event, self._user(time, person), change
        )

    def _user(self, time: int, person: Person) -> dict[str, Any]:
        return {
            "created_at": format_time(time),
            "updated_at": format_time(time),
            "email": person.email,
            "external_id": "" if person.guest else person.key,
            "id": str(person.requester),
            "organization_id": "0",
            "role": "end-user",
        }

    def _ticket(self, name: str, event: Any, person: Person, case: Case, change: dict[str, Any]) -> Draft:
        written = format_time((event.time // MINUTE) * MINUTE)
        detail = {
            "id": str(case.number),
            "requester_id": str(person.requester),
            "submitter_id": str(person.requester),
            "external_id": case.chat.id if case.chat else None,
            "status": case.status.upper(),
            "type": "QUESTION" if case.kind == "question" else "PROBLEM",
            "tags": [_TAGS.get(case.kind, case.kind)],
            "created_at": written,
            "updated_at": written,
            "via": {"channel": "chat" if case.chat else "web"},
        }
        return self._draft(name, f"zen:ticket:{case.number}", event, detail, change)

    def _draft(self, name: str, subject: str, event: Any, detail: dict[str, Any], change: dict[str, Any]) -> Draft:
        payload = {
            "account_id": _ACCOUNT,
            "id": event.id.removesuffix("/profile"),
            "type": f"zen:event-type:{name}",
            "subject": subject,
            "time": _nanoseconds(event.time),
            "zendesk_event_version": "2022-11-06",
            "detail": detail,
            "event": change,
        }
        return Draft(TOPIC, payload, (event,), {})


_STATUS = {
    "new": "new",
    "open": "open",
    "pending": "pending_customer",
    "hold": "on_hold",
    "solved": "solved",
    "closed": "closed",
    "deleted": "deleted",
}
_TAGS = {"cancellation": "cancellation_request"}


def _name(case: Case) -> str:
    return f"zen:{case.number}"


def _nanoseconds(time: int) -> str:
    text = format_time(time).removesuffix("Z")
    whole, _, digits = text.partition(".")
    return f"{whole}.{digits.ljust(9, '0')}Z"
