"""The mapper: a record of any tool in, canonical Events out, and an exact account of what became of every piece.

What enters: Records, the mappings and the operator's catalogue. What leaves: a MapResult for each record, whatever the
bytes were. The next room: `identity`, which finds out whose events they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from coordwatch.errors import TemporaryError
from coordwatch.events.event import Event
from coordwatch.sources.catalogue import Catalogue, compile_catalogue, glob_test
from coordwatch.sources.changes import Build
from coordwatch.sources.conditions import Holds, compile_condition
from coordwatch.sources.decode import SchemaDecoder, decode_value
from coordwatch.sources.dispatch import Cases
from coordwatch.sources.emit import Make, compile_emission
from coordwatch.sources.envelope import Envelope, Options, Peel, header_texts
from coordwatch.sources.kinds import describe
from coordwatch.sources.mapping import SourceMapping
from coordwatch.sources.parse import with_tool
from coordwatch.sources.paths import Getter, Named, Scope, compile_path
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
from coordwatch.sources.unwrap import WRAPPERS, peel
from coordwatch.sources.values import compile_value

PIECES_MAX = 100_000
_TOPICS_REMEMBERED_MAX = 1000


@dataclass(frozen=True, slots=True)
class _Compiled:
    """One mapping as functions."""

    mapping: SourceMapping
    holds: Holds | None
    wrappers: tuple[tuple[Peel, Options], ...]
    split: tuple[Getter, ...]
    let: dict[str, Getter]
    drop_if: Cases[DropReason]
    emit: Cases[Make]
    also: Cases[Make]
    once: frozenset[str]


class Mapper:
    """Maps the records of every configured tool; holds nothing between records.

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
        known = catalogue or Catalogue()
        find = compile_catalogue(known)
        self.mappings = tuple(with_tool(mapping, known.tools.get(mapping.name, {})) for mapping in mappings)
        self._topics = tuple(_topic_test(mapping) for mapping in self.mappings)
        self._compile = cache(lambda number: _compile(self.mappings[number], known, find, key))
        self._by_topic: dict[str, tuple[_Compiled, ...]] = {}
        self._by_name: dict[str, tuple[_Compiled, ...]] = {}
        self._decode_schema = decode_schema

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

    def _choose(
        self, record: Record, body: Any, headers: dict[str, str], source: str | None
    ) -> tuple[_Compiled, Scope]:
        """Find the first mapping whose topic, headers and fields fit, and peel the wrappers it knows."""
        candidates = self._candidates(record.topic) if source is None else self._named(source)
        for compiled in candidates:
            scope = _peeled(compiled, record, body, headers)
            if (
                compiled.holds is None
                or compiled.holds(_first_of(scope))
                or (source is not None and len(candidates) == 1)
            ):
                return compiled, scope
        known = ", ".join(sorted({mapping.name for mapping in self.mappings})) or "none"
        wanted = f"topic '{record.topic[:200]}'" if source is None else f"source '{source[:64]}'"
        detail = f"no mapping is for this record of {wanted}; mappings: {known}"
        raise RefusedError(MapRejectReason.NO_MAPPING, Stage.MAP, None, detail)

    def _candidates(self, topic: str) -> tuple[_Compiled, ...]:
        found = self._by_topic.get(topic)
        if found is None:
            found = tuple(self._compile(number) for number, fits in enumerate(self._topics) if fits(topic))
            if len(self._by_topic) < _TOPICS_REMEMBERED_MAX:
                self._by_topic[topic] = found
        return found

    def _named(self, source: str) -> tuple[_Compiled, ...]:
        found = self._by_name.get(source, ())
        if not found:
            numbers = (number for number, mapping in enumerate(self.mappings) if mapping.name == source)
            found = tuple(self._compile(number) for number in numbers)
            if found:
                self._by_name[source] = found
        return found


def _topic_test(mapping: SourceMapping) -> Callable[[str], bool]:
    return glob_test(mapping.match.topics) if mapping.match.topics else lambda topic: True


def _compile(mapping: SourceMapping, catalogue: Catalogue, find: Callable[..., Any], key: bytes) -> _Compiled:
    prefix = f"{mapping.name}."
    tables = {name.removeprefix(prefix): catalogue.table(name, own) for name, own in mapping.tables.items()}
    build = Build(tables, key, mapping.let)
    condition = mapping.match.condition
    return _Compiled(
        mapping,
        None if condition is None else compile_condition(condition),
        tuple((WRAPPERS[wrapper.name][0], wrapper.options) for wrapper in mapping.unwrap),
        tuple(compile_path(path) for path in mapping.split),
        {name: compile_value(spec, build) for name, spec in mapping.let.items()},
        Cases([(drop.when, drop.reason) for drop in mapping.drop_if]),
        Cases([(one.when, compile_emission(one, mapping, build, find)) for one in mapping.emit]),
        Cases([(one.when, compile_emission(one, mapping, build, find)) for one in mapping.also]),
        frozenset(emission.type or "" for emission in mapping.also if emission.parts.id is not None),
    )


def _peeled(compiled: _Compiled, record: Record, body: Any, headers: dict[str, str]) -> Scope:
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


def _first_of(scope: Scope) -> Scope:
    """Give what `match` looks at: the payload, or the first one of a batch, which is all of one kind."""
    return replace(scope, item=scope.item[0]) if isinstance(scope.item, list) and scope.item else scope


def _split(compiled: _Compiled, scope: Scope) -> list[Scope | RefusedError | LeftAsideError]:
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


def _piece(compiled: _Compiled, outer: Scope, element: Any) -> Scope | RefusedError | LeftAsideError:
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
    compiled: _Compiled, piece: Scope | RefusedError | LeftAsideError, number: int | None
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
    told = [event for event in outcome if event.type in once and event.id in seen and seen[event.id].type == event.type]
    outcome = [event for event in outcome if event not in told]
    for event in outcome:
        if seen.get(event.id, event) != event:
            detail = f"two different events of this record have the id '{event.id[:80]}'; the mapping's id must tell them apart"
            return Rejection(MapRejectReason.DUPLICATE_ID, Stage.VALIDATE, "id", detail, number)
    seen.update((event.id, event) for event in outcome)
    return outcome


def _emitted(compiled: _Compiled, scope: Scope) -> list[Event] | DropReason:
    if type(scope.item) is not dict:
        detail = f"an event of a tool is an object, this is {describe(scope.item)}"
        raise RefusedError(MapRejectReason.NOT_AN_OBJECT, Stage.SPLIT, None, detail)
    scope.let = Named(compiled.let, scope)
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
