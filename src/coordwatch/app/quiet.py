"""What holds alerts back, put together from the settings: inhibition and maintenance.

What enters: checked Settings. What leaves: rules and windows of the core.
The next room: `channels`, which asks them before somebody is told.
"""

from coordwatch.alerts.inhibition import InhibitRule
from coordwatch.alerts.matchers import parse_all
from coordwatch.app.routing import hours_of
from coordwatch.notify.holds import Quiet
from coordwatch.notify.maintenance import Maintenance
from coordwatch.settings import Settings


def quiet_of(settings: Settings) -> Quiet:
    """What the settings say holds alerts back."""
    hours = hours_of(settings)
    rules = [
        InhibitRule(parse_all(one.source_matchers), parse_all(one.target_matchers), one.equal)
        for one in settings.inhibit_rules
    ]
    windows = [
        Maintenance(
            one.name, parse_all(one.matchers), tuple(hours[name] for name in one.mute_time_intervals), one.comment
        )
        for one in settings.maintenance
    ]
    return Quiet(tuple(rules), tuple(windows))
