"""Our topics: those that are missing are created, and everything else is held against what it must be, before anything runs.

What enters: a KafkaAccess and a Site. What leaves: what was created, or one refusal that lists every problem with the next
move. The next room: `worker`, which may then trust its Kafka. Topics of others are looked at and never touched.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.commands import allow, create, principal_of
from coordwatch.adapters.kafka.compare import (
    RIGHTS,
    TOPICS,
    differences,
    letter_bytes,
    rights_of_topics,
    sources_wrong,
)
from coordwatch.adapters.kafka.findings import Finding, refuse
from coordwatch.adapters.kafka.keys import wrong_keys
from coordwatch.adapters.kafka.layout import Site, Wanted, wanted_topics
from coordwatch.adapters.kafka.reach import Reached, ask_all, reach
from coordwatch.adapters.kafka.rights import rights_of_groups
from coordwatch.adapters.kafka.survey import PATIENCE, Survey, answered, answers, survey
from coordwatch.errors import TemporaryError

_SHOWN_AFTER, _LOOKS = 0.2, 5
_FORBIDDEN = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A Kafka on which a worker may start: what was created, what is worth a line in the log, and how commits can be made."""

    created: tuple[str, ...]
    remarks: tuple[Finding, ...]
    transactions: bool


def ensure(access: KafkaAccess, site: Site) -> Prepared:
    """Create the topics of ours that are missing, and check everything that a worker needs.

    Raises: PermanentError with every problem and its next move, one a line; TemporaryError while brokers are away
    """
    reached = _reached(access)
    try:
        return _ensured(access, site, reached)
    except TemporaryError:
        # A broker that goes while it is asked takes the question with it; the others know by now.
        return _ensured(access, site, _reached(access))


def _reached(access: KafkaAccess) -> Reached:
    reached = reach(access)
    if isinstance(reached, Finding):
        refuse([reached])
        raise AssertionError("what cannot be reached is refused")
    return reached


def _ensured(access: KafkaAccess, site: Site, reached: Reached) -> Prepared:
    abilities = ask_all(access, reached)
    transactions = all(one.transactions for one in abilities.apis.values())
    with answered():
        created, findings = _created(access, reached.admin, site)
        findings += [*abilities.findings, *examine(access, reached, site, transactions=transactions)]
    refuse(findings)
    return Prepared(tuple(created), tuple(findings), transactions)


def examine(access: KafkaAccess, reached: Reached, site: Site, *, transactions: bool = True) -> list[Finding]:
    """Everything about topics and rights that is not as it must be; nothing is changed.

    Raises: KafkaException when the brokers stop answering
    """
    wanted, found = look(reached.admin, site)
    findings = [*rights_of_topics(access, site, wanted, found)]
    visible = reached.admin.list_topics(timeout=PATIENCE).topics
    findings += sources_wrong(access, site, found, visible)
    findings += differences(access, wanted, found)
    events = found.seen.get(site.topics.events)
    if events is not None and events.may("READ"):
        findings += wrong_keys(access, events.name, events.partitions)
    if transactions:
        findings += rights_of_groups(access, reached.admin, site)
    return findings


def look(admin: AdminClient, site: Site) -> tuple[list[Wanted], Survey]:
    """Our topics as they must be, and all topics as they are."""
    names = [*(want.name for want in wanted_topics(site.topics, site.replication)), *site.sources]
    found = survey(admin, names)
    for _ in range(_LOOKS):
        if not any(found.missing(name) for name in site.sources):
            break
        time.sleep(_SHOWN_AFTER)  # a broker hears a moment later of a topic that was made just now
        found = survey(admin, names)
    return wanted_topics(site.topics, site.replication, letter_bytes(site.sources, found.seen)), found


def create_missing(
    admin: AdminClient, missing: Sequence[Wanted], *, pretend: bool = False
) -> tuple[list[str], dict[str, KafkaError]]:
    """Create topics, or only ask whether we could.

    Gives:  what was created, and why the others were not
    Raises: KafkaException when no broker answers
    """
    if not missing:
        return [], {}
    new = [NewTopic(want.name, want.partitions, want.replication, config=dict(want.config)) for want in missing]
    asked = admin.create_topics(new, operation_timeout=PATIENCE, request_timeout=PATIENCE, validate_only=pretend)
    created, errors = answers(asked)
    already = [name for name, error in errors.items() if error.code() == KafkaError.TOPIC_ALREADY_EXISTS]
    return list(created), {name: error for name, error in errors.items() if name not in already}


def why_not_created(
    access: KafkaAccess, site: Site, missing: Sequence[Wanted], errors: dict[str, KafkaError], brokers: int
) -> list[Finding]:
    """Why topics could not be created, and who can do it."""
    findings = []
    forbidden = [name for name, error in errors.items() if error.code() in _FORBIDDEN]
    if forbidden:
        text = f"{principal_of(access)} may not create {', '.join(forbidden)}"
        move = f"{allow(access, ['Create'], 'topic', [site.begins])}; or create each, as the next lines say"
        findings.append(Finding(RIGHTS, text, move))
    scarce = [name for name, error in errors.items() if error.code() == KafkaError.INVALID_REPLICATION_FACTOR]
    if scarce:
        there = "one broker" if brokers == 1 else f"{brokers} brokers"
        text = f"kafka.replication says {site.replication}, and the cluster has {there}"
        move = f"add brokers, or write 'kafka: {{replication: {min(brokers, site.replication)}}}'"
        findings.append(Finding(TOPICS, text, move))
    for want in missing:
        if want.name in errors and want.name not in scarce:
            said = "" if want.name in forbidden else f" ({errors[want.name].str()})"
            command = create(access, want.name, want.partitions, want.replication, want.config)
            findings.append(Finding(TOPICS, f"{want.name} is not there and cannot be created{said}", command))
    return findings


def _created(access: KafkaAccess, admin: AdminClient, site: Site) -> tuple[list[str], list[Finding]]:
    wanted, found = look(admin, site)
    missing = [want for want in wanted if found.missing(want.name)]
    created, errors = create_missing(admin, missing)
    brokers = len(admin.list_topics(timeout=PATIENCE).brokers)
    _wait_until_shown(admin, created)
    return created, why_not_created(access, site, missing, errors, brokers)


def _wait_until_shown(admin: AdminClient, names: Sequence[str]) -> None:
    """Other brokers hear of a new topic a moment later."""
    until = time.monotonic() + PATIENCE
    while names and survey(admin, names).errors and time.monotonic() < until:
        time.sleep(_SHOWN_AFTER)
