"""How much of a shipped mapping is found by looking at its golden records alone: `python -m tests.sources.infer_measure`.

A person wrote each shipped mapping, knowing the vendor. Here `infer` sees the records only, and what it proposes for id, time
and identifiers is compared with what that person's mapping says of the same records.
"""

from collections import Counter
from dataclasses import dataclass

from coordwatch.events.event import Event
from coordwatch.sources.infer.infer import propose
from coordwatch.sources.infer.writing import mapping_yaml
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.parse import parse_mappings
from coordwatch.sources.record import Record
from tests.sources.shipped import SOURCES, golden_records, shipped_mapper

ENOUGH = 0.8
_EVERY = """emit:
  - event: service.contact.ended
    refs: {contact: {value: x}}
"""


@dataclass(frozen=True, slots=True)
class Found:
    """Shares between 0 and 1 of one vendor's events: those whose id, time and identifiers are as a person mapped them.

    `apart` is the share of pairs of events that the proposed id tells apart, or holds together, as the person's id does.
    """

    source: str
    events: int
    same_id: float
    apart: float
    time: float
    recall: float
    precision: float

    @property
    def marks(self) -> tuple[bool, bool, bool]:
        """Whether id, time and identifiers are found right."""
        ids = self.same_id >= ENOUGH or self.apart >= 0.999
        return ids, self.time >= ENOUGH, self.recall >= ENOUGH and self.precision >= ENOUGH


def every_piece(source: str) -> Mapper:
    """The proposed mapping, with one event for every piece, so that only id, time and identifiers are looked at."""
    text = mapping_yaml(propose(golden_records(source), "tool"))
    head = text.partition("\nrefs:")[0].partition("\ndrop_if:")[0].partition("\nemit:")[0]
    (mapping,) = parse_mappings(f"{head}\n{_EVERY}", f"{source}.yaml")
    return Mapper([mapping])


def measure(source: str) -> Found | None:
    mapper = every_piece(source)
    pairs: list[tuple[str, str]] = []
    counts: Counter[str] = Counter()
    for record in golden_records(source):
        wanted = list(shipped_mapper().map_record(record).events)
        got = list(mapper.map_record(record, "tool").events)
        _compare(record, wanted, got, counts)
        if len({base(event) for event in wanted}) == len(got) == 1:
            pairs.append((base(wanted[0]), got[0].id))
    if not counts["events"]:
        return None
    return Found(
        source,
        counts["events"],
        counts["id"] / counts["events"],
        _apart(pairs),
        counts["time"] / counts["events"],
        counts["named"] / counts["identifiers"] if counts["identifiers"] else 1.0,
        counts["named"] / counts["given"] if counts["given"] else 1.0,
    )


def base(event: Event) -> str:
    """The id without what `also` puts behind it."""
    return event.id.partition("/")[0]


def values(events: list[Event]) -> set[str]:
    return {str(one["value"]).lower() for event in events for one in event.data.get("identifiers", ())}


def _compare(record: Record, wanted: list[Event], got: list[Event], counts: Counter[str]) -> None:
    if not wanted or not got:
        counts["events"] += len(wanted)
        counts["identifiers"] += len(values(wanted))
        return
    times, ids = {event.time for event in got}, {event.id for event in got}
    counts["events"] += len(wanted)
    counts["time"] += sum(event.time in times for event in wanted)
    counts["id"] += sum(base(event) in ids or event.id in ids for event in wanted)
    counts["identifiers"] += len(values(wanted))
    counts["named"] += len(values(wanted) & values(got))
    counts["given"] += len(values(got)) if len(wanted) >= len(got) else len(values(wanted) & values(got))


def _apart(pairs: list[tuple[str, str]]) -> float:
    judged = [
        (one[0] == other[0]) == (one[1] == other[1]) for place, one in enumerate(pairs) for other in pairs[place + 1 :]
    ]
    return sum(judged) / len(judged) if judged else 1.0


def table() -> list[str]:
    found = [one for source in SOURCES if (one := measure(source)) is not None]
    lines = [f"{'vendor':<18} events  same id  apart  time  recall  precision"]
    for one in found:
        numbers = f"{one.same_id:7.2f} {one.apart:6.2f} {one.time:5.2f} {one.recall:7.2f} {one.precision:10.2f}"
        lines.append(
            f"{one.source:<18} {one.events:6}  {numbers}   {'/'.join('x' if mark else '-' for mark in one.marks)}"
        )
    sums = [sum(marks) for marks in zip(*(one.marks for one in found), strict=True)]
    lines.append(f"right for {sums[0]} / {sums[1]} / {sums[2]} of {len(found)}: id / time / identifiers")
    return lines


if __name__ == "__main__":
    print("\n".join(table()))
