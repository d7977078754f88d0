"""Progress: how far each source has been read, in event time; what absence rules need before they may speak.

A source's progress is the largest event time seen less its declared disorder and, when its reader has caught up, the
wall clock less its declared publishing delay (DESIGN 8). It never goes back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

BEGINNING = -(2**62)
MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class SourceProgress:
    """One source: the event types it carries, and how far it has been read.

    Units: `disorder`, `publishing_delay`, `dark_after` in microseconds; `through`, `heard_at` in microseconds since 1970
    """

    name: str
    carries: frozenset[str]
    disorder: int = 0
    publishing_delay: int = MINUTE
    dark_after: int | None = None
    through: int = BEGINNING
    heard_at: int = BEGINNING

    def seen(self, event_time: int, now: int) -> "SourceProgress":
        """After an event; a time in the future moves nothing (RULES 34)."""
        through = self.through if event_time > now else max(self.through, event_time - self.disorder)
        return replace(self, through=through, heard_at=max(self.heard_at, now))

    def caught_up(self, now: int) -> "SourceProgress":
        """After the reader reached the end of what is there."""
        return replace(self, through=max(self.through, now - self.publishing_delay), heard_at=max(self.heard_at, now))


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
        dark = tuple(
            sorted(
                source.name
                for source in carriers
                if source.dark_after is not None and now - source.heard_at > source.dark_after
            )
        )
        return Proof(through, waiting, dark)

    def carried(self) -> frozenset[str]:
        """Every event type that some source carries."""
        return frozenset().union(*(source.carries for source in self._sources.values()))
