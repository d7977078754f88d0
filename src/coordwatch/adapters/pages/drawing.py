"""What a timeline shows, before it is laid out: marks, bars, shades and rulers in event time.

What enters: nothing; `picture` fills these shapes.
What leaves: a Drawing.
The next room: `timeline`, which draws it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coordwatch.events.times import SECOND

SEEN_LEAST = 5 * SECOND
_SEEN_SHARE = 40


@dataclass(frozen=True, slots=True)
class Mark:
    """One event in a lane: `kind` is act, evidence, late, missing, due, context or alert; `number` refers to the list below.

    `about` is said in the tooltip only.

    Units: `at` and `seen_at` (when it reached the log) in microseconds since 1970 UTC
    """

    kind: str
    lane: str
    at: int
    text: str
    number: str = ""
    seen_at: int | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A state that lasted; `end` None runs on to the right edge. Units: microseconds since 1970 UTC."""

    lane: str
    start: int
    end: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Shade:
    """A stretch of grace or linger in a lane. Units: microseconds since 1970 UTC."""

    kind: str
    lane: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Ruler:
    """A line from one event to another, labelled with the gap; one of them is the act, the other stands in `lane`.

    `points_on`: the act is the earlier one. `ticks` are further events that the gap speaks of.
    Units: microseconds since 1970 UTC
    """

    lane: str
    start: int
    end: int
    text: str
    ticks: tuple[int, ...] = ()
    dashed: bool = False
    points_on: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything one picture shows. `pivot` is the instant that a line runs through (the act's)."""

    title: str
    description: str
    marks: Sequence[Mark] = ()
    bars: Sequence[Bar] = ()
    shades: Sequence[Shade] = ()
    rulers: Sequence[Ruler] = ()
    pivot: int | None = None
    severity: str = "low"


def seen_late(mark: Mark, drawing: Drawing) -> bool:
    """Whether an event reached the log so much later than it happened that the picture must show it."""
    if mark.seen_at is None or mark.seen_at - mark.at < SEEN_LEAST:
        return False
    instants = [one.at for one in drawing.marks if one.kind != "context"] or [mark.at]
    return (mark.seen_at - mark.at) * _SEEN_SHARE >= max(instants) - min(instants)
