"""The state of the identity stage as plain data, and back: rows, parked events, counts.

What enters: the rows of the edge set and what is parked. What leaves: dicts, lists, text and numbers, with a version.
The next room: `codec`, which makes bytes of them for whoever keeps them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from coordwatch.errors import PermanentError
from coordwatch.events.event import Event
from coordwatch.identity.edges import IdRow, Teaching
from coordwatch.identity.parking import Parked

_VERSION = 1


def to_plain(taught: Teaching, parked: Iterable[Parked], counts: Mapping[str, int]) -> dict[str, Any]:
    """Write the state as plain data."""
    return {
        "version": _VERSION,
        "taught": {name: [list(row) for row in rows] for name, rows in taught._asdict().items()},
        "parked": [_event(one.event) for one in parked],
        "counts": dict(counts),
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "source": event.source,
        "id": event.id,
        "type": event.type,
        "time": event.time,
        "observed_at": event.observed_at,
        "subject": event.subject,
        "data": dict(event.data),
    }


def from_plain(state: Mapping[str, Any]) -> tuple[Teaching, list[Event], Mapping[str, int]]:
    """Read what `to_plain` wrote.

    Raises: PermanentError for a version that this program does not know
    """
    if state.get("version") != _VERSION:
        raise PermanentError(
            f"identity state of version {state.get('version')!r}, this program reads {_VERSION}: "
            "start with the program that wrote it, or rebuild the state from the events"
        )
    taught = state["taught"]
    pairs = ("edges", "links", "aliases", "apart")
    edges, links, aliases, apart = (tuple((one, other) for one, other in taught[name]) for name in pairs)
    return (
        Teaching(tuple(IdRow(*row) for row in taught["ids"]), edges, links, aliases, apart),
        [Event(**event) for event in state["parked"]],
        state["counts"],
    )
