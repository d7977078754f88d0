"""A mapping against the taxonomy: every field it writes exists, every word is one of ours, nothing required is missing.

What enters: a SourceMapping as it was written. What leaves: problems with their places.
The next room: `mapper`, for a mapping without problems.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

from coordwatch.documents import did_you_mean
from coordwatch.errors import Place
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import COMMON, REFS, EventType, Field
from coordwatch.sources.catalogue import SELECTORS
from coordwatch.sources.kinds import KindError, converter
from coordwatch.sources.mapping import (
    AllOf,
    Constant,
    EachOf,
    Emission,
    FirstOf,
    ObjectOf,
    Parts,
    Plain,
    SourceMapping,
    ValueSpec,
    values_inside,
)
from coordwatch.sources.reading import Reading

_FILLED_BY_US = ("tool", "time_basis", "identifiers", "identity_confidence", "category_basis")


def check_mapping(mapping: SourceMapping, reading: Reading) -> None:
    """Note everything in a mapping that cannot work."""
    emissions = (*mapping.emit, *mapping.also)
    types = [TYPES[name] for emission in emissions if (name := emission.type) is not None and name in TYPES]
    for emission in emissions:
        if emission.type is not None and emission.type not in TYPES:
            message = f"no canonical event type is called '{emission.type}'"
            reading.problem(emission.place, message, did_you_mean(emission.type, TYPES))
        elif emission.type is not None:
            _check_own(mapping, emission, TYPES[emission.type], reading)
    _check_names(mapping.shared, types or list(TYPES.values()), mapping.place, reading)
    _check_tables(mapping, reading)
    _check_let(mapping, reading)


def _check_own(mapping: SourceMapping, emission: Emission, event_type: EventType, reading: Reading) -> None:
    own, shared = emission.parts, mapping.shared
    _check_names(own, [event_type], emission.place, reading)
    if own.id is None and shared.id is None:
        reading.problem(emission.place, "an event has an id", "add id: PATH, or id: {digest: [PATHS]}")
    values = {**shared.refs, **shared.set, **own.refs, **own.set}
    constants = {**shared.constant, **own.constant}
    given = {*values, *constants, *_FILLED_BY_US[:2]}
    if "category" in event_type.fields:
        given.add("category")
    if shared.identifiers or own.identifiers or emission.fan_out:
        given.add("identifiers")
    for name in event_type.required:
        if name not in given:
            hint = f"add it under {'refs' if name in REFS else 'set or constant'}"
            reading.problem(emission.place, f"{event_type.name} requires '{name}'", hint)
    for name, (value, place) in constants.items():
        if name in event_type.fields:
            _check_constant(name, value, event_type.fields[name], place, reading)
    for name, spec in values.items():
        if name in event_type.fields:
            _check_words(name, spec, event_type.fields[name], mapping, reading)


def _check_names(parts: Parts, types: list[EventType], place: Place, reading: Reading) -> None:
    known = set(chain.from_iterable(event_type.fields for event_type in types)) - set(REFS) - set(_FILLED_BY_US)
    for name, spec in parts.refs.items():
        if name not in REFS:
            reading.problem(spec.place, f"no ref is called '{name}'", did_you_mean(name, REFS))
    pairs = [(name, spec.place) for name, spec in parts.set.items()]
    pairs += [(name, at) for name, (_, at) in parts.constant.items()]
    for name, at in pairs:
        if name in REFS and name not in COMMON:
            continue
        if name in REFS:
            reading.problem(at, f"'{name}' is a ref", "write it under refs")
        elif name not in known:
            what = types[0].name if len(types) == 1 else "none of the events of this mapping"
            reading.problem(
                at,
                f"{what} has no field '{name}'" if len(types) == 1 else f"{what} has a field '{name}'",
                did_you_mean(name, known),
            )
    for name, spec in parts.catalogue.items():
        if name not in SELECTORS:
            reading.problem(spec.place, f"the catalogue is not asked by '{name}'", did_you_mean(name, SELECTORS))
    if parts.catalogue and not any("category" in event_type.fields for event_type in types):
        reading.problem(place, "only messages are looked up in the catalogue")


def _check_constant(name: str, value: Plain, field: Field, place: Place, reading: Reading) -> None:
    try:
        converter(field)(value)
    except KindError as error:
        hint = did_you_mean(str(value), field.values) if field.values else None
        reading.problem(place, f"'{name}' {error.detail}", hint)


def _check_words(name: str, spec: ValueSpec, field: Field, mapping: SourceMapping, reading: Reading) -> None:
    """See that every word a value can become is one that the field knows, before any payload arrives."""
    if spec.hash or spec.number or spec.format:
        return
    origin = spec.origin
    if isinstance(origin, FirstOf | AllOf) and spec.table is None:
        for choice in origin.choices if isinstance(origin, FirstOf) else origin.parts:
            _check_words(name, choice, field, mapping, reading)
    if isinstance(origin, ObjectOf) and field.fields:
        _check_inner(name, origin.fields, field, mapping, reading)
    if isinstance(origin, EachOf) and field.fields:
        _check_inner(name, origin.fields, field, mapping, reading)
    for value in _words(spec, mapping):
        _check_constant(name, value, field, spec.place, reading)


def _check_inner(
    name: str, fields: Mapping[str, ValueSpec], field: Field, mapping: SourceMapping, reading: Reading
) -> None:
    for inner, spec in fields.items():
        if inner not in field.fields:
            reading.problem(spec.place, f"'{name}' has no '{inner}'", did_you_mean(inner, field.fields))
        else:
            _check_words(f"{name}.{inner}", spec, field.fields[inner], mapping, reading)


def _words(spec: ValueSpec, mapping: SourceMapping) -> Iterator[Plain]:
    if spec.default is not None:
        yield spec.default
    if isinstance(spec.table, str):
        yield from mapping.tables.get(f"{mapping.name}.{spec.table}", {}).values()
    elif spec.table is not None:
        yield from spec.table.values()
    elif isinstance(spec.origin, Constant):
        yield spec.origin.value


def _check_tables(mapping: SourceMapping, reading: Reading) -> None:
    own = {name.removeprefix(f"{mapping.name}.") for name in mapping.tables}
    for spec in all_values(mapping):
        if isinstance(spec.table, str) and spec.table not in own:
            reading.problem(spec.place, f"no table is called '{spec.table}'", did_you_mean(spec.table, own))


def _check_let(mapping: SourceMapping, reading: Reading) -> None:
    for name, spec in mapping.let.items():
        if not name.isidentifier():
            reading.problem(spec.place, f"'{name}' cannot be named in a path", "letters, digits and '_'")


def all_values(mapping: SourceMapping) -> Iterator[ValueSpec]:
    """Give every value that a mapping names, also those inside others."""
    yield from values_inside(mapping.let.values())
    for parts in (mapping.shared, *(emission.parts for emission in (*mapping.emit, *mapping.also))):
        yield from values_inside(
            chain(
                parts.refs.values(),
                parts.set.values(),
                parts.catalogue.values(),
                parts.time,
                [parts.id] if parts.id else [],
            )
        )
        for identifier in parts.identifiers or ():
            yield from values_inside([identifier.type, identifier.value])
