"""A webhook door on a real socket, on a clock that tests move."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from coordwatch.adapters.http_api.hooks.hook import Hook
from coordwatch.adapters.http_api.hooks.schemes import check_named, window_of
from coordwatch.embedded.server import HttpServer, address_of, listen
from tests.api.build import Api, an_api


@dataclass(frozen=True, slots=True)
class Place:
    """A served door: a client of it, and what stands behind it."""

    client: httpx.Client
    api: Api
    hooks: Mapping[str, Hook]

    @property
    def seconds(self) -> int:
        """The present, in seconds since 1970."""
        return self.api.clock.now() // 1_000_000

    def post(
        self, name: str, body: bytes, headers: Mapping[str, str], kind: str = "application/json"
    ) -> httpx.Response:
        return self.client.post(f"/v1/sources/{name}", content=body, headers={"Content-Type": kind, **headers})


def a_hook(name: str, secrets: list[str], source: str = "sendgrid", check: str = "", **more: Any) -> Hook:
    """An address with its check."""
    check = check or name
    made = check_named(check, secrets, more.pop("url", ""), more.pop("header", ""), more.pop("keys", None))
    return Hook(name, source, made, more.pop("window", window_of(check)), **more)


@contextmanager
def serving(*hooks: Hook, token: str | None = None) -> Iterator[Place]:
    """Serve these addresses on a free port until the block ends."""
    named = {hook.name: hook for hook in hooks}
    api = an_api(hooks=named, token=token)
    listening = listen("127.0.0.1", 0)
    server = HttpServer(api.application, listening)
    server.start()
    try:
        with httpx.Client(base_url=address_of(listening), timeout=30) as client:
            yield Place(client, api, named)
    finally:
        server.stop()
