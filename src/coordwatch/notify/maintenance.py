"""Maintenance: windows that come again and again, in which some alerts are expected and nobody is told of them.

What enters: windows, the labels of an alert, the present.
What leaves: the window that holds it back, and until when.
The next room: `holds`, which says it in words.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from coordwatch.alerts.labels import Labels
from coordwatch.alerts.matchers import Matcher, all_hold
from coordwatch.notify.hours import Hours, opens_at


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A window with a name: which alerts, at which hours, and why."""

    name: str
    matchers: tuple[Matcher, ...]
    mute: tuple[Hours, ...]
    comment: str

    def holds(self, labels: Labels, now: int) -> bool:
        """Whether it holds an alert back. Units: microseconds since 1970 UTC."""
        return any(one.holds(now) for one in self.mute) and all_hold(self.matchers, labels)

    def ends(self, now: int) -> int | None:
        """When it is over; None when it is not within a year. Units: microseconds since 1970 UTC."""
        return opens_at((), self.mute, now)


def muted_by(windows: Iterable[Maintenance], labels: Labels, now: int) -> Maintenance | None:
    """The window that holds an alert back, the first one of the settings; None when none does."""
    return next((one for one in windows if one.holds(labels, now)), None)
