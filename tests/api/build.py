"""An API over a store in memory and a real processor, without a thread or a socket."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
from fastapi import APIRouter
from starlette.types import ASGIApp

from coordwatch.adapters.catalogue_keeper import CatalogueKeeper
from coordwatch.adapters.files import load_rules
from coordwatch.adapters.http_api.application import http_application
from coordwatch.adapters.http_api.checking import CheckDesk
from coordwatch.adapters.http_api.context import ApiContext, Posting
from coordwatch.adapters.http_api.guard import Door, TurnAway
from coordwatch.adapters.http_api.hooks.hook import Hook
from coordwatch.adapters.http_api.hooks.routes import HookDoor
from coordwatch.adapters.http_api.stream import KEEP_ALIVE_SECONDS, Stream
from coordwatch.adapters.http_api.who import Keeper
from coordwatch.adapters.mapping_files import load_sources
from coordwatch.adapters.memory import MemoryStore
from coordwatch.adapters.prometheus import Metrics, Readings, of_channels, of_incidents, of_trail
from coordwatch.adapters.sql.database import Database
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import cards_of
from coordwatch.clock import ManualClock
from coordwatch.context.progress import SourceProgress
from coordwatch.embedded.replaying import Replayer
from coordwatch.embedded.source_views import source_views
from coordwatch.errors import CoordwatchError
from coordwatch.events.taxonomy import TYPES
from coordwatch.ports import IncidentTotals
from coordwatch.processor import Input, Processor, ProcessorSettings, Result
from coordwatch.sources.catalogue import Catalogue
from coordwatch.sources.mapper import Mapper
from tests.build import CARDS, NOW, fill

ADDRESS = "http://127.0.0.1:8484"


class Client:
    """Sends requests straight into an application."""

    def __init__(self, application: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(application, raise_app_exceptions=False)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url=ADDRESS) as client:
                return await client.request(method, path, **more)

        return asyncio.run(send())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def delete(self, path: str) -> httpx.Response:
        return self.request("DELETE", path)


@dataclass
class Api:
    """Everything behind one client, for tests to look at."""

    client: Client
    store: Any
    processor: Processor
    clock: ManualClock
    stream: Stream
    application: ASGIApp | None = None
    trouble: str | None = None
    away: Any = None

    def events(self, body: bytes, content_type: str = "application/json", **query: str) -> Any:
        return self.client.post("/v1/events", content=body, params=query, headers={"Content-Type": content_type})


@cache
def _content() -> tuple[Any, Any, Any]:
    mappings, catalogue = load_sources()
    return load_rules().specs, mappings, Mapper(mappings, catalogue)


def an_api(
    *,
    filled: bool = False,
    token: str | None = None,
    posts: bool = True,
    database: Database | None = None,
    hooks: Mapping[str, Hook] | None = None,
    accounts: Keeper | None = None,
    beside: Sequence[APIRouter] = (),
    public: str = "",
    turn_away: TurnAway | None = None,
    over: Any = None,
    keep_alive: float = KEEP_ALIVE_SECONDS,
    **door_more: Any,
) -> Api:
    """An API; `filled` with invented alerts, over a `database` or in memory, with `hooks` at its webhook door.

    Where people sign in, `accounts` knows them; `beside` are other routers, `public` the address of the site, `over` a store
    that is there already, `door_more` more of the door.
    """
    specs, mappings, mapper = _content()
    cards = {**CARDS, **cards_of(specs)} if not filled else CARDS
    store: Any = over or (MemoryStore(cards) if database is None else SqlStore(database, cards, durable=False))
    if filled:
        fill(store)
    if filled and isinstance(store, SqlStore):
        store.holding().prepare(NOW)
        store.incidents().refresh(NOW)
    clock = ManualClock(NOW)
    processor = Processor(
        specs,
        store,
        ProcessorSettings(),
        mapper=mapper,
        sources=[SourceProgress("http", frozenset(TYPES))],
    )
    known = frozenset({"canonical", *(mapping.name for mapping in mappings)})

    def post(inputs: Sequence[Input]) -> "Future[list[Result]]":
        answer: Future[list[Result]] = Future()
        try:
            answer.set_result(processor.handle(inputs, clock.now()))
        except CoordwatchError as error:
            answer.set_exception(error)
        return answer

    def sources() -> Any:
        return source_views(processor.progress.sources.values(), {}, clock.now())

    stream = Stream(keep_alive)
    door = HookDoor(hooks or {}, clock, post)
    checking = CheckDesk(lambda act: processor.check(act, clock.now()), clock, specs)
    keeper = CatalogueKeeper(None, Catalogue(), mapper.use, clock)
    api = Api(None, store, processor, clock, stream)  # type: ignore[arg-type]
    context = ApiContext(
        reader=store,
        desk=store,
        clock=clock,
        rules={spec.id: spec for spec in specs},
        sentences={spec.id: spec.title for spec in specs},
        disabled=lambda: processor.disabled,
        warming=lambda: processor.warming,
        customer=lambda key: (api.away or processor.customer)(key, clock.now()),
        explain=lambda rule, customer, act, at: (api.away or processor.explain)(rule, customer, act, at, clock.now()),
        check=checking,
        sources=sources,
        metrics=Metrics(
            Readings(
                store,
                sources,
                clock,
                {"coordwatch_stream_watchers": lambda: stream.watchers},
            ),
            beside=lambda: {
                "coordwatch_webhook_requests": door.outcomes(),
                **keeper.amounts(),
                **checking.amounts(),
                **of_channels([], NOW),
                **of_trail(store.trail().head()),
                **of_incidents(store.incidents().totals() if isinstance(store, SqlStore) else IncidentTotals({}, 0)),
            },
        ).render,
        trouble=lambda: api.trouble,
        stream=stream,
        door=Door(token, signed=door.paths, keeper=accounts, public=public, **door_more),
        trail=store.trail(),
        shelf=store.shelf(),
        posting=Posting("http", "canonical", known, post) if posts else None,
        hooks=door,
        catalogue=keeper.view,
        silences=store.silences() if isinstance(store, SqlStore) else None,
        incidents=store.incidents() if isinstance(store, SqlStore) else None,
        replay=Replayer(post, store, store.trail(), clock, {"http": None}),
    )
    api.application = http_application(context, beside, turn_away)
    api.client = Client(api.application)
    return api


def an_event(
    id: str, type: str = "service.case.opened", at: str = "2026-03-02T10:00:00Z", **data: Any
) -> dict[str, Any]:
    """One canonical event as plain data."""
    subject = data.pop("subject", "customer-01")
    return {
        "specversion": "1.0", "id": id, "source": "/deskflow", "type": f"org.coordwatch.{type}", "time": at,
        "subject": subject, "data": {"case": "K-1", "kind": "complaint", **data},
    }  # fmt: skip
