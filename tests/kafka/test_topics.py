"""Our topics on a real Kafka: what is missing is created, what is otherwise is refused with the command that helps."""

from dataclasses import replace

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import producer
from coordwatch.adapters.kafka.layout import Site, wanted_topics
from coordwatch.adapters.kafka.partitioner import partition_of
from coordwatch.adapters.kafka.survey import survey
from coordwatch.adapters.kafka.topics import Prepared, ensure
from coordwatch.errors import PermanentError
from coordwatch.processor.stage import KIND
from coordwatch.processor.topics import Topics as Names
from tests.services.kafka import Cluster
from tests.services.topics import PATIENCE, Topics
from tests.services.waiting import wait_until


@pytest.fixture
def site(topics: Topics) -> Site:
    """Topics of ours below the test's own, beside which a source may lie."""
    prefix = f"{topics.prefix}.cw"
    groups = tuple(f"{prefix}.{role}" for role in ("ingest", "detect"))
    return Site(Names(prefix, 4), 1, (), groups, f"{prefix}.detect.a")


@pytest.fixture
def access(kafka: str) -> KafkaAccess:
    return KafkaAccess(kafka)


def change(topics: Topics, name: str, **config: str) -> None:
    entries = [
        ConfigEntry(key.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for key, value in config.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
    topics.admin.incremental_alter_configs([resource])[resource].result(PATIENCE)
    topic = ConfigResource(ResourceType.TOPIC, name)

    def heard() -> bool:
        told = topics.admin.describe_configs([topic], request_timeout=PATIENCE)[topic].result(PATIENCE)
        return all(told[entry.name].value == entry.value for entry in entries)

    # The controller says yes before a node has heard of it.
    wait_until(heard, f"the configuration of {name}", PATIENCE)


def problems(access: KafkaAccess, site: Site) -> list[str]:
    with pytest.raises(PermanentError) as refused:
        ensure(access, site)
    return str(refused.value).splitlines()


def test_what_is_missing_is_created_as_the_page_says(topics: Topics, access: KafkaAccess, site: Site) -> None:
    prepared = ensure(access, site)
    assert prepared.transactions
    assert sorted(prepared.created) == topics.existing()
    assert len(prepared.created) == 12
    seen = survey(topics.admin, prepared.created).seen
    for want in wanted_topics(site.topics, 1):
        there = seen[want.name]
        assert (there.partitions, there.replication) == (want.partitions, 1)
        assert want.config.items() <= dict(there.config or {}).items()
    assert seen[site.topics.detect_state].partitions == seen[site.topics.events].partitions == 4
    assert ensure(access, site) == Prepared((), (), transactions=True)


def test_several_processes_may_begin_at_once(access: KafkaAccess, site: Site) -> None:
    ensure(access, site)
    ensure(access, replace(site, transactional_id=f"{site.topics.prefix}.detect.b"))


def test_every_problem_is_told_at_once_and_each_with_its_command(
    topics: Topics, access: KafkaAccess, site: Site
) -> None:
    names = site.topics
    ensure(access, site)
    change(topics, names.detect_state, cleanup_policy="delete", max_message_bytes="1000")
    change(topics, names.events, cleanup_policy="compact", min_insync_replicas="2")
    told = problems(access, replace(site, sources=("nowhere.at-all",)))
    command = (
        f"kafka-configs.sh --bootstrap-server {access.bootstrap} --alter --entity-type topics "
        f"--entity-name {names.detect_state} --add-config cleanup.policy=compact"
    )
    expected = (
        "there is no topic 'nowhere.at-all': correct the input; coordwatch never creates a source",
        f"{names.detect_state} is kept by 'delete' and must be by 'compact', or its rows would be deleted: {command}",
        f"{names.detect_state} takes records of 1,000 bytes at most and must take 4,194,304: kafka-configs.sh",
        f"{names.events} is kept by 'compact' and must be by 'delete', or all but the newest record of a key would go",
        f"{names.events} wants 2 copies in sync and has 1: nothing can be written: kafka-configs.sh",
    )
    for problem in expected:
        assert any(one.startswith(problem) for one in told), (problem, told)
    assert len(told) == 5


def test_another_number_of_partitions_is_refused(topics: Topics, access: KafkaAccess, site: Site) -> None:
    topics.create("cw.dead-letters", 3)
    ensure_all = problems(access, site)
    assert ensure_all[-1].startswith(f"{site.topics.dead_letters} takes records of 1,048,588 bytes at most")
    assert any(one.startswith(f"{site.topics.dead_letters} has 3 partitions and must have 1") for one in ensure_all)
    told = problems(access, replace(site, topics=Names(site.topics.prefix, 8)))
    assert any("have 4 partitions, kafka.partitions says 8: write 'kafka: {partitions: 4}'" in one for one in told)


def test_parts_that_do_not_agree_are_refused_one_by_one(topics: Topics, access: KafkaAccess, site: Site) -> None:
    topics.create("cw.events", 5)
    told = problems(access, site)
    assert any(one.startswith(f"{site.topics.events} has 5 partitions and must have 4") for one in told)


def test_more_copies_than_brokers_are_refused_with_the_setting(access: KafkaAccess, site: Site) -> None:
    (told,) = problems(access, replace(site, replication=3))
    assert told == (
        "kafka.replication says 3, and the cluster has one broker: add brokers, or write 'kafka: {replication: 1}'"
    )
    ensure(access, site)
    told = problems(access, replace(site, replication=2))[-1]
    assert "has one copy, kafka.replication says 2" in told
    assert told.endswith("or write 'kafka: {replication: 1}'")


def test_a_shorter_retention_is_a_remark(topics: Topics, access: KafkaAccess, site: Site) -> None:
    ensure(access, site)
    change(topics, site.topics.events, retention_ms="86400000")
    (remark,) = ensure(access, site).remarks
    assert remark.text == f"{site.topics.events} is kept for 1 days and not for 28"
    assert not remark.bad


def test_the_nearest_source_is_named(topics: Topics, access: KafkaAccess, site: Site) -> None:
    source = topics.create("shop")
    (told,) = problems(access, replace(site, sources=(f"{source}s",)))
    assert told.endswith(f"(did you mean '{source}'?)")
    assert ensure(access, replace(site, sources=(source,))).created == ()


def test_a_source_with_larger_records_makes_room_for_its_dead_letters(
    topics: Topics, access: KafkaAccess, site: Site
) -> None:
    source = topics.create("large", config={"max.message.bytes": "20000000"})
    ensure(access, replace(site, sources=(source,)))
    there = survey(topics.admin, [site.topics.dead_letters]).seen[site.topics.dead_letters]
    assert there.number("max.message.bytes") == 20_000_000 + 65_536


def test_a_key_in_the_wrong_partition_is_refused(access: KafkaAccess, site: Site) -> None:
    """What librdkafka does by itself is not what Java does."""
    ensure(access, site)
    ours = producer(access)
    for number in range(50):
        ours.produce(site.topics.events, b"{}", f"c{number}".encode())
    ours.produce(site.topics.events, b"{}", b"c1", (partition_of(b"c1", 4) + 1) % 4, headers=[(KIND, b"mark")])
    ours.flush(PATIENCE)
    ensure(access, site)
    theirs = Producer({"bootstrap.servers": access.bootstrap})
    for number in range(50):
        theirs.produce(site.topics.events, b"{}", f"c{number}".encode())
    theirs.flush(PATIENCE)
    (told,) = problems(access, site)
    assert f"the record in {site.topics.events}/" in told
    assert "with another partitioner: stop that" in told


def test_on_three_brokers_a_write_is_safe_with_two_copies_and_one_broker_may_be_away(three_brokers: Cluster) -> None:
    site = Site(Names("cw", 2), 3, (), ("cw.detect",), "cw.detect.a")
    access = KafkaAccess(three_brokers.bootstrap)
    ensure(access, site)
    names, admin = {site.topics.events, site.topics.detect_state}, three_brokers.admin()
    seen = wait_until(lambda: found if (found := survey(admin, sorted(names)).seen).keys() == names else None, "both")
    assert {(one.replication, one.number("min.insync.replicas")) for one in seen.values()} == {(3, 2)}
    topics = Topics(three_brokers.bootstrap, "cw")
    change(topics, site.topics.events, min_insync_replicas="1")
    # Any of the three may be asked, and they hear of a change one after the other.
    (remark,) = wait_until(lambda: ensure(access, site).remarks, "a remark")
    assert (remark.text, remark.bad) == ("cw.events takes a write as safe with one copy", False)
    three_brokers.nodes[2].kill()
    three_brokers.wait_ready()
    assert ensure(access, site).created == ()
    assert problems(access, replace(site, replication=4))[0].endswith("write 'kafka: {replication: 3}'")
