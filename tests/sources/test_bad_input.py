"""Bad input over every mapping that ships: mapped, left aside or refused with its place, never an exception, and all counted."""

from collections import Counter

import pytest

from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import MINUTE
from coordwatch.events.vocabulary import REFS
from coordwatch.events.wire import decode_event, encode_event
from coordwatch.processor.mapping import map_input, tally_mapped
from coordwatch.processor.records import Input
from coordwatch.sources.record import MapRejectReason, MapResult, Stage
from tests.sources.corpus import NOTHING, OBSERVED, corpus
from tests.sources.shipped import SOURCES, shipped_mapper

# What is said of a whole payload, and of none of its fields.
OF_THE_WHOLE = {
    MapRejectReason.NO_MAPPING,
    MapRejectReason.NOT_RECOGNISED,
    MapRejectReason.NOT_AN_OBJECT,
    MapRejectReason.TOO_DEEP,
}
NO_NAMES = {text.strip().lower() for text in NOTHING} - {"-"}


def check(result: MapResult) -> None:
    assert result.pieces == result.applied + len(result.dropped) + len(result.rejected) >= 1
    assert bool(result.events) == bool(result.applied)
    for one in result.rejected:
        assert one.reason is not MapRejectReason.INTERNAL, one.detail
        assert one.detail
        assert one.stage is Stage.DECODE or one.path or one.reason in OF_THE_WHOLE, one
    for event in result.events:
        assert event == decode_event(encode_event(event))
        assert [] == [name for name in TYPES[event.type].required if name not in event.data]
        assert event.time <= event.observed_at + 5 * MINUTE
        assert event.id.lower() not in NO_NAMES
        for name in REFS & event.data.keys():
            held = event.data[name]
            assert NO_NAMES.isdisjoint(text.lower() for text in (held if isinstance(held, list) else [held])), name


@pytest.mark.parametrize("source", SOURCES)
def test_whatever_a_payload_holds_it_ends_in_the_account(source: str) -> None:
    mapper, counted, pieces = shipped_mapper(), Counter[str](), 0
    for number, record in enumerate(corpus(source)):
        check(mapper.map_record(record, source))
        if number % 4:
            continue
        mapped = map_input(Input(record, source), mapper, OBSERVED)
        tally_mapped(counted, mapped)
        pieces += len(mapped.events) + len(mapped.dropped) + len(mapped.refused)
        assert all(event.observed_at <= OBSERVED + 5 * MINUTE for event in mapped.events)
    passed = sum(amount for name, amount in counted.items() if name.startswith("source.mapped."))
    assert pieces == counted["in"] + passed, "events are counted where they are filed"
    assert counted["in"] == counted["dropped"] + counted["dead_lettered"]
    assert counted["dead_lettered"] == sum(
        amount for name, amount in counted.items() if name.startswith("dead_lettered.")
    )
    assert min(counted["dead_lettered"], passed) > 20, "the corpus is neither all good nor all bad"


def test_the_corpus_is_the_same_in_every_run() -> None:
    assert list(corpus("zendesk")) == list(corpus("zendesk"))
