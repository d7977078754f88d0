"""What the identity stage gives back: an Observation for each event, and what an exclusion changed.

What enters: the answers of the cross reference. What leaves: values for the caller, who re-files facts and counts.
The next room: `identity`, which makes them.
"""

from dataclasses import dataclass
from enum import StrEnum

from coordwatch.events.event import Event
from coordwatch.identity.answers import Confidence
from coordwatch.identity.cross_reference import NO_CHANGE, Change
from coordwatch.identity.edges import NOTHING, Teaching
from coordwatch.identity.identifier import Unusable
from coordwatch.identity.parking import ParkReason

IDENTITY_UNRESOLVED = "identity_unresolved"
_TOOLS_MOST = 100


class Outcome(StrEnum):
    """What became of an event; the values are metric label values.

    `broadcast` belongs to no customer by its type; `unidentified` names nothing that could ever lead to one.
    """

    RESOLVED = "resolved"
    PARKED = "parked"
    BROADCAST = "broadcast"
    UNIDENTIFIED = "unidentified"


class Found(StrEnum):
    """How an event came to its customer, or did not, by tool; the values are metric label values.

    `parked` waited for somebody to be seen with what it names; `released` is one of those that did not wait in vain,
    `given_up` one that did.
    """

    RESOLVED = "resolved"
    PARKED = "parked"
    RELEASED = "released"
    GIVEN_UP = "given_up"
    UNIDENTIFIED = "unidentified"


class ByTool:
    """Names what is counted of events by the tool that sent them: the first hundred tools, and `other`."""

    def __init__(self) -> None:
        self._tools: set[str] = set()
        self._names: dict[tuple[Found, str], str] = {}

    def name(self, event: Event, found: Found) -> str:
        """Give the name under which one event is counted."""
        tool = event.tool or ""
        name = self._names.get((found, tool))
        return self._named(tool[:60], found) if name is None else name

    def _named(self, tool: str, found: Found) -> str:
        if tool not in self._tools:
            if len(self._tools) >= _TOOLS_MOST:
                return f"whose.{found.value}.other"
            self._tools.add(tool)
        name = self._names[found, tool] = f"whose.{found.value}.{tool}"
        return name


def gap_name(reason: ParkReason) -> str:
    """Give the name under which it is counted that an event found no customer at once."""
    return f"gap.{reason.value}"


def unusable_name(one: Unusable) -> str:
    """Give the name under which it is counted that an identifier names nobody."""
    return f"unusable.{one.reason.value}"


@dataclass(frozen=True, slots=True)
class Released:
    """A parked event whose customer became known."""

    event: Event
    ids: tuple[str, ...]
    customer: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Expired:
    """A parked event that waited too long, untouched; its dead letter says `reason`, and `why` in the detail."""

    event: Event
    why: ParkReason
    reason: str = IDENTITY_UNRESOLVED


@dataclass(frozen=True, slots=True)
class Observation:
    """What one event meant. Take the change first (aliases, then divided), then this event, then `released`.

    `ids` are to be kept beside the fact, so that `customer_of_ids` can be asked again; `minted` says that the customer
    is new; `repeated` that the event was parked already; `taught` holds the rows to store.
    """

    outcome: Outcome
    customer: str | None = None
    confidence: Confidence | None = None
    ids: tuple[str, ...] = ()
    minted: bool = False
    repeated: bool = False
    waits: ParkReason | None = None
    unusable: tuple[Unusable, ...] = ()
    change: Change = NO_CHANGE
    released: tuple[Released, ...] = ()
    taught: Teaching = NOTHING


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What is gone with somebody who was forgotten, and what that changed for others: as for an exclusion.

    `digests` are all of theirs, those of forms nobody had named yet among them; `parked` are events that waited.
    """

    rows: Teaching
    change: Change
    released: tuple[Released, ...]
    parked: tuple[Event, ...]
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What keeping two identifiers apart changed: as for an event, but with no event of its own."""

    change: Change
    released: tuple[Released, ...]
    taught: Teaching
