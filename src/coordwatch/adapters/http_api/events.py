"""`POST /v1/events`: records in, one answer each, after they are committed.

What enters: any bytes.
What leaves: what became of each record; nothing is answered that is not on disk.
The next room: the processor, through the runtime's post.
"""

import asyncio

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from coordwatch.adapters.http_api.context import ApiContext, Posting
from coordwatch.adapters.http_api.posted import Destination, inputs_of
from coordwatch.adapters.http_api.preconditions import IdempotencyKey, once_of
from coordwatch.adapters.http_api.problems import Refused
from coordwatch.adapters.http_api.shapes import EventAnswer, EventAnswers
from coordwatch.processor import CANONICAL, Result


def events_router(context: ApiContext) -> APIRouter:
    """The one address to which events are posted."""
    router = APIRouter(prefix="/v1", tags=["events"])

    @router.post("/events", response_model=EventAnswers, openapi_extra=_BODY)
    async def post_events(
        request: Request, source: str | None = None, idempotency_key: IdempotencyKey = None
    ) -> EventAnswers:
        """Take events: one JSON text, a JSON array, or JSON Lines; canonical CloudEvents, or a tool's own payloads.

        With `source=NAME` the body is a payload of that mapping, as the tool sent it. An event that comes twice is a
        `duplicate` by its own id; under an `Idempotency-Key` the answer itself is the same again.
        """
        posting = context.posting
        if posting is None:
            raise Refused(404, "no input takes posts here: add 'inputs: [{kind: http}]' to the settings")
        body = await request.body()
        to = _destination(posting, source, context.clock.now())
        once = once_of(idempotency_key, "events", source, body)
        known = None if once is None else await run_in_threadpool(context.desk.recall, once)
        if known is not None:
            return EventAnswers.model_validate_json(known)
        inputs = await run_in_threadpool(inputs_of, body, dict(request.headers), to)
        results = await asyncio.wrap_future(posting.post(inputs))
        answer = EventAnswers(items=[_answer(index, result) for index, result in enumerate(results)])
        if once is not None:
            await run_in_threadpool(context.desk.remember, once, answer.model_dump_json().encode(), to.now)
        return answer

    return router


def _destination(posting: Posting, source: str | None, now: int) -> Destination:
    if source is not None and source not in posting.known:
        known = ", ".join(sorted(posting.known, key=lambda name: (name != CANONICAL, name)))
        raise Refused(400, f"no mapping is called '{source[:80]}'; one of: {known}")
    return Destination(posting.input, source or posting.source, source is not None, now)


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
