"""`coordwatch doctor` beside a Kafka: one line each, the next move for each bad one, and no secret in any of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.layout import Site, wanted_topics
from coordwatch.adapters.kafka.topics import ensure
from coordwatch.cli import main
from coordwatch.clock import SystemClock
from coordwatch.events.times import MINUTE
from coordwatch.processor.topics import Topics as Names
from tests.kafka.secured import give, least_rights
from tests.services.consume import Sent, produce, settings
from tests.services.kafka import Cluster
from tests.services.topics import PATIENCE, Topics
from tests.simulator import shop

KEY = "0123456789abcdef0123456789abcdef"
RULE = """\
id: promo
title: A promotion
status: live
severity: low
owner: nobody
why: It is an example.
when: {promo: {event: marketing.message.sent}}
"""
Told = dict[str, list[dict[str, Any]]]


@pytest.fixture
def doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, Told]]:
    """Run it on settings: the exit code, and its checks by what they are about."""
    monkeypatch.setenv("COORDWATCH_IDENTITY__KEY", KEY)
    (tmp_path / "rule.yaml").write_text(RULE, encoding="utf-8")

    def run(kafka: str, *inputs: str) -> tuple[int, Told]:
        text = f"bind: 127.0.0.1:0\nrules: [rule.yaml]\nidentity: {{mode: trusted_id}}\nkafka: {{{kafka}}}\n"
        text += "inputs: [" + ", ".join(f"{{kind: kafka, {one}}}" for one in inputs) + "]\n"
        (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
        code = main(["doctor", "--config", str(tmp_path / "site.yaml"), "--json"])
        told: Told = {}
        for line in capsys.readouterr().out.splitlines():
            check = json.loads(line)
            told.setdefault(check["about"], []).append(check)
        return code, told

    return run


def said(told: Told, about: str) -> list[tuple[str, str]]:
    return [(one["mark"], one["text"]) for one in told.get(about, [])]


def mail(topics: Topics, count: int = 60) -> str:
    """A topic with SendGrid's own words."""
    topic = topics.create("mail", 2)
    records = [one.record for one in shop.week()[0] if one.record.topic.startswith("sendgrid")][:count]
    produce(topics.bootstrap, topic, [Sent(one.value) for one in records])
    return topic


def test_before_the_first_start_all_is_well_and_nothing_is_made(topics: Topics, doctor: Any) -> None:
    source = mail(topics)
    own = f"{topics.prefix}.cw"
    code, told = doctor(
        f"bootstrap: '{topics.bootstrap}', prefix: {own}, replication: 1",
        f"name: mail, topic: {source}, source: sendgrid",
    )
    assert code == 0, told
    assert said(told, "inputs") == [("ok", f"mail: the topic {source}")]
    assert said(told, "security") == [("ok", "plaintext")]
    assert said(told, "codecs")[0][0] == "ok"
    assert said(told, "brokers")[0][1].startswith("one broker like Kafka ")
    assert said(told, "topics") == [("ok", "12 of 12 will be made at the first start")]
    assert said(told, "rights")[0][0] == "ok"
    assert said(told, "stages") == [
        ("ok", f"{role}: has not read anything yet") for role in ("ingest", "detect", "alerts")
    ]
    ((mark, text),) = said(told, "samples")
    assert mark == "ok"
    assert text.startswith("mail: ")
    assert f"of the 60 newest records of {source}" in text
    assert said(told, "identity") == [("ok", "mode trusted_id, with the key of the settings")]
    assert topics.existing() == [source]


def test_what_is_wrong_with_sources_is_counted_by_its_reason(topics: Topics, doctor: Any) -> None:
    source, empty = mail(topics, 8), topics.create("empty")
    produce(topics.bootstrap, source, [Sent(b"no json", partition=1)] * 2)
    ahead_by = SystemClock().now() // MINUTE * MINUTE + 30 * MINUTE
    produce(topics.bootstrap, source, [Sent(b"{}", timestamp=ahead_by // 1000)])
    began = SystemClock().now()
    code, told = doctor(
        f"bootstrap: '{topics.bootstrap}', prefix: {topics.prefix}.cw, replication: 1",
        f"name: mail, topic: {source}, source: sendgrid",
        f"name: none, topic: {empty}, source: sendgrid",
        f"name: gone, topic: {source}s, source: sendgrid",
    )
    ended = SystemClock().now()
    assert code == 1
    assert said(told, "sources")[-1] == ("bad", f"there is no topic '{source}s'")
    assert told["sources"][-1]["move"].endswith(f"(did you mean '{source}'?)")
    first, second = told["samples"]
    assert first["mark"] == "bad"
    assert "3 refused (not_json 2, " in first["text"]
    assert first["move"].startswith("so many stop a partition; ")
    assert f"coordwatch replay --config FILE --kafka {source}@" in first["move"]
    assert (second["mark"], second["text"]) == ("warn", f"none: {empty} holds no record yet")
    ahead = told["clock"][-1]
    assert ahead["mark"] == "warn"
    minutes = range((ahead_by - ended) // MINUTE, (ahead_by - began) // MINUTE + 1)
    assert ahead["text"] in [f"mail: its newest record says that it was written in {one} min" for one in minutes]


def test_how_far_each_stage_has_read_and_what_was_deleted_before_it_was_read(topics: Topics, doctor: Any) -> None:
    prefix, source = f"{topics.prefix}.cw", mail(topics)
    ensure(KafkaAccess(topics.bootstrap), Site(Names(prefix, 2), 1, (source,), (), f"{prefix}.x"))
    produce(topics.bootstrap, f"{prefix}.events", [Sent(b"{}", partition=0)] * 50)
    commit(topics, f"{prefix}.detect", {(f"{prefix}.events", 0): 20, (f"{prefix}.events", 1): 0})
    commit(topics, f"{prefix}.ingest", {(source, 0): 3, (source, 1): 1})
    trim = topics.admin.delete_records([TopicPartition(source, 1, 9)], request_timeout=PATIENCE)
    for future in trim.values():
        future.result(PATIENCE)
    code, told = doctor(
        f"bootstrap: '{topics.bootstrap}', prefix: {prefix}, partitions: 2, replication: 1",
        f"name: mail, topic: {source}, source: sendgrid",
    )
    assert code == 1
    assert said(told, "topics") == [
        ("ok", "12 of ours are as they must be: 2 partitions by customer, one copy"),
    ]
    stages = said(told, "stages")
    assert stages[0] == ("bad", f"ingest: 8 records of {source}/1 were deleted before they were read")
    assert "--accept-loss" in told["stages"][0]["move"]
    assert stages[1][0] == "warn"
    assert stages[1][1].startswith("ingest: nobody runs it; ")
    assert stages[2] == ("warn", f"detect: nobody runs it; 30 records wait: {prefix}.events/0 30")
    assert stages[3] == ("ok", "alerts: has not read anything yet")


def commit(topics: Topics, group: str, offsets: dict[tuple[str, int], int]) -> None:
    consumer = Consumer(settings(topics.bootstrap, group_id=group, enable_auto_commit=False))
    at = [TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()]
    consumer.commit(offsets=at, asynchronous=False)
    consumer.close()


def test_brokers_that_cannot_be_reached_are_one_line_and_the_rest_is_told_all_the_same(doctor: Any) -> None:
    code, told = doctor("bootstrap: '127.0.0.1:1'", "name: mail, topic: shop.mail, source: sendgrid")
    assert code == 1
    assert said(told, "brokers") == [("bad", "no broker answers at 127.0.0.1:1 (Connection refused)")]
    assert "topics" not in told
    assert said(told, "database")[0][0] == "ok"


def test_topics_of_ours_that_are_otherwise_are_bad_with_the_command(topics: Topics, doctor: Any) -> None:
    topics.create("cw.detect-state", 8)
    code, told = doctor(f"bootstrap: '{topics.bootstrap}', prefix: {topics.prefix}.cw, replication: 1")
    assert code == 1
    bad = [one for one in told["topics"] if one["mark"] == "bad"]
    assert any("is kept by 'delete' and must be by 'compact'" in one["text"] for one in bad)
    assert all(one["move"].startswith("kafka-configs.sh") for one in bad)
    code, told = doctor(f"bootstrap: '{topics.bootstrap}', prefix: {topics.prefix}.other")
    assert [one["text"] for one in told["topics"]] == ["kafka.replication says 3, and the cluster has one broker"]


def test_a_login_without_rights_is_told_which_ones_it_lacks(
    secure_kafka: Cluster, doctor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COORDWATCH_KAFKA__SECURITY__PASSWORD", "cw-secret")
    own = Topics(secure_kafka.bootstrap, "doctor-rights")
    source = own.create("orders")
    security = f"security: {{protocol: sasl_ssl, mechanism: SCRAM-SHA-512, username: cw, ca: '{secure_kafka.certificates}/ca.pem'}}"
    kafka = f"bootstrap: '{secure_kafka.addresses('SASLSSL')}', prefix: doctor-rights.cw, replication: 1, {security}"
    code, told = doctor(kafka, f"name: shop, topic: {source}, source: sendgrid")
    assert code == 1
    assert len([one for one in told["rights"] if one["mark"] == "bad"]) == 4
    assert all(one["move"].startswith("kafka-acls.sh") for one in told["rights"])
    assert said(told, "security")[0] == ("ok", "sasl_ssl, SCRAM-SHA-512 as 'cw'")
    assert any("the certificate of" in text for _, text in said(told, "security")), "that of the tests lives two days"
    give(secure_kafka, least_rights("doctor-rights.cw", source))
    code, told = doctor(kafka, f"name: shop, topic: {source}, source: sendgrid")
    assert (code, [one["mark"] for one in told["rights"]]) == (0, ["ok"]), told
    assert "TLSv1" in said(told, "brokers")[0][1]
    own.remove()


def test_settings_without_the_key_that_all_workers_share_are_bad(
    topics: Topics, doctor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COORDWATCH_IDENTITY__KEY")
    code, told = doctor(
        f"bootstrap: '{topics.bootstrap}', prefix: {topics.prefix}.cw, replication: 1",
        f"name: mail, topic: {mail(topics)}, source: sendgrid",
    )
    assert code == 1
    assert said(told, "identity")[0][0] == "bad"
    assert "COORDWATCH_IDENTITY__KEY" in told["identity"][0]["move"]


def test_every_topic_is_named_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "kafka.md").read_text(encoding="utf-8")
    for want in wanted_topics(Names("x", 8), 3):
        assert f"| `{want.name.removeprefix('x')}` |" in page
