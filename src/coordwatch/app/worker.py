"""The distributed runtime put together: the stages of some roles, their clients, and what runs beside them.

What enters: Settings with a Kafka, and the roles that this process plays.
What leaves: a WorkerService that can be run.
The next room: the command line, which runs it.
"""

import logging
import os
import platform
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum

from coordwatch.adapters.catalogue_keeper import CatalogueKeeper
from coordwatch.adapters.kafka import clients
from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.layout import Site as KafkaSite
from coordwatch.adapters.kafka.topics import ensure
from coordwatch.adapters.registry.decoding import RegistryDecoder
from coordwatch.app.content import Content, file_feed, identity_policy, kafka_access, keys_of, load_content, progress_of
from coordwatch.app.kafka_catalogue import follow
from coordwatch.app.registry import registry_decoder
from coordwatch.app.worker_side import Ground, alerts_room, http_side
from coordwatch.clock import Clock, SystemClock
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.processor.detecting import Detecting, DetectSettings, Watched
from coordwatch.processor.ingesting import Ingest, IngestSettings, SourceTopic
from coordwatch.processor.letter_limit import LetterLimit
from coordwatch.processor.resolving import Resolving, ResolvingSettings
from coordwatch.processor.stage import Stage
from coordwatch.processor.topics import Topics
from coordwatch.settings import KafkaInput, KafkaSettings, Settings, for_worker
from coordwatch.sources.mapper import Mapper
from coordwatch.worker.alerts import Alerts
from coordwatch.worker.clients import StageClients
from coordwatch.worker.driver import Driver, Policy
from coordwatch.worker.exits import die
from coordwatch.worker.faust_app import StageApp
from coordwatch.worker.faust_runtime import FaustRuntime
from coordwatch.worker.growth import Growth
from coordwatch.worker.plain import PlainLoop, PlainRuntime
from coordwatch.worker.service import Running, Side, WorkerService

_PATIENCE = 20.0
_log = logging.getLogger("coordwatch.worker")


class Role(StrEnum):
    """What a process of the distributed runtime does; all of it, unless told otherwise."""

    INGEST = "ingest"
    DETECT = "detect"
    ALERTS = "alerts"


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What the command line decides about one process; a `clock` that is not the wall's comes with `stamps` for its axis."""

    roles: frozenset[Role] = frozenset(Role)
    plain: bool = False
    policy: Policy = field(default_factory=Policy)
    clock: Clock = field(default_factory=SystemClock)
    stamps: Callable[[int], int] | None = None


@dataclass(frozen=True, slots=True)
class _Site:
    """What all stages of a process are made of."""

    settings: Settings
    kafka: KafkaSettings
    access: KafkaAccess
    content: Content
    identity: IdentityPolicy
    options: WorkerOptions
    watched: Sequence[Watched]
    transactions: bool
    registry: RegistryDecoder | None
    mapper: Mapper

    @property
    def topics(self) -> Topics:
        return self.kafka.topics


def build_worker(settings: Settings, options: WorkerOptions) -> WorkerService:
    """Put one worker process together; nothing runs yet.

    Raises: DocumentError, PermanentError or TemporaryError with the next move
    """
    site = _site(settings, options)
    drivers: list[Driver] = []
    made: dict[int, StageClients] = {}
    with ExitStack() as undo:
        keeper = _keeper(site)
        undo.callback(keeper.stop)
        ground = Ground(
            site.settings,
            site.content,
            site.options.clock,
            site.topics,
            site.watched,
            site.access,
            keeper,
            site.registry,
        )
        room = alerts_room(ground, undo) if Role.ALERTS in options.roles else None
        stages = [*_stages(site), *([] if room is None else [room.stage])]
        for stage in stages:
            group = f"{site.topics.prefix}.{stage.role}"
            of_stage = StageClients(site.access, group, site.kafka.slot, _name(site.kafka))
            driver = _driver(site, stage, of_stage)
            made[id(driver)] = of_stage
            drivers.append(driver)
        detecting = next((stage for stage in stages if isinstance(stage, Detecting)), None)
        side = http_side(ground, drivers, detecting, room, undo)
        closing = undo.pop_all()
    counts = Counter(place.rpartition("/")[0] for one in site.watched for place in one.places)
    growth = Growth(clients.admin(site.access), counts, die)
    beside: list[Side] = [] if room is None else [room.desk.sender, room.verifier]
    sides: list[Side] = [side, keeper, growth, *beside]
    runtime = _runtime(site, drivers, lambda one: made[id(one)])
    return WorkerService(runtime, drivers, sides, [closing.close], side.drains)


def _site(settings: Settings, options: WorkerOptions) -> _Site:
    kafka = for_worker(settings)
    if settings.identity.key is None:
        raise PermanentError(
            "all workers must know customers by the same secret: set COORDWATCH_IDENTITY__KEY (make one with: openssl rand -hex 32)"
        )
    content = load_content(settings)
    access = kafka_access(kafka)
    transactions = _prepare(settings, kafka, access)
    identity = identity_policy(settings, keys_of(settings))
    watched = _watched(settings, content, access)
    registry = registry_decoder(kafka) if Role.INGEST in options.roles else None
    secret = settings.identity.key.get_secret_value().encode()
    mapper = Mapper(content.mappings, content.catalogue, secret, registry)
    return _Site(settings, kafka, access, content, identity, options, watched, transactions, registry, mapper)


def _prepare(settings: Settings, kafka: KafkaSettings, access: KafkaAccess) -> bool:
    """Create and check everything on the brokers, or refuse to start with all that must be changed.

    Gives: whether the brokers have transactions
    """
    catalogue = settings.sources.catalogue_topic
    sources = (*(one.topic for one in settings.kafka_inputs), *([] if catalogue is None else [catalogue]))
    groups = tuple(f"{kafka.prefix}.{role}" for role in ("ingest", "identity", "detect", "alerts"))
    name = f"{kafka.prefix}.detect.{_name(kafka)}"
    prepared = ensure(access, KafkaSite(kafka.topics, kafka.replication, sources, groups, name))
    for topic in prepared.created:
        _log.info("created the topic %s", topic)
    for remark in prepared.remarks:
        _log.warning("%s", remark)
    return prepared.transactions


def _watched(settings: Settings, content: Content, access: KafkaAccess) -> list[Watched]:
    """Every input with the partitions that its topic has now."""
    topics = {one.name: one.topic for one in settings.inputs if isinstance(one, KafkaInput)}
    found = clients.admin(access).list_topics(timeout=_PATIENCE).topics
    watched = []
    for source in progress_of(settings, content):
        topic = topics[source.name]
        if topic not in found:
            raise TemporaryError(f"input '{source.name}': there is no topic '{topic}' on {access.bootstrap}")
        watched.append(Watched(source, tuple(f"{topic}/{number}" for number in sorted(found[topic].partitions))))
    return watched


def _stages(site: _Site) -> list[Stage]:
    """The stages of the roles, but for alerts."""
    roles, stages = site.options.roles, list[Stage]()
    if Role.INGEST in roles:
        stages.append(_ingest(site))
        if site.identity.mode is IdentityMode.GRAPH:
            stages.append(Resolving(ResolvingSettings(site.topics, site.identity, site.settings.lateness)))
    if Role.DETECT in roles:
        wanted = tuple(one.suppression for one in site.kafka.suppressions)
        settings = DetectSettings(site.topics, site.identity, site.settings.lateness, suppressions=wanted)
        stages.append(Detecting(site.content.rules, settings, site.watched))
    return stages


def _ingest(site: _Site) -> Ingest:
    by_name = {one.source.name: one.source for one in site.watched}
    sources = tuple(
        SourceTopic(one.topic, one.source, by_name[one.name])
        for one in site.settings.inputs
        if isinstance(one, KafkaInput)
    )
    limit = site.kafka.dead_letter_limit
    settings = IngestSettings(
        site.topics, sources, site.identity, LetterLimit(limit.ratio, limit.of, limit.consecutive)
    )
    return Ingest(settings, site.mapper)


def _keeper(site: _Site) -> CatalogueKeeper:
    """What keeps the catalogue of the mapper up to date; a topic is read to its end before a record is mapped."""
    topic = site.settings.sources.catalogue_topic
    if topic is None or Role.INGEST not in site.options.roles:
        feed = file_feed(site.settings, site.content)
        return CatalogueKeeper(feed, site.content.catalogue, site.mapper.use, site.options.clock)
    following = follow(site.access, topic, site.content.mappings)
    keeper = CatalogueKeeper(following, site.content.catalogue, site.mapper.use, site.options.clock)
    keeper.take(following.now)
    return keeper


def _driver(site: _Site, stage: Stage, of_stage: StageClients) -> Driver:
    return Driver(
        stage,
        of_stage.way(transactions=site.transactions),
        of_stage,
        site.options.clock,
        site.options.policy,
        blocking=bool(getattr(stage, "blocking", False)),
        watches_ends=isinstance(stage, Ingest),
        keeps_place=isinstance(stage, Alerts),
        stamps=site.options.stamps,
    )


def _runtime(site: _Site, drivers: Sequence[Driver], clients_of: Callable[[Driver], StageClients]) -> Running:
    def app(driver: Driver) -> StageApp:
        made = clients_of(driver)
        return StageApp(driver, made, made.connection(site.kafka.commit_interval))

    def loop(driver: Driver) -> PlainLoop:
        made = clients_of(driver)
        connection = made.connection(site.kafka.commit_interval)
        return PlainLoop(driver, made, connection.group, connection.commit_every)

    if site.options.plain:
        return PlainRuntime([loop(driver) for driver in drivers])
    return FaustRuntime(drivers, app)


def _name(kafka: KafkaSettings) -> str:
    """What a transactional id ends with: the slot, so that a successor fences its predecessor at once."""
    return kafka.slot or f"{platform.node()}-{os.getpid()}"
