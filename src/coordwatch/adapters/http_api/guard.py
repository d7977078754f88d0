"""The door: who may come in, from which page, and how much they may bring.

What enters: every request of the whole server, pages included.
What leaves: the request, with the name of who asks; or a problem.
The next room: `application`, which stands behind it.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coordwatch.adapters.http_api.problems import problem

BODY_MAX = 10 * 1024 * 1024
OPEN_PATHS = frozenset({"/livez", "/readyz"})
_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Door:
    """Whom the guard lets in: everybody who can reach a loopback address, or whoever knows the token.

    At the paths under `signed` it asks nothing: who posts there comes from outside, under any name of ours, and proves by a
    signature who it is; how much it may bring is looked at behind it.
    """

    token: str | None = None
    body_max: int = BODY_MAX
    signed: frozenset[str] = frozenset()


class _TooLarge(Exception):
    """More bytes came than a request may bring."""


class Guard:
    """ASGI middleware around the whole application; it adds no headers to answers that others make."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._door.signed:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            status, detail = refusal
            await problem(status, detail)(scope, receive, send)
            return
        await self._within_size(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self._door.token is None and _name_of(host) not in _LOCAL_NAMES:
            return 403, f"this server answers to 127.0.0.1 and localhost only, not to '{host[:80]}'"
        if scope["method"] not in _READING and not _same_site(headers, host):
            return 403, "another page asked for this; open this server's own page and do it there"
        if self._door.token is not None and scope["path"] not in OPEN_PATHS:
            actor = _actor(headers.get("authorization", ""), self._door.token)
            if actor is None:
                return 401, "send the token as 'Authorization: Bearer TOKEN', or as the password in a browser"
            scope.setdefault("state", {})["actor"] = actor
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            return 400, "Content-Length must be a number"
        if int(length[:20]) > self._door.body_max:
            return 413, self._size_words()
        return None

    async def _within_size(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = 0
        started = False

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                if size > self._door.body_max:
                    raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except _TooLarge:
            if not started:
                await problem(413, self._size_words())(scope, receive, send)

    def _size_words(self) -> str:
        return f"a request may bring at most {self._door.body_max // (1024 * 1024)} MB: send several smaller ones"


def _name_of(host: str) -> str:
    name, port = host, ""
    if host.startswith("["):
        name, _, port = host[1:].partition("]")
    elif ":" in host:
        name, _, port = host.partition(":")
        port = f":{port}"
    return name.lower() if not port or (port.startswith(":") and port[1:].isdecimal()) else ""


def _same_site(headers: Headers, host: str) -> bool:
    """Whether a request that changes something comes from our own page, or from no page at all."""
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def _actor(authorization: str, token: str) -> str | None:
    """Who knows the token: the user name beside it, or `api`; None for whoever does not."""
    scheme, _, value = authorization.partition(" ")
    name, given = "api", value.strip()
    if scheme.lower() == "basic":
        try:
            name, _, given = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
    elif scheme.lower() != "bearer":
        return None
    known = hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode("utf-8"))
    return (name or "api")[:80] if known else None
