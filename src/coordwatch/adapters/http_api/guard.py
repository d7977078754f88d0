"""The door: who may come in, from which page, and how much they may bring.

What enters: every request of the whole server, pages included.
What leaves: the request, with who asks; or a problem, or a page that says so. Every answer with the headers that keep it safe.
The next room: `application`, which stands behind it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coordwatch.access.gate import Why
from coordwatch.access.principal import Principal, Way, hides, turned_away
from coordwatch.access.roles import Need, Open
from coordwatch.adapters.http_api.masked import Masked
from coordwatch.adapters.http_api.peer import Network, peer_of
from coordwatch.adapters.http_api.problems import problem
from coordwatch.adapters.http_api.routed import Needs
from coordwatch.adapters.http_api.safe_headers import unkept, with_headers
from coordwatch.adapters.http_api.who import Guesses, Keeper, who_asks
from coordwatch.errors import TemporaryError

UNMASK = "x-unmask"
_log = logging.getLogger("coordwatch.access")
BODY_MAX = 10 * 1024 * 1024
_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_API = ("/v1/", "/livez", "/readyz", "/metrics")
TurnAway = Callable[[Scope, int, str], Response]


@dataclass(frozen=True, slots=True)
class Door:
    """Whom the guard lets in: everybody who can reach a loopback address, whoever knows the token, whoever is signed in.

    At the paths under `signed` it asks nothing: who posts there comes from outside, under any name of ours, and proves by a
    signature who it is; how much it may bring is looked at behind it. `keeper` knows sessions and API tokens; without one
    nobody signs in. `public` is the address of the site as browsers know it. `guesses` counts wrong secrets by where they come
    from, which `proxies` may say of others.
    """

    token: str | None = None
    body_max: int = BODY_MAX
    signed: frozenset[str] = frozenset()
    keeper: Keeper | None = None
    public: str = ""
    proxies: tuple[Network, ...] = ()
    guesses: Guesses | None = None

    @property
    def open(self) -> bool:
        """Whether everybody who reaches it may come in."""
        return self.token is None and self.keeper is None

    @property
    def https(self) -> bool:
        """Whether browsers come by https."""
        return self.public.startswith("https://")


class _TooLarge(Exception):
    """More bytes came than a request may bring."""


@dataclass(frozen=True, slots=True)
class _No:
    status: int
    detail: str
    retry_after: float | None = None


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, door: Door, needs: Needs, turn_away: TurnAway | None = None) -> None:
        self._app, self._door, self._needs, self._turn_away = app, door, needs, turn_away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                return  # there is none here: the server answers 403
            await self._app(scope, receive, send)
            return
        send = with_headers(send, https=self._door.https)
        headers, need = Headers(scope=scope), self._needs.of(scope)
        no = _smuggled(headers)
        if no is None and scope["path"] in self._door.signed:
            await self._app(scope, receive, send)
            return
        no = no or self._strange(scope, headers) or await self._unknown(scope, headers, need) or self._long(headers)
        if no is not None:
            await self._refuse(scope, no)(scope, receive, send)
            return
        who: Principal | None = scope["state"]["who"]
        scope["state"]["goes_on"] = partial(self._goes_on, headers, need, who)
        if hides(who) and self._door.keeper is not None:
            send = Masked(send, scope, await run_in_threadpool(self._door.keeper.staff)).send
        elif who is not None and self._door.keeper is not None and not scope["path"].startswith("/static/"):
            send = unkept(send)
        await self._within_size(scope, receive, send)

    def _strange(self, scope: Scope, headers: Headers) -> _No | None:
        host = headers.get("host", "")
        if self._door.open and _name_of(host) not in _LOCAL_NAMES:
            return _No(403, f"this server answers to 127.0.0.1 and localhost only, not to '{host[:80]}'")
        if scope["method"] not in _READING and not self._same_site(headers, host):
            return _No(403, "another page asked for this; open this server's own page and do it there")
        return None

    async def _unknown(self, scope: Scope, headers: Headers, need: Need) -> _No | None:
        """Find out who asks, and whether they may; a request is handed on with its Principal in any case."""
        door = self._door
        peer = scope.setdefault("state", {})["peer"] = peer_of(scope, headers, door.proxies)
        counts = None if door.open or "authorization" not in headers else door.guesses
        # Taken before it is looked at, so that many at one moment are counted too.
        wait = 0.0 if counts is None else counts.take(peer)
        try:
            who = await run_in_threadpool(self._shown, headers, guessed=wait > 0)
        except TemporaryError as error:
            # The process lives also while its database does not answer.
            if need is not Open.ANYBODY:
                return _No(503, str(error), error.retry_after or 1.0)
            who = None
        if counts is not None and who is not None and not wait:
            counts.give_back(peer)
        status = turned_away(who, need)
        scope["state"]["who"] = who
        if status == 401 and wait:
            return _No(429, "too many secrets from here that are none: come again later", wait)
        if status == 401:
            return _No(401, "sign in, or send a token as 'Authorization: Bearer TOKEN'" if door.keeper else _TOKEN)
        if status:
            return _No(403, f"this needs the permission '{need.value}', which {_whose(who)} does not have")
        if who is not None and who.way is Way.SESSION and not self._proven(scope, headers):
            return _No(403, "the browser does not say which page asked for this; open this server's own page")
        return await self._hand_on(scope, headers, who)

    def _shown(self, headers: Headers, *, guessed: bool) -> Principal | None:
        """Who asks. Takes: `guessed`, from where too many guesses came: then only what nobody could guess is looked at."""
        if not guessed:
            return who_asks(headers, self._door.token, self._door.keeper)
        return None if self._door.keeper is None else who_asks(headers, None, self._door.keeper)

    async def _goes_on(self, headers: Headers, need: Need, who: Principal | None) -> bool:
        """Whether a stream that was opened may go on: who signed out, was shut out, or sees personal data masked by now opens it anew."""
        door = self._door
        if who is None or door.keeper is None:
            return True
        try:
            now = await run_in_threadpool(who_asks, headers, door.token, door.keeper, watching=True)
        except TemporaryError:
            return True  # it is looked at again; what comes out of a database that is away is nothing
        if now is None or turned_away(now, need):
            return False
        return now.permissions == who.permissions and (who.way is Way.API_TOKEN or now.unmasked == who.unmasked)

    async def _hand_on(self, scope: Scope, headers: Headers, who: Principal | None) -> _No | None:
        """Write on the request who asks, and whether personal data is shown in the answer."""
        keeper, state = self._door.keeper, scope.setdefault("state", {})
        wait = 0.0 if who is None or keeper is None else keeper.pace(who)
        if wait:
            return _No(429, "too many requests with this token: come again later", wait)
        if who is not None and keeper is not None and UNMASK in headers:
            why = next((one for one in Why if one.value == headers[UNMASK]), None)
            if why is None:
                return _No(400, f"{UNMASK} says why personal data is needed, by one of: {', '.join(Why)}")
            try:
                who = await run_in_threadpool(keeper.unmasked, who, why, state.get("judged", ""))
            except TemporaryError as error:
                return _No(503, str(error), error.retry_after or 1.0)
            scope["headers"] = [one for one in scope["headers"] if one[0] != b"if-none-match"]
        state["who"] = who
        if who is not None and who.name:
            state["actor"] = who.name
        return None

    def _proven(self, scope: Scope, headers: Headers) -> bool:
        """A session comes along by itself, so a change under it must be known to come from our own page."""
        return scope["method"] in _READING or "sec-fetch-site" in headers or "origin" in headers

    def _same_site(self, headers: Headers, host: str) -> bool:
        """Whether a request that changes something comes from our own page, or from no page at all."""
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return False
        origin = headers.get("origin")
        if origin is None:
            return True
        if self._door.public and origin == self._door.public.rstrip("/"):
            return True
        try:
            return urlsplit(origin).netloc.lower() == host.lower()
        except ValueError:
            return False

    def _long(self, headers: Headers) -> _No | None:
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            return _No(400, "Content-Length must be a number")
        if int(length[:20]) > self._door.body_max:
            return _No(413, self._size_words())
        return None

    def _refuse(self, scope: Scope, no: _No) -> Response:
        if no.status in (401, 403):
            # The route and not the address: an address may name a customer.
            route, who = scope["state"].get("judged", "nothing"), scope["state"].get("who")
            _log.warning(
                "turned away (%d): %s %s, %s", no.status, scope["method"], route, "nobody" if who is None else who.name
            )
        is_page = self._door.keeper is not None and not scope["path"].startswith(_API)
        if self._turn_away is not None and is_page and no.status in (401, 403):
            return self._turn_away(scope, no.status, no.detail)
        more = {} if no.retry_after is None else {"retry_after": no.retry_after}
        refused = problem(no.status, no.detail, **more)
        if no.status == 400:
            # Whoever sends what can be read in two ways has perhaps hidden a second request behind it.
            refused.headers["Connection"] = "close"
        if no.status == 401 and self._door.token is None:
            # A browser would ask for a name and a password that nobody has here.
            refused.headers["WWW-Authenticate"] = 'Bearer realm="coordwatch"'
        return refused

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


_TOKEN = "send the token as 'Authorization: Bearer TOKEN', or as the password in a browser"  # noqa: S105


def _smuggled(headers: Headers) -> _No | None:
    """Two lengths of one body: whoever stands before us may believe the other one."""
    lengths = headers.getlist("content-length")
    if "transfer-encoding" in headers and lengths:
        return _No(400, "a request says its length once: Content-Length, or Transfer-Encoding, not both")
    return _No(400, "a request says its length once") if len(lengths) > 1 else None


def _whose(who: Principal | None) -> str:
    if who is None or who.role is None:
        return "this token"
    return f"the role {who.role.value}"


def _name_of(host: str) -> str:
    name, port = host, ""
    if host.startswith("["):
        name, _, port = host[1:].partition("]")
    elif ":" in host:
        name, _, port = host.partition(":")
        port = f":{port}"
    return name.lower() if not port or (port.startswith(":") and port[1:].isdecimal()) else ""
