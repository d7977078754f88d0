"""Waking: what a snooze can wait for, beside a time: a fact about the thing that the alert is about, or a source that comes back.

What enters: the evidence of an alert, the types of event that rules read, facts that have arrived.
What leaves: the conditions that an alert can wait for; whether one has come true, in words.
The next room: `alert`, which wakes by it; the table of what leads where is in `lifecycle`.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from coordwatch.events.times import DAY

# How long a snooze lasts at most when nobody says how long: the fact may never come. Units: microseconds
LIMIT = 7 * DAY
ABOUT_MAX = 200


class WakeWhen(StrEnum):
    """What a snooze waits for."""

    CASE_CLOSED = "case_closed"
    ORDER_DELIVERED = "order_delivered"
    PARCEL_ARRIVED = "parcel_arrived"
    MONEY_REFUNDED = "money_refunded"
    CONVERSATION_ENDED = "conversation_ended"
    APPOINTMENT_OVER = "appointment_over"
    SOURCE_BACK = "source_back"


@dataclass(frozen=True, slots=True)
class Awaited:
    """A fact that ends a snooze: about which thing, by which events, with which value of which field.

    `last` says that the newest such event counts, since it may be taken back; else any is enough.
    """

    thing: str
    types: frozenset[str]
    values: Mapping[str, frozenset[str]]
    words: str
    last: bool = False


def _awaited(thing: str, words: str, last: bool = False, /, **types: str) -> Awaited:
    values = {name.replace("__", "."): frozenset(one.split()) for name, one in types.items()}
    return Awaited(thing, frozenset(values), values, words, last)


# What ends which snooze. A type whose values are empty ends it whatever it says.
AWAITED: Mapping[WakeWhen, Awaited] = MappingProxyType(
    {
        WakeWhen.CASE_CLOSED: _awaited(
            "case", "case {} is closed", True, service__case__status_changed="solved closed merged deleted"
        ),
        WakeWhen.ORDER_DELIVERED: _awaited(
            "order",
            "order {} is delivered",
            commerce__order__changed="delivered",
            fulfilment__shipment__changed="delivered available_for_pickup",
        ),
        WakeWhen.PARCEL_ARRIVED: _awaited(
            "shipment", "parcel {} has arrived", fulfilment__shipment__changed="delivered available_for_pickup"
        ),
        WakeWhen.MONEY_REFUNDED: _awaited(
            "order",
            "the money for order {} is refunded",
            commerce__payment__changed="refunded",
            fulfilment__return__changed="refunded",
        ),
        WakeWhen.CONVERSATION_ENDED: _awaited("conversation", "conversation {} has ended", bot__conversation__ended=""),
        WakeWhen.APPOINTMENT_OVER: _awaited(
            "appointment",
            "appointment {} is over",
            appointment__changed="completed no_show cancelled_by_company cancelled_by_customer",
        ),
    }
)


class Fact(Protocol):
    """What a customer's journal shows of an event."""

    @property
    def type(self) -> str: ...

    @property
    def time(self) -> int: ...

    @property
    def data(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing to wait for: what, and about which case, order or source."""

    when: WakeWhen
    about: str

    @property
    def words(self) -> str:
        """What has come true when it has."""
        if self.when is WakeWhen.SOURCE_BACK:
            return f"the source {self.about} is read again"
        return AWAITED[self.when].words.format(self.about)


def offered(data: Iterable[Mapping[str, Any]], read: Set[str], dark: Iterable[str] = ()) -> list[Condition]:
    """What an alert can wait for, in the order of WakeWhen.

    Takes: the data of its events; the types of event that some rule reads, since of others nobody would notice; the sources
           that are dark now
    """
    events = list(data)
    found = []
    for when, awaited in AWAITED.items():
        if awaited.types & read:
            things = {str(one[awaited.thing]) for one in events if isinstance(one.get(awaited.thing), str | int)}
            found += [Condition(when, thing) for thing in sorted(things) if 0 < len(thing) <= ABOUT_MAX]
    return [*found, *(Condition(WakeWhen.SOURCE_BACK, one) for one in sorted(dark))]


def has_come(condition: Condition, facts: Iterable[Fact]) -> bool:
    """Whether what a snooze waits for has arrived in a customer's facts."""
    awaited = AWAITED.get(condition.when)
    if awaited is None:
        return False
    mine = [one for one in facts if one.type in awaited.types and str(one.data.get(awaited.thing)) == condition.about]
    if not mine:
        return False
    counted = [max(mine, key=lambda one: one.time)] if awaited.last else mine
    return any(_says(awaited, one) for one in counted)


def _says(awaited: Awaited, fact: Fact) -> bool:
    values = awaited.values[fact.type]
    return not values or str(fact.data.get("status")) in values
