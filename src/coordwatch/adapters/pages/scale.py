"""A time axis with breaks: where an instant stands, and which long gaps are cut short.

What enters: the instants that matter, and the room there is.
What leaves: a Scale that gives the place of any instant.
The next room: `timeline`, which draws on it.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from coordwatch.events.times import HOUR

_BREAK_WIDTH = (56.0, 150.0)
_LEAST_STEP = 26.0
_LONG = 6 * HOUR
_LONGER_THAN_THE_REST = 3


@dataclass(frozen=True, slots=True)
class Scale:
    """Instants and their places, piecewise linear. `cuts` are the indexes of the gaps that are cut short.

    Units: instants in microseconds since 1970 UTC, places in pixels
    """

    instants: tuple[int, ...]
    places: tuple[float, ...]
    cuts: frozenset[int]

    def place(self, at: int) -> float:
        """Where an instant stands; before the first and after the last it stands at the end."""
        if at <= self.instants[0]:
            return self.places[0]
        if at >= self.instants[-1]:
            return self.places[-1]
        before = bisect_right(self.instants, at) - 1
        gap = self.instants[before + 1] - self.instants[before]
        share = (at - self.instants[before]) / gap
        return self.places[before] + share * (self.places[before + 1] - self.places[before])


def scale_of(instants: Iterable[int], left: float, right: float) -> Scale:
    """Lay instants out between two places, keeping neighbours apart and cutting gaps that dwarf the others."""
    ordered = tuple(sorted(set(instants)))
    gaps = [after - before for before, after in pairwise(ordered)]
    if not gaps:
        return Scale(ordered or (0,), ((left + right) / 2,), frozenset())
    cuts = _cuts(gaps)
    widths = _widths(gaps, cuts, right - left)
    places = [left]
    for width in widths:
        places.append(places[-1] + width)
    return Scale(ordered, tuple(places), cuts)


def _cuts(gaps: list[int]) -> frozenset[int]:
    """The gaps to cut: long ones, each several times all that remains beside it."""
    rest = sorted(range(len(gaps)), key=lambda index: -gaps[index])
    cuts = set()
    total = sum(gaps)
    while len(rest) > 1:
        largest = gaps[rest[0]]
        total -= largest
        if largest < _LONG or largest < _LONGER_THAN_THE_REST * total:
            break
        cuts.add(rest.pop(0))
    return frozenset(cuts)


def _widths(gaps: list[int], cuts: frozenset[int], room: float) -> list[float]:
    """Cut gaps get one width; the others share the rest by length, none below a least step."""
    whole = [index for index in range(len(gaps)) if index not in cuts]
    cut_width = min(max(room / (len(gaps) + 2), _BREAK_WIDTH[0]), _BREAK_WIDTH[1], room / (len(cuts) + 2))
    free = room - cut_width * len(cuts)
    least = min(_LEAST_STEP, free / len(whole))
    spare = free - least * len(whole)
    length = sum(gaps[index] for index in whole)
    return [cut_width if index in cuts else least + spare * gap / length for index, gap in enumerate(gaps)]
