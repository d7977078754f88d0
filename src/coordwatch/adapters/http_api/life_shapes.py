"""The shapes of silences as JSON shows them, and as people ask for them.

What enters: Silences, bodies from outside.
What leaves: pydantic models, Drafts.
The next room: `silences`, which answers with them.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from coordwatch.adapters.http_api.problems import Refused
from coordwatch.adapters.http_api.shapes import Shape
from coordwatch.alerts.matchers import MATCHERS_MAX, TEXT_MAX, parse_all
from coordwatch.alerts.silence import Draft, Silence
from coordwatch.events.times import parse_duration, parse_time, to_datetime

_Actor = Annotated[str | None, Field(min_length=1, max_length=80)]
_When = Annotated[str, Field(max_length=40)]


class MatcherItem(Shape):
    """One matcher, in Alertmanager's words."""

    name: str
    value: str
    is_regex: bool
    is_equal: bool


class SilenceItem(Shape):
    """One silence; `text` is its matchers as they are written."""

    id: str
    state: str
    matchers: list[MatcherItem]
    text: str
    starts_at: datetime
    ends_at: datetime
    created_by: str
    created_at: datetime
    comment: str
    version: int
    updated_by: str
    updated_at: datetime


class SilencePage(Shape):
    """A page of silences; `next` is the cursor of the next page, null on the last."""

    items: list[SilenceItem]
    next: str | None


class SilenceBody(Shape):
    """What to silence. Each text holds matchers such as `severity=low, tool=~"Jour.*"`; all of them must hold.

    `starts_at` is RFC 3339, by default now; `ends_at` the same, or a duration after the start, such as `2h`.
    """

    matchers: Annotated[list[Annotated[str, Field(max_length=TEXT_MAX)]], Field(min_length=1, max_length=MATCHERS_MAX)]
    ends_at: _When
    comment: Annotated[str, Field(min_length=1, max_length=500, description="why: whoever is on call next will ask")]
    starts_at: _When | None = None
    actor: _Actor = None


class ExpireBody(Shape):
    """Who ends it; `version` is the one that was seen, where there is no If-Match."""

    version: int | None = None
    actor: _Actor = None


def silence_item(silence: Silence, now: int) -> SilenceItem:
    """A silence as JSON shows it."""
    return SilenceItem(
        id=silence.id,
        state=silence.state(now).value,
        matchers=[
            MatcherItem(name=one.name, value=one.value, is_regex=one.is_regex, is_equal=one.is_equal)
            for one in silence.matchers
        ],
        text=", ".join(map(str, silence.matchers)),
        starts_at=to_datetime(silence.starts_at),
        ends_at=to_datetime(silence.ends_at),
        created_by=silence.created_by,
        created_at=to_datetime(silence.created_at),
        comment=silence.comment,
        version=silence.version,
        updated_by=silence.updated_by,
        updated_at=to_datetime(silence.updated_at),
    )


def silence_draft(body: SilenceBody, now: int, before: Silence | None) -> Draft:
    """What is asked for.

    Raises: Refused for a time that is none; BadMatcher
    """
    begins = now if before is None else before.starts_at
    starts_at = begins if body.starts_at is None else _instant("starts_at", body.starts_at, now)
    ends_at = _instant("ends_at", body.ends_at, max(starts_at, now))
    return Draft(parse_all(body.matchers), starts_at, ends_at, body.comment)


def _instant(field: str, text: str, after: int) -> int:
    try:
        return after + parse_duration(text)
    except ValueError:
        pass
    try:
        return parse_time(text)
    except ValueError:
        raise Refused(422, f"{field}: '{text}' is neither a duration such as 2h nor an RFC 3339 time") from None
