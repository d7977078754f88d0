"""What a mapping is written out to does what the mapping says: the code beside a walk through the tree of the mapping file."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.codec import encode_json, struct_with
from coordwatch.events.event import Event
from coordwatch.sources.changes import Build
from coordwatch.sources.compiled import Compiled
from coordwatch.sources.mapper import Mapper, _emitted
from coordwatch.sources.record import DropReason, Record, RefusedError
from tests.sources.by_walking import Walk
from tests.sources.corpus import OBSERVED, VALUES, bodies, places, put
from tests.sources.shipped import SOURCES, golden_records, shipped_mapper

WITH_JSON = st.sampled_from([source for source in SOURCES if bodies(source)])
Came = list[Event] | DropReason | tuple[Any, ...]


def came(make: Callable[..., list[Event] | DropReason], *given: Any) -> Came:
    """What became of a piece; of a refusal its detail too, unless the walk has no words for it."""
    try:
        return make(*given)
    except RefusedError as refused:
        return (refused.reason, refused.stage, refused.path, refused.detail)


def check(mapper: Mapper, record: Record, source: str) -> int:
    pieces = mapper.pieces(record, source)
    for piece in pieces:
        compiled = mapper._choose(record, piece.whole, {}, source)[0]
        written = came(_emitted, compiled, copy.copy(piece))
        walked = came(Walk(compiled.mapping, build_of(compiled), piece).outcome)
        if isinstance(walked, tuple) and isinstance(written, tuple) and not walked[-1]:
            written = (*written[:-1], "")
        assert walked == written
        if isinstance(walked, list) and isinstance(written, list):
            assert [list(one.data) for one in walked] == [list(one.data) for one in written], "in the same order"
    return len(pieces)


def build_of(compiled: Compiled) -> Build:
    mapping = compiled.mapping
    tables = {name.removeprefix(f"{mapping.name}."): own for name, own in mapping.tables.items()}
    return Build(tables=tables, let=mapping.let, source=mapping.name, named=dict(compiled.let))


@pytest.mark.parametrize("source", SOURCES)
def test_golden_payloads_come_to_the_same(source: str) -> None:
    assert sum(check(shipped_mapper(), record, source) for record in golden_records(source))


@settings(max_examples=400)
@given(source=WITH_JSON, data=st.data())
def test_payloads_with_anything_anywhere_come_to_the_same(source: str, data: st.DataObject) -> None:
    record, body = data.draw(st.sampled_from(bodies(source)))
    for _ in range(data.draw(st.integers(1, 4))):
        body = put(body, data.draw(st.sampled_from(places(body))), data.draw(st.sampled_from(VALUES)))
    observed = data.draw(st.sampled_from([None, OBSERVED]))
    check(shipped_mapper(), struct_with(record, value=encode_json(body), timestamp=observed), source)
