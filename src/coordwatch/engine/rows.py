"""Rows: what the identity stage learned and which events wait, as keys and bytes for a store, and back.

One row for each small thing, so that a batch writes only what it changed.
"""

from collections.abc import Iterable, Mapping

from coordwatch.codec import pack, unpack
from coordwatch.events.event import Event
from coordwatch.identity.edges import IdRow, Teaching

IDENTITY = "identity/"
_ID, _PARKED, _COUNTS = f"{IDENTITY}id/", f"{IDENTITY}parked/", f"{IDENTITY}counts"
_PAIRS = ("edges", "links", "aliases", "apart")


def taught_rows(taught: Teaching) -> dict[str, bytes | None]:
    """What was learned, one row for each identifier and each pair."""
    rows: dict[str, bytes | None] = {f"{_ID}{row.digest}": pack(list(row)) for row in (*taught.ids, *taught.again)}
    for kind in _PAIRS:
        for one, other in getattr(taught, kind):
            rows[f"{IDENTITY}{kind}/{one}\x1f{other}"] = pack([one, other])
    return rows


def taught_of(rows: Iterable[tuple[str, bytes]]) -> tuple[Teaching, list[Event], Mapping[str, int]]:
    """Everything that was learned, the events that wait, and the counts, from the rows under `identity/`."""
    ids: list[IdRow] = []
    pairs: dict[str, list[tuple[str, str]]] = {kind: [] for kind in _PAIRS}
    parked: list[Event] = []
    counts: Mapping[str, int] = {}
    for key, value in rows:
        if key.startswith(_ID):
            ids.append(IdRow(*unpack(value)))
        elif key.startswith(_PARKED):
            parked.append(unpack_event(value))
        elif key == _COUNTS:
            counts = unpack(value)
        else:
            one, other = unpack(value)
            pairs[key.split("/", 2)[1]].append((one, other))
    edges, links, aliases, apart = (tuple(pairs[kind]) for kind in _PAIRS)
    return Teaching(tuple(ids), edges, links, aliases, apart), parked, counts


def parked_row(event: Event) -> str:
    """The key under which an event waits."""
    return f"{_PARKED}{event.source}\x1f{event.id}"


def pack_event(event: Event) -> bytes:
    """An event as bytes for a row."""
    return pack([event.source, event.id, event.type, event.time, event.observed_at, event.subject, dict(event.data)])


def unpack_event(value: bytes) -> Event:
    """The event of a row."""
    return Event(*unpack(value))
