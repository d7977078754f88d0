"""What `doctor` looks at beside a Kafka: the brokers, the way in, rights, topics, sources, how far each stage has read.

What enters: settings with a Kafka. What leaves: Checks. The only thing that is written is a transaction that is aborted.
The next room: `doctor`, which prints them.
"""

import ssl
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.apis import Apis
from coordwatch.adapters.kafka.compare import RIGHTS
from coordwatch.adapters.kafka.findings import Finding
from coordwatch.adapters.kafka.groups import NOBODY, StageReading, stage_reading
from coordwatch.adapters.kafka.layout import Site
from coordwatch.adapters.kafka.reach import Reached, ask_all, reach, split_host
from coordwatch.adapters.kafka.survey import answered
from coordwatch.adapters.kafka.topics import create_missing, examine, look, why_not_created
from coordwatch.app.content import Content, kafka_access
from coordwatch.app.registry import registry_client
from coordwatch.cli.checks import Check
from coordwatch.cli.sample_checks import sampled
from coordwatch.clock import SystemClock
from coordwatch.errors import CoordwatchError, PermanentError, TemporaryError
from coordwatch.events.times import DAY, SECOND
from coordwatch.events.words import duration_words
from coordwatch.settings import LOOPBACK, KafkaSettings, SecuritySettings, Settings

ROLES = ("ingest", "detect", "alerts")
IDENTITY = "identity"
_EXPIRES_SOON = 14 * DAY
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class _Cluster:
    """A cluster that answers, and what is asked of it."""

    settings: KafkaSettings
    access: KafkaAccess
    reached: Reached
    site: Site


def kafka_checks(settings: Settings, content: Content | None) -> Iterator[Check]:
    """Every check in turn; what needs the brokers is left out when they cannot be reached."""
    kafka = settings.kafka
    assert kafka is not None, "only settings with a Kafka come here"
    yield from _way_in(kafka)
    yield _codecs()
    yield from _registry(kafka)
    access = kafka_access(kafka)
    try:
        reached = reach(access, _PATIENCE)
    except PermanentError as error:
        yield Check("bad", "security", *_halves(str(error)))
        return
    if isinstance(reached, Finding):
        yield _check(reached)
        return
    catalogue = settings.sources.catalogue_topic
    sources = (*(one.topic for one in settings.kafka_inputs), *([] if catalogue is None else [catalogue]))
    roles = [*ROLES, IDENTITY] if settings.identity.mode == "graph" else ROLES
    groups = tuple(f"{kafka.prefix}.{role}" for role in roles)
    cluster = _Cluster(
        kafka, access, reached, Site(kafka.topics, kafka.replication, sources, groups, f"{kafka.prefix}.doctor")
    )
    try:
        with answered():
            yield from _brokers(cluster)
            yield from _topics(cluster)
            yield from _stages(cluster)
            if content is not None:
                yield from sampled(settings, content, access, reached.topics)
    except CoordwatchError as error:
        yield Check("bad", "brokers", *_halves(str(error)))


def _way_in(kafka: KafkaSettings) -> Iterator[Check]:
    security = kafka.security
    far = any(split_host(address)[0] not in LOOPBACK for address in kafka.bootstrap.split(","))
    who = f", {security.mechanism} as '{security.plain_login[0]}'" if security.mechanism else ""
    if far and not security.protocol.endswith("ssl"):
        open_to = "the password and every event" if security.mechanism else "every event"
        text = f"{security.protocol}{who}: {open_to} can be read on the way"
        yield Check("warn", "security", text, "use a TLS listener: kafka.security: {protocol: sasl_ssl}")
    else:
        yield Check("ok", "security", f"{security.protocol}{who}")
    yield from _key_file(security)


def _key_file(security: SecuritySettings) -> Iterator[Check]:
    key = security.key
    if key is not None and key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield Check("warn", "security", f"others may read the key {key}", f"chmod 600 {key}")


def _codecs() -> Check:
    if find_spec("cramjam") is None:
        text = "the member of the group cannot read lz4, zstd or snappy: the package cramjam is missing"
        return Check("bad", "codecs", text, "pip install 'coordwatch[kafka]'")
    return Check("ok", "codecs", "gzip, snappy, lz4 and zstd can be read")


def _registry(kafka: KafkaSettings) -> Iterator[Check]:
    try:
        client = registry_client(kafka)
        if client is not None:
            client.answers()
            yield Check("ok", "registry", f"{client.access} gives out schemas")
    except CoordwatchError as error:
        yield Check("bad", "registry", str(error), "docs/sources/registry.md says what kafka.registry needs")


def _brokers(cluster: _Cluster) -> Iterator[Check]:
    abilities = ask_all(cluster.access, cluster.reached)
    yield from map(_check, abilities.findings)
    apis = list(abilities.apis.values())
    if not apis:
        return
    oldest = min(apis, key=lambda one: one.release_number)
    spoken = f", {apis[0].tls}" if apis[0].tls else ""
    count = len(cluster.reached.brokers)
    brokers = "one broker" if count == 1 else f"{count} brokers"
    yield Check("ok", "brokers", f"{brokers} like Kafka {oldest.release}{spoken}")
    yield from _certificates(abilities.apis)
    if not oldest.transactions:
        move = "use Kafka 2.5 or newer; until then a paused worker may repeat what it said (docs/worker.md)"
        yield Check("warn", "brokers", "no transactions that carry a group's generation: the weaker mode is used", move)


def _certificates(apis: Mapping[str, Apis]) -> Iterator[Check]:
    now = SystemClock().now()
    for address, one in apis.items():
        ends = None if one.expires is None else int(ssl.cert_time_to_seconds(one.expires)) * SECOND
        if ends is not None and ends - now < _EXPIRES_SOON:
            text = f"the certificate of {address} ends in {duration_words(ends - now)}"
            yield Check("warn", "security", text, "renew it: nothing gets in afterwards")


def _topics(cluster: _Cluster) -> Iterator[Check]:
    site, admin = cluster.site, cluster.reached.admin
    wanted, found = look(admin, site)
    missing = [want for want in wanted if found.missing(want.name)]
    _, errors = create_missing(admin, missing, pretend=True)
    findings = why_not_created(cluster.access, site, missing, errors, len(cluster.reached.brokers))
    findings += examine(cluster.access, cluster.reached, site)
    yield from map(_check, findings)
    about = {finding.about for finding in findings if finding.bad}
    there = [want for want in wanted if want.name in found.seen]
    if RIGHTS not in about:
        words = f"topics, groups and transactions that begin with {site.begins}"
        yield Check("ok", "rights", f"all that is needed for {words}")
    if "topics" not in about and missing:
        yield Check("ok", "topics", f"{len(missing)} of {len(wanted)} will be made at the first start")
    if "topics" not in about and there:
        copies = "one copy" if site.replication == 1 else f"{site.replication} copies"
        split = f"{site.topics.partitions} partitions by customer, {copies}"
        yield Check("ok", "topics", f"{len(there)} of ours are as they must be: {split}")


def _stages(cluster: _Cluster) -> Iterator[Check]:
    site = cluster.site
    wanted, _ = look(cluster.reached.admin, site)
    topics = [*site.sources, *(want.name for want in wanted)]
    for group in site.groups:
        role = group.removeprefix(site.begins)
        try:
            stage = stage_reading(cluster.access, cluster.reached.admin, group, topics)
        except TemporaryError as error:
            yield Check("warn", "stages", f"{role}: how far it has read cannot be seen: {error}")
            continue
        yield from _stage(role, stage)


def _stage(role: str, stage: StageReading) -> Iterator[Check]:
    for one in stage.lost:
        text = f"{role}: {one.lost:,} records of {one.topic}/{one.partition} were deleted before they were read"
        move = "keep that topic longer (retention.ms); to go on without them: coordwatch worker --accept-loss"
        yield Check("bad", "stages", text, move)
    if not stage.readings:
        yield Check("ok", "stages", f"{role}: has not read anything yet")
        return
    waiting = sorted((one for one in stage.readings if not one.at_end), key=lambda one: -one.behind)
    places = ", ".join(f"{one.topic}/{one.partition} {one.behind:,}" for one in waiting[:3])
    more = f", and {len(waiting) - 3} more partitions" if len(waiting) > 3 else ""
    behind = f"{stage.behind:,} records wait: {places}{more}" if waiting else "at the end of all it reads"
    if stage.members:
        members = "one process" if stage.members == 1 else f"{stage.members} processes"
        yield Check("ok", "stages", f"{role}: {members}, {stage.state.lower().replace('_', ' ')}; {behind}")
    elif waiting and stage.state in (NOBODY, "DEAD"):
        yield Check("warn", "stages", f"{role}: nobody runs it; {behind}", "coordwatch worker --config FILE")
    else:
        yield Check("ok", "stages", f"{role}: nobody runs it; {behind}")


def _check(finding: Finding) -> Check:
    return Check("bad" if finding.bad else "warn", finding.about, finding.text, finding.move)


def _halves(text: str) -> tuple[str, str | None]:
    """What is wrong, and the move."""
    wrong, _, move = text.rpartition(": ")
    return (wrong, move) if wrong else (move, None)
