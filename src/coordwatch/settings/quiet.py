"""What holds alerts back for good reasons, as the settings write it: inhibition and maintenance, in Alertmanager's words.

Written values enter; frozen parts, or every reason why they cannot be so, leave. The next room: `app`, which makes of them what
is asked before somebody is told.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from coordwatch.alerts.labels import LABELS
from coordwatch.alerts.matchers import parse_all, take_everything
from coordwatch.documents import nearest
from coordwatch.settings.parts import Part, twice
from coordwatch.settings.routing import Location, MatcherText

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_. -]{0,47}$"
_MOST = 50


def _label(name: str) -> str:
    if name not in LABELS:
        close = nearest(name, LABELS)
        hint = f"did you mean '{close}'?" if close else f"the labels are: {', '.join(LABELS)}"
        raise ValueError(f"no alert has a label '{name[:40]}'; {hint}")
    return name


Matchers = Annotated[tuple[MatcherText, ...], Field(min_length=1, max_length=_MOST)]


class InhibitSettings(Part):
    """While an alert that the source matchers take is not over, nobody is told of those that the target matchers take.

    Only where both are `equal` in these labels.
    """

    source_matchers: Matchers
    target_matchers: Matchers
    equal: tuple[Annotated[str, AfterValidator(_label)], ...] = ()


class MaintenanceSettings(Part):
    """Hours that come again and again, in which some alerts are expected: nobody is told of them, and `comment` says why."""

    name: Annotated[str, Field(pattern=_NAME)]
    matchers: Matchers
    mute_time_intervals: Annotated[tuple[str, ...], Field(min_length=1, max_length=_MOST)]
    comment: Annotated[str, Field(min_length=1, max_length=500)]


def wrong_with_quiet(
    inhibit: Sequence[InhibitSettings], maintenance: Sequence[MaintenanceSettings], hours: Sequence[str]
) -> Iterator[tuple[Location, str]]:
    """What of it cannot stand together, each with its place in the settings. Takes: the time intervals by name."""
    for name in twice(one.name for one in maintenance):
        yield ("maintenance",), f"two windows are called '{name}': give each its own name"
    for place, window in enumerate(maintenance):
        if take_everything(parse_all(window.matchers)):
            yield (
                ("maintenance", place, "matchers"),
                "these take every alert: at least one must ask for something, such as tool=Stockroom",
            )
        for index, one in enumerate(window.mute_time_intervals):
            if one not in hours:
                close = nearest(one, hours)
                hint = f"did you mean '{close}'?" if close else f"there are: {', '.join(hours) or 'none'}"
                place_of = ("maintenance", place, "mute_time_intervals", index)
                yield place_of, f"no time interval is called '{one[:48]}'; {hint}"
    for place, rule in enumerate(inhibit):
        for name in ("source_matchers", "target_matchers"):
            if take_everything(parse_all(getattr(rule, name))):
                yield ("inhibit_rules", place, name), "these take every alert: at least one must ask for something"
