"""`POST /v1/sources/NAME`: what a tool signed is believed, committed, and answered, in this order.

What enters: any bytes, from anybody. What leaves: records for the writer; 2xx when they are on disk, also when they could
not be used, since a tool that is refused sends the same again and then stops; 4xx for whoever cannot prove who it is; 503
when nothing was written and the tool should come again. The next room: the processor, through the runtime's post.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from coordwatch.adapters.http_api.hooks.answers import HookAnswer, HookRecord, HookRefusal
from coordwatch.adapters.http_api.hooks.handshakes import handshake
from coordwatch.adapters.http_api.hooks.hook import Hook
from coordwatch.adapters.http_api.hooks.proofs import DoubtError, Sent
from coordwatch.adapters.http_api.posted import Destination, inputs_of
from coordwatch.adapters.http_api.problems import Refused
from coordwatch.clock import Clock
from coordwatch.errors import TemporaryError
from coordwatch.processor import Input, Result

PATH = "/v1/sources/"
REFUSALS_MAX = 50
_log = logging.getLogger("coordwatch.webhooks")


@dataclass(frozen=True, slots=True)
class HookDoor:
    """Every address of the door by its name, the clock, and the writer behind it."""

    hooks: Mapping[str, Hook]
    clock: Clock
    post: Callable[[Sequence[Input]], "Future[list[Result]]"]

    @property
    def paths(self) -> frozenset[str]:
        """The paths at which a signature takes the place of a token."""
        return frozenset(PATH + name for name in self.hooks)

    def outcomes(self) -> dict[tuple[str, ...], float]:
        """How many requests came to what, by source and outcome."""
        return {(hook.name, name): n for hook in self.hooks.values() for name, n in list(hook.outcomes.items())}


def hooks_router(door: HookDoor) -> APIRouter:
    """The addresses to which tools post."""
    router = APIRouter(prefix="/v1/sources", tags=["webhooks"])

    @router.post("/{name}", response_model=HookAnswer, openapi_extra=_BODY)
    async def take(request: Request, name: str) -> Any:
        """Take what a tool posts, once its signature is checked; the answer comes when it is committed."""
        hook = _hook(door, name)
        try:
            return await _take(door, hook, request)
        except Refused as refused:
            _say(hook, refused)
            raise
        except TemporaryError:
            hook.count("busy")
            raise

    @router.get("/{name}")
    @router.head("/{name}", include_in_schema=False)
    async def look(name: str) -> dict[str, str]:
        """Whether this address takes posts: for a person who tries a tunnel, and for tools that look before they post."""
        return {"source": _hook(door, name).source, "status": "ready for POST"}

    @router.options("/{name}", include_in_schema=False)
    async def may_post(request: Request, name: str) -> Response:
        """The handshake of CloudEvents: who asks may post, since each post is checked."""
        _hook(door, name)
        origin = request.headers.get("webhook-request-origin", "")
        allowed = {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"} if origin else {}
        return Response(status_code=200, headers={"Allow": "POST, GET, HEAD, OPTIONS", **allowed})

    return router


def _hook(door: HookDoor, name: str) -> Hook:
    found = door.hooks.get(name)
    if found is None:
        known = ", ".join(sorted(door.hooks)) or "none"
        raise Refused(404, f"no webhook is called '{name[:64]}'; the settings name: {known}")
    return found


async def _take(door: HookDoor, hook: Hook, request: Request) -> Any:
    sent = Sent(dict(request.headers.items()), await _read(hook, request))
    now = door.clock.now()
    try:
        proof, repeated = await run_in_threadpool(hook.believe, sent, now)
    except DoubtError as error:
        raise Refused(401, str(error), reason=error.doubt.value) from None
    asked = handshake(hook.name, sent)
    if asked is not None:
        hook.count("handshake")
        return JSONResponse(dict(asked))
    if repeated or not sent.body.strip():
        hook.count("repeated" if repeated else "empty")
        return HookAnswer(repeated=repeated, items=[])
    results = await _commit(door, hook, sent, now)
    hook.remember(proof, sent, now)
    hook.count("taken")
    return HookAnswer(repeated=False, items=[_record(index, one) for index, one in enumerate(results)])


async def _read(hook: Hook, request: Request) -> bytes:
    """The body, of which never more is held than may come."""
    too_large = Refused(413, f"this address takes at most {hook.limit:,} bytes", reason="too_large")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > hook.limit:
        raise too_large
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > hook.limit:
            raise too_large
        parts.append(part)
    return b"".join(parts)


async def _commit(door: HookDoor, hook: Hook, sent: Sent, now: int) -> list[Result]:
    headers = {name: value for name, value in sent.headers.items() if name != hook.secret_header}
    to = Destination(hook.name, hook.source, True, now)
    inputs = await run_in_threadpool(inputs_of, sent.body, headers, to)
    return await asyncio.wrap_future(door.post(inputs))


def _record(index: int, result: Result) -> HookRecord:
    refused = list(zip(result.refused, result.pieces, strict=True))
    return HookRecord(
        index=index,
        status=result.status.value,
        events=dict(Counter(one.value for one in result.became)),
        dropped=dict(Counter(result.dropped)),
        rejected_count=len(result.refused),
        rejected=[HookRefusal(**one._asdict(), piece=piece) for one, piece in refused[:REFUSALS_MAX]],
    )


def _say(hook: Hook, refused: Refused) -> None:
    """Count a refusal, and say it once in a while: a wrong secret would else fill the log."""
    reason = str(refused.more.get("reason", "unreadable"))
    hook.count(reason)
    times = hook.outcomes[reason]
    if times & (times - 1) == 0:  # the first, the second, the fourth, the eighth ...
        _log.warning("webhook '%s' refused a request (%s, %d so far): %s", hook.name, reason, times, refused.detail)


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {}},
            "application/cloudevents+json": {"schema": {"type": "object"}},
            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": {"type": "object"}}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
        },
    }
}
