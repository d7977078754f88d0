"""Filed events: the wire form on the topic that is split by customer.

What enters: an Event as its tool said it, and the customer whose it is. What leaves: a line whose `subject` is the customer
key; a subject that somebody had stamped on the event stands beside it as `stampedsubject`, and comes back as `subject`.
"""

from typing import Any, NamedTuple

from coordwatch.codec import NotJson, decode_json, encode_json
from coordwatch.events.event import Event, event_with
from coordwatch.events.wire import LINE_MAX, Rejected, RejectReason, event_from, event_to_plain

STAMPED = "stampedsubject"


class Filed(NamedTuple):
    """An event and its customer; the event has the subject with which it came, which is mostly none."""

    customer: str
    event: Event


def filed_to_plain(event: Event, customer: str) -> dict[str, Any]:
    """A filed event as the plain data of its JSON text."""
    plain = event_to_plain(event, customer)
    if event.subject is not None:
        plain[STAMPED] = event.subject
    return plain


def encode_filed(event: Event, customer: str) -> bytes:
    """Write a filed event as a line of JSON, without the line end."""
    return encode_json(filed_to_plain(event, customer))


def filed_from(raw: Any) -> Filed | Rejected:
    """Read a filed event from decoded JSON; never raises."""
    event = event_from(raw)
    if isinstance(event, Rejected):
        return event
    stamped = raw.get(STAMPED)
    if stamped is not None and (not isinstance(stamped, str) or not stamped):
        return Rejected(RejectReason.BAD_ATTRIBUTE, f"'{STAMPED}' must be a text that is not empty", STAMPED)
    if event.subject is None:
        return Rejected(RejectReason.MISSING_ATTRIBUTE, "'subject' is missing: whose event it is", "subject")
    return Filed(event.subject, event_with(event, subject=stamped))


def decode_filed(line: bytes) -> Filed | Rejected:
    """Read a filed event from its JSON text; never raises."""
    if len(line) > LINE_MAX:
        return Rejected(RejectReason.TOO_LARGE, f"longer than {LINE_MAX:,} bytes")
    try:
        return filed_from(decode_json(line))
    except NotJson as error:
        return Rejected(RejectReason.NOT_JSON, str(error))
