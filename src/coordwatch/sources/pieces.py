"""Pieces: a decoded record, taken out of its wrappers and apart into what each is one event of a tool.

What enters: a decoded body and the record it came in. What leaves: a Scope for each piece, or a refusal.
The next room: `mapper`, which asks the mapping what each of them is.
"""

from typing import Any

from coordwatch.sources.compiled import Compiled
from coordwatch.sources.envelope import Envelope
from coordwatch.sources.paths import Scope
from coordwatch.sources.record import DropReason, LeftAsideError, MapRejectReason, Record, RefusedError, Stage

PIECES_MAX = 100_000
_NOTHING_SAID: dict[str, Any] = {}


def whole(compiled: Compiled, record: Record, body: Any, headers: dict[str, str]) -> Scope:
    """Give the scope of what lies inside the wrappers that a mapping knows.

    Raises: RefusedError when a wrapper is broken, LeftAsideError for tombstones and snapshots
    """
    key = None if record.key is None else record.key.decode("utf-8", "replace")
    observed = record.timestamp if record.timestamp is not None and record.timestamp > 0 else None
    query, attributes = _NOTHING_SAID, _NOTHING_SAID
    if not compiled.around.is_bare(body, headers):
        envelope = Envelope(body, dict(headers))
        compiled.around.peel(envelope)
        body, headers, query, attributes = envelope.body, envelope.headers, envelope.query, envelope.attributes
    return Scope(
        body, body, headers, query, attributes,
        record.topic, key, record.partition, record.offset, observed=observed,
    )  # fmt: skip


def fits(compiled: Compiled, scope: Scope) -> bool:
    """Ask what `match` asks: of the payload, or of the first one of a batch, which is all of one kind."""
    holds, body = compiled.holds, scope.item
    if holds is None:
        return True
    if type(body) is not list or not body:
        return holds(scope)
    scope.item = body[0]
    found = holds(scope)
    scope.item = body
    return found


def elements_of(compiled: Compiled, scope: Scope) -> list[Any] | None:
    """Find the single events of a body: a list is always a batch, and an object may hold one where the mapping says.

    None where the body is one event. Raises: RefusedError for too many, LeftAsideError for none
    """
    body = scope.item
    batch = body if isinstance(body, list) else None
    for get in compiled.split if batch is None else ():
        found = get(scope)
        if isinstance(found, list):
            batch = found
            break
    if batch is None:
        return None
    if not batch:
        raise LeftAsideError(DropReason.EMPTY_BATCH)
    if len(batch) > PIECES_MAX:
        detail = f"{len(batch):,} events in one record, the most is {PIECES_MAX:,}"
        raise RefusedError(MapRejectReason.TOO_MANY, Stage.SPLIT, None, detail)
    return batch


def piece_of(compiled: Compiled, outer: Scope, element: Any) -> Scope:
    """Give the scope of one element, whose own wrappers are peeled as those of the whole were.

    Raises: what `whole` raises
    """
    headers, query, attributes = outer.headers, outer.query, outer.attributes
    if not compiled.around.is_bare_inside(element, headers):
        envelope = Envelope(element, dict(headers), dict(query), dict(attributes))
        compiled.around.peel(envelope)
        element, headers, query, attributes = envelope.body, envelope.headers, envelope.query, envelope.attributes
    return Scope(
        element, outer.whole, headers, query, attributes,
        outer.topic, outer.key, outer.partition, outer.offset, observed=outer.observed,
    )  # fmt: skip
