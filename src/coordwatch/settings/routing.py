"""The way of alerts, as the settings write it: a tree of routes, receivers, hours; in Alertmanager's words.

Written values enter; frozen parts, or every reason why they cannot be so with its place, leave. The next room: `app`, which
makes of them the tree that `notify.route` walks.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal, Protocol, TypeVar

from pydantic import AfterValidator, Field, model_validator

from coordwatch.alerts.matchers import BadMatcher, parse_matchers
from coordwatch.documents import nearest
from coordwatch.events.times import DAY, MINUTE, SECOND
from coordwatch.rules.calendars import zone_named
from coordwatch.settings.parts import Duration, Part, twice

INBOX = "inbox"
"""The receiver that every site has: no channel, the inbox alone."""
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_. -]{0,47}$"
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_SEVERAL = 50
T = TypeVar("T")
Location = tuple[int | str, ...]


def _matcher(text: str) -> str:
    try:
        parse_matchers(text)
    except BadMatcher as error:
        raise ValueError(str(error)) from None
    return text


MatcherText = Annotated[str, AfterValidator(_matcher)]


def minutes_of(text: str) -> int:
    """The minute of the day of `09:00`; `24:00` is the end of a day.

    Raises: ValueError
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text[:20]}' is no time of day: write 09:00, or 24:00 for the end of a day")
    hours, minutes = (one for one in found.groups() if one is not None)
    return int(hours) * 60 + int(minutes)


def range_of(text: str, words: Sequence[str], first: int, low: int, high: int) -> tuple[int, int]:
    """Both ends of `monday:friday`, `1:15`, `-3:-1` or `may`; words are counted from `first`.

    Raises: ValueError for what lies outside, or runs backwards
    """
    begin, colon, end = text.strip().lower().partition(":")
    both = [_end(one.strip(), words, first) for one in (begin, end if colon else begin)]
    for one in both:
        if one is None or (one == 0 and low < 0) or not low <= one <= high:
            known = f"{words[0]} to {words[-1]}" if words else f"{low} to {high}"
            raise ValueError(f"'{text[:40]}' is no range here: {known}, alone or as FIRST:LAST")
    start, stop = (one for one in both if one is not None)
    if start > stop and (start < 0) == (stop < 0):
        raise ValueError(f"'{text[:40]}' runs backwards: write it as two ranges")
    return start, stop


def _end(text: str, words: Sequence[str], first: int) -> int | None:
    if text in words:
        return words.index(text) + first
    # Weekdays have names only, as in Alertmanager; months have both.
    numbers = not words or words is MONTHS
    return int(text) if numbers and re.fullmatch(r"-?[0-9]{1,4}", text) else None


def weekday_range(text: str) -> tuple[int, int]:
    """Days of the week, from Monday, 0. Raises: ValueError."""
    return range_of(text, WEEKDAYS, 0, 0, 6)


def month_day_range(text: str) -> tuple[int, int]:
    """Days of the month, from its end when negative. Raises: ValueError."""
    return range_of(text, (), 0, -31, 31)


def month_range(text: str) -> tuple[int, int]:
    """Months, from January, 1. Raises: ValueError."""
    return range_of(text, MONTHS, 1, 1, 12)


def year_range(text: str) -> tuple[int, int]:
    """Years. Raises: ValueError."""
    return range_of(text, (), 0, 1970, 9999)


class _Reads(Protocol):
    def __call__(self, text: str) -> object: ...


def _checked(read: _Reads) -> AfterValidator:
    def check(text: str) -> str:
        read(text)
        return text

    return AfterValidator(check)


def _zone(text: str) -> str:
    if zone_named(text) is None:
        raise ValueError(f"'{text[:40]}' is no time zone: write an IANA name such as Europe/Berlin, or UTC")
    return text


def _not_empty(several: tuple[T, ...]) -> tuple[T, ...]:
    if not 1 <= len(several) <= _SEVERAL:
        raise ValueError(f"write 1 to {_SEVERAL} of them")
    return several


class TimesSettings(Part):
    """A part of a day: from `start_time`, to before `end_time`."""

    start_time: Annotated[str, _checked(minutes_of)]
    end_time: Annotated[str, _checked(minutes_of)]

    @model_validator(mode="after")
    def _forward(self) -> "TimesSettings":
        if minutes_of(self.start_time) >= minutes_of(self.end_time):
            raise ValueError(
                "'end_time' lies behind 'start_time'; hours over midnight are two parts: to 24:00, from 00:00"
            )
        return self


class SpanSettings(Part):
    """Which instants are meant: all that is written must hold, of each list one range."""

    times: tuple[TimesSettings, ...] = ()
    weekdays: tuple[Annotated[str, _checked(weekday_range)], ...] = ()
    days_of_month: tuple[Annotated[str, _checked(month_day_range)], ...] = ()
    months: tuple[Annotated[str, _checked(month_range)], ...] = ()
    years: tuple[Annotated[str, _checked(year_range)], ...] = ()
    location: Annotated[str, AfterValidator(_zone)] = "UTC"


class HoursSettings(Part):
    """Hours with a name, for `active_time_intervals` and `mute_time_intervals`."""

    name: Annotated[str, Field(pattern=_NAME)]
    time_intervals: Annotated[tuple[SpanSettings, ...], AfterValidator(_not_empty)]


class ReceiverSettings(Part):
    """A name for several channels at once."""

    name: Annotated[str, Field(pattern=_NAME)]
    channels: Annotated[tuple[str, ...], AfterValidator(_not_empty)]


class EscalationSettings(Part):
    """Who is told when nobody has acknowledged so long after somebody was told."""

    after: Duration
    receiver: str

    @model_validator(mode="after")
    def _within(self) -> "EscalationSettings":
        if not MINUTE <= self.after <= 7 * DAY:
            raise ValueError("'after' is between 1m and 7d")
        return self


class RouteSettings(Part):
    """One node of the tree. What a route does not say it has from the one above, but for its hours."""

    receiver: str | None = None
    matchers: tuple[MatcherText, ...] = ()
    goes_on: Annotated[bool, Field(alias="continue")] = False
    group_by: (
        tuple[Literal["rule", "severity", "owner", "customer", "act_tool", "evidence_tool", "campaign"], ...] | None
    ) = None
    group_wait: Duration | None = None
    active_time_intervals: tuple[str, ...] = ()
    mute_time_intervals: tuple[str, ...] = ()
    escalate: tuple[EscalationSettings, ...] | None = None
    routes: tuple["RouteSettings", ...] = ()

    @model_validator(mode="after")
    def _gathers(self) -> "RouteSettings":
        if self.group_wait is not None and not SECOND <= self.group_wait <= DAY:
            raise ValueError("'group_wait' is between 1s and 1d")
        return self


class Routed(Protocol):
    """What of the settings the way of alerts is made of."""

    @property
    def route(self) -> RouteSettings | None: ...

    @property
    def receivers(self) -> tuple[ReceiverSettings, ...]: ...

    @property
    def time_intervals(self) -> tuple[HoursSettings, ...]: ...

    @property
    def maintenance(self) -> Sequence[object]: ...


def wrong_with_routing(
    site: Routed, channels: Sequence[str], matching: Sequence[int]
) -> Iterator[tuple[Location, str]]:
    """What of the way cannot stand together, each with its place in the settings.

    Takes: the channels by name, and the places of those that have a `match` of their own
    """
    names = [one.name for one in site.receivers]
    for place, one in enumerate(site.receivers):
        if one.name in channels or one.name == INBOX or names.index(one.name) != place:
            yield (
                ("receivers", place, "name"),
                f"'{one.name}' is a receiver already: channels are receivers, and so is 'inbox'",
            )
        for index, channel in enumerate(one.channels):
            if channel not in channels:
                yield ("receivers", place, "channels", index), _unknown("channel", channel, channels)
    for name in twice(one.name for one in site.time_intervals):
        yield ("time_intervals",), f"two time intervals are called '{name}': give each its own name"
    root = site.route
    if root is None:
        if site.receivers:
            yield ("receivers",), "'receivers' are for a 'route', and there is none: write 'route: {receiver: ...}'"
        if site.time_intervals and not site.maintenance:
            yield (
                ("time_intervals",),
                "'time_intervals' are for a 'route' or for 'maintenance', and there is neither: write 'route: {receiver: ...}'",
            )
        return
    for place in matching:
        yield (
            ("channels", place, "match"),
            "with a 'route' it is said there which alerts go where: take this 'match' away",
        )
    if root.receiver is None:
        yield ("route",), "the first route needs a 'receiver': whatever no other route takes goes there"
    for name in ("matchers", "active_time_intervals", "mute_time_intervals"):
        if getattr(root, name):
            yield ("route", name), f"the first route takes every alert at every hour: put '{name}' on a route below it"
    known = [*channels, *names, INBOX]
    hours = [one.name for one in site.time_intervals]
    yield from _wrong_with_route(root, ("route",), known, hours)


def _wrong_with_route(
    route: RouteSettings, at: Location, known: Sequence[str], hours: Sequence[str]
) -> Iterator[tuple[Location, str]]:
    if route.receiver is not None and route.receiver not in known:
        yield (*at, "receiver"), _unknown("receiver", route.receiver, known)
    for name in ("active_time_intervals", "mute_time_intervals"):
        for index, one in enumerate(getattr(route, name)):
            if one not in hours:
                yield (*at, name, index), _unknown("time interval", one, hours)
    before = 0
    for index, step in enumerate(route.escalate or ()):
        place = (*at, "escalate", index)
        if step.receiver not in known:
            yield (*place, "receiver"), _unknown("receiver", step.receiver, known)
        elif step.receiver == INBOX:
            yield (*place, "receiver"), "the inbox calls nobody: name a channel or a receiver with channels"
        if step.after <= before:
            yield (
                (*place, "after"),
                "each step comes later than the one before: 'after' counts from when the alert was told",
            )
        before = step.after
    for index, one in enumerate(route.routes):
        yield from _wrong_with_route(one, (*at, "routes", index), known, hours)


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = nearest(name, names)
    hint = f"did you mean '{close}'?" if close else f"there are: {', '.join(names) or 'none'}"
    return f"no {what} is called '{name[:48]}'; {hint}"
