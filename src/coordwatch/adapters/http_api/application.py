"""The HTTP application: API, health, metrics, and whatever pages are put beside them.

What enters: an ApiContext, and routers of others.
What leaves: one ASGI application behind one door.
The next room: `embedded`, which serves it.
"""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse

import coordwatch
from coordwatch.adapters.http_api.alerts import alerts_router
from coordwatch.adapters.http_api.context import ApiContext
from coordwatch.adapters.http_api.events import events_router
from coordwatch.adapters.http_api.guard import Guard
from coordwatch.adapters.http_api.problems import problem, register
from coordwatch.adapters.http_api.reading import reading_router

_DESCRIPTION = (
    """Events in, alerts out. Instants are RFC 3339; errors are problem+json (RFC 9457) and name the next move."""
)


def http_application(context: ApiContext, beside: Sequence[APIRouter] = ()) -> FastAPI:
    """The whole application; `beside` are routers of other rooms, such as the pages."""
    app = FastAPI(
        title="coordwatch",
        version=coordwatch.__version__,
        description=_DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    register(app)
    for router in (alerts_router(context), events_router(context), reading_router(context), _health(context), *beside):
        app.include_router(router)
    app.add_middleware(Guard, door=context.door)
    return app


def _health(context: ApiContext) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/livez")
    def livez() -> dict[str, str]:
        """The process answers."""
        return {"status": "alive"}

    @router.get("/readyz", response_model=None)
    def readyz() -> JSONResponse:
        """The writer works and the database answers; 503 with the reason otherwise."""
        trouble = context.trouble()
        if trouble is not None:
            return problem(503, trouble, retry_after=5.0)
        context.reader.tallies()
        return JSONResponse({"status": "ready"})

    @router.get("/metrics")
    def metrics() -> Response:
        """Everything that is counted, for Prometheus."""
        content, media_type = context.metrics()
        return Response(content, media_type=media_type)

    return router
