"""The pages on a real socket, with a stream that tests can write to.

What enters: a PagesContext. What leaves: an address that a browser can open.
The next room: the browser tests and the screenshots.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from playwright.sync_api import Browser, expect, sync_playwright

from coordwatch.adapters.pages.router import PagesContext, pages_router

CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]


LAUNCH, SHOWN = 180_000, 60_000
"""How long a busy machine may take to start a browser, and to show what a page is about to show, in milliseconds."""


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """A Chromium; while it runs, no other loop can run in this thread."""
    expect.set_options(timeout=SHOWN)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS, timeout=LAUNCH)
        yield browser
        browser.close()


@dataclass(slots=True)
class Site:
    """A served site: where it is, and how to say that an alert is new."""

    address: str
    loop: asyncio.AbstractEventLoop
    queues: list[asyncio.Queue[str]] = field(default_factory=list)
    listening: threading.Event = field(default_factory=threading.Event)

    def announce(self, **alert: Any) -> None:
        """Send one new alert to every open stream."""
        self.send("alert", alert)

    def send(self, event: str, content: Any) -> None:
        """Send a message to every open stream."""
        message = f"event: {event}\ndata: {orjson.dumps(content).decode()}\n\n"
        for queue in self.queues:
            self.loop.call_soon_threadsafe(queue.put_nowait, message)


class _Server(uvicorn.Server):
    started_event: threading.Event

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.started_event.set()


@contextmanager
def serving(context: PagesContext) -> Iterator[Site]:
    """Serve the pages on a free port of this machine until the block ends."""
    app = FastAPI(openapi_url=None)
    app.include_router(pages_router(context))
    queues: list[asyncio.Queue[str]] = []
    listening = threading.Event()

    @app.get("/v1/stream")
    async def stream() -> StreamingResponse:
        queue: asyncio.Queue[str] = asyncio.Queue()
        queues.append(queue)
        listening.set()

        async def messages() -> AsyncIterator[str]:
            yield ": here\n\n"
            while True:
                yield await queue.get()

        return StreamingResponse(messages(), media_type="text/event-stream")

    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    server.started_event = threading.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve()), name="pages", daemon=True)
    thread.start()
    assert server.started_event.wait(60), "the pages' server did not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Site(f"http://127.0.0.1:{port}", loop, queues, listening)
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(20)
        loop.close()
