"""Field coverage: which fields of payloads a mapping takes over, which it only looks at, and which it leaves behind.

What enters: a SourceMapping, and pieces of payloads. What leaves: paths, sorted into the three. A path of the mapping reads a
field when it leads to that very field; an object that is taken whole counts for everything in it. The next room: the
command `sources test`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from coordwatch.sources.infer.survey import survey
from coordwatch.sources.mapping import (
    DigestOf,
    EachOf,
    Emission,
    FromJmes,
    FromPath,
    Parts,
    SourceMapping,
    Template,
    ValueSpec,
)
from coordwatch.sources.paths import Path, Scope, Step, parse_path

_JMES_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Fields of payloads by what becomes of them."""

    taken: tuple[str, ...] = ()
    looked_at: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reads:
    """What a mapping reads: exact fields, whole objects, and words of JMESPath."""

    let: Mapping[str, ValueSpec]
    exact: set[Steps] = field(default_factory=set)
    whole: set[Steps] = field(default_factory=set)
    words: set[str] = field(default_factory=set)

    def places(self, path: Path) -> list[Steps]:
        """Where a path leads in the payload; a name of `let` leads where that leads, and from there on."""
        if path.root in (None, "whole"):
            return [_plain(path.steps)]
        if path.root != "let" or not path.steps:
            return []
        spec = self.let.get(str(path.steps[0]))
        inner = [] if spec is None else [each for each in _paths_within(spec.origin) if each != path]
        return [_plain((*before, *path.steps[1:])) for each in inner for before in self.places(each)]

    def reads(self, steps: Steps) -> bool:
        if steps in self.exact or any(steps[: len(one)] == one for one in self.whole):
            return True
        names = [step for step in steps if isinstance(step, str)]
        return bool(self.words) and bool(names) and set(names[-1:]) <= self.words


def coverage(mapping: SourceMapping, pieces: Iterable[Scope]) -> Coverage:
    """Say what becomes of every field of the pieces."""
    taking, looking = _taking(mapping), _looking(mapping)
    taken: list[str] = []
    looked_at: list[str] = []
    left: list[str] = []
    for one in survey(pieces).fields.values():
        if one.path.startswith("$") or not one.values:
            continue
        steps = _plain(parse_path(one.path).steps)
        (taken if taking.reads(steps) else looked_at if looking.reads(steps) else left).append(one.path)
    return Coverage(tuple(sorted(taken)), tuple(sorted(looked_at)), tuple(sorted(left)))


def _taking(mapping: SourceMapping) -> _Reads:
    """What ends up in events, directly or by a name of `let`."""
    parts = [mapping.shared, *(emission.parts for emission in _emissions(mapping))]
    lists = [
        one.path for emission in _emissions(mapping) for one in (emission.fan_out, emission.for_each) if one is not None
    ]
    reads = _Reads(mapping.let)
    for part in parts:
        _read_values(_values_of(part), (), reads)
    _read_values([one for emission in _emissions(mapping) for one in _fan_values(emission)], (), reads)
    for path in lists:
        # What an element holds is looked at by $each, which has no place of its own.
        reads.whole.update(reads.places(path))
    _read_values(list(mapping.let.values()), (), reads)
    return reads


def _looking(mapping: SourceMapping) -> _Reads:
    """What conditions look at, anywhere in the mapping."""
    reads = _Reads(mapping.let)
    for path in _paths_within(mapping):
        reads.exact.update(reads.places(path))
    return reads


def _emissions(mapping: SourceMapping) -> Sequence[Emission]:
    return (*mapping.emit, *mapping.also)


def _values_of(parts: Parts) -> list[ValueSpec]:
    named = [*parts.refs.values(), *parts.set.values(), *parts.catalogue.values(), *parts.time]
    named += [] if parts.id is None else [parts.id]
    return named + [spec.value for spec in parts.identifiers or ()]


def _fan_values(emission: Emission) -> Iterator[ValueSpec]:
    for spec in emission.fan_out.identifiers if emission.fan_out is not None else ():
        yield spec.value


def _read_values(specs: Iterable[ValueSpec], each: Sequence[Steps], reads: _Reads) -> None:
    """Note what values read; `each` are the lists whose elements `$each` stands for."""
    for spec in specs:
        origin = spec.origin
        match origin:
            case FromPath(path):
                _read_path(path, each, reads)
            case Template(parts):
                for part in parts:
                    if isinstance(part, Path):
                        _read_path(part, each, reads)
            case FromJmes(text):
                reads.words.update(_JMES_WORD.findall(text))
            case EachOf(path, inner):
                lists = reads.places(path)
                reads.exact.update(lists)
                _read_values(inner.values(), [(*one, None) for one in lists], reads)
            case DigestOf(parts):
                # The name of an event says nothing of what it was made of, unless that is all there is.
                _read_values([part for part in parts if not _is_everything(part)], each, reads)
            case _:
                _read_values(_inner(origin), each, reads)


def _is_everything(spec: ValueSpec) -> bool:
    return isinstance(spec.origin, FromPath) and spec.origin.path.root is None and not spec.origin.path.steps


def _inner(origin: Any) -> list[ValueSpec]:
    """The values that a value is made of."""
    found: list[ValueSpec] = []
    for one in fields(origin) if is_dataclass(origin) else ():
        value = getattr(origin, one.name)
        inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else (value,)
        found += [each for each in inner if isinstance(each, ValueSpec)]
    return found


def _read_path(path: Path, each: Sequence[Steps], reads: _Reads) -> None:
    if path.root == "each":
        reads.exact.update(_plain((*one, *path.steps)) for one in each)
    else:
        reads.exact.update(reads.places(path))


def _plain(steps: Steps) -> Steps:
    """Steps with every place in a list alike; a list of plain values is named without its elements."""
    steps = tuple(None if isinstance(step, int) else step for step in steps)
    while steps and steps[-1] is None:
        steps = steps[:-1]
    return steps


def _paths_within(value: Any) -> Iterator[Path]:
    """Every path anywhere inside a part of a mapping."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _paths_within(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _paths_within(inner)
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from _paths_within(getattr(value, one.name))
