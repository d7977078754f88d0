"""`/v1/alerts`: the list, one alert, and what people do to it.

What enters: filters, ids, orders with the version that was seen.
What leaves: alerts; 409 or 412 when somebody was faster, 428 when nobody says what was seen.
The next room: the store, through AlertReader and AlertDesk.
"""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from coordwatch.access.principal import hides
from coordwatch.adapters.http_api.context import ApiContext
from coordwatch.adapters.http_api.order_shapes import OrderBody
from coordwatch.adapters.http_api.preconditions import (
    IfNoneMatch,
    Said,
    is_known,
    once_of,
    precisely,
    tag_of,
    version_seen,
)
from coordwatch.adapters.http_api.problems import Refused
from coordwatch.adapters.http_api.shapes import (
    AlertDetail,
    AlertItem,
    AlertPage,
    AlertQuery,
    alert_detail,
    alert_item,
)
from coordwatch.adapters.seen import alerts_seen
from coordwatch.alerts.alert import Order
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.alerts.verdict import Verdict
from coordwatch.alerts.waking import Condition
from coordwatch.events.times import parse_duration, parse_time


class ActionName(StrEnum):
    """What can be done to an alert, as an address says it."""

    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    WAKE = "wake"
    RESOLVE = "resolve"
    NOT_A_CONFLICT = "not_a_conflict"
    CONFLICT = "conflict"
    UNSURE = "unsure"
    REOPEN = "reopen"
    UNDO = "undo"


_VERDICTS = {
    ActionName.NOT_A_CONFLICT: (AlertAction.VERDICT, Verdict.NOT_A_CONFLICT),
    ActionName.CONFLICT: (AlertAction.JUDGE, Verdict.CONFLICT),
    ActionName.UNSURE: (AlertAction.JUDGE, Verdict.UNSURE),
}


def alerts_router(context: ApiContext) -> APIRouter:
    """Everything under /v1/alerts."""
    router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

    @router.get("", response_model=AlertPage)
    def list_alerts(request: Request, query: Annotated[AlertQuery, Query()]) -> AlertPage:
        """A page of alerts, newest first unless `sort` says otherwise."""
        filters = query.model_dump(exclude={"limit", "cursor"})
        filters["since"] = _since(query.since)
        page, hidden = (filters, query.limit, query.cursor), hides(getattr(request.state, "who", None))
        rows, following = alerts_seen(context.reader, page, hidden=hidden)
        return AlertPage(items=[alert_item(row) for row in rows], next=following)

    @router.get("/{alert_id}", response_model=AlertDetail, responses={304: {"description": "it is as you know it"}})
    def show_alert(alert_id: str, if_none_match: IfNoneMatch = None) -> Response:
        """One alert with its detections and its history; its ETag is for the `If-Match` of what is done to it."""
        view = context.reader.alert(alert_id)
        if view is None:
            raise _no_alert(alert_id)
        content = alert_detail(view, context.desk.conditions(alert_id)).model_dump_json().encode()
        headers = {"ETag": tag_of(view.row.version, content), "Cache-Control": "no-cache"}
        if is_known(headers["ETag"], if_none_match):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)

    @router.post("/{alert_id}/{action}", response_model=AlertItem)
    def act(
        request: Request,
        said: Annotated[Said, Depends()],
        alert_id: str,
        action: ActionName,
        body: OrderBody,
    ) -> AlertItem:
        """Do something to an alert as it was seen: by `If-Match`, or by `version` in the body."""
        order = _order(request, action, body, context.clock.now())
        order = replace(order, version=version_seen(said.if_match, order.version, lambda: _version(context, alert_id)))
        once = once_of(said.idempotency_key, alert_id, action, body.model_dump_json(), said.if_match, order.actor)
        with precisely(said.if_match):
            row = context.desk.act(alert_id, order, once)
        if row is None:
            raise _no_alert(alert_id)
        return alert_item(row)

    return router


def _version(context: ApiContext, alert_id: str) -> int | None:
    view = context.reader.alert(alert_id)
    return None if view is None else view.row.version


def _order(request: Request, action: ActionName, body: OrderBody, now: int) -> Order:
    does, verdict = _VERDICTS[action] if action in _VERDICTS else (AlertAction(action.value), None)
    if body.because is not None:
        if action is not ActionName.NOT_A_CONFLICT:
            raise Refused(422, "because: only 'not_a_conflict' is said for one of these reasons")
        verdict = Verdict(body.because)
    return Order(
        action=does,
        actor=getattr(request.state, "actor", None) or body.actor or "api",
        now=now,
        version=body.version,
        note=body.note,
        until=_until(body.until, now) if action is ActionName.SNOOZE else None,
        verdict=verdict,
        when=_when(action, body),
    )


def _when(action: ActionName, body: OrderBody) -> Condition | None:
    if body.when is None:
        return None
    if action is not ActionName.SNOOZE or body.about is None:
        raise Refused(
            422, "when: only 'snooze' waits for something, and 'about' says for what: see the alert's conditions"
        )
    return Condition(body.when, body.about)


def _no_alert(alert_id: str) -> Refused:
    return Refused(404, f"there is no alert '{alert_id[:80]}'; GET /v1/alerts lists them")


def _since(text: str) -> str:
    if not text or text.lstrip("-").isdecimal():
        return text
    try:
        return str(parse_time(text))
    except ValueError as error:
        raise Refused(400, f"since: {error}") from None


def _until(text: str | None, now: int) -> int | None:
    if text is None:
        return None
    try:
        return now + parse_duration(text)
    except ValueError:
        pass
    try:
        return parse_time(text)
    except ValueError:
        raise Refused(422, f"until: '{text}' is neither a duration such as 4h nor an RFC 3339 time") from None
