"""Small mappings for tests: what a test does not speak of has a sensible default."""

import textwrap
from typing import Any

from coordwatch.codec import encode_json
from coordwatch.sources.catalogue import Catalogue
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.mapping import SourceMapping
from coordwatch.sources.parse import parse_mappings
from coordwatch.sources.paths import Scope
from coordwatch.sources.record import MapResult, Record

HEAD = "source: tool\nfamily: crm\n"
BASICS = "id: id\ntime: {path: at, format: iso}\nidentifiers: [{type: email, path: email}]\n"
LINKED = "emit: [{event: customer.identifiers.linked}]\n"
AT = "2026-01-31T09:30:00Z"


def mapping(text: str) -> SourceMapping:
    """Give the mapping of a text that begins after `source` and `family`."""
    (one,) = parse_mappings(HEAD + textwrap.dedent(text), "tool.yaml")
    return one


def simple(text: str = "", emit: str = LINKED) -> Mapper:
    """A mapper whose events are `customer.identifiers.linked`, unless the test wants others."""
    return Mapper([mapping(BASICS + textwrap.dedent(text) + "\n" + textwrap.dedent(emit))])


def with_catalogue(text: str, catalogue: Catalogue, key: bytes = b"") -> Mapper:
    return Mapper([mapping(BASICS + textwrap.dedent(text))], catalogue, key)


def payload(**fields: Any) -> dict[str, Any]:
    return {"id": "1", "at": AT, "email": "mina@example.com", **fields}


def mapped(mapper: Mapper, body: Any, **record: Any) -> MapResult:
    return mapper.map_record(Record(body if isinstance(body, bytes) else encode_json(body), **record), "tool")


def scope(item: Any, **more: Any) -> Scope:
    named = more.pop("let", {})
    made = Scope(item, more.pop("whole", item), **more)
    made.let.update(named)
    return made
