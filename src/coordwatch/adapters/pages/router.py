"""The pages a person sees: inbox, alert, customer, rules, tools, sources; readable and usable without a script.

What enters: a PagesContext with everything they read and the desk they act through.
What leaves: an APIRouter.
The next room: `app`, which mounts it beside the API.
"""

import logging
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from coordwatch.access.principal import hides
from coordwatch.adapters.inbox_query import query_of
from coordwatch.adapters.pages.act import Done, act_on, actor_of, chosen, notice_of, order_of, snoozes_of, undo_of
from coordwatch.adapters.pages.alert import alert_values
from coordwatch.adapters.pages.context import PagesContext
from coordwatch.adapters.pages.guard import FormRefused, going, own_path, read_form
from coordwatch.adapters.pages.inbox import InboxRooms, inbox_values, tokens_of
from coordwatch.adapters.pages.incidents import IncidentPages
from coordwatch.adapters.pages.look import COOKIE, changed_look, look_of
from coordwatch.adapters.pages.quiet import LETTERS_SHOWN, QuietPages
from coordwatch.adapters.pages.shell import Shell
from coordwatch.adapters.pages.silences import SilencePages
from coordwatch.adapters.pages.static import StaticFiles, load_static
from coordwatch.adapters.pages.tables import rule_line
from coordwatch.adapters.pages.trail import TrailPages
from coordwatch.adapters.pages.views import keep_or_drop
from coordwatch.adapters.paging import BadQuery
from coordwatch.alerts.lifecycle import HUMAN_ACTIONS, AlertAction
from coordwatch.errors import TemporaryError
from coordwatch.ports import ExplainStep
from coordwatch.rules.detection import Detection

__all__ = ["PagesContext", "pages_router"]

_LOG = logging.getLogger(__name__)
_YEAR = 31_536_000


def pages_router(context: PagesContext) -> APIRouter:
    """Every page, form and file under the paths that the pages own."""
    static = load_static()
    shell = Shell(context.reader, context.sources, context.clock, static, context.rules)
    pages, quiet = _Pages(context, shell, static), QuietPages(context, shell)
    router = APIRouter(include_in_schema=False)
    reading: dict[str, Callable[..., Response]] = {
        "/": pages.inbox,
        "/alerts/{alert_id}": pages.alert,
        "/customers": quiet.customers,
        "/customers/{key:path}": quiet.customer,
        "/rules": quiet.rules,
        "/rules/{rule_id}": quiet.rule,
        "/tools": quiet.tools,
        "/sources": quiet.sources,
        "/settings": quiet.settings,
        "/search": quiet.search,
        "/static/{name}": pages.static_file,
        "/favicon.ico": pages.favicon,
    }
    forms: dict[str, Callable[..., Any]] = {
        "/alerts": pages.act_on_several,
        "/alerts/{alert_id}": pages.act,
        "/views": pages.save_view,
        "/look": pages.look,
    }
    if context.replay is not None:
        forms["/dead-letters"] = pages.send_again
    if context.silences is not None:
        silences = SilencePages(context, context.silences, shell)
        reading |= {"/silences": silences.list, "/silences/new": silences.make}
        forms |= {"/silences": silences.create, "/silences/{silence_id}": silences.end}
    if context.incidents is not None:
        incidents = IncidentPages(context.incidents, shell, context.reader)
        reading |= {"/incidents": incidents.list, "/incidents/{incident_id}": incidents.show}
        forms |= {"/incidents/{incident_id}": incidents.act, "/incidents/{incident_id}/repairs": incidents.repair}
    if context.trail is not None:
        reading["/audit"] = TrailPages(context.trail, shell).list
    for path, endpoint in reading.items():
        router.add_api_route(path, pages.patient(endpoint), methods=["GET", "HEAD"])
    for path, form in forms.items():
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
                return self._shell.nothing(request, 503, f"Not now: {problem}. Load the page again in a moment.", "/")
            except Exception:
                # The route and not the address: an address may name a customer.
                _LOG.exception("the page %s failed", getattr(request.state, "judged", "nothing"))
                return self._shell.nothing(
                    request, 500, "This page failed. What went wrong stands in the server's log.", "/"
                )

        return answer

    # ---- reading

    def inbox(self, request: Request) -> Response:
        query, now = query_of(request.query_params), self._shell.now()
        try:
            are_all = request.query_params.get("select") == "all"
            hidden = hides(getattr(request.state, "who", None))
            rooms = InboxRooms(self._context.reader, self._context.shelf, self._context.rules, hidden)
            values = inbox_values(rooms, query, now, are_all)
        except BadQuery as problem:
            return self._shell.nothing(
                request, 400, f"This address asks for something that is not there: {problem}.", "/"
            )
        return self._shell.page(
            request, "inbox.html", {**values, "notice": notice_of(request), "undo": undo_of(request)}
        )

    def alert(self, request: Request, alert_id: str) -> Response:
        return self._alert_page(request, alert_id, notice_of(request), 200)

    def _alert_page(self, request: Request, alert_id: str, notice: str, status: int) -> Response:
        since = self._context.shelf.newest_move()  # before the alert is read
        view = self._context.reader.alert(alert_id)
        if view is None:
            return self._shell.nothing(
                request,
                404,
                f"There is no alert {alert_id[:80]}. The address may be cut short, or from another database.",
                "/",
            )
        spec = self._context.rules.get(view.row.rule)
        counts = {one.rule: one for one in self._context.reader.rule_counts()}
        values = alert_values(view, spec, self._context.known_here(view.row.customer), self._explain)
        if spec:
            values["lately"] = rule_line(spec, self._context.sentence(spec), counts.get(spec.id), self._shell.now())
        return self._shell.page(
            request,
            "alert.html",
            {
                "since": since,
                "lately": None,
                "has_silences": self._context.silences is not None,
                **values,
                "notice": notice,
                "snoozes": snoozes_of(self._context.desk.conditions(alert_id)),
            },
            status,
        )

    def _explain(self, detection: Detection) -> Sequence[ExplainStep]:
        try:
            return self._context.explain(detection.rule, detection.customer, (detection.act.source, detection.act.id))
        except Exception:
            # The page explains from the detection instead: whoever reads it at night needs an answer.
            _LOG.exception("rule %s could not be explained", detection.rule)
            return ()

    def static_file(self, request: Request, name: str) -> Response:
        return self._static.answer(request, name)

    def favicon(self, request: Request) -> Response:
        return self._static.answer(request, self._static.names["mark.svg"], "public, max-age=86400")

    # ---- acting

    async def act(self, request: Request, alert_id: str) -> Response:
        try:
            fields = await read_form(request)
        except FormRefused as problem:
            return await run_in_threadpool(self._shell.nothing, request, problem.status, str(problem), "/")
        return await run_in_threadpool(self.patient(self._act), request, alert_id, fields)

    def _act(self, request: Request, alert_id: str, fields: list[tuple[str, str]]) -> Response:
        order = order_of(fields, self._shell.now(), actor_of(request))
        if order is None:
            return self._alert_page(request, alert_id, f"Not done: {_VERBS}", 400)
        done = act_on(self._context.desk, [(alert_id, order.version)], order)
        if done.problems:
            return self._alert_page(request, alert_id, done.problems[0], done.status)
        return going(f"/alerts/{quote(alert_id, safe='')}?done={order.action.value}")

    async def act_on_several(self, request: Request) -> Response:
        try:
            fields = await read_form(request)
        except FormRefused as problem:
            return await run_in_threadpool(self._shell.nothing, request, problem.status, str(problem), "/")
        return await run_in_threadpool(self.patient(self._act_on_several), request, fields)

    def _act_on_several(self, request: Request, fields: list[tuple[str, str]]) -> Response:
        order, back = order_of(fields, self._shell.now(), actor_of(request)), own_path(dict(fields).get("back"))
        if order is None:
            return self._shell.nothing(request, 400, f"Not done: {_VERBS}", back)
        done = act_on(self._context.desk, chosen(fields), order)
        return going(f"{back}{'&' if '?' in back else '?'}{urlencode(_outcome(done))}")

    async def save_view(self, request: Request) -> Response:
        try:
            form = dict(await read_form(request))
        except FormRefused as problem:
            return await run_in_threadpool(self._shell.nothing, request, problem.status, str(problem), "/")
        return await run_in_threadpool(self.patient(self._save_view), request, form)

    def _save_view(self, request: Request, form: dict[str, str]) -> Response:
        back = own_path(form.get("back"))
        problem = keep_or_drop(self._context.shelf, form, back, actor_of(request), self._shell.now())
        return self._shell.nothing(request, 400, problem, back) if problem else going(back)

    async def send_again(self, request: Request) -> Response:
        try:
            fields = await read_form(request)
        except FormRefused as problem:
            return await run_in_threadpool(self._shell.nothing, request, problem.status, str(problem), "/sources")
        return await run_in_threadpool(self.patient(self._send_again), request, fields)

    def _send_again(self, request: Request, fields: list[tuple[str, str]]) -> Response:
        wanted = {value for name, value in fields if name == "letter"}
        letters = [one for one in self._context.reader.dead_letters(LETTERS_SHOWN) if one.id in wanted]
        if not letters or self._context.replay is None:
            return self._shell.nothing(request, 400, "Not done: select what is to be sent round again.", "/sources")
        said = self._context.replay(letters, actor_of(request))
        return going(f"/sources?{urlencode({'said': said})}#h-dead")

    async def look(self, request: Request) -> Response:
        try:
            form = dict(await read_form(request))
        except FormRefused as problem:
            return await run_in_threadpool(self._shell.nothing, request, problem.status, str(problem), "/")
        response = going(own_path(form.get("back")))
        look = changed_look(look_of(request.cookies.get(COOKIE)), form)
        response.set_cookie(COOKIE, look.cookie, max_age=_YEAR, httponly=True, samesite="lax")
        return response


_VERBS = f"the form must name one of {', '.join(sorted(HUMAN_ACTIONS))}."


def _outcome(done: Done) -> dict[str, str | int]:
    outcome: dict[str, str | int] = {"done": done.action.value, "count": len(done.rows), "left": len(done.problems)}
    if done.rows and done.action is not AlertAction.UNDO:
        outcome["undo"] = tokens_of(done.rows)
    return outcome
