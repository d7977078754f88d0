"""`/v1/audit`: who did what, newest first, and how far the trail goes.

What enters: filters, a cursor.
What leaves: links with their seals, so that a reader can check the chain.
The next room: the Trail of ApiContext.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from coordwatch.adapters.http_api.context import ApiContext
from coordwatch.adapters.http_api.problems import Refused
from coordwatch.adapters.http_api.shapes import Shape
from coordwatch.adapters.paging import after_cursor, cursor_of
from coordwatch.audit.chain import Head, Link
from coordwatch.audit.trail import Asked
from coordwatch.codec import decode_json
from coordwatch.events.times import parse_time, to_datetime


class AuditQuery(Shape):
    """Which entries are asked for; what is not said asks nothing."""

    actor: Annotated[str, Field(max_length=200)] = ""
    kind: Annotated[
        str, Field(max_length=80, description="such as alert.acknowledge, or alert for all of its kinds")
    ] = ""
    subject: Annotated[str, Field(max_length=300, description="the id of what it was done to")] = ""
    since: Annotated[str, Field(max_length=60, description="RFC 3339; from this instant on")] = ""
    until: Annotated[str, Field(max_length=60, description="RFC 3339; before this instant")] = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 50
    cursor: Annotated[str | None, Field(max_length=400, description="`next` of the page before")] = None


class AuditLink(Shape):
    """One entry: who did what to what, and the seal over it and the entry before."""

    number: int
    at: datetime
    actor: str
    kind: str
    subject: str
    facts: dict[str, Any]
    seal: str


class AuditHead(Shape):
    """How far the trail goes. Whoever notes both elsewhere can later show that nothing before was changed or cut off."""

    number: int
    seal: str


class AuditPage(Shape):
    """A page of the trail, newest first; `next` is the cursor of the next page, null on the last."""

    items: list[AuditLink]
    next: str | None
    head: AuditHead


def audit_router(context: ApiContext) -> APIRouter:
    """Everything under /v1/audit."""
    router = APIRouter(prefix="/v1/audit", tags=["audit"])

    @router.get("", response_model=AuditPage)
    def list_audit(query: Annotated[AuditQuery, Query()]) -> AuditPage:
        """A page of the audit trail, newest first."""
        after = after_cursor(query.cursor, (int,))
        asked = Asked(
            actor=query.actor,
            kind=query.kind,
            subject=query.subject,
            since=_instant("since", query.since),
            until=_instant("until", query.until),
            before=None if after is None else after[0],
        )
        links = context.trail.page(asked, query.limit + 1)
        shown = links[: query.limit]
        following = cursor_of(shown[-1].number) if len(links) > query.limit else None
        return AuditPage(items=[audit_link(one) for one in shown], next=following, head=_head(context.trail.head()))

    @router.get("/head", response_model=AuditHead)
    def show_head() -> AuditHead:
        """How far the trail goes now."""
        return _head(context.trail.head())

    return router


def audit_link(link: Link) -> AuditLink:
    """A link as JSON shows it."""
    return AuditLink(
        number=link.number,
        at=to_datetime(link.at),
        actor=link.actor,
        kind=link.kind,
        subject=link.subject,
        facts=decode_json(link.facts),
        seal=link.seal,
    )


def _head(head: Head) -> AuditHead:
    return AuditHead(number=head.number, seal=head.seal)


def _instant(name: str, text: str) -> int | None:
    if not text:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        raise Refused(400, f"{name}: {error}") from None
