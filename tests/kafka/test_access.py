"""Access: what each client of librdkafka is given, and that no secret can be seen in it by accident."""

from dataclasses import replace
from pathlib import Path

import pytest

from coordwatch.adapters.kafka.access import (
    OAUTHBEARER,
    KafkaAccess,
    Login,
    Tls,
    client_settings,
    group_settings,
    producer_settings,
    reader_settings,
    tls_context,
)
from coordwatch.adapters.kafka.clients import admin, member, producer, reader
from coordwatch.app import kafka_access
from coordwatch.errors import PermanentError
from coordwatch.settings import KafkaSettings

CANARY = "canary-77aa10"
NOWHERE = KafkaAccess("127.0.0.1:1")
SCRAM = replace(NOWHERE, tls=Tls(), login=Login("SCRAM-SHA-512", "cw", CANARY))
BEARER = replace(NOWHERE, tls=Tls(), login=Login(OAUTHBEARER, "cw", CANARY, "https://login.example.com/token", "kafka"))


def test_every_record_of_ours_is_written_the_same_way():
    settings = producer_settings(NOWHERE, "coordwatch.detect.a")
    assert settings["partitioner"] == "murmur2_random"
    assert (settings["enable.idempotence"], settings["acks"]) == (True, "all")
    assert settings["compression.type"] == "lz4"
    assert (settings["transactional.id"], settings["transaction.timeout.ms"]) == ("coordwatch.detect.a", 10_000)
    assert "transactional.id" not in producer_settings(NOWHERE)


def test_readers_see_what_was_committed_and_commit_nothing():
    settings = reader_settings(NOWHERE, "coordwatch.reader")
    assert settings["isolation.level"] == "read_committed"
    assert settings["enable.auto.commit"] is False
    assert settings["auto.offset.reset"] == "error"
    assert settings["allow.auto.create.topics"] is False


def test_members_have_the_session_of_the_settings_and_a_slot_when_there_is_one():
    short = replace(NOWHERE, session_timeout=2_000_000)
    settings = group_settings(short, "coordwatch.detect", "a", reset="earliest")
    assert (settings["session.timeout.ms"], settings["heartbeat.interval.ms"]) == (2000, 500)
    assert (settings["group.instance.id"], settings["auto.offset.reset"]) == ("a", "earliest")
    assert "group.instance.id" not in group_settings(short, "coordwatch.detect")


@pytest.mark.parametrize("access", [NOWHERE, SCRAM, BEARER], ids=["plaintext", "scram", "bearer"])
def test_librdkafka_as_it_ships_knows_every_setting(access):
    """Token exchange among them: the wheel has OIDC built in."""
    made = [producer(access), producer(replace(access, session_timeout=2_000_000), "a"), reader(access), admin(access)]
    made.append(member(access, "coordwatch.detect", "a"))
    for client in made:
        getattr(client, "close", lambda: None)()


@pytest.mark.parametrize(
    ("access", "protocol"),
    [(NOWHERE, "plaintext"), (replace(NOWHERE, tls=Tls()), "ssl"), (SCRAM, "sasl_ssl"),
     (replace(SCRAM, tls=None), "sasl_plaintext")],
)  # fmt: skip
def test_the_protocol_follows_from_what_is_there(access, protocol):
    assert client_settings(access)["security.protocol"] == protocol


def test_tls_is_always_verified():
    settings = client_settings(SCRAM)
    assert settings["enable.ssl.certificate.verification"] is True
    assert settings["ssl.endpoint.identification.algorithm"] == "https"
    context = tls_context(SCRAM)
    assert context is not None
    assert context.check_hostname
    assert tls_context(NOWHERE) is None


def test_a_file_that_is_not_there_is_told_by_name():
    access = replace(NOWHERE, tls=Tls(ca=Path("/nowhere/ca.pem"), key_password=CANARY))
    with pytest.raises(PermanentError, match=r"/nowhere/ca\.pem cannot be used") as refused:
        tls_context(access)
    with pytest.raises(PermanentError, match=r"/nowhere/ca\.pem cannot be used") as refused_too:
        producer(access)
    assert CANARY not in str(refused.value) + str(refused_too.value)


def test_no_secret_is_in_what_is_printed():
    assert CANARY not in repr(SCRAM) + repr(BEARER) + repr(Tls(key_password=CANARY))


def test_the_settings_become_an_access():
    def access(**security: str) -> KafkaAccess:
        return kafka_access(KafkaSettings.model_validate({"bootstrap": "a:1", "security": security}))

    assert access() == KafkaAccess("a:1")
    scram = access(protocol="sasl_ssl", mechanism="SCRAM-SHA-512", username="cw", password=CANARY, ca="ca.pem")
    assert scram == KafkaAccess("a:1", Tls(ca=Path("ca.pem")), Login("SCRAM-SHA-512", "cw", CANARY))
    endpoint = "https://login.example.com/token"
    bearer = {"mechanism": OAUTHBEARER, "client_id": "cw", "client_secret": CANARY, "token_endpoint": endpoint}
    found = access(protocol="sasl_ssl", scope="kafka", **bearer)
    assert found == KafkaAccess("a:1", Tls(), Login(OAUTHBEARER, "cw", CANARY, endpoint, "kafka"))
    pair = access(protocol="ssl", certificate="c.pem", key="k.pem", key_password=CANARY)
    assert pair.tls == Tls(None, Path("c.pem"), Path("k.pem"), CANARY)
