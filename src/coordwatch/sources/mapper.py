"""The mapper: a record of any tool in, canonical Events out, and an exact account of what became of every piece.

What enters: Records, the mappings and the operator's catalogue. What leaves: a MapResult for each record, whatever the
bytes were. The next room: `identity`, which finds out whose events they are.
"""

from collections.abc import Sequence
from typing import Any

from coordwatch.errors import TemporaryError
from coordwatch.events.event import Event
from coordwatch.sources.catalogue import Catalogue
from coordwatch.sources.changes import Build
from coordwatch.sources.compiled import Compiled, Made
from coordwatch.sources.conditions import Holds
from coordwatch.sources.decode import SchemaDecoder, decode_value
from coordwatch.sources.envelope import Envelope, header_texts
from coordwatch.sources.kinds import describe
from coordwatch.sources.lookups import Lookups
from coordwatch.sources.mapping import SourceMapping
from coordwatch.sources.paths import Named, Scope
from coordwatch.sources.record import (
    DropReason,
    LeftAsideError,
    MapRejectReason,
    MapResult,
    Record,
    RefusedError,
    Rejection,
    Stage,
)
from coordwatch.sources.tally import Tally
from coordwatch.sources.unwrap import peel

PIECES_MAX = 100_000
_NO_NAMES = Named()


class Mapper:
    """Maps the records of every configured tool; holds nothing of a record but counts of `lookups`.

    A mapping is compiled when its first record comes: a site has a few tools, and dozens of mappings ship.

    Takes: `key` under which values are hashed (0 to 64 bytes; a site gives the key of its identity stage), and
    `decode_schema` for what is written under the schemas of a registry
    """

    def __init__(
        self,
        mappings: Sequence[SourceMapping],
        catalogue: Catalogue | None = None,
        key: bytes = b"",
        decode_schema: SchemaDecoder | None = None,
    ) -> None:
        self._key, self._decode_schema, self._shipped = key, decode_schema, tuple(mappings)
        self.lookups = Lookups()
        self._made = Made(self._shipped, self._bare(catalogue or Catalogue()))

    @property
    def mappings(self) -> tuple[SourceMapping, ...]:
        """The mappings, with what the catalogue says of their tools."""
        return self._made.mappings

    @property
    def catalogue(self) -> Catalogue:
        """What the operator says, as it is used now."""
        return self._made.catalogue

    def use(self, catalogue: Catalogue) -> None:
        """Take another catalogue from the next record on; any thread may say so."""
        self._made = Made(self._shipped, self._bare(catalogue))

    def _bare(self, catalogue: Catalogue) -> Build:
        return Build(key=self._key, lookups=self.lookups, catalogue=catalogue)

    def map_record(self, record: Record, source: str | None = None) -> MapResult:
        """Map one record; `pieces = applied + dropped + rejected` holds for every result.

        Takes:  `source` to name the mapping; without it the record's topic, headers and fields choose
        Raises: TemporaryError while the registry that knows the record's schema does not answer, and nothing else
        """
        tally = Tally(source)
        stage = Stage.DECODE
        try:
            headers = header_texts(record.headers) if record.headers else {}
            body = decode_value(record.value, headers, self._decode_schema)
            stage = Stage.UNWRAP
            compiled, scope = self._choose(record, body, headers, source)
            tally.source = compiled.mapping.name
            stage = Stage.SPLIT
            pieces = _split(compiled, scope)
        except LeftAsideError as left:
            return tally.whole(left.reason)
        except RefusedError as refused:
            return tally.whole(refused.rejection(None))
        except TemporaryError:
            raise
        except Exception as error:  # the last belt: whatever we did not foresee is a dead letter, not a crash
            return tally.whole(_unforeseen(error, stage, None))
        if len(pieces) == 1:
            tally.take(_map_piece(compiled, pieces[0], None))
            return tally.result()
        seen: dict[str, Event] = {}
        for number, piece in enumerate(pieces):
            tally.take(_without_namesakes(_map_piece(compiled, piece, number), seen, number, compiled.once))
        return tally.result()

    def pieces(self, record: Record, source: str | None = None) -> list[Scope]:
        """Give the pieces of a record as the mapping sees them, for people who look at fields; none when it is unreadable."""
        try:
            headers = header_texts(record.headers)
            body = decode_value(record.value, headers, self._decode_schema)
            compiled, scope = self._choose(record, body, headers, source)
            return [one for one in _split(compiled, scope) if isinstance(one, Scope) and type(one.item) is dict]
        except (LeftAsideError, RefusedError):
            return []

    def _choose(self, record: Record, body: Any, headers: dict[str, str], source: str | None) -> tuple[Compiled, Scope]:
        """Find the first mapping whose topic, headers and fields fit, and peel the wrappers it knows."""
        made = self._made
        candidates = made.of_topic(record.topic) if source is None else made.named(source)
        for compiled in candidates:
            scope = _peeled(compiled, record, body, headers)
            if compiled.holds is None or (source is not None and len(candidates) == 1) or _fits(compiled.holds, scope):
                return compiled, scope
        known = ", ".join(sorted({mapping.name for mapping in made.mappings})) or "none"
        wanted = f"topic '{record.topic[:200]}'" if source is None else f"source '{source[:64]}'"
        detail = f"no mapping is for this record of {wanted}; mappings: {known}"
        raise RefusedError(MapRejectReason.NO_MAPPING, Stage.MAP, None, detail)


def _peeled(compiled: Compiled, record: Record, body: Any, headers: dict[str, str]) -> Scope:
    envelope = Envelope(body, dict(headers))
    peel(envelope, compiled.wrappers)
    return Scope(
        envelope.body,
        envelope.body,
        envelope.headers,
        envelope.query,
        envelope.attributes,
        record.topic,
        None if record.key is None else record.key.decode("utf-8", "replace"),
        record.partition,
        record.offset,
        observed=record.timestamp if record.timestamp is not None and record.timestamp > 0 else None,
    )


def _fits(holds: Holds, scope: Scope) -> bool:
    """Ask what `match` asks: of the payload, or of the first one of a batch, which is all of one kind."""
    body = scope.item
    if type(body) is not list or not body:
        return holds(scope)
    scope.item = body[0]
    found = holds(scope)
    scope.item = body
    return found


def _split(compiled: Compiled, scope: Scope) -> list[Scope | RefusedError | LeftAsideError]:
    """Find the single events of a body: a list is always a batch, and an object may hold one where the mapping says."""
    body = scope.item
    batch = body if isinstance(body, list) else None
    for get in compiled.split if batch is None else ():
        found = get(scope)
        if isinstance(found, list):
            batch = found
            break
    if batch is None:
        return [scope]
    if not batch:
        raise LeftAsideError(DropReason.EMPTY_BATCH)
    if len(batch) > PIECES_MAX:
        detail = f"{len(batch):,} events in one record, the most is {PIECES_MAX:,}"
        raise RefusedError(MapRejectReason.TOO_MANY, Stage.SPLIT, None, detail)
    return [_piece(compiled, scope, element) for element in batch]


def _piece(compiled: Compiled, outer: Scope, element: Any) -> Scope | RefusedError | LeftAsideError:
    """Give the scope of one element, whose own wrappers are peeled as those of the whole were."""
    envelope = Envelope(element, dict(outer.headers), dict(outer.query), dict(outer.attributes))
    try:
        peel(envelope, compiled.wrappers)
    except (RefusedError, LeftAsideError) as reason:
        return reason
    return Scope(
        envelope.body,
        outer.whole,
        envelope.headers,
        envelope.query,
        envelope.attributes,
        outer.topic,
        outer.key,
        outer.partition,
        outer.offset,
        observed=outer.observed,
    )


def _map_piece(
    compiled: Compiled, piece: Scope | RefusedError | LeftAsideError, number: int | None
) -> list[Event] | DropReason | Rejection:
    """Map one piece: all of its events, or none of them and the reason."""
    try:
        if isinstance(piece, Scope):
            return _emitted(compiled, piece)
        raise piece
    except LeftAsideError as left:
        return left.reason
    except RefusedError as refused:
        return refused.rejection(number)
    except Exception as error:  # the last belt: whatever we did not foresee is a dead letter, not a crash
        return _unforeseen(error, Stage.MAP, number)


def _without_namesakes(
    outcome: list[Event] | DropReason | Rejection, seen: dict[str, Event], number: int, once: frozenset[str]
) -> list[Event] | DropReason | Rejection:
    """Refuse a piece whose id another event of the record has: downstream, one of the two would be lost in silence.

    Takes: `once`, the types whose ids name a happening, which a record may tell several times; the first telling stays
    """
    if not isinstance(outcome, list):
        return outcome
    if len(outcome) == 1 and outcome[0].id not in seen:
        seen[outcome[0].id] = outcome[0]
        return outcome
    if all(event.id not in seen for event in outcome):
        seen.update((event.id, event) for event in outcome)
        return outcome
    told = [event for event in outcome if event.type in once and event.id in seen and seen[event.id].type == event.type]
    outcome = [event for event in outcome if event not in told]
    for event in outcome:
        if seen.get(event.id, event) != event:
            detail = f"two different events of this record have the id '{event.id[:80]}'; the mapping's id must tell them apart"
            return Rejection(MapRejectReason.DUPLICATE_ID, Stage.VALIDATE, "id", detail, number)
    seen.update((event.id, event) for event in outcome)
    return outcome


def _emitted(compiled: Compiled, scope: Scope) -> list[Event] | DropReason:
    if type(scope.item) is not dict:
        detail = f"an event of a tool is an object, this is {describe(scope.item)}"
        raise RefusedError(MapRejectReason.NOT_AN_OBJECT, Stage.SPLIT, None, detail)
    scope.let = Named(compiled.let, scope)
    try:
        return _told(compiled, scope)
    finally:
        # The two know each other: left like that, each piece would be garbage that only the collector finds.
        scope.let = _NO_NAMES


def _told(compiled: Compiled, scope: Scope) -> list[Event] | DropReason:
    for holds, reason in compiled.drop_if.possible(scope):
        if holds is None or holds(scope):
            return reason
    events: list[Event] = []
    for condition, make in compiled.emit.possible(scope):
        if condition is None or condition(scope):
            events += make(scope)
            break
    for condition, make in compiled.also.possible(scope):
        if condition is None or condition(scope):
            events += make(scope)
    if not events:
        detail = f"the mapping '{compiled.mapping.name}' has no event for it; if it is meant to be ignored, name it under drop_if"
        raise RefusedError(MapRejectReason.NOT_RECOGNISED, Stage.MAP, None, detail)
    return events


def _unforeseen(error: Exception, stage: Stage, number: int | None) -> Rejection:
    return Rejection(MapRejectReason.INTERNAL, stage, None, f"{type(error).__name__}: {error}"[:500], number)
