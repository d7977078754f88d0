"""One partition of a source: how far it is read, what was counted of it, how much of it was refused lately.

Its row of state enters; after each record it holds what the next commit has to write, and its row leaves with it. The next
room: `ingesting`, which holds one for every partition of a process.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from coordwatch.codec import pack, unpack
from coordwatch.context.progress import BEGINNING, SourceProgress
from coordwatch.errors import PermanentError
from coordwatch.processor.letter_limit import Window
from coordwatch.processor.outcomes import Line, Reach, ReachLine, TallyLine, line_key, line_value
from coordwatch.processor.stage import Output, Place
from coordwatch.processor.topics import Topics

STAGE = "ingest"
VERSION = 1


@dataclass(slots=True)
class Walked:
    """What records came to: `latest` is the time of the latest event that is not in the future, `heard_at` when the log took it.

    The source was heard when the log took a record, however much later it is read: what was written before a long outage
    of ours does not prove that the source still speaks.

    Units: microseconds since 1970 UTC
    """

    outputs: list[Output] = field(default_factory=list)
    tallies: Counter[str] = field(default_factory=Counter)
    latest: int = BEGINNING
    heard_at: int = BEGINNING

    def note(self, time: int, logged_at: int, now: int) -> None:
        """Take note of an event's time, and of when the log took its record (0: it does not say)."""
        heard_at = now if logged_at <= 0 or logged_at > now else logged_at
        self.heard_at = max(self.heard_at, heard_at)
        if self.latest < time <= now:
            self.latest = time

    def add(self, other: "Walked") -> None:
        """Add what further records came to."""
        self.outputs += other.outputs
        self.tallies.update(other.tallies)
        self.latest, self.heard_at = max(self.latest, other.latest), max(self.heard_at, other.heard_at)


@dataclass(slots=True)
class SourcePart:
    """A partition that this process holds; `progress` is None where the times of events prove nothing.

    `changed` says that records were taken since the last commit, `moved` that only time went on.
    """

    place: Place
    progress: SourceProgress | None
    fence: int | None = None
    window: Window = field(default_factory=Window)
    tallies: Counter[str] = field(default_factory=Counter)
    outputs: list[Output] = field(default_factory=list)
    changed: bool = False
    moved: bool = False
    _counted: set[str] = field(default_factory=set)

    def count(self, tallies: Mapping[str, int]) -> None:
        """Add what was counted of a record."""
        for name, amount in tallies.items():
            if amount:
                self.tallies[name] += amount
                self._counted.add(name)

    def saw(self, walked: Walked, now: int) -> None:
        """Move on over the events of records."""
        progress = self.progress
        if progress is not None and walked.heard_at > BEGINNING:
            seen = progress.seen(walked.latest, now)
            self.progress = replace(seen, heard_at=max(progress.heard_at, walked.heard_at))

    def caught_up(self, now: int) -> None:
        """Move on because the reader stands at the end of the log."""
        if self.progress is not None and now > self.progress.read_to_end_at:
            self.progress, self.moved = self.progress.caught_up(now), True

    @property
    def reach(self) -> Reach | None:
        """How far it is read."""
        one = self.progress
        return None if one is None else Reach(one.through, one.heard_at, one.read_to_end_at)

    def give(self, topics: Topics) -> list[Output]:
        """Everything that the next commit has to write of it; afterwards nothing is pending."""
        outputs, self.outputs = self.outputs, []
        outputs.append(Output(topics.ingest_state, str(self.place).encode(), self._row()))
        lines: list[tuple[Line, int | Reach]] = [
            (TallyLine(STAGE, str(self.place), name), self.tallies[name]) for name in sorted(self._counted)
        ]
        if self.progress is not None and self.reach is not None:
            lines.append((ReachLine(self.progress.name, str(self.place)), self.reach))
        outputs += [Output(topics.ledger, line_key(line), line_value(amount)) for line, amount in lines]
        self._counted.clear()
        self.changed = self.moved = False
        return outputs

    def _row(self) -> bytes:
        return pack(
            {
                "version": VERSION,
                "fence": self.fence,
                "reach": None if self.reach is None else list(self.reach),
                "window": self.window.plain(),
                "tallies": dict(self.tallies),
            }
        )


def restored(place: Place, progress: SourceProgress | None, row: bytes | None) -> SourcePart:
    """A partition as its row of state says, or one of which nothing was read yet.

    Raises: PermanentError when the row was written by another version of the program
    """
    if row is None:
        return SourcePart(place, progress)
    plain = _plain(place, row)
    part = SourcePart(place, progress, plain["fence"], window=Window(plain["window"]))
    part.tallies.update(plain["tallies"])
    if progress is not None and plain["reach"] is not None:
        through, heard_at, read_to_end_at = plain["reach"]
        part.progress = replace(progress, through=through, heard_at=heard_at, read_to_end_at=read_to_end_at)
    return part


def _plain(place: Place, row: bytes) -> Mapping[str, Any]:
    try:
        plain: Mapping[str, Any] = unpack(row)
        version = plain["version"]
    except (ValueError, TypeError, KeyError):
        raise PermanentError(
            f"the state of {place} cannot be read: it was not written by this program, or it is damaged"
        ) from None
    if version != VERSION:
        raise PermanentError(
            f"the state of {place} was written by version {version}, this program reads {VERSION}: "
            "start with the program that wrote it, or a newer one"
        )
    return plain
