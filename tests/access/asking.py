"""Asking an application for the beginning of an answer, whatever comes behind it: a stream has no end.

What enters: an ASGI application, a request. What leaves: the status and the headers.
The next room: the sweeps over every route.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp

HOST = "127.0.0.1:8484"


@dataclass(frozen=True, slots=True)
class Start:
    """How an answer begins."""

    status: int
    headers: Headers


async def start_of(app: ASGIApp, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Start:
    """The beginning of one answer; the rest is not waited for."""
    begun: asyncio.Future[Start] = asyncio.get_running_loop().create_future()
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError("nothing comes any more")

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and not begun.done():
            begun.set_result(Start(message["status"], Headers(raw=message["headers"])))

    path, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8484),
        "headers": [(name.lower().encode(), value.encode()) for name, value in {"Host": HOST, **headers}.items()],
    }  # fmt: skip
    task = asyncio.ensure_future(app(scope, receive, send))
    done, _ = await asyncio.wait({task, begun}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
    if not begun.done():
        raise AssertionError(f"no answer to {method} {path}: {task.exception() if task in done else 'it hangs'}")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return begun.result()
