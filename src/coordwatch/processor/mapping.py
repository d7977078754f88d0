"""Mapping one record, whichever runtime brought it: what it came to, and what of it is counted before anybody files it.

An Input enters; a Mapped leaves: events, refusals, and how many pieces were left aside. `work` files the events of the
one-process runtime, `ingesting` those of the Kafka one.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from coordwatch.events.event import Event
from coordwatch.events.wire import Rejected, decode_event
from coordwatch.processor.records import CANONICAL, Input, Refusal, ResultStatus, clamped
from coordwatch.sources.mapper import Mapper

NO_SOURCE = "none"
"""The source of a record for which there is no mapping."""

_NOT_ITS_OWN = ("broker", "clamped")


@dataclass(frozen=True, slots=True)
class Mapped:
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
    refused = (f"{one.stage}.{one.reason}" for one in mapped.refused)
    tally(tallies, ResultStatus.DEAD_LETTERED.value, len(mapped.refused), refused)
    tally(tallies, ResultStatus.DROPPED.value, len(mapped.dropped), mapped.dropped)
    tallies["unknown_category"] += mapped.unknown_category
    _tally_source(tallies, mapped)


def _tally_source(tallies: Counter[str], mapped: Mapped) -> None:
    """Count by source: a producer who renames a field is seen there.

    By what is refused, by times that are not its own, and for a field that need not be there by events that are thinner.
    """
    source = mapped.source or NO_SOURCE
    for result, amount in (
        ("mapped", len(mapped.events)),
        ("dropped", len(mapped.dropped)),
        ("refused", len(mapped.refused)),
    ):
        if amount:
            tallies[f"source.{result}.{source}"] += amount
    for event in mapped.events:
        basis = event.data.get("time_basis")
        if basis in _NOT_ITS_OWN:
            tallies[f"time.{basis}.{source}"] += 1
    if mapped.events:
        tallies[f"filled.fields.{source}"] += sum(len(event.data) for event in mapped.events)
        named = (event.data.get("identifiers") for event in mapped.events)
        tallies[f"filled.identifiers.{source}"] += sum(len(one) for one in named if isinstance(one, list | tuple))
