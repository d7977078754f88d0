"""Inhibition: one alert says already what another one would say. Rules in Alertmanager's words, written in the settings.

What enters: rules, the labels of an alert, those of alerts that are not over.
What leaves: which rule and which alert hold it back.
The next room: `notify`, where that is the reason that nobody is told.
"""

from dataclasses import dataclass

from coordwatch.alerts.labels import Labels
from coordwatch.alerts.matchers import Matcher, all_hold


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """While an alert that `source` takes is not over, those that `target` takes and that are `equal` to it are not told."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def takes(self, target: Labels) -> bool:
        """Whether an alert can be held back by it."""
        return all_hold(self.target, target)

    def inhibits(self, source: Labels, target: Labels) -> bool:
        """Whether one alert holds another one back.

        Two alerts that are both sides at once hold each other back never, as in Alertmanager: somebody must be told.
        """
        if not self.takes(target) or not all_hold(self.source, source):
            return False
        if all_hold(self.source, target) and self.takes(source):
            return False
        return all(_alike(source, target, name) for name in self.equal)


def _alike(source: Labels, target: Labels, name: str) -> bool:
    """Whether both have a value of a label in common, or neither has one; `tool` has two, either will do."""
    mine, theirs = (set(labels.get(name) or ("",)) for labels in (source, target))
    return not mine.isdisjoint(theirs)
