"""`POST /v1/events`: records in, one answer each, after they are committed.

What enters: any bytes.
What leaves: what became of each record; nothing is answered that is not on disk.
The next room: the processor, through the runtime's post.
"""

import asyncio

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from coordwatch.adapters.http_api.bodies import is_lines, split_body
from coordwatch.adapters.http_api.context import ApiContext, Posting
from coordwatch.adapters.http_api.problems import Refused
from coordwatch.adapters.http_api.shapes import EventAnswer, EventAnswers
from coordwatch.clock import Clock
from coordwatch.processor import CANONICAL, Input, Result
from coordwatch.sources.record import Record

CLOUDEVENTS = "cloudevents"
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


def events_router(context: ApiContext) -> APIRouter:
    """The one address to which events are posted."""
    router = APIRouter(prefix="/v1", tags=["events"])

    @router.post("/events", response_model=EventAnswers, openapi_extra=_BODY)
    async def post_events(request: Request, source: str | None = None) -> EventAnswers:
        """Take events: one JSON text, a JSON array, or JSON Lines; canonical CloudEvents, or a tool's own payloads.

        With `source=NAME` the body is a payload of that mapping, as the tool sent it.
        """
        posting = context.posting
        if posting is None:
            raise Refused(404, "no input takes posts here: add 'inputs: [{kind: http}]' to the settings")
        body = await request.body()
        inputs = await run_in_threadpool(_inputs, body, request, _Asked(posting, source, context.clock))
        results = await asyncio.wrap_future(posting.post(inputs))
        return EventAnswers(items=[_answer(index, result) for index, result in enumerate(results)])

    return router


class _Asked:
    """What a request asks for, apart from its body."""

    def __init__(self, posting: Posting, source: str | None, clock: Clock) -> None:
        if source is not None and source not in posting.known:
            known = ", ".join(sorted(posting.known))
            raise Refused(400, f"no mapping is called '{source[:80]}'; one of: {known}")
        self.posting, self.source, self.now = posting, source, clock.now()


def _inputs(body: bytes, request: Request, asked: _Asked) -> list[Input]:
    headers = {name: value for name, value in request.headers.items() if name not in _SECRET_HEADERS}
    content_type = headers.get("content-type", "")
    if "ce-id" in headers or "ce-type" in headers:
        source, records = asked.source or CLOUDEVENTS, [body]
    else:
        source = asked.source or asked.posting.source
        # A tool's payload is one record, also when it is an array: its mapping knows how to split it.
        whole = source != CANONICAL and not is_lines(content_type)
        records = [body] if whole and body.strip() else split_body(body, content_type)
    pairs = tuple(headers.items()) if source != CANONICAL else ()
    posting = asked.posting
    return [
        Input(Record(record, topic=posting.input, headers=pairs, timestamp=asked.now), source, posting.input)
        for record in records
    ]


def _answer(index: int, result: Result) -> EventAnswer:
    return EventAnswer(
        index=index, status=result.status.value, events=result.events, reason=result.reason, detail=result.detail
    )


_TEXT = {"schema": {"type": "string"}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/cloudevents+json": {"schema": {"type": "object"}},
            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": {"type": "object"}}},
            "application/json": {"schema": {}},
            "application/x-ndjson": _TEXT,
        },
    }
}
