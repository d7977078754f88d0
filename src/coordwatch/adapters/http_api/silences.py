"""`/v1/silences`: the list, one silence, and what people do with them.

What enters: matchers in Alertmanager's grammar, times, reasons, the version that was seen.
What leaves: silences with their state; 412 when somebody was faster, 428 when nobody says what was seen.
The next room: the store, through SilenceDesk.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from coordwatch.adapters.http_api.context import ApiContext
from coordwatch.adapters.http_api.life_shapes import (
    ExpireBody,
    SilenceBody,
    SilenceItem,
    SilencePage,
    silence_draft,
    silence_item,
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
from coordwatch.alerts.silence import Silence, SilenceState, order_of
from coordwatch.ports import SilenceDesk

_Limit = Annotated[int, Query(ge=1, le=1000)]
_Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before")]


def silences_router(context: ApiContext, desk: SilenceDesk) -> APIRouter:
    """Everything under /v1/silences."""
    router = APIRouter(prefix="/v1/silences", tags=["silences"])

    @router.get("", response_model=SilencePage)
    def list_silences(state: SilenceState | None = None, limit: _Limit = 50, cursor: _Cursor = None) -> SilencePage:
        """Silences: active ones first, then pending, then those that expired within ninety days."""
        now = context.clock.now()
        after = after_cursor(cursor, (int, int, str))
        found = [one for one in desk.silences(now) if state is None or one.state(now) is state]
        behind = [one for one in found if after is None or order_of(one, now) > after]
        shown = behind[:limit]
        following = cursor_of(*order_of(shown[-1], now)) if len(behind) > limit else None
        return SilencePage(items=[silence_item(one, now) for one in shown], next=following)

    @router.post("", response_model=SilenceItem, status_code=201)
    def create_silence(request: Request, said: Annotated[Said, Depends()], body: SilenceBody) -> SilenceItem:
        """Silence the alerts that the matchers hold of, from now or from `starts_at`."""
        now = context.clock.now()
        actor = _actor(request, body.actor)
        once = once_of(said.idempotency_key, "silences", body.model_dump_json(), actor)
        return silence_item(desk.create(silence_draft(body, now, None), actor, now, once), now)

    @router.get("/{silence_id}", response_model=SilenceItem, responses={304: {"description": "it is as you know it"}})
    def show_silence(silence_id: str, if_none_match: IfNoneMatch = None) -> Response:
        """One silence; its ETag is for the `If-Match` of what is done to it."""
        silence = _found(desk, silence_id)
        content = silence_item(silence, context.clock.now()).model_dump_json().encode()
        headers = {"ETag": tag_of(silence.version, content), "Cache-Control": "no-cache"}
        if is_known(headers["ETag"], if_none_match):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)

    _add_changes(router, context, desk)
    return router


def _add_changes(router: APIRouter, context: ApiContext, desk: SilenceDesk) -> None:
    @router.put("/{silence_id}", response_model=SilenceItem)
    def change_silence(
        request: Request, said: Annotated[Said, Depends()], silence_id: str, body: SilenceBody
    ) -> SilenceItem:
        """Change a silence that has not expired, as it was seen: by `If-Match`. An active one keeps its start."""
        now = context.clock.now()
        found = _found(desk, silence_id)
        seen = version_seen(said.if_match, None, lambda: found.version)
        draft = silence_draft(body, now, found)
        with precisely(said.if_match):
            after = desk.change(silence_id, draft, _actor(request, body.actor), now, seen)
        return silence_item(_there(after, silence_id), now)

    @router.post("/{silence_id}/expire", response_model=SilenceItem)
    def expire_silence(
        request: Request, said: Annotated[Said, Depends()], silence_id: str, body: ExpireBody
    ) -> SilenceItem:
        """End a silence now, as it was seen: by `If-Match`. What it held back is decided about anew."""
        now = context.clock.now()
        seen = version_seen(said.if_match, body.version, lambda: _found(desk, silence_id).version)
        with precisely(said.if_match):
            after = desk.expire(silence_id, _actor(request, body.actor), now, seen)
        return silence_item(_there(after, silence_id), now)


def _actor(request: Request, named: str | None) -> str:
    return getattr(request.state, "actor", None) or named or "api"


def _found(desk: SilenceDesk, silence_id: str) -> Silence:
    return _there(desk.silence(silence_id), silence_id)


def _there(silence: Silence | None, silence_id: str) -> Silence:
    if silence is None:
        raise Refused(404, f"there is no silence '{silence_id[:80]}'; GET /v1/silences lists them")
    return silence
