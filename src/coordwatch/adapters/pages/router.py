"""The pages a person sees: inbox, alert, customer, rules, tools, sources; readable and usable without a script.

What enters: a PagesContext with everything they read and the desk they act through.
What leaves: an APIRouter.
The next room: `app`, which mounts it beside the API.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from coordwatch.access.principal import hides
from coordwatch.adapters.alert_rows import BadQuery
from coordwatch.adapters.pages.act import SNOOZES, Done, act_on, actor_of, chosen, notice_of, order_of, undo_of
from coordwatch.adapters.pages.alert import alert_values
from coordwatch.adapters.pages.guard import HEADERS, FormRefused, own_path, read_form
from coordwatch.adapters.pages.inbox import inbox_values, tokens_of
from coordwatch.adapters.pages.look import COOKIE, changed_look, look_of
from coordwatch.adapters.pages.query import query_of
from coordwatch.adapters.pages.shell import Shell
from coordwatch.adapters.pages.static import StaticFiles, load_static
from coordwatch.adapters.pages.steps import step_words
from coordwatch.adapters.pages.tables import (
    customer_values,
    example_words,
    rule_line,
    rule_lines,
    sources_values,
    tools_values,
)
from coordwatch.alerts.lifecycle import HUMAN_ACTIONS, AlertAction
from coordwatch.clock import Clock
from coordwatch.errors import Elsewhere, TemporaryError
from coordwatch.ports import AlertDesk, AlertReader, CustomerView, ExplainStep, SourceView
from coordwatch.rules.detection import Detection
from coordwatch.rules.spec import RuleSpec

_LOG = logging.getLogger(__name__)
_CUSTOMERS = 200
_DEAD_LETTERS = 100
_YEAR = 31_536_000
_FOUND_MOST = 50


@dataclass(frozen=True, slots=True)
class PagesContext:
    """What the pages read, and the desk through which a person acts.

    `sentences` and `rule_texts` are by rule id: the rule in English, and its YAML. `explain` takes a rule, a customer and
    an act as (source, id); it may give nothing, then the pages explain from the detection. `customer` may say that it is
    Elsewhere; `at_hand` never does and never waits. `clock` runs on the same axis as the alerts' instants: in a demo that
    is the simulated time.
    """

    reader: AlertReader
    desk: AlertDesk
    rules: Mapping[str, RuleSpec]
    sentences: Mapping[str, str]
    rule_texts: Mapping[str, str]
    customer: Callable[[str], CustomerView | None]
    explain: Callable[[str, str, tuple[str, str]], Sequence[ExplainStep]]
    sources: Callable[[], Sequence[SourceView]]
    clock: Clock
    at_hand: Callable[[str], CustomerView | None] | None = None


def pages_router(context: PagesContext) -> APIRouter:
    """Every page, form and file under the paths that the pages own."""
    static = load_static()
    pages = _Pages(context, Shell(context.reader, context.sources, context.clock, static, context.rules), static)
    router = APIRouter(include_in_schema=False)
    reading: Mapping[str, Callable[..., Response]] = {
        "/": pages.inbox,
        "/alerts/{alert_id}": pages.alert,
        "/customers": pages.customers,
        "/customers/{key:path}": pages.customer,
        "/rules": pages.rules,
        "/rules/{rule_id}": pages.rule,
        "/tools": pages.tools,
        "/sources": pages.sources,
        "/search": pages.search,
        "/static/{name}": pages.static_file,
        "/favicon.ico": pages.favicon,
    }
    for path, endpoint in reading.items():
        router.add_api_route(path, pages.patient(endpoint), methods=["GET", "HEAD"])
    for path, form in (("/alerts", pages.act_on_several), ("/alerts/{alert_id}", pages.act), ("/look", pages.look)):
        router.add_api_route(path, form, methods=["POST"])
    return router


class _Pages:
    """The endpoints. Reading is done in the thread pool: the readers wait for a database."""

    def __init__(self, context: PagesContext, shell: Shell, static: StaticFiles) -> None:
        self._context, self._shell, self._static = context, shell, static

    def patient(self, endpoint: Callable[..., Response]) -> Callable[..., Response]:
        """The same endpoint, which answers in words when the database is busy."""

        @wraps(endpoint)
        def answer(request: Request, *args: Any, **named: Any) -> Response:
            try:
                return endpoint(request, *args, **named)
            except TemporaryError as problem:
                return self._nothing(request, 503, f"Not now: {problem}. Load the page again in a moment.", "/")
            except Exception:
                _LOG.exception("the page %s failed", request.url.path)
                return self._nothing(request, 500, "This page failed. What went wrong stands in the server's log.", "/")

        return answer

    # ---- reading

    def inbox(self, request: Request) -> Response:
        query, now = query_of(request.query_params), self._shell.now()
        try:
            values = inbox_values(self._context.reader, self._context.rules, query, now)
        except BadQuery as problem:
            return self._nothing(request, 400, f"This address asks for something that is not there: {problem}.", "/")
        return self._shell.page(
            request, "inbox.html", {**values, "notice": notice_of(request), "undo": undo_of(request)}
        )

    def alert(self, request: Request, alert_id: str) -> Response:
        return self._alert_page(request, alert_id, notice_of(request), 200)

    def _alert_page(self, request: Request, alert_id: str, notice: str, status: int) -> Response:
        view = self._context.reader.alert(alert_id)
        if view is None:
            return self._nothing(
                request,
                404,
                f"There is no alert {alert_id[:80]}. The address may be cut short, or from another database.",
                "/",
            )
        spec = self._context.rules.get(view.row.rule)
        counts = {one.rule: one for one in self._context.reader.rule_counts()}
        values = alert_values(view, spec, self._at_hand(view.row.customer), self._explain)
        if spec:
            values["lately"] = rule_line(spec, self._sentence(spec), counts.get(spec.id), self._shell.now())
        return self._shell.page(
            request, "alert.html", {"lately": None, **values, "notice": notice, "snoozes": SNOOZES}, status
        )

    def _at_hand(self, key: str) -> CustomerView | None:
        return (self._context.at_hand or self._context.customer)(key)

    def _explain(self, detection: Detection) -> Sequence[ExplainStep]:
        try:
            return self._context.explain(detection.rule, detection.customer, (detection.act.source, detection.act.id))
        except Exception:
            # The page explains from the detection instead: whoever reads it at night needs an answer.
            _LOG.exception("rule %s could not be explained", detection.rule)
            return ()

    def _sentence(self, spec: RuleSpec) -> str:
        return self._context.sentences.get(spec.id, spec.why)

    def customers(self, request: Request) -> Response:
        rows = self._context.reader.customers(_CUSTOMERS)
        return self._shell.page(request, "customers.html", {"rows": rows, "most": _CUSTOMERS})

    def customer(self, request: Request, key: str) -> Response:
        elsewhere = ""
        try:
            view = self._context.customer(key)
        except Elsewhere as away:
            view, elsewhere = None, str(away)
        # An old key leads to whom it belongs now.
        alerts = self._context.reader.customer_alerts(key if view is None else view.key)
        if view is None and not alerts and not elsewhere:
            return self._nothing(
                request,
                404,
                f"No rule keeps anything about a customer {key[:80]}. Search for another key with /.",
                "/customers",
            )
        values = customer_values(view or CustomerView(key), alerts, self._context.rules, elsewhere)
        return self._shell.page(request, "customer.html", values)

    def rules(self, request: Request) -> Response:
        lines = rule_lines(
            self._context.rules, self._context.sentences, self._context.reader.rule_counts(), self._shell.now()
        )
        return self._shell.page(request, "rules.html", {"lines": lines})

    def rule(self, request: Request, rule_id: str) -> Response:
        spec = self._context.rules.get(rule_id)
        if spec is None:
            return self._nothing(request, 404, f"There is no rule {rule_id[:80]}.", "/rules")
        counts = {one.rule: one for one in self._context.reader.rule_counts()}
        values = {
            "line": rule_line(spec, self._sentence(spec), counts.get(rule_id), self._shell.now()),
            "steps": step_words(spec),
            "examples": [example_words(example) for example in spec.tests],
            "text": self._context.rule_texts.get(rule_id, ""),
        }
        return self._shell.page(request, "rule.html", values)

    def tools(self, request: Request) -> Response:
        values = tools_values(self._context.reader.pair_counts(), self._context.sources())
        return self._shell.page(request, "tools.html", values)

    def sources(self, request: Request) -> Response:
        reader = self._context.reader
        letters = reader.dead_letters(_DEAD_LETTERS)
        if hides(getattr(request.state, "who", None)):
            letters = [replace(one, original=b"hidden: it may hold personal data") for one in letters]
        values = sources_values(self._context.sources(), letters, reader.tallies())
        return self._shell.page(request, "sources.html", values)

    def search(self, request: Request) -> Response:
        wanted = request.query_params.get("q", "").strip()[:200]
        if not wanted:
            return _go("/")
        if self._context.reader.alert(wanted) is not None:
            return _go(f"/alerts/{quote(wanted, safe='')}")
        if wanted in self._context.rules:
            return _go(f"/rules/{quote(wanted, safe='')}")
        if self._at_hand(wanted) is not None or self._context.reader.customer_alerts(wanted):
            return _go(f"/customers/{quote(wanted, safe='')}")
        rows, more = self._context.reader.alerts({"q": wanted}, _FOUND_MOST, None)
        words = wanted.lower()
        rules = [spec for spec in self._context.rules.values() if words in f"{spec.id} {spec.title} {spec.why}".lower()]
        values = {"search": wanted, "rows": rows, "rules": rules, "more": more is not None, "most": _FOUND_MOST}
        return self._shell.page(request, "search.html", values)

    def static_file(self, request: Request, name: str) -> Response:
        return self._static.answer(request, name)

    def favicon(self, request: Request) -> Response:
        return self._static.answer(request, self._static.names["mark.svg"], "public, max-age=86400")

    def _nothing(self, request: Request, status: int, message: str, back: str) -> Response:
        return self._shell.page(request, "nothing.html", {"message": message, "back": back}, status)

    # ---- acting

    async def act(self, request: Request, alert_id: str) -> Response:
        try:
            fields = await read_form(request)
        except FormRefused as problem:
            return await run_in_threadpool(self._nothing, request, problem.status, str(problem), "/")
        return await run_in_threadpool(self.patient(self._act), request, alert_id, fields)

    def _act(self, request: Request, alert_id: str, fields: list[tuple[str, str]]) -> Response:
        order = order_of(fields, self._shell.now(), actor_of(request))
        if order is None:
            return self._alert_page(request, alert_id, f"Not done: {_VERBS}", 400)
        done = act_on(self._context.desk, [(alert_id, order.version)], order)
        if done.problems:
            return self._alert_page(request, alert_id, done.problems[0], done.status)
        return _go(f"/alerts/{quote(alert_id, safe='')}?done={order.action.value}")

    async def act_on_several(self, request: Request) -> Response:
        try:
            fields = await read_form(request)
        except FormRefused as problem:
            return await run_in_threadpool(self._nothing, request, problem.status, str(problem), "/")
        return await run_in_threadpool(self.patient(self._act_on_several), request, fields)

    def _act_on_several(self, request: Request, fields: list[tuple[str, str]]) -> Response:
        order, back = order_of(fields, self._shell.now(), actor_of(request)), own_path(dict(fields).get("back"))
        if order is None:
            return self._nothing(request, 400, f"Not done: {_VERBS}", back)
        done = act_on(self._context.desk, chosen(fields), order)
        return _go(f"{back}{'&' if '?' in back else '?'}{urlencode(_outcome(done))}")

    async def look(self, request: Request) -> Response:
        try:
            form = dict(await read_form(request))
        except FormRefused as problem:
            return await run_in_threadpool(self._nothing, request, problem.status, str(problem), "/")
        response = _go(own_path(form.get("back")))
        look = changed_look(look_of(request.cookies.get(COOKIE)), form)
        response.set_cookie(COOKIE, look.cookie, max_age=_YEAR, httponly=True, samesite="lax")
        return response


_VERBS = f"the form must name one of {', '.join(sorted(HUMAN_ACTIONS))}."


def _go(address: str) -> Response:
    return Response(status_code=303, headers={**HEADERS, "Location": address, "Cache-Control": "no-store"})


def _outcome(done: Done) -> dict[str, str | int]:
    outcome: dict[str, str | int] = {"done": done.action.value, "count": len(done.rows), "left": len(done.problems)}
    if done.rows and done.action is not AlertAction.UNDO:
        outcome["undo"] = tokens_of(done.rows)
    return outcome
