"""The frame around every page: templates, navigation, the top bar, headers.

What enters: a request, a template's name and the page's own values.
What leaves: a response that needs nothing from outside.
The next room: the person's browser.
"""

import gzip
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from coordwatch.access.principal import Principal
from coordwatch.access.roles import Permission
from coordwatch.adapters.pages.chart import hour_of
from coordwatch.adapters.pages.guard import HEADERS
from coordwatch.adapters.pages.look import COOKIE, look_of
from coordwatch.adapters.pages.static import StaticFiles, accepts_gzip
from coordwatch.adapters.pages.words import (
    age_words,
    exact_words,
    number_words,
    percent_words,
    plural,
    rate_words,
    short_key,
    short_words,
)
from coordwatch.alerts.words import attribution_words
from coordwatch.clock import Clock
from coordwatch.events.times import format_time
from coordwatch.events.words import duration_words
from coordwatch.ports import AlertReader, AlertRow, RuleCounts, SourceView
from coordwatch.rules.detection import Attribution
from coordwatch.rules.spec import RuleSpec

_TEMPLATES = Path(__file__).with_name("templates")
# What the rail leads to, and what somebody must be allowed to see it.
NOUNS = (
    ("Inbox", "/", Permission.READ), ("Incidents", "/incidents", Permission.READ), ("Customers", "/customers", Permission.READ), ("Rules", "/rules", Permission.READ),
    ("Tools", "/tools", Permission.READ), ("Sources", "/sources", Permission.READ),
    ("Silences", "/silences", Permission.READ), ("Audit", "/audit", Permission.AUDIT),
    ("Settings", "/settings", Permission.ADMIN),
)  # fmt: skip
_SHAPES = {
    "critical": "M6 0 12 6 6 12 0 6Z",
    "high": "M6 1 12 11.5H0Z",
    "medium": "M1 1H11V11H1Z",
    "low": "M6 1.5a4.5 4.5 0 1 0 .01 0Zm0 2a2.5 2.5 0 1 1-.01 0Z",
}
_SURGE_TIMES, _SURGE_LEAST = 3, 10


@dataclass(frozen=True, slots=True)
class Mood:
    """Calm or surge: conflicts in the last hour against the usual hour of the last day."""

    is_surge: bool
    now: int
    usual: float

    @property
    def words(self) -> str:
        """The mood in the top bar."""
        if self.is_surge:
            return f"surge: {plural(self.now, 'conflict')} in the last hour, usually {self.usual:.0f}"
        return f"calm: {plural(self.now, 'conflict')} in the last hour"


def mood_of(counts: Sequence[RuleCounts], now: int) -> Mood:
    """Whether the last hour is several times the usual one. Units: `now` in microseconds since 1970 UTC."""
    by_hour: dict[int, int] = {}
    for rule in counts:
        for hour, _, detections in rule.hours:
            by_hour[hour] = by_hour.get(hour, 0) + detections
    this = hour_of(now)
    last = max(by_hour.get(this, 0), by_hour.get(this - 1, 0))
    before = [by_hour.get(hour, 0) for hour in range(this - 25, this - 1)]
    usual = sum(before) / len(before)
    return Mood(last >= _SURGE_LEAST and last >= _SURGE_TIMES * usual and usual > 0, last, usual)


class Shell:
    """Renders templates in the frame. It reads what the top bar shows anew for every page."""

    def __init__(
        self,
        reader: AlertReader,
        sources: Callable[[], Sequence[SourceView]],
        clock: Clock,
        static: StaticFiles,
        rules: Mapping[str, RuleSpec],
    ) -> None:
        self._reader, self._sources, self._clock = reader, sources, clock
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip
        self._environment.globals.update(
            asset=static.address,
            severity=severity_mark,
            attribution=attribution_of,
            absence=lambda row, now: absence_of(row, rules.get(row.rule), now),
            exact=exact_words,
            iso=format_time,
        )
        self._environment.filters.update(
            number=number_words,
            duration=duration_words,
            prose=prose,
            short=short_key,
            age=age_words,
            segment=lambda text: quote(str(text), safe=""),
        )
        self._environment.globals.update(rate=rate_words, plural=plural, percent=percent_words)

    def now(self) -> int:
        """The present on the alerts' own axis, in microseconds since 1970 UTC."""
        return self._clock.now()

    def page(
        self, request: Request, template: str, values: Mapping[str, Any] | None = None, status: int = 200
    ) -> Response:
        """A whole page. Takes: `values` are the template's own; `status` is the HTTP status."""
        now = self.now()
        frame: dict[str, Any] = {
            "now": now,
            "when": lambda at: when(at, now),
            "look": look_of(request.cookies.get(COOKIE)),
            "path": request.url.path,
            "here": _here(request),
            "search": "",
            "nouns": shown_nouns(getattr(request.state, "who", None)),
            "who": getattr(request.state, "who", None),
            **self._top_bar(now),
        }
        text = self._environment.get_template(template).render({**frame, **(values or {})})
        return _response(request, text.encode("utf-8"), status)

    def nothing(self, request: Request, status: int, message: str, back: str) -> Response:
        """A page that says what is not there or did not work, and where to go. Takes: `back` is a path on this site."""
        return self.page(request, "nothing.html", {"message": message, "back": back}, status)

    def _top_bar(self, now: int) -> dict[str, Any]:
        try:
            return {
                "dark": [source.name for source in self._sources() if source.status == "dark"],
                "mood": mood_of(self._reader.rule_counts(), now),
                "totals": self._reader.alert_totals(),
            }
        except Exception:
            # The page that says what is wrong needs a frame too.
            return {"dark": [], "mood": None, "totals": {}}


def shown_nouns(who: Principal | None) -> list[tuple[str, str]]:
    """What the rail leads to for somebody; for whoever is at this machine and has no name, everything."""
    return [(noun, address) for noun, address, need in NOUNS if who is None or who.may(need)]


def _here(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _response(request: Request, body: bytes, status: int) -> Response:
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {
        **HEADERS,
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Encoding, Cookie",
        "ETag": etag,
    }
    if status == 200 and request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, 5, mtime=0)
    return Response(body, status, headers=headers, media_type="text/html; charset=utf-8")


def when(at: int | None, now: int) -> Markup:
    """An instant as its age, with the exact time in the tooltip and in print. Units: microseconds since 1970 UTC."""
    if at is None:
        return Markup("never")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        format_time(at), exact_words(at), age_words(now, at)
    )


def severity_mark(word: str) -> Markup:
    """A severity as a shape and a word; the colour comes from its class."""
    shape = _SHAPES.get(word, _SHAPES["low"])
    css = word if word in _SHAPES else "low"
    return Markup(
        '<span class="sev {}"><svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><path d="{}"/></svg>'
        "{}</span>"
    ).format(css, shape, word)


def attribution_of(row: AlertRow) -> str:
    """Whether the acting tool could have known, in words; empty for an absence."""
    known = {attribution.value: attribution for attribution in Attribution}
    attribution = known.get(row.attribution, Attribution.NOT_APPLICABLE)
    return attribution_words(attribution, row.known_for)


def absence_of(row: AlertRow, spec: RuleSpec | None, now: int) -> Markup:
    """What a list says in place of an attribution when something that was due did not happen."""
    due = spec.expect.matches if spec and spec.expect else ()
    sent = due and all(match.event.startswith("marketing.message.") for match in due)
    return Markup('{} by <time class="clock" datetime="{}" title="{}">{}</time>').format(
        "not sent" if sent else "not done", format_time(row.at), exact_words(row.at), short_words(row.at, now)
    )


def prose(text: str) -> Markup:
    """Text that an author wrote, with words in backticks as code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if index % 2 else escape(piece) for index, piece in enumerate(pieces)
    )
