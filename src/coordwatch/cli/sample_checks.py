"""What `doctor` makes of the newest records of every source: whether they map, and whether their times fit our clock.

What enters: the inputs, the mappings, a way to Kafka. What leaves: Checks with counts and reasons, and nothing that stood in
a record. The next room: `kafka_checks`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.ranges import newest
from coordwatch.app.content import Content
from coordwatch.app.registry import registry_decoder
from coordwatch.cli.checks import Check
from coordwatch.clock import SystemClock
from coordwatch.errors import CoordwatchError, TemporaryError
from coordwatch.events.times import MINUTE
from coordwatch.events.words import duration_words
from coordwatch.processor import Input
from coordwatch.processor.mapping import Mapped, map_input
from coordwatch.settings import KafkaInput, Settings
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import Record

_SAMPLE = 200
_AT_ONCE = 0.0
_AHEAD = 5 * MINUTE


def sampled(
    settings: Settings, content: Content, access: KafkaAccess, partitions: Mapping[str, int]
) -> Iterator[Check]:
    """One check a source, and one more when its clock and ours disagree."""
    decode_schema = registry_decoder(settings.kafka, _AT_ONCE)
    mapper = Mapper(content.mappings, content.catalogue, decode_schema=decode_schema)
    limit = settings.kafka.dead_letter_limit.ratio if settings.kafka is not None else 1.0
    for one in settings.kafka_inputs:
        if one.topic not in partitions:
            continue  # told of already
        each = max(_SAMPLE // partitions[one.topic], 1)
        try:
            records = list(newest(access, one.topic, each))
        except CoordwatchError as error:
            yield Check("bad", "samples", f"{one.name}: {error}")
            continue
        try:
            yield _mapped(one, records, mapper, limit)
        except TemporaryError as error:
            yield Check("bad", "registry", str(error), "see kafka.registry, and docs/sources/registry.md")
            continue
        yield from _clock(one, records)


def _mapped(one: KafkaInput, records: Sequence[Record], mapper: Mapper, limit: float) -> Check:
    if not records:
        return Check("warn", "samples", f"{one.name}: {one.topic} holds no record yet", "wait for its first one")
    now = SystemClock().now()
    found = [map_input(Input(record, one.source, one.name), mapper, now) for record in records]
    refused = Counter(refusal.reason for mapped in found for refusal in mapped.refused)
    dropped = Counter(reason for mapped in found for reason in mapped.dropped)
    unknown = sum(mapped.unknown_category for mapped in found)
    events = sum(len(mapped.events) for mapped in found)
    words = [f"{events:,} events of the {len(records):,} newest records of {one.topic}"]
    if dropped:
        words.append(f"{sum(dropped.values()):,} left aside ({_counts(dropped)})")
    if unknown:
        words.append(f"{unknown:,} messages of unknown category")
    if not refused:
        return Check("ok", "samples", f"{one.name}: {', '.join(words)}")
    words.append(f"{sum(refused.values()):,} refused ({_counts(refused)})")
    stops = sum(bool(mapped.refused) for mapped in found) > limit * len(records)
    return Check(
        "bad" if stops else "warn", "samples", f"{one.name}: {', '.join(words)}", _move(one, records, found, stops)
    )


def _move(one: KafkaInput, records: Sequence[Record], found: Sequence[Mapped], stops: bool) -> str:
    first = next(record for record, mapped in zip(records, found, strict=True) if mapped.refused)
    stop = "so many stop a partition; " if stops else ""
    source = f" --source {one.source}" if one.source else ""
    place = f"{first.topic}@{first.offset}..{first.offset + 1}"
    return f"{stop}correct the input's source or the mapping; to see why: coordwatch replay --config FILE --kafka {place}{source}"


def _clock(one: KafkaInput, records: Sequence[Record]) -> Iterator[Check]:
    now = SystemClock().now()
    ahead = max((record.timestamp or 0) for record in records) - now if records else 0
    if ahead > _AHEAD:
        text = f"{one.name}: its newest record says that it was written in {duration_words(ahead)}"
        yield Check("warn", "clock", text, "set the clock of this machine, or of whatever writes that topic")


def _counts(reasons: Counter[str]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
