"""Words of the pages: ages, rates with their interval, what an event says in a few words.

What enters: instants, counts, events' types and fields.
What leaves: short plain text, never markup.
The next room: `shell`, which gives them to the templates.
"""

from collections.abc import Mapping
from typing import Any

from coordwatch.alerts.verdict import wilson
from coordwatch.alerts.words import time_words
from coordwatch.events.times import MINUTE, SECOND, format_time
from coordwatch.events.words import THIN_SPACE, duration_words
from coordwatch.events.words import number_words as plain_number_words

_SMALL = 200
_WORD_MAX = 80
_KEY_MAX = 20
NARROW_SPACE = "\u202f"

# What an event is called in a lane or a list; `{field}` is filled from its data, and a phrase whose field is missing
# gives way to the next.
_PHRASES: Mapping[str, tuple[str, ...]] = {
    "marketing.message.sent": ("{purpose} sent", "{category} message sent", "message sent"),
    "marketing.message.suppressed": ("message held back",),
    "marketing.message.engaged": ("message {kind}", "message engaged"),
    "marketing.message.failed": ("message {kind}", "message failed"),
    "marketing.message.spam_reported": ("reported as spam",),
    "marketing.journey.changed": ("journey {action}", "journey changed"),
    "marketing.audience.changed": ("audience {action}", "audience changed"),
    "marketing.ad.exposed": ("ad {kind}", "ad seen"),
    "customer.consent.changed": ("consent {status}", "consent changed"),
    "feedback.received": ("{instrument} {score}", "feedback"),
    "bot.conversation.started": ("bot started",),
    "bot.message.received": ("customer wrote: {intent}", "customer wrote"),
    "bot.message.sent": ("bot asked {asked_field}", "bot answered"),
    "bot.detail.captured": ("bot learned {field}", "bot learned a detail"),
    "bot.handoff.requested": ("handoff asked",),
    "bot.handoff.completed": ("handoff done",),
    "bot.conversation.ended": ("bot: {outcome}", "bot ended"),
    "service.case.opened": ("{kind} opened", "case opened"),
    "service.case.status_changed": ("case {status}", "case changed"),
    "service.case.updated": ("case updated",),
    "service.contact.started": ("{direction} contact", "contact started"),
    "service.contact.transferred": ("contact transferred",),
    "service.contact.ended": ("contact ended",),
    "service.commitment.made": ("{kind} promised", "promise made"),
    "service.commitment.closed": ("promise {outcome}", "promise closed"),
    "service.statement.made": ("told: {field}", "statement made"),
    "agent.detail.requested": ("agent asked {field}", "agent asked a detail"),
    "agent.verification.performed": ("verified: {outcome}", "verification"),
    "agent.context.shown": ("context shown",),
    "customer.status.changed": ("customer {status}", "customer status changed"),
    "customer.profile.changed": ("{field} changed", "profile changed"),
    "customer.identifiers.linked": ("identifiers linked",),
    "customer.erased": ("erasure asked",),
    "commerce.order.changed": ("order {status}", "order changed"),
    "commerce.cart.changed": ("cart {action}", "cart changed"),
    "commerce.payment.changed": ("payment {status}", "payment changed"),
    "commerce.subscription.changed": ("subscription {action}", "subscription changed"),
    "fulfilment.shipment.changed": ("parcel {status}", "parcel changed"),
    "fulfilment.return.changed": ("return {status}", "return changed"),
    "inventory.level.changed": ("stock is {available}", "stock changed"),
    "inventory.item.flagged": ("item {flag}", "item flagged"),
    "booking.changed": ("booking {status}", "booking changed"),
    "appointment.changed": ("appointment {status}", "appointment changed"),
    "outage.changed": ("outage {status}", "outage changed"),
}
# In this order, the refs by which a person recognises what an event is about.
_ABOUT = (
    "campaign", "journey", "case", "order", "item", "shipment", "return", "booking", "appointment", "subscription",
    "commitment", "invoice", "outage", "audience", "cart", "conversation", "contact", "message", "location", "area",
)  # fmt: skip


def age_words(now: int, at: int) -> str:
    """How long ago an instant was, or how far ahead it lies, to the minute. Units: microseconds since 1970 UTC."""
    length = abs(now - at)
    if length < SECOND:
        return "now"
    words = duration_words(length // MINUTE * MINUTE if length >= MINUTE else length)
    return f"{words} ago" if at < now else f"in {words}"


def day_words(at: int) -> str:
    """The day of an instant, in UTC: `7 Mar`."""
    return " ".join(time_words(at).split(" ")[:2])


def short_words(at: int, now: int) -> str:
    """An instant as short as it can be said beside `now`: `14:05`, or `2 Mar 14:05` on another day."""
    return clock_words(at) if day_words(at) == day_words(now) else f"{day_words(at)} {clock_words(at)}"


def exact_words(at: int) -> str:
    """An instant to the second, for a tooltip and for print: `7 Mar 2026 14:05:09 UTC`."""
    words = time_words(at)
    return f"{words[:-4]}:{format_time(at)[17:19]} UTC"


def number_words(number: int) -> str:
    """A count with thin spaces between the thousands that no line breaks at."""
    return plain_number_words(number).replace(THIN_SPACE, NARROW_SPACE)


def clock_words(at: int) -> str:
    """The time of day of an instant, in UTC: `14:05`."""
    return format_time(at)[11:16]


def percent_words(share: float) -> str:
    """A share as a percentage: `3.1 %`, and with more digits where there is little: `0.042 %`."""
    percent = 100 * share
    places = 1 if percent >= 1 or percent == 0 else 2 if percent >= 0.1 else 3
    return f"{percent:.{places}f} %"


def rate_words(part: int, whole: int) -> str:
    """A rate with its denominator: `3.1 % (41 of 1 322)`; below 200 also with its 95 % interval."""
    if whole <= 0:
        return "nothing counted yet"
    counts = f"{number_words(part)} of {number_words(whole)}"
    interval = interval_words(part, whole)
    return f"{percent_words(part / whole)} ({counts}{'; ' if interval else ''}{interval})"


def interval_words(part: int, whole: int) -> str:
    """The 95 % interval of a rate with a denominator below 200; empty above."""
    if whole >= _SMALL or whole <= 0:
        return ""
    low, high = wilson(part, whole)
    return f"95 % interval {100 * low:.1f} to {100 * high:.1f} %"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A count with its noun: `1 alert`, `41 alerts`."""
    return f"{number_words(number)} {one if number == 1 else many or one + 's'}"


def event_words(event_type: str, data: Mapping[str, Any]) -> str:
    """What happened, in a few words: `complaint opened`, `parcel delayed`."""
    for phrase in _PHRASES.get(event_type, ()):
        words = _filled(phrase, data)
        if words is not None:
            return words
    return _short(event_type.rpartition(".")[2] if event_type not in _PHRASES else event_type)


def _filled(phrase: str, data: Mapping[str, Any]) -> str | None:
    before, brace, rest = phrase.partition("{")
    if not brace:
        return phrase
    name, _, after = rest.partition("}")
    value = data.get(name)
    if name == "category" and value == "promotional":
        return "promotion sent"
    if name == "purpose" and (data.get("category") == "promotional" or value == "other"):
        return None
    if value is None or isinstance(value, Mapping | list | tuple):
        return None
    return before + _short(str(value).replace("_", " ")) + after


def short_key(key: str) -> str:
    """A customer's key as a list shows it: a long digest is cut where nobody reads on."""
    return key if len(key) <= _KEY_MAX else f"{key[: _KEY_MAX - 5]}…"


def look(data: Mapping[str, Any], path: str) -> list[Any]:
    """Every value at a dotted path, through lists: `items.sku` gives the sku of each item."""
    values: list[Any] = [data]
    for name in path.split("."):
        found = [value.get(name) for value in values if isinstance(value, Mapping)]
        values = [one for value in found for one in (value if isinstance(value, list | tuple) else [value])]
    return [value for value in values if value is not None]


def about_words(data: Mapping[str, Any], most: int = 2) -> str:
    """What an event is about: `campaign Spring sale, case K-1042`; empty when it names nothing."""
    words = []
    for ref in _ABOUT:
        values = look(data, ref) or (look(data, "items.sku") if ref == "item" else [])
        if values:
            more = f" and {len(values) - 1} more" if len(values) > 1 else ""
            words.append(f"{ref} {_short(str(values[0]))}{more}")
    # A message's own id says little beside anything else.
    telling = [word for word in words if not word.startswith("message ")] or words
    return ", ".join(telling[:most])


def _short(text: str) -> str:
    return text if len(text) <= _WORD_MAX else f"{text[: _WORD_MAX - 1]}…"
