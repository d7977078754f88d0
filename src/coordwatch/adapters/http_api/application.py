"""The HTTP application: API, health, metrics, and whatever pages are put beside them.

What enters: an ApiContext, and routers of others.
What leaves: one ASGI application behind one door.
The next room: `embedded`, which serves it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse

import coordwatch
from coordwatch.adapters.http_api.alerts import alerts_router
from coordwatch.adapters.http_api.audit import audit_router
from coordwatch.adapters.http_api.checking import check_router
from coordwatch.adapters.http_api.context import ApiContext
from coordwatch.adapters.http_api.events import events_router
from coordwatch.adapters.http_api.guard import Door, Guard, TurnAway
from coordwatch.adapters.http_api.hooks.routes import hooks_router
from coordwatch.adapters.http_api.incidents import incidents_router
from coordwatch.adapters.http_api.letters import letters_router
from coordwatch.adapters.http_api.problems import PROBLEMS, problem, register
from coordwatch.adapters.http_api.reading import reading_router
from coordwatch.adapters.http_api.routed import Needs, as_judged, routes_of
from coordwatch.adapters.http_api.silences import silences_router
from coordwatch.adapters.http_api.slack_actions import slack_router
from coordwatch.adapters.http_api.views import views_router

_DESCRIPTION = (
    """Events in, alerts out. Instants are RFC 3339; errors are problem+json (RFC 9457) and name the next move."""
)


@dataclass(frozen=True, slots=True)
class Health:
    """What is asked of a process: why it does not work, None when it does; whether its database answers; its metrics."""

    trouble: Callable[[], str | None]
    look: Callable[[], object]
    metrics: Callable[[], tuple[bytes, str]]


def http_application(
    context: ApiContext, beside: Sequence[APIRouter] = (), turn_away: TurnAway | None = None
) -> FastAPI:
    """The whole application; `beside` are routers of other rooms, such as the pages, which also say how they turn away.

    Raises: PermanentError for a route of which the table of routes does not say who may use it
    """
    app = FastAPI(
        title="coordwatch",
        version=coordwatch.__version__,
        description=_DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    health = Health(context.trouble, context.reader.tallies, context.metrics)
    hooks = [] if context.hooks is None else [hooks_router(context.hooks)]
    slack = [] if context.slack is None else [slack_router(context.slack, context.clock)]
    life = [] if context.silences is None else [silences_router(context, context.silences)]
    life += [] if context.replay is None else [letters_router(context, context.replay)]
    life += [] if context.incidents is None else [incidents_router(context, context.incidents)]
    ours = (
        alerts_router(context),
        *life,
        events_router(context),
        check_router(context.check),
        *hooks,
        *slack,
        views_router(context),
        reading_router(context),
        audit_router(context),
        health_router(health),
    )
    return _behind_the_door(app, (*ours, *beside), context.door, turn_away)


def health_application(health: Health, door: Door) -> FastAPI:
    """What a process serves that has no database: whether it lives and is ready, and its metrics."""
    app = FastAPI(title="coordwatch", version=coordwatch.__version__, openapi_url=None, docs_url=None, redoc_url=None)
    return _behind_the_door(app, (health_router(health),), door)


def _behind_the_door(
    app: FastAPI, routers: Sequence[APIRouter], door: Door, turn_away: TurnAway | None = None
) -> FastAPI:
    register(app)
    needs = Needs([*app.routes, *routes_of(routers)])
    app.state.needs, app.state.turn_away = needs, turn_away
    for router in routers:
        app.include_router(router, responses=PROBLEMS, dependencies=[Depends(as_judged)])
    app.add_middleware(Guard, door=door, needs=needs, turn_away=turn_away)
    return app


def health_router(health: Health) -> APIRouter:
    """/livez, /readyz and /metrics."""
    router = APIRouter(tags=["health"])

    @router.get("/livez")
    def livez() -> dict[str, str]:
        """The process answers."""
        return {"status": "alive"}

    @router.get("/readyz", response_model=None)
    def readyz() -> JSONResponse:
        """It does its whole work, and the database answers; 503 with the reason otherwise."""
        trouble = health.trouble()
        if trouble is not None:
            return problem(503, trouble, retry_after=5.0)
        health.look()
        return JSONResponse({"status": "ready"})

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> Response:
        """Everything that is counted, for Prometheus."""
        content, media_type = health.metrics()
        return Response(content, media_type=media_type)

    return router
