"""Levels: what an identity partition can prove about how far the sources are read, hops included.

What enters: marks of ingest, and what the other identity partitions say of their own levels. What leaves: this partition's
levels for all of them, and its mark for every partition of the events. The next room: `resolving`.

Filing an event takes hops: it is placed at its anchor, which may ask others, who answer. So a mark of ingest, though it stands
behind the places it speaks of, says nothing yet about events. A partition keeps for each source partition

- level 0: how far ingest says it is read, behind the places in this partition's own log;
- level k + 1: the least of the levels k of all partitions, as they said them here.

Why that proves something: a log keeps the order in which one partition writes to another, across commits and owners. Each
partition says its levels behind everything that it sent because of what it has taken. Whoever has taken "level 0 is P" from
all partitions has therefore taken every message that was sent because of a place of an event up to P: the first hop. Whoever
has taken "level k is P" from all has taken every message of hop k + 1. The first decision about an event falls at most three
hops after its place: sent on to another anchor (after a change of policy), a question, an answer; an anchor never waits for a
second answer (`identity/hops/anchors.py`). So at level 3 this partition has filed, or parked, every event up to P that it
decides about, and its mark, written behind them, may say P. Events that are parked, or asked for again, come later by nature.
"""

from collections.abc import Mapping, Sequence

from coordwatch.codec import pack, unpack
from coordwatch.engine.ledger import Reach
from coordwatch.events.times import SECOND
from coordwatch.processor.marks import Mark, later, mark_records
from coordwatch.processor.outcomes import BadRecord
from coordwatch.processor.stage import KIND, Output
from coordwatch.processor.topics import Topics

LEVELS = "levels"
"""The kind of the message in which a partition says its levels."""

HOPS = 3

_Source = tuple[str, str]
_Level = dict[_Source, Reach]


class Levels:
    """The levels of one partition among `partitions`. What was said is kept in rows, so it never goes back."""

    def __init__(self, partition: int, partitions: int, rows: Mapping[str, bytes]) -> None:
        """Take over what was said; nothing of it counts as sent, so it is said once more."""
        self._partition, self._partitions = partition, partitions
        self._said: dict[int, list[_Level]] = {by: [{} for _ in range(HOPS)] for by in range(partitions)}
        self._own: list[_Level] = [{} for _ in range(HOPS + 1)]
        self._sent: list[_Level] = [{} for _ in range(HOPS + 1)]
        self._rows: set[str] = set()
        self._sent_at = 0
        self.changed = False
        for name, value in rows.items():
            by, levels = _levels_from(value)
            if name == "":
                self._raise(0, levels[0])
            else:
                self._hear(by, levels)
        self._rows.clear()

    def mark(self, mark: Mark) -> None:
        """Take a mark of ingest."""
        self._rows.add("")
        progress = {(name, place): reach for name, places in mark.progress.items() for place, reach in places.items()}
        self._raise(0, progress)

    def hear(self, value: bytes) -> None:
        """Take what another partition, or this one, says.

        Raises: BadRecord
        """
        by, levels = _levels_from(value)
        if by not in self._said:
            raise BadRecord(f"levels of partition {by}, there are {self._partitions}")
        self._rows.add(str(by))
        self._hear(by, levels)

    def may_give(self, now: int) -> bool:
        """Say whether there is anything to say, and a second has gone by since the last time."""
        return self.changed and now - self._sent_at >= SECOND

    def give(self, topics: Topics, now: int) -> list[Output]:
        """Give this partition's levels for all partitions, and its mark; to be written behind everything else."""
        if not self.may_give(now):
            return []
        fresh = [
            {source: reach for source, reach in own.items() if sent.get(source) != reach}
            for own, sent in zip(self._own, self._sent, strict=True)
        ]
        for sent, news in zip(self._sent, fresh, strict=True):
            sent.update(news)
        self._sent_at, self.changed = now, False
        outputs: list[Output] = []
        if any(fresh[:HOPS]):
            value = _levels_value(self._partition, fresh[:HOPS])
            kind = ((KIND, LEVELS.encode()),)
            outputs += [Output(topics.identity, None, value, to, kind) for to in range(self._partitions)]
        if fresh[HOPS]:
            progress: dict[str, dict[str, Reach]] = {}
            for (name, place), reach in fresh[HOPS].items():
                progress.setdefault(name, {})[place] = reach
            outputs += mark_records(
                topics.events, topics.partitions, Mark(progress, str(self._partition), self._partitions)
            )
        return outputs

    def rows(self) -> dict[str, bytes]:
        """Give, once, the rows that changed, by name: one for what ingest said, one for each partition."""
        changed, self._rows = self._rows, set()
        return {
            name: _levels_value(int(name), self._said[int(name)]) if name else _levels_value(0, self._own[:1])
            for name in changed
        }

    def _hear(self, by: int, levels: Sequence[_Level]) -> None:
        for number, (level, news) in enumerate(zip(self._said[by], levels, strict=False)):
            for source, reach in news.items():
                level[source] = later(level[source], reach) if source in level else reach
            self._raise(number + 1, {source: least for source in news if (least := self._least(number, source))})

    def _least(self, number: int, source: _Source) -> Reach | None:
        """Give what all partitions have said of a source partition; nothing while one has said nothing."""
        said = [reach for levels in self._said.values() if (reach := levels[number].get(source)) is not None]
        return Reach(*map(min, zip(*said, strict=True))) if len(said) == self._partitions else None

    def _raise(self, number: int, news: _Level) -> None:
        level = self._own[number]
        for source, reach in news.items():
            known = level.get(source)
            level[source] = reach if known is None else later(known, reach)
            self.changed = self.changed or level[source] != known


def _levels_value(by: int, levels: Sequence[_Level]) -> bytes:
    return pack([by, [[[*source, *reach] for source, reach in level.items()] for level in levels]])


def _levels_from(value: bytes) -> tuple[int, list[_Level]]:
    try:
        by, levels = unpack(value)
        return int(by), [{(name, place): Reach(*reach) for name, place, *reach in level} for level in levels]
    except (ValueError, TypeError) as error:
        raise BadRecord(f"not levels: {type(error).__name__}: {error}") from None
