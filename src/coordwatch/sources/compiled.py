"""Mappings as functions: everything that follows from the mappings of a site and one edition of its catalogue.

What enters: SourceMappings, and what every value is built with. What leaves: a Made, which is replaced whole when the
catalogue changes. The next room: `mapper`, which runs records through it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from coordwatch.sources.around import Around
from coordwatch.sources.catalogue import Find, compile_catalogue, glob_test
from coordwatch.sources.changes import Build
from coordwatch.sources.conditions import Holds, compile_condition
from coordwatch.sources.dispatch import deciding, every_case, first_case
from coordwatch.sources.emit import Make, compile_emission
from coordwatch.sources.mapping import SourceMapping
from coordwatch.sources.parse import with_tool
from coordwatch.sources.paths import Getter, Scope, compile_path
from coordwatch.sources.record import DropReason
from coordwatch.sources.values import compile_named

_TOPICS_REMEMBERED_MAX = 1000


@dataclass(frozen=True, slots=True)
class Compiled:
    """One mapping as functions."""

    mapping: SourceMapping
    holds: Holds | None
    around: Around
    split: tuple[Getter, ...]
    let: dict[str, Getter]
    drop: Callable[[Scope], DropReason | None]
    emit: Callable[[Scope], Make | None]
    also: Make | None
    once: frozenset[str]
    decides: tuple[str, Getter] | None


class Made:
    """The mappings with one edition of the catalogue; each is compiled when its first record comes.

    Takes: `bare`, what every value is built with, its catalogue above all
    """

    def __init__(self, shipped: Sequence[SourceMapping], bare: Build) -> None:
        self.catalogue = bare.catalogue
        find = compile_catalogue(bare.catalogue)
        self.mappings = tuple(with_tool(one, bare.catalogue.tools.get(one.name, {})) for one in shipped)
        self._topics = tuple(_topic_test(mapping) for mapping in self.mappings)
        self._compile = cache(lambda number: _compile(self.mappings[number], bare, find))
        self._by_topic: dict[str, tuple[Compiled, ...]] = {}
        self._by_name: dict[str, tuple[Compiled, ...]] = {}

    def of_topic(self, topic: str) -> tuple[Compiled, ...]:
        """The mappings that may be for records of a topic."""
        found = self._by_topic.get(topic)
        if found is None:
            found = tuple(self._compile(number) for number, fits in enumerate(self._topics) if fits(topic))
            if len(self._by_topic) < _TOPICS_REMEMBERED_MAX:
                self._by_topic[topic] = found
        return found

    def named(self, source: str) -> tuple[Compiled, ...]:
        """The mappings of this name."""
        found = self._by_name.get(source, ())
        if not found:
            numbers = (number for number, mapping in enumerate(self.mappings) if mapping.name == source)
            found = tuple(self._compile(number) for number in numbers)
            if found:
                self._by_name[source] = found
        return found


def _topic_test(mapping: SourceMapping) -> Callable[[str], bool]:
    return glob_test(mapping.match.topics) if mapping.match.topics else lambda topic: True


def _compile(mapping: SourceMapping, bare: Build, find: Find) -> Compiled:
    prefix, said = f"{mapping.name}.", bare.catalogue
    tables = {name.removeprefix(prefix): said.table(name, own) for name, own in mapping.tables.items()}
    build = replace(bare, tables=tables, let=mapping.let, source=mapping.name, named={})
    for name, spec in mapping.let.items():
        build.named[name] = compile_named(name, spec, build)
    condition = mapping.match.condition
    also = [(one.when, compile_emission(one, mapping, build, find)) for one in mapping.also]
    return Compiled(
        mapping,
        None if condition is None else compile_condition(condition),
        Around([(wrapper.name, wrapper.options) for wrapper in mapping.unwrap]),
        tuple(compile_path(path) for path in mapping.split),
        build.named,
        first_case([(drop.when, drop.reason) for drop in mapping.drop_if], build.named),
        first_case([(one.when, compile_emission(one, mapping, build, find)) for one in mapping.emit], build.named),
        every_case(also, build.named) if also else None,
        frozenset(emission.type or "" for emission in mapping.also if emission.parts.id is not None),
        deciding([one.when for one in (*mapping.emit, *mapping.also)], build.named),
    )
