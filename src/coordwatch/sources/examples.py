"""Golden examples inside a mapping file: each is run through the real mapper and compared with what it says.

What enters: SourceMappings with their `tests`. What leaves: for each example, the differences in words; none is a pass.
The next room: the command `sources test`, and the suite.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coordwatch.codec import encode_json
from coordwatch.errors import Place
from coordwatch.events.event import Event
from coordwatch.events.times import format_time
from coordwatch.sources.catalogue import Catalogue
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.mapping import Example, SourceMapping
from coordwatch.sources.paths import Scope
from coordwatch.sources.record import MapResult, Record


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What one example came to; no differences is a pass. `payload` is what stood before, `result` what became of it."""

    source: str
    name: str
    place: Place
    differences: tuple[str, ...]
    payload: Any = None
    result: MapResult = field(default_factory=MapResult)


def run_examples(mapping: SourceMapping, catalogue: Catalogue | None = None) -> list[ExampleResult]:
    """Run every example of a mapping."""
    mapper = Mapper([mapping], catalogue)
    return [_run(mapper, mapping, example) for example in mapping.examples]


def example_pieces(mapping: SourceMapping) -> list[Scope]:
    """The pieces of all examples of a mapping, as it sees them."""
    mapper = Mapper([mapping])
    return [piece for example in mapping.examples for piece in mapper.pieces(_record(example), mapping.name)]


def _run(mapper: Mapper, mapping: SourceMapping, example: Example) -> ExampleResult:
    result = mapper.map_record(_record(example), mapper.mappings[0].name)
    differences = tuple(_differences(example, result))
    return ExampleResult(mapping.name, example.name, example.place, differences, example.payload, result)


def _record(example: Example) -> Record:
    payload = example.payload
    value = payload.encode() if isinstance(payload, str) else encode_json(payload)
    record = example.record
    headers: Mapping[str, str] = {name: str(text) for name, text in (record.get("headers") or {}).items()}
    key = str(record["key"]).encode() if "key" in record else None
    return Record(value, str(record.get("topic", "")), key=key, headers=headers, timestamp=record.get("at"))


def _differences(example: Example, result: MapResult) -> list[str]:
    found: list[str] = []
    found += _compare_reasons("rejected", example.rejected, [str(rejection.reason) for rejection in result.rejected])
    if found:
        found += [f"rejected: {rejection.path or 'record'}: {rejection.detail}" for rejection in result.rejected]
    found += _compare_reasons("dropped", example.dropped, [str(reason) for reason in result.dropped])
    if len(result.events) != len(example.events):
        got = ", ".join(event.type for event in result.events) or "none"
        found.append(f"wants {len(example.events)} events, got {len(result.events)}: {got}")
        return found
    for number, (wanted, event) in enumerate(zip(example.events, result.events, strict=True)):
        found += _compare_event(f"event {number + 1}", wanted, event)
    return found


def _compare_reasons(what: str, wanted: Sequence[str], got: Sequence[str]) -> list[str]:
    if sorted(wanted) == sorted(got):
        return []
    return [f"wants {what} {', '.join(wanted) or 'nothing'}, got {', '.join(got) or 'nothing'}"]


def _compare_event(what: str, wanted: Mapping[str, Any], event: Event) -> list[str]:
    """Compare what the example names; `absent: [names]` says what must not be there."""
    flat = {**event.data, "type": event.type, "id": event.id, "source": event.source, "time": format_time(event.time)}
    found = [
        f"{what}: {name} is {flat.get(name)!r}, wants {value!r}"
        for name, value in wanted.items()
        if name != "absent" and flat.get(name) != value
    ]
    return found + [f"{what}: {name} is there: {flat[name]!r}" for name in wanted.get("absent", ()) if name in flat]
