"""The contexts that the workers hold at the end, and those of a stage that nothing ever happened to.

A site that has settled enters; two tables of customers leave, which must be the same.
"""

from typing import Any

from coordwatch.adapters.files import load_rules
from coordwatch.adapters.kafka.partitioner import partition_of
from coordwatch.clock import SystemClock
from coordwatch.context.progress import SourceProgress
from coordwatch.events.event import Event
from coordwatch.events.filed import encode_filed
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY
from coordwatch.events.wire import decode_event
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.processor.detecting import Detecting, DetectSettings, Watched
from coordwatch.processor.marks import Mark, mark_records
from coordwatch.processor.outcomes import Reach
from coordwatch.processor.stage import Place, Slice
from coordwatch.processor.topics import Topics
from tests.chaos.site import PARTITIONS, RULES, SOURCE_PARTITIONS, Site
from tests.services.consume import read_topic

Contexts = dict[str, Any]
TICKS = 200


def new_stage(site: Site) -> Detecting:
    places = tuple(f"{site.source}/{number}" for number in range(SOURCE_PARTITIONS))
    settings = DetectSettings(
        Topics(site.prefix, PARTITIONS), IdentityPolicy(mode=IdentityMode.TRUSTED_ID), lateness=3650 * DAY
    )
    return Detecting(load_rules([RULES]).specs, settings, [Watched(SourceProgress("shop", frozenset(TYPES)), places)])


def of_workers(site: Site, customers: set[str]) -> Contexts:
    """What the changelog gives a worker that begins now."""
    rows: dict[int, dict[bytes, bytes]] = {number: {} for number in range(PARTITIONS)}
    for row in read_topic(site.bootstrap, f"{site.prefix}.detect-state"):
        if row.value is None:
            rows[row.partition].pop(row.key or b"", None)
        else:
            rows[row.partition][row.key or b""] = row.value
    stage = new_stage(site)
    for number, stored in rows.items():
        stage.assign(Place(f"{site.prefix}.events", number), stored)
    return contexts(stage, customers)


def undisturbed(site: Site) -> Contexts:
    """What one stage makes of the same events, in one go."""
    stage, now = new_stage(site), SystemClock().now()
    topic, customers = f"{site.prefix}.events", set[str]()
    slices = {number: Slice(Place(topic, number)) for number in range(PARTITIONS)}
    for value in site.events:
        event = decode_event(value)
        assert isinstance(event, Event)
        customer = event.subject or ""
        customers.add(customer)
        filed = encode_filed(event, customer)
        put(slices[partition_of(customer.encode(), PARTITIONS)], customer.encode(), filed, None)
    reach = {f"{site.source}/{number}": Reach(now, now, now) for number in range(SOURCE_PARTITIONS)}
    for mark in mark_records(topic, PARTITIONS, Mark({"shop": reach})):
        put(slices[mark.partition or 0], None, mark.value, list(mark.headers))
    for number, records in slices.items():
        stage.assign(Place(topic, number), {})
        stage.take(records, now)
    for _ in range(TICKS):
        stage.tick(now)
    stage.give(now)
    return contexts(stage, customers)


def put(records: Slice, key: bytes | None, value: bytes | None, headers: Any) -> None:
    records.offsets.append(len(records))
    records.keys.append(key)
    records.values.append(value)
    records.headers.append(headers)
    records.timestamps.append(0)


def contexts(stage: Detecting, customers: set[str]) -> Contexts:
    """Every customer's facts and what was said of each act."""
    found: Contexts = {}
    for customer in customers:
        known = stage.known(partition_of(customer.encode(), PARTITIONS), customer)
        assert known is not None
        state = known.state()
        found[customer] = (list(state.journal.facts), dict(state.entries))
    return found
