"""The demo beside a real Kafka: an invented shop's tools publish to topics of their own, and a worker reads them.

What enters: what a demo is asked for.
What leaves: a worker with everything in one process, a publisher beside it, and the way to remove their topics.
The next room: the command line, which runs it.

The shop's time runs faster than the wall. Records carry the wall's time all the same, because a Kafka deletes by it; so
this one process reads every instant of the log on the shop's clock, and event times, observation times, progress and
deadlines lie on one axis (docs/decisions/0006).
"""

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import coordwatch
from coordwatch.adapters.kafka.passing import PassingTopics
from coordwatch.adapters.kafka.publisher import Due, Publisher
from coordwatch.app.content import kafka_access
from coordwatch.app.worker import WorkerOptions, build_worker
from coordwatch.app.worker_side import HttpSide
from coordwatch.clock import PacedClock
from coordwatch.codec import decode_json
from coordwatch.processor.stage import Headers
from coordwatch.settings import Settings, demo_settings
from coordwatch.simulator.config import START
from coordwatch.simulator.run import live
from coordwatch.sources.record import Record
from coordwatch.worker.service import WorkerService

SOURCE_PARTITIONS = 3
_OUR_PARTITIONS = 4
# What the slowest tool may be late by, in the shop's time; and how long publisher and broker may take, in the wall's.
_TOOLS_DELAY, _WALL_DELAY = 30 * 60, 3.0


@dataclass(frozen=True, slots=True)
class Tool:
    """A topic of the shop: its input, its mapping, how its records are keyed, and what it carries where the mapping is open."""

    input: str
    source: str
    key: Callable[[Any], object] | None = None
    carries: tuple[str, ...] = ()


def _first(*path: str | int) -> Callable[[Any], object]:
    """What stands at a path of a payload."""

    def key(payload: Any) -> object:
        for step in path:
            try:
                payload = payload[step]
            except (KeyError, IndexError, TypeError):
                return None
        found: object = payload
        return found

    return key


TOOLS: Mapping[str, Tool] = {
    # Webhooks come through a bridge that sets no key, so what is said of one customer lies in any partition.
    "sendgrid.events": Tool("sendgrid", "sendgrid"),
    "shopify.webhooks": Tool("shopify", "shopify"),
    "zendesk.events": Tool("zendesk", "zendesk"),
    "easypost.events": Tool("easypost", "easypost"),
    # Rasa's own event broker, with `partition_by_sender`.
    "rasa.events": Tool("rasa", "rasa", _first("sender_id")),
    # The shop's own services key by what they speak of.
    "cloudevents.warehouse": Tool(
        "warehouse", "cloudevents", _first("item"), ("inventory.level.changed", "fulfilment.return.changed")
    ),
    "cloudevents.accounts": Tool(
        "accounts", "cloudevents", _first("data", "identifiers", 0, "value"), ("customer.identifiers.linked",)
    ),
    "cloudevents.audiences": Tool(
        "audiences", "cloudevents", None, ("marketing.audience.changed", "marketing.ad.exposed")
    ),
    "cloudevents.agent-desktop": Tool(
        "agent-desktop",
        "cloudevents",
        _first("data", "conversation"),
        ("bot.handoff.completed", "agent.detail.requested", "service.commitment.made", "service.commitment.closed"),
    ),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a demo beside a Kafka is asked for; everything it makes there begins with `name` and a dot."""

    bootstrap: str
    name: str
    database: Path
    bind: str
    seed: int
    customers: int
    speed: float


@dataclass(frozen=True, slots=True)
class DemoOnKafka:
    """A demo that can be run once."""

    service: WorkerService
    address: str
    clock: PacedClock
    ending: threading.Event
    topics: PassingTopics
    groups: Sequence[str]

    def remove(self) -> list[str]:
        """Remove what it made on the brokers. Gives: the topics that are still there."""
        return self.topics.remove(self.groups)


def build_demo(wish: Wish) -> DemoOnKafka:
    """Make the shop's topics, and put worker and publisher together; nothing runs yet.

    Raises: PermanentError or TemporaryError with the next move; nothing is left on the brokers then
    """
    settings = settings_of(wish)
    assert settings.kafka is not None, "written below"
    access = kafka_access(settings.kafka)
    topics = PassingTopics(access, wish.name)
    topics.create([f"{wish.name}.{topic}" for topic in TOOLS], SOURCE_PARTITIONS)
    ending, clock = threading.Event(), PacedClock(START, wish.speed)
    try:
        service = build_worker(settings, WorkerOptions(clock=clock, stamps=clock.at))
        publisher = Publisher(access, due_records(wish), clock, ending)
    except BaseException:
        topics.remove([])
        raise
    service = replace(service, sides=[publisher, *service.sides])
    address = next(side.address for side in service.sides if isinstance(side, HttpSide))
    groups = [f"{settings.kafka.prefix}.{driver.stage.role}" for driver in service.drivers]
    return DemoOnKafka(service, address, clock, ending, topics, groups)


def settings_of(wish: Wish) -> Settings:
    """The settings of its worker, as somebody would write them for these topics."""
    delay = f"{round(_TOOLS_DELAY + _WALL_DELAY * wish.speed)}s"
    late = {"kind": "kafka", "disorder": f"{_TOOLS_DELAY}s", "publishing_delay": delay}
    inputs = [
        {**late, "name": tool.input, "topic": f"{wish.name}.{topic}", "source": tool.source, "carries": tool.carries}
        for topic, tool in TOOLS.items()
    ]
    kafka = {
        "bootstrap": wish.bootstrap,
        "prefix": f"{wish.name}.coordwatch",
        "partitions": _OUR_PARTITIONS,
        "replication": 1,
        "commit_interval": "250ms",
    }
    written: dict[str, Any] = {
        "database": wish.database,
        "durable": False,
        "bind": wish.bind,
        "kafka": kafka,
        "identity": {"key": secrets.token_hex(24)},
        "sources": {"catalogue": Path(coordwatch.__file__).parent / "simulator" / "catalogue.yaml"},
        "inputs": inputs,
    }
    return demo_settings(written)


def due_records(wish: Wish) -> Iterator[Due]:
    """What the shop's tools publish, on the topics of this run."""
    for simulated in live(wish.seed, customers=wish.customers):
        record = simulated.record
        topic = record.topic or ""
        yield Due(record.timestamp or 0, f"{wish.name}.{topic}", key_of(record), record.value, _headers(record))


def _headers(record: Record) -> Headers:
    pairs = record.headers.items() if isinstance(record.headers, Mapping) else record.headers
    return [(name, text.encode() if isinstance(text, str) else text) for name, text in pairs]


def key_of(record: Record) -> bytes | None:
    """The key under which a tool publishes a record; many have none."""
    key = TOOLS[record.topic or ""].key
    named = None if key is None else key(decode_json(record.value or b"{}"))
    return str(named).encode() if named else None
