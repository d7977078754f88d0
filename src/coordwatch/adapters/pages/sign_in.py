"""Signing in and out, and seeing personal data for a while: plain forms, which need no script.

What enters: names, passwords, what a provider's page sent the browser back with.
What leaves: a cookie that only this browser has, or the page again with words that do not say what was wrong.
The next room: the gate, which decides; the door, which reads the cookie.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.types import Scope

from coordwatch.access.accounts import KNOWN_FOR, LASTS_FOR, SESSION_COOKIE
from coordwatch.access.gate import TOO_MANY, Coming, Gate, NotIn, SignedIn, Why
from coordwatch.access.principal import Principal, Way
from coordwatch.access.provider import NotProvenError, Provider
from coordwatch.adapters.pages.guard import HEADERS, FormRefused, own_path, read_form
from coordwatch.adapters.pages.look import COOKIE as LOOK_COOKIE
from coordwatch.adapters.pages.look import look_of
from coordwatch.adapters.pages.static import load_static
from coordwatch.clock import Clock
from coordwatch.errors import PermanentError, TemporaryError

KEEPSAKE_COOKIE = "__Host-coordwatch-way"
DEVICE_COOKIE = "__Host-coordwatch-device"
_KEPT_SECONDS = 600
_SECOND = 1_000_000
_FAILED = "This did not work. Begin again; if it fails again, an administrator finds the reason in the log."
_log = logging.getLogger("coordwatch.access")


@dataclass(frozen=True, slots=True)
class SignInContext:
    """What the sign-in works with: `clock` is the wall's; without `accounts` there are no passwords, without a `provider` no other way."""

    gate: Gate
    clock: Clock
    accounts: bool
    provider: Provider | None = None


def sign_in_router(context: SignInContext) -> APIRouter:
    """The addresses of signing in and out."""
    pages = _SignIn(context, BarePages())
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/sign-in", pages.show, methods=["GET", "HEAD"])
    router.add_api_route("/sign-in", pages.enter, methods=["POST"])
    router.add_api_route("/sign-in/provider", pages.go_to_provider, methods=["GET"])
    router.add_api_route("/sign-in/callback", pages.come_back, methods=["GET"])
    router.add_api_route("/sign-out", pages.leave, methods=["POST"])
    router.add_api_route("/unmask", pages.unmask, methods=["POST"])
    return router


class BarePages:
    """Pages for whoever is not signed in: nothing of the site is on them."""

    def __init__(self) -> None:
        static = load_static()
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip
        self._environment.globals.update(asset=static.address)

    def page(self, look: str | None, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
        """One page. Takes: `look`, the cookie that says how the person wants it."""
        text = self._environment.get_template(template).render({"look": look_of(look), **values})
        headers = {**HEADERS, "Cache-Control": "no-store"}
        return Response(text, status, headers=headers, media_type="text/html; charset=utf-8")

    def turn_away(self, scope: Scope, status: int, detail: str) -> Response:
        """Send whoever is not signed in to the sign-in; tell whoever is that this is not for them, or that nothing is there."""
        request = Request(scope)
        if status == 401 and request.method in ("GET", "HEAD"):
            query = request.url.query
            back = quote(f"{request.url.path}?{query}" if query else request.url.path, safe="")
            address = "/sign-in" if back == "%2F" else f"/sign-in?back={back}"
            if "hx-request" in request.headers:
                # What asks for a part of a page must not put the sign-in into it.
                return Response(status_code=401, headers={**HEADERS, "HX-Redirect": "/sign-in"})
            return _go(address)
        words = {401: "Sign in first.", 403: f"This is not for you: {detail}."}
        message = words.get(status, "There is no page at this address.")
        values = {"message": message, "back": "/sign-in" if status == 401 else "/"}
        return self.page(request.cookies.get(LOOK_COOKIE), "turned_away.html", values, status)


class _SignIn:
    """The endpoints; whatever waits for a database, a hash or a provider does so in the thread pool."""

    def __init__(self, context: SignInContext, bare: BarePages) -> None:
        self._context, self._bare = context, bare

    def show(self, request: Request) -> Response:
        who: Principal | None = getattr(request.state, "who", None)
        back = own_path(request.query_params.get("back"))
        return _go(back) if who is not None and who.way is Way.SESSION else self._page(request, back)

    async def enter(self, request: Request) -> Response:
        try:
            fields = dict(await read_form(request))
        except FormRefused as problem:
            return self._page(request, "/", str(problem), problem.status)
        return await run_in_threadpool(self._enter, request, fields)

    def _enter(self, request: Request, fields: Mapping[str, str]) -> Response:
        context, back = self._context, own_path(fields.get("back"))
        if not context.accounts:
            return self._page(request, back, "There are no passwords here: take the other way.", 404)
        name, password = fields.get("name", "").strip(), fields.get("password", "")
        try:
            found = context.gate.sign_in(name, password, _coming(request), context.clock.now())
        except TemporaryError as error:
            return self._page(request, back, f"Not now: {error}. Try again in a moment.", 503)
        return self._outcome(request, found, back)

    def go_to_provider(self, request: Request) -> Response:
        provider, back = self._context.provider, own_path(request.query_params.get("back"))
        if provider is None:
            return self._page(request, back, "There is no other way than a password here.", 404)
        try:
            wait = self._context.gate.provider_wait(_coming(request), self._context.clock.now())
            if wait:
                return self._outcome(request, NotIn(TOO_MANY, wait), back)
            begun = provider.begin(back)
        except (TemporaryError, PermanentError) as error:
            _log.error("a sign-in could not begin: %s", error)
            return self._page(request, back, "The provider does not answer. Try again in a moment.", 503)
        response = _go(begun.address)
        _keep(response, KEEPSAKE_COOKIE, begun.keepsake, _KEPT_SECONDS)
        return response

    def come_back(self, request: Request) -> Response:
        context, keepsake = self._context, request.cookies.get(KEEPSAKE_COOKIE, "")
        if context.provider is None:
            return self._page(request, "/", "There is no other way than a password here.", 404)
        now, coming = context.clock.now(), _coming(request)
        try:
            wait = context.gate.provider_wait(coming, now)
            if wait:
                return self._outcome(request, NotIn(TOO_MANY, wait), "/")
            vouched = context.provider.finish(keepsake, dict(request.query_params), now)
            found = context.gate.sign_in_by(vouched.identity, now, coming.before)
            response = self._outcome(request, found, vouched.back)
        except NotProvenError as error:
            _log.warning("a sign-in was refused: %s", error)
            response = self._page(request, "/", _FAILED, 403)
        except (TemporaryError, PermanentError) as error:
            _log.error("a sign-in could not end: %s", error)
            response = self._page(request, "/", "The provider does not answer. Try again in a moment.", 503)
        response.delete_cookie(KEEPSAKE_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        return response

    async def leave(self, request: Request) -> Response:
        try:
            await read_form(request)
        except FormRefused as problem:
            return self._page(request, "/", str(problem), problem.status)
        secret = request.cookies.get(SESSION_COOKIE, "")
        await run_in_threadpool(self._context.gate.sign_out, secret, self._context.clock.now())
        response = _go("/sign-in")
        response.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    async def unmask(self, request: Request) -> Response:
        try:
            fields = dict(await read_form(request))
        except FormRefused as problem:
            return self._page(request, "/", str(problem), problem.status)
        return await run_in_threadpool(self._unmask, request, fields)

    def _unmask(self, request: Request, fields: Mapping[str, str]) -> Response:
        gate, secret, now = self._context.gate, request.cookies.get(SESSION_COOKIE, ""), self._context.clock.now()
        why = next((one for one in Why if one.value == fields.get("why")), None)
        if fields.get("again") == "masked":
            gate.mask(secret, now)
        elif why is None or not gate.unmask(secret, why, now):
            values = {
                "message": "Say why you need to see personal data, from the list.",
                "back": own_path(fields.get("back")),
            }
            return self._bare.page(request.cookies.get(LOOK_COOKIE), "turned_away.html", values, 400)
        return _go(own_path(fields.get("back")))

    def _outcome(self, request: Request, found: SignedIn | NotIn, back: str) -> Response:
        if isinstance(found, NotIn):
            response = self._page(request, back, found.words, 429 if found.wait else 403)
            if found.wait:
                response.headers["Retry-After"] = str(math.ceil(found.wait / _SECOND))
            return response
        response = _go(back)
        _keep(response, SESSION_COOKIE, found.secret, LASTS_FOR // _SECOND)
        if found.device:
            _keep(response, DEVICE_COOKIE, found.device, KNOWN_FOR // _SECOND)
        return response

    def _page(self, request: Request, back: str, problem: str = "", status: int = 200) -> Response:
        provider = self._context.provider
        values = {
            "back": back,
            "problem": problem,
            "accounts": self._context.accounts,
            "provider": None if provider is None else provider.label,
        }
        return self._bare.page(request.cookies.get(LOOK_COOKIE), "sign_in.html", values, status)


def _coming(request: Request) -> Coming:
    """From where somebody comes, as the door found it out."""
    cookies = request.cookies
    return Coming(request.state.peer, cookies.get(DEVICE_COOKIE, "")[:100], cookies.get(SESSION_COOKIE, ""))


def _keep(response: Response, name: str, value: str, seconds: int) -> None:
    """A cookie that only this host, over an encrypted way or on this machine, and no script gets back."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def _go(address: str) -> Response:
    return Response(status_code=303, headers={**HEADERS, "Location": address, "Cache-Control": "no-store"})
