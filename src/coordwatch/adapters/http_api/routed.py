"""Which route a request is for, found before anything else is done with it, in the same way as the router finds it later.

What enters: routers, then requests.
What leaves: what the route needs of whoever asks.
The next room: `guard`, which lets in or turns away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from coordwatch.access.roles import Need, Open
from coordwatch.access.routes import need_of
from coordwatch.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Needed:
    """One route with what it needs."""

    route: Route
    need: Need


class Needs:
    """What every route of an application needs.

    Raises: PermanentError for a route that the table of `access.routes` does not know
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._needed = tuple(_needed(routes))

    def of(self, scope: Scope) -> Need:
        """What a request needs; what leads nowhere is for whoever is signed in, so that nobody else learns what is here."""
        for one in self._needed:
            match, _ = one.route.matches(scope)
            if match is Match.FULL:
                scope.setdefault("state", {})["judged"] = one.route.path
                return one.need
        return Open.SIGNED_IN

    @property
    def all(self) -> Sequence[tuple[str, str, Need]]:
        """Every method and path with its need."""
        return [
            (method, one.route.path, one.need) for one in self._needed for method in sorted(one.route.methods or ())
        ]


def routes_of(routers: Sequence[APIRouter]) -> list[BaseRoute]:
    """The routes of several routers, in the order in which they are asked."""
    return [route for router in routers for route in router.routes]


def _needed(routes: Sequence[BaseRoute]) -> Iterator[Needed]:
    for route in routes:
        if not isinstance(route, Route):
            raise PermanentError(f"{route!r} is no route of one address: the door cannot say who may use it")
        needs = {need_of(method, route.path) for method in route.methods or ("GET",)}
        if len(needs) != 1:
            raise PermanentError(f"the methods of the route {route.path} need different things: make two routes of it")
        yield Needed(route, needs.pop())


async def as_judged(request: Request) -> None:
    """The second look: a request that reaches another route than the one that was judged is answered by nobody."""
    judged = getattr(request.state, "judged", None)
    if judged != request.scope["route"].path:
        raise PermanentError("this request was let in for another address than the one that it reached")
