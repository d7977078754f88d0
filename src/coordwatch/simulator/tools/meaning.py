"""What a tool's words mean: canonical Events with the identity that the shipped source mappings give them.

What enters: a type, an instant and data. What leaves: an Event without the fields that are not there.
The next room: the tools beside this module.
"""

from typing import Any

from coordwatch.events.event import Event
from coordwatch.events.times import SECOND, format_time

# Each tool acts in its own part of a second, so that no two tools ever act at one instant.
SENDGRID, CLOUDEVENTS, RASA, ZENDESK, EASYPOST = (part * SECOND // 8 for part in (0, 1, 2, 4, 6))
SHOPIFY = SENDGRID


def meaning(event_type: str, identity: tuple[str, str], time: int, subject: str | None, **data: Any) -> Event:
    """Make the canonical Event of one thing that a tool says.

    Takes: `identity`, its source and id; `data`, where a field that is None is left out
    Units: `time` in microseconds since 1970 UTC
    """
    source, event_id = identity
    present = {name: value for name, value in data.items() if value is not None}
    return Event(source, event_id, event_type, time, time, subject, present)


def clock_text(time: int) -> str:
    """Write an instant as a tool writes it: RFC 3339 with milliseconds. Units: microseconds since 1970 UTC."""
    text = format_time(time // 1000 * 1000)
    return text if "." not in text else text[:-4] + "Z"
