"""`/v1/incidents`: the list, one incident, what people do with it, and the customers to repair.

What enters: ids, orders with the version that was seen, decisions about customers.
What leaves: incidents with their ranked causes; repair lists as pages, CSV and JSON; 412 or 409 when somebody was faster.
The next room: the store, through IncidentDesk.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from coordwatch.access.principal import hides
from coordwatch.adapters.csv_rows import csv_lines
from coordwatch.adapters.http_api.context import ApiContext
from coordwatch.adapters.http_api.incident_shapes import (
    ExportFormat,
    IncidentBody,
    IncidentDetail,
    IncidentItem,
    IncidentPage,
    IncidentQueryShape,
    MergeBody,
    RepairAnswers,
    RepairBody,
    RepairItem,
    RepairPage,
    SplitBody,
    incident_detail,
    incident_item,
    repair_item,
)
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
from coordwatch.adapters.paging import after_cursor, cursor_of
from coordwatch.adapters.seen import incidents_seen
from coordwatch.alerts.incident import IncidentAction, IncidentOrder
from coordwatch.alerts.repair import RepairLine
from coordwatch.codec import encode_json
from coordwatch.ports import IncidentDesk, IncidentRow, RepairOrder

_Limit = Annotated[int, Query(ge=1, le=1000)]
_Cursor = Annotated[str | None, Query(max_length=1000, description="`next` of the page before")]
_COLUMNS = (
    "customer",
    "state",
    "what happened",
    "what to do",
    "when",
    "rule",
    "alert",
    "alerts",
    "by",
    "decided",
    "note",
)


class IncidentActionName(StrEnum):
    """What can be done to an incident and its alerts, as an address says it."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    UNDO = "undo"
    NOTE = "note"


class _Asked:
    """Who asks, for which incident, and what the headers say."""

    def __init__(self, request: Request, said: Annotated[Said, Depends()], incident_id: str) -> None:
        self.request, self.said, self.incident = request, said, incident_id


def incidents_router(context: ApiContext, desk: IncidentDesk) -> APIRouter:
    """Everything under /v1/incidents."""
    router = APIRouter(prefix="/v1/incidents", tags=["incidents"])
    _add_reading(router, desk)
    _add_actions(router, context, desk)
    _add_repairs(router, context, desk)
    return router


def _add_reading(router: APIRouter, desk: IncidentDesk) -> None:
    @router.get("", response_model=IncidentPage)
    def list_incidents(request: Request, query: Annotated[IncidentQueryShape, Query()]) -> IncidentPage:
        """A page of incidents, newest first unless `sort` says otherwise."""
        filters = query.model_dump(exclude={"limit", "cursor"})
        page, hidden = (filters, query.limit, query.cursor), hides(getattr(request.state, "who", None))
        rows, following = incidents_seen(desk, page, hidden=hidden)
        return IncidentPage(items=[incident_item(row) for row in rows], next=following)

    @router.get(
        "/{incident_id}", response_model=IncidentDetail, responses={304: {"description": "it is as you know it"}}
    )
    def show_incident(incident_id: str, if_none_match: IfNoneMatch = None) -> Response:
        """One incident with its likely causes, the likeliest first. Its alerts: GET /v1/alerts?incident=ID."""
        view = desk.incident(incident_id)
        if view is None:
            raise _no_incident(incident_id)
        content = incident_detail(view).model_dump_json().encode()
        headers = {"ETag": tag_of(view.row.version, content), "Cache-Control": "no-cache"}
        if is_known(headers["ETag"], if_none_match):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)


def _add_actions(router: APIRouter, context: ApiContext, desk: IncidentDesk) -> None:
    def order_of(action: IncidentAction, asked: _Asked, body: IncidentBody) -> IncidentOrder:
        def stands() -> int | None:
            view = desk.incident(asked.incident)
            return None if view is None else view.row.version

        seen = version_seen(asked.said.if_match, body.version, stands)
        return IncidentOrder(action, _actor(asked.request, body.actor), context.clock.now(), seen, body.note)

    # These two stand before the general one: the first address that fits is the one that answers.
    @router.post("/{incident_id}/split", response_model=IncidentItem)
    def split_incident(asked: Annotated[_Asked, Depends()], body: SplitBody) -> IncidentItem:
        """Take alerts out into an incident of their own, which nothing joins again by itself; gives that one."""
        order = order_of(IncidentAction.SPLIT, asked, body)
        with precisely(asked.said.if_match):
            return _item(desk.split(asked.incident, body.alerts, order), asked.incident)

    @router.post("/{incident_id}/merge", response_model=IncidentItem)
    def merge_incidents(asked: Annotated[_Asked, Depends()], body: MergeBody) -> IncidentItem:
        """Put other incidents into this one; their addresses then lead here."""
        order = order_of(IncidentAction.MERGE, asked, body)
        with precisely(asked.said.if_match):
            return _item(desk.merge(asked.incident, body.incidents, order), asked.incident)

    @router.post("/{incident_id}/{action}", response_model=IncidentItem)
    def act_on_incident(
        asked: Annotated[_Asked, Depends()], action: IncidentActionName, body: IncidentBody
    ) -> IncidentItem:
        """Do something to an incident and, with it, to its alerts, as it was seen: by `If-Match`, or by `version`."""
        order = order_of(IncidentAction(action.value), asked, body)
        said = asked.said
        once = once_of(said.idempotency_key, asked.incident, action, body.model_dump_json(), said.if_match, order.actor)
        with precisely(said.if_match):
            return _item(desk.act(asked.incident, order, once), asked.incident)


def _add_repairs(router: APIRouter, context: ApiContext, desk: IncidentDesk) -> None:
    @router.get("/{incident_id}/repairs", response_model=RepairPage)
    def list_repairs(incident_id: str, limit: _Limit = 100, cursor: _Cursor = None) -> RepairPage:
        """The customers whom the incident hit: what happened to each, what to do, what was decided by whom."""
        after = after_cursor(cursor, (str,))
        found = desk.repairs(incident_id, limit + 1, None if after is None else after[0])
        if found is None:
            raise _no_incident(incident_id)
        following = cursor_of(found[limit - 1].customer) if len(found) > limit else None
        return RepairPage(items=[repair_item(one) for one in found[:limit]], next=following)

    @router.put("/{incident_id}/repairs", response_model=RepairAnswers)
    def decide_repairs(
        request: Request, said: Annotated[Said, Depends()], incident_id: str, body: RepairBody
    ) -> RepairAnswers:
        """Say of customers that they are repaired, need nothing, or are open again; asking twice changes nothing more."""
        if body.version is not None and len(body.customers) > 1:
            raise Refused(422, "'version' is that of one customer: leave it out, or name one customer")
        order = RepairOrder(
            body.state, _actor(request, body.actor), context.clock.now(), body.note, body.expected, body.version
        )
        once = once_of(said.idempotency_key, incident_id, "repairs", body.model_dump_json(), order.actor)
        found = desk.repair(incident_id, body.customers, order, once)
        if found is None:
            raise _no_incident(incident_id)
        return RepairAnswers(items=[repair_item(one) for one in found])

    @router.get(
        "/{incident_id}/export/{form}",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/csv": {}, "application/json": {"schema": {"type": "array"}}}}},
    )
    def export_repairs(request: Request, incident_id: str, form: ExportFormat) -> StreamingResponse:
        """Every customer to repair as a file, CSV or JSON; that it was taken is written down."""
        found = desk.all_repairs(incident_id, _actor(request, None), context.clock.now())
        if found is None:
            raise _no_incident(incident_id)
        name = "".join(one for one in incident_id if one.isalnum() or one == "-")[:60]
        headers = {
            "Content-Disposition": f'attachment; filename="incident-{name}.{form}"',
            "Cache-Control": "no-store",
        }
        if form == "csv":
            lines = csv_lines(_COLUMNS, (_cells(repair_item(one)) for one in found))
            return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)
        return StreamingResponse(_as_json(found), media_type="application/json", headers=headers)


def _cells(item: RepairItem) -> list[Any]:
    when, decided = item.happened_at.isoformat(), item.at.isoformat() if item.at else ""
    return [
        item.customer, item.state, item.what, item.to_do, when, item.rule, item.alert, item.alerts, item.by, decided,
        item.note,
    ]  # fmt: skip


def _as_json(found: Iterable[RepairLine]) -> Iterator[bytes]:
    before = b"["
    for line in found:
        yield before + encode_json(repair_item(line).model_dump(mode="json"))
        before = b",\n"
    yield b"[]" if before == b"[" else b"]"


def _item(row: IncidentRow | None, incident_id: str) -> IncidentItem:
    if row is None:
        raise _no_incident(incident_id)
    return incident_item(row)


def _actor(request: Request, named: str | None) -> str:
    return getattr(request.state, "actor", None) or named or "api"


def _no_incident(incident_id: str) -> Refused:
    return Refused(404, f"there is no incident '{incident_id[:80]}'; GET /v1/incidents lists them")
