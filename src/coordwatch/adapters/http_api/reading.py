"""The rest of `/v1` that only reads: rules, customers, explain, tools, sources, dead letters, the stream.

What enters: ids and limits.
What leaves: views as JSON, and server-sent events.
The next room: the readers of ApiContext.
"""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from coordwatch.access.principal import hides
from coordwatch.adapters.http_api.context import ApiContext
from coordwatch.adapters.http_api.following import AT_ONCE, message_of_moves
from coordwatch.adapters.http_api.listed import CustomerPage, DeadLetterPage, customer_item, dead_letter_item
from coordwatch.adapters.http_api.problems import Refused
from coordwatch.adapters.http_api.shapes import (
    PairItem,
    RuleItem,
    SourceItem,
    counts_or_none,
    instant,
    pair_item,
    precision_item,
    readable,
    source_item,
)
from coordwatch.adapters.http_api.stream import message_bytes
from coordwatch.adapters.paging import after_cursor, cursor_of
from coordwatch.errors import Elsewhere, TemporaryError
from coordwatch.events.times import parse_time


def reading_router(context: ApiContext) -> APIRouter:
    """Every address under /v1 that only reads, alerts left out."""
    router = APIRouter(prefix="/v1", tags=["reading"])
    _add(router, "/rules", _rules(context), dict[str, list[RuleItem]])
    _add(router, "/tools", _tools(context), dict[str, list[PairItem]])
    _add(router, "/sources", _sources(context), dict[str, list[SourceItem]])
    _add(router, "/catalogue", _catalogue(context), dict[str, Any])
    _add(router, "/dead-letters", _dead_letters(context), DeadLetterPage)
    _add(router, "/customers", _customers(context), CustomerPage)
    _add(router, "/customers/{key:path}", _customer(context), dict[str, Any])
    _add(router, "/explain", _explain(context), dict[str, Any])
    router.add_api_route(
        "/stream",
        _stream(context),
        methods=["GET"],
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    return router


def _add(router: APIRouter, path: str, endpoint: Callable[..., Any], model: Any) -> None:
    router.add_api_route(path, endpoint, methods=["GET"], response_model=model)


def _rules(context: ApiContext) -> Callable[[], dict[str, list[RuleItem]]]:
    def list_rules() -> dict[str, list[RuleItem]]:
        """Every rule, in English, with its counts."""
        counts = {one.rule: one for one in context.reader.rule_counts()}
        disabled, warming = context.disabled(), context.warming()
        items = []
        for rule in context.rules.values():
            found = counts_or_none(rule.id, counts)
            items.append(
                RuleItem(
                    id=rule.id,
                    title=rule.title,
                    status=rule.status.value,
                    severity=rule.severity.value,
                    owner=rule.owner,
                    tags=list(rule.tags),
                    sentence=context.sentences.get(rule.id, ""),
                    acts=found.acts,
                    detections=found.detections,
                    in_flight=found.in_flight,
                    missing_key=found.missing_key,
                    retracted=found.retracted,
                    made_good=found.made_good,
                    alerts=found.alerts,
                    not_a_conflict=found.not_a_conflict,
                    verdicts=dict(found.verdicts),
                    precision=precision_item(found.verdicts),
                    disabled=disabled.get(rule.id),
                    warming=instant(warming.get(rule.id)),
                )
            )
        return {"items": items}

    return list_rules


def _tools(context: ApiContext) -> Callable[[], dict[str, list[PairItem]]]:
    def list_tools() -> dict[str, list[PairItem]]:
        """Acts and detections by tool pair; the acts are all acts of the acting tool."""
        return {"items": [pair_item(pair) for pair in context.reader.pair_counts()]}

    return list_tools


def _sources(context: ApiContext) -> Callable[[], dict[str, list[SourceItem]]]:
    def list_sources() -> dict[str, list[SourceItem]]:
        """Every source and how far it is read."""
        return {"items": [source_item(view) for view in context.sources()]}

    return list_sources


def _catalogue(context: ApiContext) -> Callable[[], dict[str, Any]]:
    def show_catalogue() -> dict[str, Any]:
        """Which catalogue is in use, by version and digest, and what is wrong with the newest edit of it."""
        return dict(readable(context.catalogue()))

    return show_catalogue


_Since = Annotated[
    int | None, Query(ge=0, le=2**53, description="the `id` of the last `changed` message that was read")
]
_Limit = Annotated[int, Query(ge=1, le=1000)]
_Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before")]


def _dead_letters(context: ApiContext) -> Callable[[Request, int, str | None], DeadLetterPage]:
    def list_dead_letters(request: Request, limit: _Limit = 50, cursor: _Cursor = None) -> DeadLetterPage:
        """The newest dead letters, with their original bytes; empty where personal data is hidden from who asks."""
        letters = context.reader.dead_letters(limit + 1, after_cursor(cursor, (int, str)))
        shown = letters[:limit]
        if hides(getattr(request.state, "who", None)):
            shown = [replace(one, original=b"") for one in shown]
        items = [dead_letter_item(one, base64.b64encode(one.original).decode()) for one in shown]
        return DeadLetterPage(items=items, next=cursor_of(shown[-1].at, shown[-1].id) if len(letters) > limit else None)

    return list_dead_letters


def _customers(context: ApiContext) -> Callable[[int, str | None], CustomerPage]:
    def list_customers(limit: _Limit = 50, cursor: _Cursor = None) -> CustomerPage:
        """Customers with alerts, those with the most open ones first."""
        rows = context.reader.customers(limit + 1, after_cursor(cursor, (int, int, str)))
        shown = rows[:limit]
        last = shown[-1] if len(rows) > limit else None
        following = None if last is None else cursor_of(last.open, last.last_at, last.key)
        return CustomerPage(items=[customer_item(one) for one in shown], next=following)

    return list_customers


def _customer(context: ApiContext) -> Callable[[str], dict[str, Any]]:
    def show_customer(key: str) -> dict[str, Any]:
        """What is known about a customer: facts, states, what is still due, and alerts.

        Of a customer whom another worker keeps only the alerts are known for certain; `elsewhere` then says where the rest is.
        """
        try:
            view, elsewhere = context.customer(key), None
        except Elsewhere as away:
            view, elsewhere = None, str(away)
        alerts = context.reader.customer_alerts(key if view is None else view.key)
        if elsewhere is not None:
            return {"key": key, "elsewhere": elsewhere, "alerts": [row.id for row in alerts]}
        if view is None and not alerts:
            raise Refused(404, f"nothing is known about a customer '{key[:80]}'")
        known = readable(asdict(view)) if view is not None else {"key": key}
        return {**known, "alerts": [row.id for row in alerts]}

    return show_customer


def _explain(context: ApiContext) -> Callable[..., dict[str, Any]]:
    def explain(
        rule: str, customer: str, source: str | None = None, id: str | None = None, at: str | None = None
    ) -> dict[str, Any]:
        """Why a rule fired for a customer, or why it did not: each step, by which event, missed by how much.

        Name the act by `source` and `id`, or the instant by `at`; without either the customer's last act is taken.
        """
        if rule not in context.rules:
            raise Refused(404, f"no rule is called '{rule[:80]}'; GET /v1/rules lists them")
        if (source is None) != (id is None):
            raise Refused(400, "an act is named by both 'source' and 'id'")
        act = (source, id) if source is not None and id is not None else None
        try:
            moment = parse_time(at) if at is not None else None
        except ValueError as error:
            raise Refused(400, f"at: {error}") from None
        explanation = context.explain(rule, customer, act, moment)
        if explanation is None:
            raise Refused(409, f"the rule '{rule}' is disabled: {context.disabled().get(rule, 'it is retired')}")
        steps = [readable(asdict(step)) for step in explanation.steps]
        return {"outcome": explanation.outcome, "sentence": explanation.sentence, "steps": steps}

    return explain


def _stream(context: ApiContext) -> Callable[..., Any]:
    async def stream(request: Request, since: _Since = None) -> StreamingResponse:
        """Server-sent events from now on: `alert` for what somebody is told of, `changed` for whatever happened to any alert.

        A `changed` lists what happened and how many alerts there are now, by status and live ones by severity. Its id goes
        on where it ended: `since`, or the header `Last-Event-ID`, brings what happened in between.
        """
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        last = _number(request.headers.get("last-event-id", "")) or since
        messages = context.stream.open(getattr(request.state, "goes_on", None), last)
        missed = None if last is None else partial(run_in_threadpool, _missed, context, last)
        return StreamingResponse(_all(missed, messages), media_type="text/event-stream", headers=headers)

    return stream


async def _all(missed: Callable[[], Awaitable[bytes]] | None, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What happened before somebody watched, then what happens; the line is open already, so nothing falls between."""
    try:
        if missed is not None:
            yield await missed()
        async for message in messages:
            yield message
    finally:
        await messages.aclose()  # type: ignore[attr-defined]


def _missed(context: ApiContext, since: int) -> bytes:
    """What happened after a number, as one message; of a long absence only how much at least."""
    try:
        moves = context.shelf.moves(since, AT_ONCE)
        if not moves:
            return b": nothing missed\n\n"
        totals = dict(context.reader.alert_totals())
    except TemporaryError:
        return b": the database is away\n\n"
    return message_bytes("changed", message_of_moves(moves, totals), moves[-1].number)


def _number(text: str) -> int | None:
    """The number that a browser read last; a header is whatever somebody sends."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
