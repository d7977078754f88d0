"""The composition root: the one file that knows every adapter and puts the program together.

What enters: Settings, or what a demo is asked for.
What leaves: a Service that can be run.
The next room: the command line, which runs it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import coordwatch
from coordwatch.adapters.file_tail import FileTail
from coordwatch.adapters.files import load_rules
from coordwatch.adapters.http_api.application import http_application
from coordwatch.adapters.http_api.context import ApiContext, Posting
from coordwatch.adapters.http_api.guard import Door
from coordwatch.adapters.http_api.stream import Stream
from coordwatch.adapters.kafka.access import KafkaAccess, Login, Tls
from coordwatch.adapters.key_file import key_beside
from coordwatch.adapters.mapping_files import SourceFiles, load_sources
from coordwatch.adapters.pages.router import PagesContext, pages_router
from coordwatch.adapters.process_lock import ProcessLock
from coordwatch.adapters.prometheus import Metrics, Readings
from coordwatch.adapters.rule_texts import rule_texts
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import cards_of
from coordwatch.clock import Clock, SystemClock
from coordwatch.context.progress import SourceProgress
from coordwatch.embedded.asking import Views
from coordwatch.embedded.inlets import FileInlet, Inlet
from coordwatch.embedded.runtime import Feeds, Runtime, Telling
from coordwatch.embedded.server import listen
from coordwatch.embedded.service import Service
from coordwatch.embedded.simulated import PacedClock, SimulatedInlet, position_of
from coordwatch.embedded.source_views import SourceBoard
from coordwatch.embedded.telling import to_all, to_log
from coordwatch.errors import DocumentError, PermanentError
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import MINUTE
from coordwatch.identity.digest import Digester
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.notify.decide import NotifyPolicy
from coordwatch.processor import CANONICAL, Processor, ProcessorSettings
from coordwatch.rules.sentence import sentence
from coordwatch.rules.spec import RuleSpec, RuleStatus
from coordwatch.settings import FileInput, HttpInput, KafkaSettings, Progressing, Settings, SimulatorInput
from coordwatch.simulator.config import START
from coordwatch.simulator.run import live
from coordwatch.sources.catalogue import Catalogue
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.mapping import SourceMapping
from coordwatch.sources.record import Record

# The slowest simulated tool publishes this late; absence waits for it, as it would for a real one.
_SIMULATED_DELAY = 30 * MINUTE


@dataclass(frozen=True, slots=True)
class Content:
    """What a site says in files: rules, mappings, the catalogue."""

    rules: tuple[RuleSpec, ...]
    mappings: tuple[SourceMapping, ...]
    catalogue: Catalogue


def load_content(settings: Settings) -> Content:
    """Read every file that the settings name.

    Raises: DocumentError with every problem of the first kind of file that has any
    """
    rules = load_rules(list(settings.rules) or None)
    if rules.problems:
        raise DocumentError(rules.problems)
    simulated = any(isinstance(one, SimulatorInput) for one in settings.inputs)
    shop = Path(coordwatch.__file__).parent / "simulator" / "catalogue.yaml" if simulated else None
    mappings, catalogue = load_sources(SourceFiles(settings.sources.mappings, settings.sources.catalogue or shop))
    active = tuple(spec for spec in rules.specs if spec.status is not RuleStatus.RETIRED)
    return Content(active, tuple(mappings), catalogue)


def build(settings: Settings) -> Service:
    """Put the one-process runtime together; nothing runs yet.

    Raises: DocumentError, PermanentError or TemporaryError with the next move; nothing is left open then
    """
    content = load_content(settings)
    with ExitStack() as undo:
        listening = listen(settings.host, settings.port)
        undo.callback(listening.close)
        lock = ProcessLock(settings.database)
        undo.callback(lock.close)
        key = _identity_key(settings)
        cards = cards_of(content.rules)
        store = SqlStore(settings.database, cards, durable=settings.durable)
        undo.callback(store.close)
        clock = _clock(settings, store)
        store.close_rules_that_ended(clock.now())
        processor = Processor(
            content.rules,
            store,
            ProcessorSettings(identity_policy(settings, key), settings.lateness),
            mapper=Mapper(content.mappings, content.catalogue, key),
            sources=progress_of(settings, content),
        )
        stream = Stream()
        board = SourceBoard(lambda: tuple(processor.progress.sources.values()), _tools(processor))
        runtime = Runtime(
            processor,
            store,
            clock,
            Feeds(_inlets(settings, content), [one.name for one in settings.inputs if isinstance(one, HttpInput)]),
            Telling(cards, to_all([to_log, stream.tell]), NotifyPolicy(settings.settle), board.note),
        )
        views = Views(processor, runtime, clock, board)
        rooms = _Rooms(settings, content, store, stream)
        application = http_application(_api(rooms, views), [pages_router(_pages(rooms, views))])
        undo.pop_all()
    return Service(runtime, application, listening, stream, store, clock, [store.close, lock.close])


def _identity_key(settings: Settings) -> bytes:
    given = settings.identity.key
    return key_beside(settings.database) if given is None else given.get_secret_value().encode()


def identity_policy(settings: Settings, key: bytes) -> IdentityPolicy:
    """What the settings say about identity."""
    chosen = settings.identity
    return IdentityPolicy(
        mode=IdentityMode(chosen.mode),
        trusted_type=chosen.trusted_type,
        digester=Digester(key),
        own_domains=chosen.own_domains,
        park_for=chosen.park_for,
    )


def kafka_access(kafka: KafkaSettings) -> KafkaAccess:
    """What the settings say about reaching the brokers; from here on secrets are plain, and shown nowhere."""
    chosen = kafka.security
    tls = login = None
    if chosen.protocol.endswith("ssl"):
        tls = Tls(chosen.ca, chosen.certificate, chosen.key, chosen.plain_key_password)
    if chosen.mechanism is not None:
        name, secret = chosen.plain_login
        login = Login(chosen.mechanism, name, secret, chosen.token_endpoint or "", chosen.scope)
    return KafkaAccess(kafka.bootstrap, tls, login, kafka.session_timeout)


def progress_of(settings: Settings, content: Content) -> list[SourceProgress]:
    """The sources whose progress is watched: one an input, and one a mapping for the simulator."""
    mappings = {mapping.name: mapping for mapping in content.mappings}
    found: list[SourceProgress] = []
    for one in settings.inputs:
        if isinstance(one, SimulatorInput):
            found += [
                SourceProgress(name, types_of([mapping]), publishing_delay=_SIMULATED_DELAY)
                for name, mapping in mappings.items()
            ]
            continue
        if one.source not in (None, CANONICAL, *mappings):
            known = ", ".join([CANONICAL, *mappings])
            raise PermanentError(f"input '{one.name}': no mapping is called '{one.source}'; one of: {known}")
        unknown = sorted(set(one.carries) - set(TYPES))
        if unknown:
            raise PermanentError(f"input '{one.name}': no event type is called '{unknown[0]}'")
        chosen = _source_of(one)
        carried = (
            types_of(mappings.values())
            if chosen is None
            else types_of([mappings[chosen]] if chosen in mappings else ())
        )
        everything = frozenset(TYPES) if chosen == CANONICAL else carried
        carries = frozenset(one.carries) or everything
        found.append(SourceProgress(one.name, carries, one.disorder, one.publishing_delay, one.dark_after))
    return found


def types_of(mappings: Iterable[SourceMapping]) -> frozenset[str]:
    """Every event type that some mapping can give."""
    named = {name for mapping in mappings for name in mapping.emits}
    return frozenset(TYPES) if "*" in named else frozenset(named)


def _source_of(one: Progressing) -> str | None:
    """The mapping an input takes: what is posted is canonical unless the settings say otherwise."""
    return one.source or (CANONICAL if isinstance(one, HttpInput) else None)


def _clock(settings: Settings, store: SqlStore) -> Clock:
    """The wall clock, or the simulator's, which goes on where it was left."""
    for one in settings.inputs:
        if isinstance(one, SimulatorInput):
            left = position_of(store.positions().get(one.name))[1]
            return PacedClock(START if left is None else left, one.speed)
    return SystemClock()


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

    @property
    def rules(self) -> dict[str, RuleSpec]:
        return {spec.id: spec for spec in self.content.rules}

    @property
    def sentences(self) -> dict[str, str]:
        return {spec.id: sentence(spec) for spec in self.content.rules}


def _api(rooms: _Rooms, views: Views) -> ApiContext:
    gauges: dict[str, Callable[[], float]] = {
        "coordwatch_stream_watchers": lambda: float(rooms.stream.watchers),
        "coordwatch_rules_disabled": lambda: float(len(views.processor.disabled)),
    }
    token = rooms.settings.token
    return ApiContext(
        reader=rooms.store,
        desk=rooms.store,
        clock=views.clock,
        rules=rooms.rules,
        sentences=rooms.sentences,
        disabled=lambda: views.processor.disabled,
        warming=lambda: views.processor.warming,
        customer=views.customer,
        explain=views.explain,
        sources=views.sources,
        metrics=Metrics(Readings(rooms.store, views.sources, views.clock, gauges)).render,
        trouble=views.runtime.trouble,
        stream=rooms.stream,
        door=Door(token.get_secret_value() if token else None),
        posting=_posting(rooms, views),
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
        rules=rooms.rules,
        sentences=rooms.sentences,
        rule_texts=rule_texts(rooms.content.rules),
        customer=views.customer,
        explain=views.steps,
        sources=views.sources,
        clock=views.clock,
    )
