"""`/v1/views`: the saved views of the inbox, which are everybody's.

What enters: a name, and the filters of the inbox's address.
What leaves: views with their address; 412 when somebody was faster, 428 when nobody says what was seen.
The next room: the store, through its Shelf.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, StringConstraints

from coordwatch.adapters.http_api.context import ApiContext
from coordwatch.adapters.http_api.preconditions import IfMatch, IfNoneMatch, Said, is_known, once_of, tag_of
from coordwatch.adapters.http_api.problems import Refused
from coordwatch.adapters.http_api.shapes import Shape
from coordwatch.adapters.inbox_query import DEFAULTS, SHIPPED, VALUE_MAX, VIEW_NAME_MAX, query_of
from coordwatch.events.times import to_datetime
from coordwatch.ports import VIEWS_MOST, SavedView, ViewCheck

_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=VIEW_NAME_MAX)]
_Query = Annotated[
    dict[str, Annotated[str, Field(max_length=VALUE_MAX)]],
    Field(
        max_length=20,
        description="what the inbox's address says: `status`, `severity`, `rule`, `tool`, `range`, `sort`, ...",
    ),
]
_Actor = Annotated[str | None, Field(min_length=1, max_length=80)]


class ViewItem(Shape):
    """A saved view; `address` is its page, from the root of this site."""

    name: str
    query: dict[str, str]
    address: str
    actor: str
    at: datetime


class ViewList(Shape):
    """The saved views by name."""

    items: list[ViewItem]


class NewView(Shape):
    """A view to keep under a name that is free."""

    name: _Name
    query: _Query
    actor: _Actor = None


class ViewBody(Shape):
    """What a view shows from now on."""

    query: _Query
    actor: _Actor = None


def views_router(context: ApiContext) -> APIRouter:
    """Everything under /v1/views."""
    router = APIRouter(prefix="/v1/views", tags=["views"])

    @router.get("", response_model=ViewList)
    def list_views() -> ViewList:
        """The saved views by name; those that ship with the pages are not among them."""
        return ViewList(items=[_item(one) for one in context.shelf.views()])

    @router.post("", response_model=ViewItem, status_code=201)
    def create_view(request: Request, said: Annotated[Said, Depends()], body: NewView) -> ViewItem:
        """Keep a view for everybody, under a name that no other has."""
        view = SavedView(body.name, _meant(body.query), _actor(request, body.actor), context.clock.now())
        once = once_of(said.idempotency_key, "views", body.model_dump_json(), view.actor)
        known = None if once is None else context.desk.recall(once)
        if known is not None:
            return ViewItem.model_validate_json(known)
        _keep(context, view, _free)
        item = _item(view)
        if once is not None:
            context.desk.remember(once, item.model_dump_json().encode(), view.at)
        return item

    @router.get("/{name:path}", response_model=ViewItem, responses={304: {"description": "it is as you know it"}})
    def show_view(name: str, if_none_match: IfNoneMatch = None) -> Response:
        """One view; its ETag is for the `If-Match` of what is done to it."""
        found = next((one for one in context.shelf.views() if one.name == name), None)
        view = _there(found, name)
        headers = {"ETag": _tag(view), "Cache-Control": "no-cache"}
        if is_known(headers["ETag"], if_none_match):
            return Response(status_code=304, headers=headers)
        return Response(_item(view).model_dump_json(), media_type="application/json", headers=headers)

    _add_changes(router, context)
    return router


def _add_changes(router: APIRouter, context: ApiContext) -> None:
    @router.put("/{name:path}", response_model=ViewItem)
    def change_view(request: Request, name: str, body: ViewBody, if_match: IfMatch = None) -> ViewItem:
        """Let a view show something else, as it was seen: by `If-Match`."""
        view = SavedView(name, _meant(body.query), _actor(request, body.actor), context.clock.now())
        _keep(context, view, _seen(name, if_match))
        return _item(view)

    @router.delete("/{name:path}", status_code=204)
    def remove_view(request: Request, name: str, if_match: IfMatch = None) -> None:
        """Remove a view for everybody, as it was seen: by `If-Match`."""
        context.shelf.drop_view(name, _actor(request, None), context.clock.now(), _seen(name, if_match))


def _keep(context: ApiContext, view: SavedView, check: ViewCheck) -> None:
    if view.name in SHIPPED:
        raise Refused(409, f"there is a view called '{view.name}' that ships with coordwatch: take another name")
    if not context.shelf.keep_view(view, check):
        raise Refused(409, f"there are {VIEWS_MOST} saved views already: remove one first")


def _free(stands: SavedView | None) -> None:
    if stands is not None:
        raise Refused(
            409, f"there is a view called '{stands.name}' already: change it by PUT, with its ETag as 'If-Match'"
        )


def _seen(name: str, if_match: str | None) -> ViewCheck:
    """What holds a request against what stands."""
    if if_match is None:
        raise Refused(428, "say which version you saw: 'If-Match' with its ETag; 'If-Match: *' means whatever stands")

    def check(stands: SavedView | None) -> None:
        known = _there(stands, name)
        if if_match.strip() != "*" and _tag(known) not in [one.strip() for one in if_match.split(",")]:
            raise Refused(412, f"{known.actor} has changed it since: GET it, and send its ETag as it is")

    return check


def _meant(query: Mapping[str, str]) -> Mapping[str, str]:
    """The filters as the inbox reads them.

    Raises: Refused with 422 for one that it would leave out, which would show more than was asked for
    """
    for name, value in query.items():
        if name not in query_of({name: value}).values and value != DEFAULTS.get(name):
            raise Refused(422, f"the inbox knows nothing like '{name[:40]}={value[:80]}': write what its address says")
    return dict(query_of(query).values)


def _item(view: SavedView) -> ViewItem:
    return ViewItem(
        name=view.name,
        query=dict(view.query),
        address=query_of(view.query).address(),
        actor=view.actor,
        at=to_datetime(view.at),
    )


def _tag(view: SavedView) -> str:
    return tag_of(1, _item(view).model_dump_json().encode())


def _there(view: SavedView | None, name: str) -> SavedView:
    if view is None:
        raise Refused(404, f"there is no saved view '{name[:VIEW_NAME_MAX]}'; GET /v1/views lists them")
    return view


def _actor(request: Request, named: str | None) -> str:
    return getattr(request.state, "actor", None) or named or "api"
