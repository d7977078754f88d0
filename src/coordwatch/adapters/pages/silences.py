"""Silences for people: which hold alerts back now, making one from an alert with a look at what it would hold, ending one.

What enters: requests, forms, the SilenceDesk.
What leaves: pages; silences made and ended.
The next room: `router`, which gives them their addresses.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from coordwatch.access.masking import mask_text
from coordwatch.access.principal import hides
from coordwatch.adapters.pages.act import actor_of
from coordwatch.adapters.pages.context import PagesContext
from coordwatch.adapters.pages.guard import FormRefused, going, read_form
from coordwatch.adapters.pages.shell import Shell
from coordwatch.adapters.pages.words import number_words, plural
from coordwatch.alerts.alert import ActionRefused, VersionConflict
from coordwatch.alerts.labels import LABELS, Labels, industries_in
from coordwatch.alerts.matchers import BadMatcher, Matcher, Operator, all_hold, matcher, matchers_text, parse_matchers
from coordwatch.alerts.silence import BadSilence, Draft, SilenceState
from coordwatch.errors import TemporaryError
from coordwatch.events.times import DAY, HOUR
from coordwatch.ports import AlertRow, SilenceDesk
from coordwatch.rules.spec import RuleSpec

LENGTHS: Mapping[str, tuple[str, int]] = {
    "1h": ("for 1 hour", HOUR),
    "4h": ("for 4 hours", 4 * HOUR),
    "12h": ("for 12 hours", 12 * HOUR),
    "1d": ("for 1 day", DAY),
    "7d": ("for 7 days", 7 * DAY),
    "30d": ("for 30 days", 30 * DAY),
}
_LOOKED_AT = 5_000
_AT_ONCE = 1_000
_SHOWN = 20
_EXPIRED_MOST = 50
# What the reader can look for by itself, so that a preview does not read every alert there is.
_ASKED = ("rule", "severity", "tool", "act_tool", "evidence_tool", "campaign", "customer", "attribution")


@dataclass(frozen=True, slots=True)
class Preview:
    """What matchers would hold back of what is open now; `is_part` when there was more than was looked at."""

    rows: Sequence[AlertRow]
    count: int
    is_part: bool

    @property
    def words(self) -> str:
        """The preview in a sentence."""
        if not self.count:
            return "No alert that is open now is like this. It would hold back those that come."
        more = f" of the newest {number_words(_LOOKED_AT)} that are open" if self.is_part else ""
        verb = "is" if self.count == 1 else "are"
        return f"{plural(self.count, 'open alert')}{more} {verb} like this; nobody would be told of them, or of those that come."


@dataclass(frozen=True, slots=True)
class Wish:
    """What the form says so far."""

    matchers: str
    length: str
    comment: str


class SilencePages:
    """The endpoints of silences."""

    def __init__(self, context: PagesContext, desk: SilenceDesk, shell: Shell) -> None:
        self._context, self._desk, self._shell = context, desk, shell

    def list(self, request: Request) -> Response:
        """Every silence, those that are active first."""
        now = self._shell.now()
        silences = self._desk.silences(now)
        lines = [(one, one.state(now).value, matchers_text(one.matchers)) for one in silences]
        live = [line for line in lines if line[1] != SilenceState.EXPIRED]
        values = {
            "summary": _summary([one.state(now) for one in silences]),
            "live": live,
            "expired": [line for line in lines if line[1] == SilenceState.EXPIRED][:_EXPIRED_MOST],
            "ended": request.query_params.get("done") == "end",
            "made": request.query_params.get("done") == "make",
        }
        return self._shell.page(request, "silences.html", values)

    def make(self, request: Request) -> Response:
        """The form, filled from an alert or from the address, with what it would hold back."""
        asked = request.query_params
        wish = Wish(asked.get("matchers", "")[:2000], _length(asked.get("length")), asked.get("comment", "")[:500])
        row = self._row(asked.get("alert"))
        if row is not None and not wish.matchers:
            wish = Wish(matchers_text(like(row)), wish.length, wish.comment)
        return self._form(request, wish, "", 200)

    def _row(self, alert_id: str | None) -> AlertRow | None:
        view = self._context.reader.alert(alert_id) if alert_id else None
        return None if view is None else view.row

    def _form(self, request: Request, wish: Wish, problem: str, status: int) -> Response:
        preview = None
        if wish.matchers and not problem:
            try:
                hidden = hides(getattr(request.state, "who", None))
                preview = self.preview(parse_matchers(wish.matchers), hidden=hidden)
            except BadMatcher as wrong:
                problem, status = f"{str(wrong)[:1].upper()}{str(wrong)[1:]}.", 400 if status != 200 else 200
        values: dict[str, Any] = {
            "wish": wish,
            "problem": problem,
            "preview": preview,
            "lengths": LENGTHS,
            "labels": LABELS,
        }
        return self._shell.page(request, "silence_new.html", values, status)

    def _holds(self, matchers: Sequence[Matcher], labels: Labels, hidden: bool) -> bool:
        """Whether matchers hold; a pattern is held against what whoever asks can see, so that nobody guesses a name by it."""
        if not hidden:
            return all_hold(matchers, labels)
        masked = {name: tuple(mask_text(value) for value in values) for name, values in labels.items()}
        return all(one.holds(masked if one.is_regex else labels) for one in matchers)

    def preview(self, matchers: Sequence[Matcher], *, hidden: bool = False) -> Preview:
        """What these matchers would hold back of what is open now."""
        found: list[AlertRow] = []
        looked, cursor, filters = 0, None, {"status": "open", **_asked(matchers)}
        while looked < _LOOKED_AT:
            rows, cursor = self._context.reader.alerts(filters, _AT_ONCE, cursor)
            looked += len(rows)
            found += [row for row in rows if self._holds(matchers, labels_of_row(row, self._context.rules), hidden)]
            if cursor is None:
                break
        return Preview(found[:_SHOWN], len(found), cursor is not None)

    async def create(self, request: Request) -> Response:
        """Make one from the form."""
        return await self._posted(request, self._create)

    def _create(self, request: Request, form: dict[str, str]) -> Response:
        now = self._shell.now()
        wish = Wish(form.get("matchers", "")[:2000], _length(form.get("length")), form.get("comment", "")[:500])
        if form.get("verb") == "preview":
            return self._form(request, wish, "", 200)
        try:
            draft = Draft(parse_matchers(wish.matchers), now, now + LENGTHS[wish.length][1], wish.comment)
            self._desk.create(draft, actor_of(request), now)
        except (BadMatcher, BadSilence) as wrong:
            return self._form(request, wish, f"Not done: {wrong}.", 400)
        return going("/silences?done=make")

    async def end(self, request: Request, silence_id: str) -> Response:
        """End one now."""
        return await self._posted(request, lambda asked, form: self._end(asked, silence_id, form))

    def _end(self, request: Request, silence_id: str, form: dict[str, str]) -> Response:
        version = form.get("version", "")
        seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else -1
        try:
            ended = self._desk.expire(silence_id, actor_of(request), self._shell.now(), seen)
        except (VersionConflict, ActionRefused) as problem:
            return self._shell.nothing(request, 409, f"Not done: {problem}.", "/silences")
        if ended is None:
            return self._shell.nothing(request, 404, f"There is no silence {silence_id[:80]}.", "/silences")
        return going("/silences?done=end")

    async def _posted(self, request: Request, done: Callable[[Request, dict[str, str]], Response]) -> Response:
        try:
            form = dict(await read_form(request))
        except FormRefused as problem:
            return await run_in_threadpool(self._shell.nothing, request, problem.status, str(problem), "/silences")

        def answer() -> Response:
            try:
                return done(request, form)
            except TemporaryError as problem:
                return self._shell.nothing(request, 503, f"Not now: {problem}. Send it again in a moment.", "/silences")

        return await run_in_threadpool(answer)


def like(row: AlertRow) -> tuple[Matcher, ...]:
    """What alerts like one have in common: the rule, and the campaign or the acting tool."""
    beside = ("campaign", row.campaign) if row.campaign else ("act_tool", row.act_tool)
    pairs = [("rule", row.rule), *([beside] if beside[1] else [])]
    return tuple(matcher(name, Operator.EQUAL, str(value)) for name, value in pairs)


def labels_of_row(row: AlertRow, rules: Mapping[str, RuleSpec]) -> Labels:
    """The labels of an alert as a list knows it."""
    spec = rules.get(row.rule)
    tags = tuple(spec.tags) if spec else ()
    return {
        "alertname": (row.rule,),
        "rule": (row.rule,),
        "severity": (row.severity,),
        "owner": (row.owner,),
        "tag": tags,
        "industry": industries_in(tags),
        "customer": (row.customer,),
        "tool": tuple(dict.fromkeys(one for one in (row.act_tool, row.evidence_tool) if one)),
        "act_tool": (row.act_tool,),
        "evidence_tool": (row.evidence_tool,),
        "campaign": (row.campaign or "",),
        "attribution": (row.attribution,),
    }


def _asked(matchers: Sequence[Matcher]) -> dict[str, str]:
    equal = {one.name: one.value for one in matchers if one.operator is Operator.EQUAL and one.value}
    return {name: equal[name] for name in _ASKED if name in equal}


def _length(text: str | None) -> str:
    return text if text and text in LENGTHS else "4h"


def _summary(states: Sequence[SilenceState]) -> str:
    active, pending = states.count(SilenceState.ACTIVE), states.count(SilenceState.PENDING)
    if not active and not pending:
        return "No silence holds alerts back."
    words = (
        f"{plural(active, 'silence')} {'holds' if active == 1 else 'hold'} alerts back now"
        if active
        else "No silence holds alerts back now"
    )
    return (
        f"{words}; {plural(pending, 'silence')} {'begins' if pending == 1 else 'begin'} later."
        if pending
        else f"{words}."
    )
