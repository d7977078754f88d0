"""The mapper: a record of any tool in, canonical Events out, and an exact account of what became of every piece.

What enters: Records, the mappings and the operator's catalogue. What leaves: a MapResult for each record, whatever the
bytes were. The next room: `identity`, which finds out whose events they are.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from coordwatch.errors import TemporaryError
from coordwatch.events.event import Event
from coordwatch.sources.catalogue import Catalogue
from coordwatch.sources.changes import Build
from coordwatch.sources.compiled import Compiled, Made
from coordwatch.sources.decode import SchemaDecoder, decode_value
from coordwatch.sources.envelope import header_texts
from coordwatch.sources.kinds import describe
from coordwatch.sources.lookups import Lookups
from coordwatch.sources.mapping import SourceMapping
from coordwatch.sources.paths import Named, Scope
from coordwatch.sources.pieces import elements_of, fits, piece_of, whole
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
from coordwatch.sources.tally import Outcome, alone, together

_NO_NAMES, _WHOLE = Named(), object()
# A type as tools write it: conversation.admin.closed, orders/create, zen:event-type:ticket.created, Email Bounced.
_A_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/ -]{0,79}")


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
        name, stage = source, Stage.DECODE
        try:
            headers = header_texts(record.headers) if record.headers else {}
            body = decode_value(record.value, headers, self._decode_schema)
            stage = Stage.UNWRAP
            compiled, scope = self._choose(record, body, headers, source)
            name, stage = compiled.mapping.name, Stage.SPLIT
            elements = elements_of(compiled, scope)
        except LeftAsideError as left:
            return alone(left.reason, name)
        except RefusedError as refused:
            return alone(refused.rejection(None), name)
        except TemporaryError:
            raise
        except Exception as error:  # the last belt: whatever we did not foresee is a dead letter, not a crash
            return alone(_unforeseen(error, stage, None), name)
        if elements is None:
            return alone(_map_piece(compiled, scope, _WHOLE, None), name)
        if len(elements) == 1:
            return alone(_map_piece(compiled, scope, elements[0], None), name)
        return together(_map_pieces(compiled, scope, elements), name)

    def pieces(self, record: Record, source: str | None = None) -> list[Scope]:
        """Give the pieces of a record as the mapping sees them, for people who look at fields; none when it is unreadable."""
        try:
            headers = header_texts(record.headers)
            body = decode_value(record.value, headers, self._decode_schema)
            compiled, scope = self._choose(record, body, headers, source)
            elements = elements_of(compiled, scope)
            pieces = [scope] if elements is None else _readable(compiled, scope, elements)
            return [one for one in pieces if type(one.item) is dict]
        except (LeftAsideError, RefusedError):
            return []

    def _choose(self, record: Record, body: Any, headers: dict[str, str], source: str | None) -> tuple[Compiled, Scope]:
        """Find the first mapping whose topic, headers and fields fit, and peel the wrappers it knows."""
        made = self._made
        candidates = made.of_topic(record.topic) if source is None else made.named(source)
        for compiled in candidates:
            scope = whole(compiled, record, body, headers)
            if (source is not None and len(candidates) == 1) or fits(compiled, scope):
                return compiled, scope
        known = ", ".join(sorted({mapping.name for mapping in made.mappings})) or "none"
        wanted = f"topic '{record.topic[:200]}'" if source is None else f"source '{source[:64]}'"
        detail = f"no mapping is for this record of {wanted}; mappings: {known}"
        raise RefusedError(MapRejectReason.NO_MAPPING, Stage.MAP, None, detail)


def _readable(compiled: Compiled, outer: Scope, elements: list[Any]) -> list[Scope]:
    found: list[Scope] = []
    for element in elements:
        with suppress(RefusedError, LeftAsideError):
            found.append(piece_of(compiled, outer, element))
    return found


def _map_pieces(compiled: Compiled, outer: Scope, elements: list[Any]) -> Iterator[Outcome]:
    """Map the pieces of a batch, of which no two may have one id."""
    seen: dict[str, Event] = {}
    for number, element in enumerate(elements):
        outcome = _map_piece(compiled, outer, element, number)
        if type(outcome) is not list:
            yield outcome
        elif len(outcome) == 1 and outcome[0].id not in seen:
            seen[outcome[0].id] = outcome[0]
            yield outcome
        else:
            yield _without_namesakes(outcome, seen, number, compiled.once)


def _map_piece(compiled: Compiled, scope: Scope, element: Any, number: int | None) -> Outcome:
    """Map one piece: all of its events, or none of them and the reason.

    Takes: `element` of a batch, whose scope is still to be made, or the whole; its `number` when there are others
    """
    try:
        return _emitted(compiled, scope if element is _WHOLE else piece_of(compiled, scope, element))
    except LeftAsideError as left:
        return left.reason
    except RefusedError as refused:
        return refused.rejection(number)
    except Exception as error:  # the last belt: whatever we did not foresee is a dead letter, not a crash
        return _unforeseen(error, Stage.MAP, number)


def _without_namesakes(outcome: list[Event], seen: dict[str, Event], number: int, once: frozenset[str]) -> Outcome:
    """Refuse a piece whose id another event of the record has: downstream, one of the two would be lost in silence.

    Takes: `once`, the types whose ids name a happening, which a record may tell several times; the first telling stays
    """
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
    if compiled.let:
        scope.let = let = Named()
        let.getters, let.scope = compiled.let, scope
    try:
        reason = compiled.drop(scope)
        if reason is not None:
            return reason
        make = compiled.emit(scope)
        events = [] if make is None else make(scope)
        if compiled.also is not None:
            events = events + compiled.also(scope)
        if not events:
            detail = f"the mapping '{compiled.mapping.name}' has no event for {_word(compiled, scope)}; if it is meant to be ignored, name it under drop_if"
            raise RefusedError(MapRejectReason.NOT_RECOGNISED, Stage.MAP, None, detail)
        return events
    finally:
        # The two know each other: left like that, each piece would be garbage that only the collector finds.
        scope.let = _NO_NAMES


def _word(compiled: Compiled, scope: Scope) -> str:
    """Say what the piece holds where its mapping looks first: a word such as a type, never anything longer or freer."""
    if compiled.decides is None:
        return "it"
    place, look = compiled.decides
    held = look(scope)
    if held is None:
        return f"it: nothing stands at '{place}'" if place else "it"
    return f"{place} '{held}'".strip() if isinstance(held, str) and _A_WORD.fullmatch(held) else "it"


def _unforeseen(error: Exception, stage: Stage, number: int | None) -> Rejection:
    return Rejection(MapRejectReason.INTERNAL, stage, None, f"{type(error).__name__}: {error}"[:500], number)
