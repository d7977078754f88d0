"""Mapping one record, whichever runtime brought it: what it came to, and what of it is counted before anybody files it.

An Input enters; a Mapped leaves: events, refusals, and how many pieces were left aside. `work` files the events of the
one-process runtime, `ingesting` those of the Kafka one.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from coordwatch.codec import Struct
from coordwatch.events.event import Event
from coordwatch.events.wire import Rejected, decode_event
from coordwatch.processor.records import CANONICAL, Input, Refusal, ResultStatus, clamped
from coordwatch.sources.mapper import Mapper

NO_SOURCE = "none"
"""The source of a record for which there is no mapping."""

_NOT_ITS_OWN = ("broker", "clamped")


class Mapped(Struct, frozen=True):
    """What one record came to; `dropped` has a reason for each piece left aside, `source` names the mapping.

    `pieces` has the number of each refused piece, None when the whole record is refused.
    """

    events: tuple[Event, ...] = ()
    refused: tuple[Refusal, ...] = ()
    dropped: tuple[str, ...] = ()
    pieces: tuple[int | None, ...] = ()
    unknown_category: int = 0
    source: str | None = None


def map_input(one: Input, mapper: Mapper | None, now: int) -> Mapped:
    """Map one record.

    Takes:  `mapper` None when every record holds a canonical event
    Raises: TemporaryError while the registry that knows its schema does not answer, and nothing else
    """
    if mapper is None or one.source == CANONICAL:
        return _canonical(one, now)
    result = mapper.map_record(one.record, one.source)
    return Mapped(
        tuple(clamped(event, now, one.record.timestamp) for event in result.events),
        tuple(Refusal(each.stage.value, each.reason.value, each.detail, each.path) for each in result.rejected),
        tuple(reason.value for reason in result.dropped),
        tuple(each.piece for each in result.rejected),
        result.unknown_category,
        result.source,
    )


def _canonical(one: Input, now: int) -> Mapped:
    """One canonical event; bytes that are none are refused here."""
    event = decode_event(one.record.value or b"")
    if isinstance(event, Rejected):
        return Mapped(
            refused=(Refusal("decode", event.reason.value, event.detail, event.path),), pieces=(None,), source=CANONICAL
        )
    return Mapped((clamped(event, now, one.record.timestamp),), source=CANONICAL)


def tally(tallies: Counter[str], status: str, amount: int = 1, reasons: Iterable[str] = ()) -> None:
    """Count pieces under what became of them; `in` is the sum of all statuses, always."""
    tallies["in"] += amount
    tallies[status] += amount
    for reason in reasons:
        tallies[f"{status}.{reason}"] += 1


def tally_mapped(tallies: Counter[str], mapped: Mapped) -> None:
    """Count everything of a record but its events, which whoever files them counts."""
    if mapped.refused:
        refused = (f"{one.stage}.{one.reason}" for one in mapped.refused)
        tally(tallies, ResultStatus.DEAD_LETTERED.value, len(mapped.refused), refused)
    if mapped.dropped:
        tally(tallies, ResultStatus.DROPPED.value, len(mapped.dropped), mapped.dropped)
    if mapped.unknown_category:
        tallies["unknown_category"] += mapped.unknown_category
    _tally_source(tallies, mapped)


class _OfSource(NamedTuple):
    """The names of what is counted by source."""

    mapped: str
    dropped: str
    refused: str
    fields: str
    identifiers: str


@cache
def _names_of(source: str) -> _OfSource:
    return _OfSource(
        f"source.mapped.{source}",
        f"source.dropped.{source}",
        f"source.refused.{source}",
        f"filled.fields.{source}",
        f"filled.identifiers.{source}",
    )


def _tally_source(tallies: Counter[str], mapped: Mapped) -> None:
    """Count by source: a producer who renames a field is seen there.

    By what is refused, by times that are not its own, and for a field that need not be there by events that are thinner.
    """
    source = mapped.source or NO_SOURCE
    names = _names_of(source)
    if mapped.dropped:
        tallies[names.dropped] += len(mapped.dropped)
    if mapped.refused:
        tallies[names.refused] += len(mapped.refused)
    if not mapped.events:
        return
    fields = identifiers = 0
    for event in mapped.events:
        data = event.data
        fields += len(data)
        basis, named = data.get("time_basis"), data.get("identifiers")
        if basis in _NOT_ITS_OWN:
            tallies[f"time.{basis}.{source}"] += 1
        if isinstance(named, list | tuple):
            identifiers += len(named)
    tallies[names.mapped] += len(mapped.events)
    tallies[names.fields] += fields
    tallies[names.identifiers] += identifiers
