"""Small pictures beside numbers: a sparkline of conflicts by hour, a strip of a source's day.

What enters: counts by hour, or slots with a status.
What leaves: inline SVG with classes only.
The next room: the pages of rules, alerts and sources.
"""

from collections.abc import Mapping, Sequence
from html import escape

from coordwatch.adapters.pages.words import number_words
from coordwatch.alerts.words import time_words
from coordwatch.events.times import HOUR

_SLOT_HEIGHTS: Mapping[str, tuple[int, int]] = {"read": (6, 8), "late": (2, 12), "dark": (0, 16), "idle": (13, 2)}

_STEP = 2


def sparkline(hours: Sequence[tuple[int, int, int]], until: int, span: int = 48) -> str:
    """Conflicts by hour over the last `span` hours as bars, with the largest number written beside them.

    Takes: (hour, acts, detections); hours since 1970 UTC. Units: `until` in hours since 1970 UTC
    """
    by_hour = {hour: max(detections, 0) for hour, _, detections in hours}
    counts = [by_hour.get(hour, 0) for hour in range(until - span + 1, until + 1)]
    top, total = max(counts, default=0), sum(counts)
    words = f"{number_words(total)} conflicts in the last {span} hours, at most {number_words(top)} in one hour"
    step, high = 3, 22
    bars = "".join(
        f'<rect x="{index * step}" y="{_n(high - height)}" width="2" height="{_n(height)}"/>'
        for index, count in enumerate(counts)
        if (height := high * count / top if top else 0)
    )
    width = span * step
    return (
        f'<svg class="spark" viewBox="0 0 {width} {high + 1}" width="{width}" height="{high + 1}" role="img" '
        f'aria-label="{escape(words)}"><title>{escape(words)}</title>'
        f'<path class="rule" d="M0 {high + 0.5}H{width}"/>{bars}</svg>'
    )


def strip(slots: Sequence[tuple[int, str]], name: str) -> str:
    """A source's last day: each slot read, late, dark or idle, told apart by height as well as by colour."""
    if not slots:
        return ""
    counts = {status: sum(1 for _, one in slots if one == status) for status in _SLOT_HEIGHTS}
    words = f"{name} since {time_words(slots[0][0])}: " + ", ".join(
        f"{status} {100 * count // len(slots)} %" for status, count in counts.items() if count
    )
    bars = "".join(
        f'<rect class="{status}" x="{first * _STEP}" y="{top}" width="{many * _STEP}" height="{height}">'
        f"<title>{escape(status)} from {escape(time_words(slots[first][0]))}</title></rect>"
        for first, many, status in _runs([status for _, status in slots])
        for top, height in [_SLOT_HEIGHTS[status]]
    )
    width = len(slots) * _STEP
    return (
        f'<svg class="strip" viewBox="0 0 {width} 16" width="{width}" height="16" role="img" '
        f'aria-label="{escape(words)}"><title>{escape(words)}</title>{bars}</svg>'
    )


def _runs(statuses: Sequence[str]) -> list[tuple[int, int, str]]:
    """Stretches of one status: where each begins, how long it is, and the status."""
    runs: list[tuple[int, int, str]] = []
    for index, word in enumerate(statuses):
        status = word if word in _SLOT_HEIGHTS else "idle"
        if runs and runs[-1][2] == status:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1, status)
        else:
            runs.append((index, 1, status))
    return runs


def hour_of(at: int) -> int:
    """The hour an instant lies in. Units: microseconds since 1970 UTC in, hours since 1970 UTC out."""
    return at // HOUR


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
