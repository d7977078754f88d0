"""How fast vendor payloads become canonical events, for each mapping that ships, beside decoding the same JSON alone.

    python -m bench.mapping [--rounds N] [--source NAME ...]

The payloads are those of the golden files that are mapped to at least one event. Every figure is the best of the rounds,
and the rounds of all rows are taken in turn, so that a machine that slows down slows every row. `orjson` and `json` (the
standard library's) do nothing but decode; the ratios say how much of their speed is left when a payload has been decoded,
unwrapped, split, mapped and checked field by field.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from coordwatch.adapters.mapping_files import load_mappings
from coordwatch.sources.check import all_values
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.mapping import FromJmes, SourceMapping
from coordwatch.sources.record import Record
from tests.sources.shipped import SOURCES, golden_records

GOAL = 1 / 3
SECONDS = 0.02  # one round of one row


@dataclass
class Row:
    """One mapping. Units: microseconds a payload."""

    source: str
    records: list[Record]
    events: int
    filtered: bool
    orjson: float = float("inf")
    json: float = float("inf")
    map: float = float("inf")

    @property
    def bytes(self) -> float:
        return sum(len(one.value or b"") for one in self.records) / len(self.records)


def rows_of(mapper: Mapper, wanted: list[str]) -> list[Row]:
    """Every mapping with the payloads that it maps."""
    by_name: dict[str, list[SourceMapping]] = {}
    for mapping in mapper.mappings:
        by_name.setdefault(mapping.name, []).append(mapping)
    rows = []
    for source in wanted or SOURCES:
        results = [(one, mapper.map_record(one, source)) for one in golden_records(source)]
        records = [one for one, result in results if result.events and is_json(one.value)]
        if records:
            events = sum(len(mapper.map_record(one, source).events) for one in records)
            rows.append(Row(source, records, events, any(map(has_filter, by_name.get(source, [])))))
    return rows


def is_json(value: bytes | None) -> bool:
    try:
        orjson.loads(value or b"")
    except ValueError:
        return False
    return True


def has_filter(mapping: SourceMapping) -> bool:
    """Whether a mapping uses a filter expression, which is interpreted by a library."""
    return any(isinstance(spec.origin, FromJmes) for spec in all_values(mapping))


def best(call: Callable[[Record], object], records: list[Record]) -> float:
    """Microseconds a payload, in one round."""
    turns, spent = 0, 0.0
    while spent < SECONDS:
        start = time.process_time()
        for _ in range(10):
            for record in records:
                call(record)
        spent += time.process_time() - start
        turns += 10 * len(records)
    return spent / turns * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--source", action="append", default=[])
    arguments = parser.parse_args()
    mapper = Mapper(load_mappings())
    rows = rows_of(mapper, arguments.source)
    for _ in range(arguments.rounds):
        for row in rows:
            row.orjson = min(row.orjson, best(lambda one: orjson.loads(one.value or b""), row.records))
            row.json = min(row.json, best(lambda one: json.loads(one.value or b""), row.records))
            row.map = min(row.map, best(lambda one, source=row.source: mapper.map_record(one, source), row.records))
    report(rows)


def report(rows: list[Row]) -> None:
    """Print the rows, the slowest ratio last."""
    print(f"{'':16} {'payloads':>8} {'events':>6} {'bytes':>6} {'orjson us':>9} {'json us':>8} {'map us':>7} {'us/event':>8} {'of json':>8} {'of orjson':>9}")  # fmt: skip
    for row in sorted(rows, key=lambda one: -one.json / one.map):
        per_event = row.map * len(row.records) / row.events
        mark = " filter" if row.filtered else "" if row.json / row.map >= GOAL else " below"
        print(f"{row.source:16} {len(row.records):8} {row.events:6} {row.bytes:6.0f} {row.orjson:9.2f} {row.json:8.2f} {row.map:7.1f} {per_event:8.1f} {row.json / row.map:8.2f} {row.orjson / row.map:9.2f}{mark}")  # fmt: skip


if __name__ == "__main__":
    main()
