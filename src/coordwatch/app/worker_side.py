"""What a worker shows: with the role alerts everything that `serve` shows, else whether it lives, is ready, and its metrics.

What enters: what the site is made of, the stages and drivers of this process.
What leaves: the stage `alerts` with its database, and an HTTP server that is started beside the runtime.
The next room: `worker`, which puts both into one process.
"""

import logging
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from coordwatch.adapters.catalogue_keeper import CatalogueKeeper
from coordwatch.adapters.http_api.application import Health, health_application, http_application
from coordwatch.adapters.http_api.checking import CheckDesk
from coordwatch.adapters.http_api.context import ApiContext
from coordwatch.adapters.http_api.following import Follower
from coordwatch.adapters.http_api.stream import Stream
from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.ends import Ends
from coordwatch.adapters.kafka.state_rows import StateRows
from coordwatch.adapters.pages.router import PagesContext, pages_router
from coordwatch.adapters.prometheus import Amounts, Metrics, Readings, Running, of_incidents
from coordwatch.adapters.registry.decoding import RegistryDecoder
from coordwatch.adapters.rule_texts import rule_texts
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import cards_of
from coordwatch.app.access import entrance_of, lone_door
from coordwatch.app.around import incident_keeper
from coordwatch.app.channels import Desk, desk_of
from coordwatch.app.content import Content, identity_policy, keep_of, keys_of, retention_of
from coordwatch.app.databases import hold_file, open_store
from coordwatch.app.for_pages import follower_of, tools_of
from coordwatch.app.letters_again import sends_again
from coordwatch.app.over_kafka import over_kafka
from coordwatch.app.verifying import Verifier
from coordwatch.app.what_runs import note_what_runs
from coordwatch.clock import Clock
from coordwatch.context.progress import Progress
from coordwatch.embedded.incident_keeper import IncidentKeeper, Look
from coordwatch.embedded.server import HttpServer, address_of, listen
from coordwatch.embedded.source_views import SourceBoard
from coordwatch.embedded.telling import to_all, to_log
from coordwatch.engine.retention import derive
from coordwatch.errors import PermanentError
from coordwatch.ports import SourceView
from coordwatch.processor import cannot_be_fed
from coordwatch.processor.detecting import Detecting, Watched
from coordwatch.processor.readings import trouble_of
from coordwatch.processor.resolving import Resolving
from coordwatch.processor.topics import Topics
from coordwatch.rules.compile import compile_rules
from coordwatch.settings import Settings
from coordwatch.settings.shown import shown_settings
from coordwatch.worker.alerts import Alerts, Keeping
from coordwatch.worker.contexts import Away, Contexts
from coordwatch.worker.driver import Driver
from coordwatch.worker.readings import DriverReadings
from coordwatch.worker.sureness import Sureness

# What a customer's context is looked at for takes a read of their partition when another worker keeps it.
_LOOK_SECONDS = 30.0
_log = logging.getLogger("coordwatch.worker")


@dataclass(frozen=True, slots=True)
class Ground:
    """What the site is made of."""

    settings: Settings
    content: Content
    clock: Clock
    topics: Topics
    watched: Sequence[Watched]
    access: KafkaAccess
    keeper: CatalogueKeeper
    registry: RegistryDecoder | None = None

    def trouble(self, readings: DriverReadings) -> str | None:
        """Why this process does not do its whole work, None when it does."""
        waits = None if self.registry is None else self.registry.trouble
        return waits or trouble_of(readings)

    def waits(self) -> float:
        """1 while records wait for the schema registry, 0 while they do not."""
        return float(self.registry is not None and self.registry.trouble is not None)

    @property
    def disabled(self) -> dict[str, str]:
        """The rules that no input can feed, and why."""
        carried = Progress(one.source for one in self.watched).carried()
        return {spec.id: why for spec in self.content.rules if (why := cannot_be_fed(spec, carried)) is not None}

    @property
    def tools(self) -> dict[str, list[str]]:
        """By input, the tool as its events name it."""
        named = {mapping.name: mapping.tool.get("name") for mapping in self.content.mappings}
        return {one.name: [name] for one in self.settings.kafka_inputs if (name := named.get(one.source or ""))}


@dataclass(frozen=True, slots=True)
class AlertsRoom:
    """The stage `alerts`, with its database and whom it tells."""

    stage: Alerts
    store: SqlStore
    stream: Stream
    board: SourceBoard
    desk: Desk
    verifier: Verifier


@dataclass(frozen=True, slots=True)
class HttpSide:
    """The server, begun and ended with the worker."""

    server: HttpServer
    address: str
    readings: DriverReadings
    stream: Stream | None = None
    beside: tuple[Follower | IncidentKeeper, ...] = ()

    def drains(self) -> None:
        """Be ready no more: what was taken is still committed, nothing else is begun."""
        self.readings.ending = "it was asked to end: what it has taken is committed, then it stops"

    def start(self) -> None:
        """Begin to answer."""
        self.server.start()
        for one in self.beside:
            one.start()
        _log.info("answers at %s", self.address)

    def stop(self) -> None:
        """End open streams, then the server."""
        for one in self.beside:
            one.stop()
        if self.stream is not None:
            self.stream.close()
        self.server.stop()


def alerts_room(ground: Ground, undo: ExitStack) -> AlertsRoom:
    """The stage `alerts` on the database of the settings; what it holds open is let go of by `undo`."""
    settings, clock = ground.settings, ground.clock
    hold_file(settings, undo)
    cards = cards_of(ground.content.rules)
    store = open_store(settings, cards, undo)
    store.close_rules_that_ended(clock.now())
    note_what_runs(settings, ground.content.rules, store.trail(), clock.now())
    stream = Stream()
    stages: list[Alerts] = []
    board = SourceBoard(lambda: stages[0].sources, ground.tools)
    desk = desk_of(settings, store, cards, alone=isinstance(settings.database, Path))
    telling = desk.telling(to_all([to_log, stream.tell]), board.note)
    digester = identity_policy(settings, keys_of(settings)).digester
    stages.append(Alerts(ground.topics, store, telling, ground.watched, Keeping(digester.kept_away, keep_of(settings))))
    every = ground.settings.kafka.verify_forgotten if ground.settings.kafka else 0
    verifier = Verifier(over_kafka(settings), store, clock, every)
    return AlertsRoom(stages[0], store, stream, board, desk, verifier)


def http_side(
    ground: Ground, drivers: Sequence[Driver], detecting: Detecting | None, room: AlertsRoom | None, undo: ExitStack
) -> HttpSide:
    """The server of a worker process.

    Raises: PermanentError when its address is taken and people look for the pages there
    """
    listening = _listening(ground.settings, needed=room is not None)
    undo.callback(listening.close)
    states = {} if detecting is None else {detecting.role: lambda: detecting.held}
    readings = DriverReadings(drivers, Ends(ground.access), states)
    if room is None:
        counted = None if detecting is None else detecting.tool_counts
        metrics = Metrics(None, Running(readings, counted, ground.waits), ground.keeper.amounts)
        health = Health(lambda: ground.trouble(readings), lambda: None, metrics.render)
        return HttpSide(
            HttpServer(health_application(health, lone_door(ground.settings)), listening),
            address_of(listening),
            readings,
        )
    nodes = next((one.stage for one in drivers if isinstance(one.stage, Resolving)), None)
    contexts = replace(_contexts(ground, room, detecting), sure=_sureness(ground, nodes))
    entrance = entrance_of(ground.settings, room.store, room.desk.door.paths, address_of(listening))
    pages = [pages_router(_pages(ground, room, contexts)), *entrance.beside]
    api = replace(_api(ground, room, readings, contexts), door=entrance.door)
    application = http_application(api, pages, entrance.turn_away)
    follower = follower_of(room.store, ground.content, room.stream, ground.clock.now())
    look = Look(lambda: room.board.views(ground.clock.now()), contexts.customer, _LOOK_SECONDS)
    incidents = incident_keeper(room.store, ground.content, ground.clock, look)
    server = HttpServer(application, listening)
    return HttpSide(server, address_of(listening), readings, room.stream, (follower, incidents))


def _listening(settings: Settings, *, needed: bool) -> socket.socket:
    """The address of the settings; a second worker on one machine that shows no pages takes any other."""
    try:
        return listen(settings.host, settings.port)
    except PermanentError as error:
        if needed:
            raise
        _log.warning("%s; health and metrics take a free port: give each worker a `bind` of its own", error)
        return listen(settings.host, 0)


def _contexts(ground: Ground, room: AlertsRoom, detecting: Detecting | None) -> Contexts:
    if detecting is not None:
        plan = detecting.plan
    else:
        disabled = ground.disabled
        plan = compile_rules([spec for spec in ground.content.rules if spec.id not in disabled], display=True)
    rows = StateRows(ground.access, ground.topics.detect_state)
    return Contexts(ground.topics, ground.clock, room.store, detecting, Away(rows, plan, lambda: room.stage.sources))


def _sureness(ground: Ground, nodes: Resolving | None) -> Sureness:
    return Sureness(ground.topics, identity_policy(ground.settings, keys_of(ground.settings)), nodes)


def _api(ground: Ground, room: AlertsRoom, readings: DriverReadings, contexts: Contexts) -> ApiContext:
    disabled = ground.disabled

    def sources() -> Sequence[SourceView]:
        return room.board.views(ground.clock.now())

    gauges = {
        "coordwatch_stream_watchers": lambda: float(room.stream.watchers),
        "coordwatch_forget_unverified": lambda: float(room.verifier.unverified),
        "coordwatch_rules_disabled": lambda: float(len(disabled)),
    }
    longest = derive(compile_rules(list(ground.content.rules)), lateness=ground.settings.lateness).longest
    kept = retention_of(ground.settings, longest)
    stored = Readings(room.store, sources, ground.clock, gauges, retention=kept)

    checking = CheckDesk(contexts.check, ground.clock, ground.content.rules)

    def beside() -> dict[str, Amounts]:
        said = of_incidents(room.store.incidents().totals())
        ours = {**ground.keeper.amounts(), **room.desk.amounts(), **checking.amounts()}
        return {"coordwatch_webhook_requests": {}, **ours, **said}

    return ApiContext(
        reader=room.store,
        desk=room.store,
        clock=ground.clock,
        rules=ground.content.by_id,
        sentences=ground.content.sentences,
        disabled=lambda: disabled,
        warming=lambda: contexts.warming,
        customer=contexts.customer,
        explain=contexts.explain,
        check=checking,
        sources=sources,
        metrics=Metrics(stored, Running(readings, waits=ground.waits), beside).render,
        trouble=lambda: ground.trouble(readings),
        stream=room.stream,
        door=lone_door(ground.settings),
        trail=room.store.trail(),
        shelf=room.store.shelf(),
        catalogue=ground.keeper.view,
        slack=room.desk.door,
        silences=room.store.silences(),
        incidents=room.store.incidents(),
        replay=sends_again(ground.access, ground.topics, room.store, ground.clock),
    )


def _pages(ground: Ground, room: AlertsRoom, contexts: Contexts) -> PagesContext:
    return PagesContext(
        reader=room.store,
        desk=room.store,
        shelf=room.store.shelf(),
        rules=ground.content.by_id,
        sentences=ground.content.sentences,
        rule_texts=rule_texts(ground.content.rules),
        customer=contexts.customer,
        explain=contexts.steps,
        sources=lambda: room.board.views(ground.clock.now()),
        clock=ground.clock,
        at_hand=contexts.at_hand,
        tools=lambda: tools_of(ground.content, ground.keeper.state.catalogue),
        incidents=room.store.incidents(),
        silences=room.store.silences(),
        trail=room.store.trail(),
        settings=shown_settings(ground.settings),
        replay=sends_again(ground.access, ground.topics, room.store, ground.clock),
    )
