"""Clusters of a test's own: nodes that die, passwords, certificates, ACLs."""

from collections.abc import Callable

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from tests.services.consume import produce, read_topic, read_until, settings
from tests.services.kafka import Cluster
from tests.services.kafka_options import Options
from tests.services.tokens import token_endpoint
from tests.services.topics import Topics
from tests.services.waiting import wait_until

PATIENCE = 60.0
Started = Callable[[Options], Cluster]


def test_three_nodes_lose_no_record_when_one_is_killed_and_comes_back(three_brokers: Cluster) -> None:
    topic = Topics(three_brokers.bootstrap, "private").create("events", 3)
    produce(three_brokers.bootstrap, topic, [b"before"] * 30)
    victim = three_brokers.nodes[0]
    victim.kill()
    produce(three_brokers.bootstrap, topic, [b"while it is away"] * 30)
    three_brokers.wait_ready()

    def read(address: str) -> list[bytes | None]:
        # Who leads a partition since a moment ago shows its end when the others have told how far they are.
        return [one.value for one in read_until(address, topic, lambda found: len(found) >= 60)]

    assert sorted([b"before"] * 30 + [b"while it is away"] * 30) == sorted(read(three_brokers.bootstrap))
    victim.start()
    three_brokers.wait_ready()
    assert 60 == len(read(victim.address))


def test_a_paused_node_answers_nothing_until_it_goes_on(private_kafka: Started) -> None:
    kafka = private_kafka(Options())
    kafka.nodes[0].pause()
    with pytest.raises(KafkaException):
        kafka.admin().list_topics(timeout=1)
    kafka.nodes[0].resume()
    assert 1 == len(kafka.admin().list_topics(timeout=PATIENCE).brokers)


def test_a_secured_node_knows_its_users_and_denies_what_no_acl_allows(secure_kafka: Cluster) -> None:
    topics = Topics(secure_kafka.bootstrap, "acls")
    ours, theirs = topics.create("ours"), topics.create("theirs")
    binding = AclBinding(
        ResourceType.TOPIC, ours, ResourcePatternType.LITERAL, "User:cw", "*",
        AclOperation.ALL, AclPermissionType.ALLOW,
    )  # fmt: skip
    topics.admin.create_acls([binding])[binding].result(PATIENCE)
    any_of_ours = AclBindingFilter(
        ResourceType.TOPIC, ours, ResourcePatternType.LITERAL, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    # The controller says yes before the node has heard of it.
    wait_until(lambda: topics.admin.describe_acls(any_of_ours).result(PATIENCE), "the node to know the ACL")
    with pytest.raises(KafkaException):
        AdminClient(settings(secure_kafka.client("cw", "not it"))).list_topics(timeout=3)
    for listener in ("SASLSSL", "SASLPLAIN"):
        cw = secure_kafka.client("cw", "cw-secret", listener)
        produce(cw, ours, [b"allowed"])
        with pytest.raises(AssertionError, match="TOPIC_AUTHORIZATION_FAILED"):
            produce(cw, theirs, [b"denied"])
    assert [b"allowed"] * 2 == [each.value for each in read_topic(secure_kafka.bootstrap, ours)]
    assert [] == read_topic(secure_kafka.bootstrap, theirs)


def test_only_a_client_with_a_certificate_of_the_authority_comes_in_by_mutual_tls(secure_kafka: Cluster) -> None:

    def known_as(holder: str) -> AdminClient:
        pem = secure_kafka.certificates
        return AdminClient(
            settings(secure_kafka.addresses("MTLS"))
            | {
                "security.protocol": "SSL",
                "ssl.ca.location": str(pem / "ca.pem"),
                "ssl.certificate.location": str(pem / f"{holder}.pem"),
                "ssl.key.location": str(pem / f"{holder}.key"),
            }
        )

    assert 1 == len(known_as("client").list_topics(timeout=PATIENCE).brokers)
    with pytest.raises(KafkaException):
        known_as("stranger").list_topics(timeout=3)


def test_a_client_fetches_a_token_and_comes_in_with_it_but_not_with_a_wrong_secret(secure_kafka: Cluster) -> None:
    def asks_with(secret: str) -> AdminClient:
        bearer = {
            "bootstrap.servers": secure_kafka.addresses("SASLPLAIN"),
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": "cw",
            "sasl.oauthbearer.client.secret": secret,
            "sasl.oauthbearer.token.endpoint.url": tokens.address,
        }
        return AdminClient(settings(bearer))

    with token_endpoint({"cw": "cw-token-secret"}) as tokens:
        assert 1 == len(asks_with("cw-token-secret").list_topics(timeout=PATIENCE).brokers)
        assert ["cw"] == tokens.given
        with pytest.raises(KafkaException):
            asks_with("not it").list_topics(timeout=3)
        assert ["cw"] == tokens.given
