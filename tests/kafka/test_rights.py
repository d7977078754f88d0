"""Rights and logins on a Kafka that denies what no ACL allows: the least set is enough, and each part of it is needed."""

import secrets
from dataclasses import replace

import pytest

from coordwatch.adapters.kafka.access import OAUTHBEARER, KafkaAccess, Login, Tls
from coordwatch.adapters.kafka.findings import Finding
from coordwatch.adapters.kafka.layout import Site, wanted_topics
from coordwatch.adapters.kafka.ranges import Range, newest, read_range
from coordwatch.adapters.kafka.reach import Reached, reach
from coordwatch.adapters.kafka.topics import create_missing, ensure
from coordwatch.errors import PermanentError
from coordwatch.processor.topics import Topics as Names
from tests.kafka.secured import SCRAM, Right, access_of, give, least_rights
from tests.services.consume import produce
from tests.services.kafka import Cluster
from tests.services.tokens import token_endpoint
from tests.services.topics import PATIENCE, Topics

CANARY = "canary-3c90d2"


@pytest.fixture
def site(secure_kafka: Cluster) -> Site:
    prefix = f"cw-{secrets.token_hex(4)}"
    source = Topics(secure_kafka.bootstrap, f"shop-{secrets.token_hex(4)}").create("orders")
    groups = tuple(f"{prefix}.{role}" for role in ("ingest", "detect"))
    return Site(Names(prefix, 2), 1, (source,), groups, f"{prefix}.detect.a")


def refusals(access: KafkaAccess, site: Site) -> list[str]:
    with pytest.raises(PermanentError) as refused:
        ensure(access, site)
    return str(refused.value).splitlines()


def rights(site: Site) -> list[Right]:
    return least_rights(site.topics.prefix, site.sources[0])


def test_the_least_rights_are_enough_and_the_topics_are_made(secure_kafka: Cluster, site: Site) -> None:
    give(secure_kafka, rights(site))
    prepared = ensure(access_of(secure_kafka), site)
    assert len(prepared.created) == 12
    assert prepared.remarks == ()
    assert ensure(access_of(secure_kafka), site).created == ()


def test_without_any_right_each_one_is_named_with_its_command(secure_kafka: Cluster, site: Site) -> None:
    told = refusals(access_of(secure_kafka), site)
    begins = site.begins
    assert [one.partition(": kafka-acls.sh")[0] for one in told] == [
        f"User:cw lacks the right to Create, Describe, DescribeConfigs, Read, Write on topics that begin with {begins}",
        f"User:cw may not read {site.sources[0]}, if it is there at all",
        f"User:cw may not join the consumer groups {begins}detect, {begins}ingest",
        f"User:cw may not begin transactions as {begins}detect.a",
    ]
    commands = [one.partition(": ")[2] for one in told]
    assert all(one.startswith("kafka-acls.sh --bootstrap-server 127.0.0.1:") for one in commands)
    assert all("--add --allow-principal User:cw --operation" in one for one in commands)
    assert commands[0].endswith(f"--operation Write --topic {begins} --resource-pattern-type prefixed")
    assert commands[2].endswith(f"--operation Read --group {begins} --resource-pattern-type prefixed")
    assert commands[3].endswith(f"--operation Write --transactional-id {begins} --resource-pattern-type prefixed")


@pytest.mark.parametrize(
    ("kind", "operation", "words"),
    [
        ("TOPIC", "CREATE", ["--operation Create --topic"]),
        ("TOPIC", "DESCRIBE_CONFIGS", ["--operation DescribeConfigs --topic"]),
        ("TOPIC", "READ", ["--operation Read --topic"]),
        ("TOPIC", "WRITE", ["--operation Write --topic"]),
        ("GROUP", "READ", ["--operation Read --group"]),
        ("TRANSACTIONAL_ID", "WRITE", ["--operation Write --transactional-id"]),
    ],
)
def test_each_right_that_is_missing_is_the_one_that_is_named(
    secure_kafka: Cluster, site: Site, kind: str, operation: str, words: list[str]
) -> None:
    if operation != "CREATE":  # made by somebody else, so that only this one right is missing
        create_missing(secure_kafka.admin(), wanted_topics(site.topics, 1))
    left = [one for one in rights(site) if (one.kind, one.operation, one.name) != (kind, operation, site.begins)]
    give(secure_kafka, left)
    told = refusals(access_of(secure_kafka), site)
    commands = [one for one in told if "kafka-acls.sh" in one]
    assert len(commands) == 1, told
    assert all(word in commands[0] for word in words)
    by_hand = [one for one in told if "kafka-topics.sh" in one]
    assert len(by_hand) == (12 if operation == "CREATE" else 0)
    give(secure_kafka, rights(site))
    ensure(access_of(secure_kafka), site)


def test_a_source_that_may_not_be_read_is_named_as_if_it_were_not_there(secure_kafka: Cluster, site: Site) -> None:
    give(secure_kafka, rights(site)[:-1])
    (told,) = refusals(access_of(secure_kafka), site)
    assert told.startswith(f"User:cw may not read {site.sources[0]}, if it is there at all: kafka-acls.sh")
    assert told.endswith(f"--operation Read --topic {site.sources[0]}")


def test_topics_that_somebody_else_made_need_no_right_to_create(secure_kafka: Cluster, site: Site) -> None:
    create_missing(secure_kafka.admin(), wanted_topics(site.topics, 1))
    give(secure_kafka, [one for one in rights(site) if one.operation != "CREATE"])
    assert ensure(access_of(secure_kafka), site).created == ()


def test_a_range_needs_the_right_to_read_its_topic_and_no_group(secure_kafka: Cluster, site: Site) -> None:
    (source,) = site.sources
    produce(secure_kafka.bootstrap, source, [b"1", b"2"])
    access = access_of(secure_kafka)
    with pytest.raises(PermanentError, match=r"may not be (read|seen)"):
        list(newest(access, source, 5))
    give(secure_kafka, [Right("TOPIC", "READ", source)])
    assert [one.value for one in read_range(access, Range(source))[1]] == [b"1", b"2"]


def why(access: KafkaAccess) -> Finding:
    found = reach(access, PATIENCE)
    assert isinstance(found, Finding)
    assert CANARY not in str(found)
    return found


def test_every_way_of_not_getting_in_is_told_from_the_others(secure_kafka: Cluster) -> None:
    pem = secure_kafka.certificates
    scram, mutual = access_of(secure_kafka), access_of(secure_kafka, None, "MTLS")
    assert isinstance(reach(scram, PATIENCE), Reached)
    wrong = replace(SCRAM, secret=CANARY)
    assert why(replace(scram, login=wrong)).text.startswith("the brokers do not let 'cw' in by SCRAM-SHA-512 (SASL")
    assert "PASSWORD" in why(replace(scram, login=wrong)).move
    assert "by PLAIN" in why(replace(scram, login=replace(wrong, mechanism="PLAIN"))).text
    for tls in (Tls(), Tls(pem / "other-ca.pem")):
        assert "is not trusted (" in why(replace(scram, tls=tls)).text
    assert "speaks TLS, and kafka.security says plaintext" in why(replace(scram, tls=None, login=None)).text
    assert "asks for a login" in why(replace(scram, login=None)).text
    assert "asks for a login" in why(access_of(secure_kafka, None, "SASLPLAIN")).text
    assert "does not speak TLS, and" in why(replace(scram, bootstrap=secure_kafka.bootstrap)).text
    assert "fails (" in why(mutual).text
    stranger = Tls(pem / "ca.pem", pem / "stranger.pem", pem / "stranger.key")
    assert "the brokers must know who signed it" in why(replace(mutual, tls=stranger)).move
    known = Tls(pem / "ca.pem", pem / "client.pem", pem / "client.key")
    assert isinstance(reach(replace(mutual, tls=known), PATIENCE), Reached)


def test_a_token_lets_in_and_an_endpoint_that_gives_none_is_named(secure_kafka: Cluster) -> None:
    with token_endpoint({"cw": CANARY}) as endpoint:
        login = Login(OAUTHBEARER, "cw", CANARY, endpoint.address, "kafka")
        assert isinstance(reach(access_of(secure_kafka, login), PATIENCE), Reached)
        assert endpoint.given == ["cw"]
        found = why(access_of(secure_kafka, replace(login, secret=f"not {CANARY}")))
    assert "do not let 'cw' in by OAUTHBEARER" in found.text
    assert found.move.startswith("check token_endpoint, client_id and scope, and the secret in COORDWATCH")
