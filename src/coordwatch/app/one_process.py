"""The one-process runtime put together: every adapter that `serve` and the demo need.

What enters: Settings, or what a demo is asked for.
What leaves: a Service that can be run.
The next room: the command line, which runs it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from coordwatch.adapters.catalogue_keeper import CatalogueKeeper
from coordwatch.adapters.file_tail import FileTail
from coordwatch.adapters.http_api.application import http_application
from coordwatch.adapters.http_api.checking import CheckDesk
from coordwatch.adapters.http_api.context import ApiContext, Posting
from coordwatch.adapters.http_api.guard import Door
from coordwatch.adapters.http_api.hooks.routes import HookDoor
from coordwatch.adapters.http_api.stream import Stream
from coordwatch.adapters.pages.router import PagesContext, pages_router
from coordwatch.adapters.prometheus import Amounts, Metrics, Readings, of_incidents
from coordwatch.adapters.rule_texts import rule_texts
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import cards_of
from coordwatch.app.access import entrance_of
from coordwatch.app.around import incident_keeper
from coordwatch.app.channels import Desk, desk_of
from coordwatch.app.content import (
    Content,
    file_feed,
    identity_policy,
    keep_of,
    keys_of,
    load_content,
    progress_of,
    retention_of,
)
from coordwatch.app.databases import hold_file, open_store
from coordwatch.app.for_pages import follower_of, tools_of
from coordwatch.app.webhooks import hooks_of
from coordwatch.app.what_runs import note_what_runs
from coordwatch.clock import Clock, PacedClock, SystemClock
from coordwatch.embedded.asking import Views
from coordwatch.embedded.incident_keeper import Look
from coordwatch.embedded.inlets import FileInlet, Inlet
from coordwatch.embedded.replaying import Replayer
from coordwatch.embedded.runtime import Feeds, Runtime
from coordwatch.embedded.server import address_of, listen
from coordwatch.embedded.service import Service
from coordwatch.embedded.simulated import SimulatedInlet, position_of
from coordwatch.embedded.source_views import SourceBoard
from coordwatch.embedded.telling import to_all, to_log
from coordwatch.processor import CANONICAL, Processor, ProcessorSettings
from coordwatch.processor.requests import RECEIPTS, receipt_of, waiting_of
from coordwatch.settings import FileInput, HttpInput, Settings, SimulatorInput, WebhookInput
from coordwatch.settings.shown import shown_settings
from coordwatch.simulator.config import START
from coordwatch.simulator.run import live
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import Record


def build(settings: Settings) -> Service:
    """Put the one-process runtime together; nothing runs yet.

    Raises: DocumentError, PermanentError or TemporaryError with the next move; nothing is left open then
    """
    content = load_content(settings)
    with ExitStack() as undo:
        listening = undo.enter_context(closing(listen(settings.host, settings.port)))
        keeping = undo.enter_context(ExitStack())
        hold_file(settings, keeping)
        keys = keys_of(settings)
        cards = cards_of(content.rules)
        store = open_store(settings, cards, keeping, alone=True)
        clock = _clock(settings, store)
        store.close_rules_that_ended(clock.now())
        note_what_runs(settings, content.rules, store.trail(), SystemClock().now())
        mapper = Mapper(content.mappings, content.catalogue, keys[0].secret)
        keeper = CatalogueKeeper(file_feed(settings, content), content.catalogue, mapper.use, clock)
        processor = Processor(
            content.rules,
            store,
            ProcessorSettings(identity_policy(settings, keys), settings.lateness, keep=keep_of(settings)),
            mapper=mapper,
            sources=progress_of(settings, content),
        )
        desk = desk_of(settings, store, cards, alone=True)
        stream = Stream()
        board = SourceBoard(lambda: tuple(processor.progress.sources.values()), _tools(processor))
        runtime = Runtime(
            processor,
            store,
            clock,
            Feeds(_inlets(settings, content), _posted(settings)),
            desk.telling(to_all([to_log, stream.tell]), board.note),
        )
        follower = follower_of(store, content, stream, clock.now())
        views = Views(processor, runtime, clock, board)
        incidents = incident_keeper(store, content, clock, Look(views.sources, views.customer))
        hooks = HookDoor(hooks_of(settings), clock, runtime.post)
        rooms = _Rooms(settings, content, store, stream, hooks, keeper, desk)
        application = _application(rooms, views, address_of(listening))
        undo.pop_all()
    ending = [follower.stop, incidents.stop, keeper.stop, desk.sender.stop, keeping.close]
    beginning = [follower.start, incidents.start, keeper.start, desk.sender.start]
    return Service(runtime, application, listening, stream, store, clock, ending, beginning)


def _clock(settings: Settings, store: SqlStore) -> Clock:
    """The wall clock, or the simulator's, which goes on where it was left."""
    for one in settings.inputs:
        if isinstance(one, SimulatorInput):
            left = position_of(store.positions().get(one.name))[1]
            return PacedClock(START if left is None else left, one.speed)
    return SystemClock()


def _posted(settings: Settings) -> list[str]:
    """The inputs that are fed by posts."""
    return [one.name for one in settings.inputs if isinstance(one, HttpInput | WebhookInput)]


def _inlets(settings: Settings, content: Content) -> list[Inlet]:
    inlets: list[Inlet] = []
    for one in settings.inputs:
        if isinstance(one, FileInput):
            inlets.append(FileInlet(one.name, one.source, FileTail(one.path, follow=one.follow)))
        elif isinstance(one, SimulatorInput):
            inlets.append(SimulatedInlet(one.name, _shop(one), [mapping.name for mapping in content.mappings]))
    return inlets


def _shop(one: SimulatorInput) -> Callable[[], Iterator[Record]]:
    def begin() -> Iterator[Record]:
        return (simulated.record for simulated in live(one.seed, customers=one.customers))

    return begin


def _tools(processor: Processor) -> dict[str, list[str]]:
    """By source, the tools as their events name them."""
    mappings = processor.mapper.mappings if processor.mapper else ()
    return {mapping.name: [name] for mapping in mappings if (name := mapping.tool.get("name"))}


@dataclass(frozen=True, slots=True)
class _Rooms:
    """What pages and API share."""

    settings: Settings
    content: Content
    store: SqlStore
    stream: Stream
    hooks: HookDoor
    keeper: CatalogueKeeper
    desk: Desk


def _application(rooms: _Rooms, views: Views, address: str) -> Any:
    entrance = entrance_of(rooms.settings, rooms.store, rooms.hooks.paths | rooms.desk.door.paths, address)
    pages = [pages_router(_pages(rooms, views)), *entrance.beside]
    return http_application(_api(rooms, views, entrance.door), pages, entrance.turn_away)


def _api(rooms: _Rooms, views: Views, door: Door) -> ApiContext:
    gauges: dict[str, Callable[[], float]] = {
        "coordwatch_stream_watchers": lambda: float(rooms.stream.watchers),
        "coordwatch_forget_unverified": lambda: float(
            len(waiting_of(receipt_of(row) for _, row in rooms.store.scan(RECEIPTS)))
        ),
        "coordwatch_rules_disabled": lambda: float(len(views.processor.disabled)),
    }
    kept = retention_of(rooms.settings, views.processor.retention.longest)
    checking = CheckDesk(views.check, views.clock, rooms.content.rules)

    def beside() -> dict[str, Amounts]:
        return {
            "coordwatch_webhook_requests": rooms.hooks.outcomes(),
            **rooms.keeper.amounts(),
            **rooms.desk.amounts(),
            **checking.amounts(),
            **of_incidents(rooms.store.incidents().totals()),
        }

    return ApiContext(
        reader=rooms.store,
        desk=rooms.store,
        clock=views.clock,
        rules=rooms.content.by_id,
        sentences=rooms.content.sentences,
        disabled=lambda: views.processor.disabled,
        warming=lambda: views.processor.warming,
        customer=views.customer,
        explain=views.explain,
        check=checking,
        sources=views.sources,
        metrics=Metrics(
            Readings(rooms.store, views.sources, views.clock, gauges, retention=kept), beside=beside
        ).render,
        trouble=views.runtime.trouble,
        stream=rooms.stream,
        door=door,
        trail=rooms.store.trail(),
        shelf=rooms.store.shelf(),
        posting=_posting(rooms, views),
        hooks=rooms.hooks,
        catalogue=rooms.keeper.view,
        slack=rooms.desk.door,
        silences=rooms.store.silences(),
        incidents=rooms.store.incidents(),
        replay=_replayer(rooms, views),
    )


def _replayer(rooms: _Rooms, views: Views) -> Replayer:
    return Replayer(
        views.runtime.post,
        rooms.store,
        rooms.store.trail(),
        views.clock,
        {one.name: getattr(one, "source", None) for one in rooms.settings.inputs},
    )


def _posting(rooms: _Rooms, views: Views) -> Posting | None:
    for one in rooms.settings.inputs:
        if isinstance(one, HttpInput):
            known = frozenset({CANONICAL, *(mapping.name for mapping in rooms.content.mappings)})
            return Posting(one.name, one.source or CANONICAL, known, views.runtime.post)
    return None


def _pages(rooms: _Rooms, views: Views) -> PagesContext:
    return PagesContext(
        reader=rooms.store,
        desk=rooms.store,
        shelf=rooms.store.shelf(),
        rules=rooms.content.by_id,
        sentences=rooms.content.sentences,
        rule_texts=rule_texts(rooms.content.rules),
        customer=views.customer,
        explain=views.steps,
        sources=views.sources,
        clock=views.clock,
        tools=lambda: tools_of(rooms.content, rooms.keeper.state.catalogue),
        incidents=rooms.store.incidents(),
        silences=rooms.store.silences(),
        trail=rooms.store.trail(),
        settings=shown_settings(rooms.settings),
        replay=_replayer(rooms, views),
    )
