"""Rights: may we join the groups, and begin a transaction? Asked by doing it, and taking it back.

What enters: a KafkaAccess, the groups, the name for transactions. What leaves: Findings with the command that gives the
right. The next room: `topics`, which puts them beside its own.
"""

from collections.abc import Iterator, Sequence

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import producer, reader
from coordwatch.adapters.kafka.commands import allow, principal_of
from coordwatch.adapters.kafka.findings import Finding
from coordwatch.adapters.kafka.layout import Site
from coordwatch.adapters.kafka.survey import PATIENCE, answers

ABOUT = "rights"
_UNSUPPORTED = (KafkaError.UNSUPPORTED_VERSION, KafkaError._UNSUPPORTED_FEATURE)
_REFUSED_IDS = (KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)


def unproven_groups(admin: AdminClient, groups: Sequence[str]) -> tuple[list[str], list[str]]:
    """Ask the brokers about groups.

    Gives:  groups that nobody has used yet, so that only an attempt can tell; and groups that we may not join
    Raises: KafkaException when no broker answers
    """
    if not groups:
        return [], []
    asked = admin.describe_consumer_groups(list(groups), include_authorized_operations=True, request_timeout=PATIENCE)
    told, errors = answers(asked)
    forbidden = [name for name, error in errors.items() if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED]
    unproven = [name for name in errors if name not in forbidden]
    for name, one in told.items():
        operations = {each.name for each in one.authorized_operations or ()}
        if not operations:
            unproven.append(name)
        elif "READ" not in operations:
            forbidden.append(name)
    return unproven, forbidden


def rights_of_groups(access: KafkaAccess, admin: AdminClient, site: Site) -> Iterator[Finding]:
    """What is missing to join the groups and to begin transactions.

    Raises: KafkaException when no broker answers
    """
    unproven, forbidden = unproven_groups(admin, site.groups)
    more, trouble = try_transaction(access, site, unproven)
    forbidden += more
    if forbidden:
        text = f"{principal_of(access)} may not join the consumer groups {', '.join(sorted(forbidden))}"
        yield Finding(ABOUT, text, allow(access, ["Read"], "group", [site.begins]))
    if trouble is not None:
        yield trouble


def try_transaction(access: KafkaAccess, site: Site, groups: Sequence[str]) -> tuple[list[str], Finding | None]:
    """Begin a transaction, add an offset of each group to it, and abort it: nothing of it stays.

    Gives:  the groups that may not be joined, and what is wrong with transactions
    """
    writer = producer(access, site.transactional_id)
    try:
        writer.init_transactions(PATIENCE)
    except KafkaException as failure:
        return [], _no_transactions(access, site, failure.args[0])
    forbidden = []
    for group in groups:
        consumer = reader(access, group)
        try:
            writer.begin_transaction()
            position = [TopicPartition(site.topics.events, 0, 0)]
            writer.send_offsets_to_transaction(position, consumer.consumer_group_metadata(), PATIENCE)
        except KafkaException as failure:
            if failure.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                forbidden.append(group)
        finally:
            consumer.close()
        try:
            writer.abort_transaction(PATIENCE)
        except KafkaException as failure:
            return forbidden, _no_transactions(access, site, failure.args[0])
    return forbidden, None


def _no_transactions(access: KafkaAccess, site: Site, error: KafkaError) -> Finding:
    if error.code() in _REFUSED_IDS:
        text = f"{principal_of(access)} may not begin transactions as {site.transactional_id}"
        return Finding(ABOUT, text, allow(access, ["Write"], "transactional-id", [site.begins]))
    if error.code() in _UNSUPPORTED:
        text = "the brokers have no transactions"
        return Finding(ABOUT, text, "use Kafka 2.5 or newer, or the weaker mode that docs/worker.md describes")
    move = (
        "wait until the cluster is whole; with fewer than three brokers they need "
        "transaction.state.log.replication.factor=1 and transaction.state.log.min.isr=1"
    )
    return Finding(ABOUT, f"the brokers do not begin a transaction ({error.name()})", move, temporary=True)
