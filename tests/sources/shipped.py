"""The mappings that ship, and the records that the golden files hold."""

import functools
from pathlib import Path

from coordwatch.adapters.mapping_files import load_mappings
from coordwatch.sources.lines import record_of_line
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import Record

GOLDEN = Path(__file__).with_name("golden")
# Every mapping that ships has its golden records, and every one of these is a mapping that ships: a test compares the two.
SOURCES = tuple(sorted(path.name.removesuffix(".records.jsonl") for path in GOLDEN.glob("*.records.jsonl")))


@functools.cache
def shipped_mapper() -> Mapper:
    return Mapper(load_mappings())


def golden_records(source: str) -> list[Record]:
    lines = (GOLDEN / f"{source}.records.jsonl").read_bytes().splitlines()
    records = [record_of_line(line) for line in lines]
    assert None not in records
    return [record for record in records if record is not None]
