"""Progress: how far each source has been read, in event time; what absence rules need before they may speak.

A source's progress is the largest event time seen less its declared disorder and, when its reader has caught up, the
wall clock less its declared publishing delay (DESIGN 8). It never goes back. Of a source that has been silent for longer
than it may be, having read everything proves nothing: it may be broken rather than quiet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

BEGINNING = -(2**62)
MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class SourceProgress:
    """One source, or one partition of it: the event types it carries, and how far it has been read.

    `heard_at` is when its last event came, `read_to_end_at` when its reader last stood at the end of what is there.

    Units: `disorder`, `publishing_delay`, `dark_after` in microseconds; `through` and the two instants in microseconds
    since 1970
    """

    name: str
    carries: frozenset[str]
    disorder: int = 0
    publishing_delay: int = MINUTE
    dark_after: int | None = None
    through: int = BEGINNING
    heard_at: int = BEGINNING
    read_to_end_at: int = BEGINNING

    def is_dark(self, now: int) -> bool:
        """Whether it has been silent for longer than it may be; one that was never heard is, if it may be silent so long only."""
        return self.dark_after is not None and now - self.heard_at > self.dark_after

    def seen(self, event_time: int, now: int) -> "SourceProgress":
        """After an event; a time in the future moves nothing (RULES 34)."""
        through = self.through if event_time > now else max(self.through, event_time - self.disorder)
        return replace(self, through=through, heard_at=max(self.heard_at, now))

    def caught_up(self, now: int) -> "SourceProgress":
        """After the reader reached the end of what is there; of a dark source that proves nothing."""
        through = self.through if self.is_dark(now) else max(self.through, now - self.publishing_delay)
        return replace(self, through=through, read_to_end_at=max(self.read_to_end_at, now))

    def together(self, parts: Iterable["SourceProgress"]) -> "SourceProgress":
        """This source as the partitions of it together say: heard when any was, read as far as the one furthest behind.

        A partition that stood at its end proves as much as the source was not dark then: it may be quiet by itself.
        """
        every = list(parts)
        heard_at = max((part.heard_at for part in every), default=BEGINNING)
        ends = min((part.read_to_end_at for part in every), default=BEGINNING)
        read = (replace(self, through=part.through, heard_at=heard_at).caught_up(part.read_to_end_at) for part in every)
        through = min((part.through for part in read), default=BEGINNING)
        return replace(self, through=through, heard_at=heard_at, read_to_end_at=ends)


@dataclass(frozen=True, slots=True)
class Proof:
    """Up to when a set of types is proven read; `dark` names the sources that have fallen silent."""

    through: int
    waiting_for: tuple[str, ...] = ()
    dark: tuple[str, ...] = ()


class Progress:
    """How far every source has been read."""

    __slots__ = ("_sources",)

    def __init__(self, sources: Iterable[SourceProgress] = ()) -> None:
        self._sources = {source.name: source for source in sources}

    @property
    def sources(self) -> Mapping[str, SourceProgress]:
        """Every source by name."""
        return self._sources

    def put(self, source: SourceProgress) -> None:
        """Set one source; its progress never goes back."""
        known = self._sources.get(source.name)
        if known is not None and known.through > source.through:
            source = replace(source, through=known.through)
        self._sources[source.name] = source

    def proof(self, types: Iterable[str], now: int) -> Proof:
        """Up to when all sources that could carry these types are proven read (RULES 33).

        Gives: `through` is the beginning of time when no source carries one of them: nothing can be proven
        """
        wanted = frozenset(types)
        carriers = [source for source in self._sources.values() if source.carries & wanted]
        if not carriers:
            return Proof(BEGINNING)
        through = min(source.through for source in carriers)
        waiting = tuple(sorted(source.name for source in carriers if source.through == through))
        dark = tuple(sorted(source.name for source in carriers if source.is_dark(now)))
        return Proof(through, waiting, dark)

    def carried(self) -> frozenset[str]:
        """Every event type that some source carries."""
        return frozenset().union(*(source.carries for source in self._sources.values()))
