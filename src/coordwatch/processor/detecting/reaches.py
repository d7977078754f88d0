"""Reaches: how far every input has been read, as the marks in one partition of the events say.

Marks enter, in the order of the log; a Progress leaves. What the marks do not tell is not proven.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from coordwatch.context.progress import Progress, SourceProgress
from coordwatch.processor.marks import Mark, later
from coordwatch.processor.outcomes import Reach


@dataclass(frozen=True, slots=True)
class Watched:
    """An input that is watched: what it carries and when it is dark, and its partitions, as `topic/partition`."""

    source: SourceProgress
    places: tuple[str, ...]


class Reaches:
    """The latest mark of every emitter, and what they prove together."""

    def __init__(self, watched: Sequence[Watched], marks: Iterable[Mark] = ()) -> None:
        self._watched = tuple(watched)
        self._marks: dict[str, Mark] = {mark.by: mark for mark in marks}
        self._progress: Progress | None = None

    def take(self, mark: Mark) -> Mark:
        """Take a mark. Gives: the latest of what its emitter said, which is to be kept."""
        known = self._marks.get(mark.by)
        merged = mark if known is None else replace(mark, progress=_merged(known.progress, mark.progress))
        self._marks[mark.by] = merged
        self._progress = None
        return merged

    @property
    def progress(self) -> Progress:
        """How far every input has been read."""
        if self._progress is None:
            self._progress = Progress(one.source.together(self._parts(one)) for one in self._watched)
        return self._progress

    def _parts(self, one: Watched) -> Iterable[SourceProgress]:
        """Every partition of an input: no further than the emitter that is furthest behind says."""
        for place in one.places:
            told = [reach for mark in self._marks.values() if (reach := _reach(mark, one.source.name, place))]
            if len(told) < max((mark.of for mark in self._marks.values()), default=1):
                yield one.source
            else:
                through, heard_at, read_to_end_at = map(min, zip(*told, strict=True))
                yield replace(one.source, through=through, heard_at=heard_at, read_to_end_at=read_to_end_at)


def _reach(mark: Mark, name: str, place: str) -> Reach | None:
    return mark.progress.get(name, {}).get(place)


def _merged(
    one: Mapping[str, Mapping[str, Reach]], other: Mapping[str, Mapping[str, Reach]]
) -> dict[str, dict[str, Reach]]:
    merged = {name: dict(places) for name, places in one.items()}
    for name, places in other.items():
        known = merged.setdefault(name, {})
        for place, reach in places.items():
            known[place] = later(known[place], reach) if place in known else reach
    return merged
