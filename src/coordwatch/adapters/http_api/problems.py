"""Errors as problem+json (RFC 9457): what happened, where, and the next move.

What enters: an exception.
What leaves: a response; never a stack trace.
The next room: `application`, which registers the handlers.
"""

import logging
import math
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from coordwatch.adapters.http_api.safe_headers import ALWAYS
from coordwatch.adapters.paging import BadQuery
from coordwatch.alerts.alert import ActionRefused, VersionConflict
from coordwatch.alerts.matchers import BadMatcher
from coordwatch.alerts.once import KeyReused
from coordwatch.alerts.silence import BadSilence
from coordwatch.errors import CoordwatchError, TemporaryError

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger("coordwatch.http")
_TITLES = {
    400: "The request cannot be understood",
    401: "Who are you?",
    403: "This is not allowed",
    404: "There is nothing here",
    405: "This method is not for this address",
    409: "Somebody was faster",
    412: "It has changed since you looked",
    413: "Too large",
    422: "The request says something impossible",
    428: "Say what you saw",
    429: "Too fast",
    503: "Not now",
}

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what is wrong, and the next move"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "version": {"type": "integer", "description": "the version that stands"},
    },
}
# What every address may answer beside its own, for the OpenAPI document.
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "refused: what is wrong, and the next move", "content": {MEDIA_TYPE: {"schema": _PROBLEM}}},
    "5XX": {
        "description": "not now, or something is broken here; nothing was done, and Retry-After says when to come back",
        "content": {MEDIA_TYPE: {"schema": _PROBLEM}},
    },
}


class Refused(Exception):
    """A request is refused with this status; `more` stands beside the standard members."""

    def __init__(self, status: int, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.more = status, detail, more


def problem(status: int, detail: str, **more: Any) -> JSONResponse:
    """A response that says what is wrong."""
    # A fault is answered outside of the door, which adds them to everything else.
    headers = dict(ALWAYS)
    if "retry_after" in more:
        headers["Retry-After"] = str(math.ceil(more.pop("retry_after") or 1))
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="coordwatch", charset="UTF-8"'
    content = {"type": "about:blank", "title": _TITLES.get(status, "Error"), "status": status, "detail": detail, **more}
    return JSONResponse(content, status, headers, MEDIA_TYPE)


def register(app: FastAPI) -> None:
    """Make every error of an application a problem."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(CoordwatchError, _of_ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return problem(error.status, error.detail, **error.more)


def _of_ours(_request: Request, error: Exception) -> JSONResponse:
    match error:
        case VersionConflict():
            return problem(409, str(error), version=error.version)
        case ActionRefused() | KeyReused():
            return problem(409, str(error))
        case BadQuery():
            return problem(400, str(error), errors=[{"field": error.field, "message": str(error)}])
        case BadMatcher() | BadSilence():
            return problem(422, str(error))
        case TemporaryError():
            return problem(503, str(error), retry_after=error.retry_after)
    _log.error("refused by the program: %s", error)
    return problem(500, str(error))


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [{"field": ".".join(str(part) for part in one["loc"]), "message": _words(one)} for one in error.errors()]
    words = "; ".join(f"{one['field']}: {one['message']}" for one in errors[:5])
    return problem(422, words, errors=errors[:20])


def _words(error: Mapping[str, Any]) -> str:
    """What pydantic says, but for a whole body that is missing or was not read as JSON: that needs the next move."""
    if tuple(error["loc"]) == ("body",) and error["type"] in ("missing", "model_attributes_type"):
        return "an object belongs here, {} at least, with Content-Type: application/json"
    return str(error["msg"])


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    turn_away = getattr(request.app.state, "turn_away", None)
    if error.status_code == 404 and turn_away is not None and _looks_for_a_page(request):
        page: Response = turn_away(request.scope, 404, str(error.detail))
        return page
    response = problem(error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _looks_for_a_page(request: Request) -> bool:
    """Whether somebody typed an address into a browser, and not a program asked."""
    reads = request.method in ("GET", "HEAD") and not request.url.path.startswith("/v1")
    return reads and "text/html" in request.headers.get("accept", "")


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # The route and not the address: an address may name a customer.
    _log.error("%s %s failed", request.method, getattr(request.state, "judged", "nothing"), exc_info=error)
    return problem(500, "something went wrong here; the log says what")
