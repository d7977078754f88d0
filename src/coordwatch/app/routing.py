"""The way of alerts put together: from what the settings write to the tree that is walked.

What enters: checked Settings. What leaves: the first Route, or None where each channel says itself what it takes.
The next rooms: `one_process` and `worker_side`; the command line, which explains it.
"""

from collections.abc import Mapping
from dataclasses import replace

from coordwatch.alerts.matchers import parse_all
from coordwatch.notify.hours import Hours, Span
from coordwatch.notify.route import Escalation, Receiver, Route
from coordwatch.rules.calendars import zone_named
from coordwatch.settings import Settings
from coordwatch.settings.routing import (
    INBOX,
    HoursSettings,
    RouteSettings,
    SpanSettings,
    minutes_of,
    month_day_range,
    month_range,
    weekday_range,
    year_range,
)


def route_of(settings: Settings) -> Route | None:
    """The tree of the settings."""
    if settings.route is None:
        return None
    receivers = {INBOX: Receiver(INBOX)}
    receivers |= {one.name: Receiver(one.name, (one.name,)) for one in settings.channels}
    receivers |= {one.name: Receiver(one.name, tuple(one.channels)) for one in settings.receivers}
    hours = hours_of(settings)
    return _node(settings.route, "route", Route("", receivers[INBOX]), receivers, hours)


def hours_of(settings: Settings) -> Mapping[str, Hours]:
    """The time intervals of the settings by name."""
    return {one.name: _hours(one) for one in settings.time_intervals}


def _node(
    written: RouteSettings, path: str, above: Route, receivers: Mapping[str, Receiver], hours: Mapping[str, Hours]
) -> Route:
    node = Route(
        path=path,
        receiver=above.receiver if written.receiver is None else receivers[written.receiver],
        matchers=parse_all(written.matchers),
        goes_on=written.goes_on,
        active=tuple(hours[one] for one in written.active_time_intervals),
        mute=tuple(hours[one] for one in written.mute_time_intervals),
        escalate=above.escalate
        if written.escalate is None
        else tuple(Escalation(one.after, receivers[one.receiver]) for one in written.escalate),
        group_by=above.group_by if written.group_by is None else written.group_by,
        group_wait=above.group_wait if written.group_wait is None else written.group_wait,
    )
    below = tuple(
        _node(one, f"{path}.routes[{place}]", node, receivers, hours) for place, one in enumerate(written.routes)
    )
    return replace(node, routes=below)


def _hours(written: HoursSettings) -> Hours:
    return Hours(written.name, tuple(_span(one) for one in written.time_intervals))


def _span(written: SpanSettings) -> Span:
    zone = zone_named(written.location)
    assert zone is not None, "the settings were checked"
    return Span(
        zone=zone,
        times=tuple((minutes_of(one.start_time), minutes_of(one.end_time)) for one in written.times),
        weekdays=tuple(weekday_range(one) for one in written.weekdays),
        days=tuple(month_day_range(one) for one in written.days_of_month),
        months=tuple(month_range(one) for one in written.months),
        years=tuple(year_range(one) for one in written.years),
    )
