"""A catalogue on a compacted topic of a real Kafka: read to its end, followed, and the same for a range that is judged again."""

import json
from pathlib import Path

import pytest

from coordwatch.adapters.catalogue_keeper import CatalogueKeeper
from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.mapping_files import load_mappings
from coordwatch.app.kafka_catalogue import catalogue_now, follow
from coordwatch.app.worker import WorkerOptions, build_worker
from coordwatch.cli import main
from coordwatch.errors import TemporaryError
from coordwatch.settings import read_settings
from tests.services.consume import Sent, produce
from tests.services.topics import Topics
from tests.services.waiting import wait_until

SALE = b"version: one\ncampaigns: [{match: {tag: sale}, category: promotional, purpose: promo}]\n"
MAIL = {
    "event": "processed",
    "email": "mina@example.com",
    "timestamp": 1_760_000_000,
    "sg_event_id": "1",
    "sg_message_id": "m",
    "category": "sale",
}


def test_the_topic_is_read_to_its_end_and_followed(topics: Topics) -> None:
    topic = topics.create("catalogue", 2, config={"cleanup.policy": "compact"})
    produce(topics.bootstrap, topic, [Sent(b"tables: {}", b"old"), Sent(SALE, b"campaigns")])
    access, mappings = KafkaAccess(topics.bootstrap), load_mappings()
    feed = follow(access, topic, mappings)
    assert feed.now.catalogue is not None
    assert (feed.now.catalogue.version, len(feed.now.catalogue.entries)) == ("one", 1)
    assert feed.look() is None
    produce(topics.bootstrap, topic, [Sent(b"tools: {sendgird: {team: x}}", b"tools")])
    broken = wait_until(feed.look, "the edit came")
    assert f"{topic}/" in broken.problems[0]
    assert "no mapping is called 'sendgird' (did you mean 'sendgrid'?)" in broken.problems[0]
    produce(topics.bootstrap, topic, [Sent(b"tools: {sendgrid: {team: brand}}", b"tools"), Sent(None, b"campaigns")])
    wait_until(lambda: (feed.look(), not feed.now.problems and not feed.now.catalogue.entries)[1], "both came")
    assert feed.now.catalogue.tools == {"sendgrid": {"team": "brand"}}
    feed.close()
    assert catalogue_now(access, topic, mappings).tools == {"sendgrid": {"team": "brand"}}
    with pytest.raises(TemporaryError, match="there is no topic"):
        follow(access, f"{topic}-gone", mappings)


def test_a_worker_and_a_replay_use_what_stands_on_the_topic(
    topics: Topics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue = topics.create("catalogue", 1, config={"cleanup.policy": "compact"})
    mails = topics.create("mails", 1)
    produce(topics.bootstrap, catalogue, [Sent(SALE, b"campaigns")])
    produce(topics.bootstrap, mails, [Sent(json.dumps([MAIL]).encode())])
    config = tmp_path / "coordwatch.yaml"
    config.write_text(
        f"bind: 127.0.0.1:0\nsources: {{catalogue_topic: {catalogue}}}\n"
        f"kafka: {{bootstrap: '{topics.bootstrap}', prefix: {topics.prefix}.cw, partitions: 1, replication: 1}}\n"
        f"inputs: [{{kind: kafka, name: mails, topic: {mails}, source: sendgrid}}]\n"
    )
    monkeypatch.setenv("COORDWATCH_IDENTITY__KEY", "a key of the tests only")
    service = build_worker(read_settings(config), WorkerOptions())
    (keeper,) = [one for one in service.sides if isinstance(one, CatalogueKeeper)]
    assert keeper.view()["version"] == "one"
    keeper.stop()
    for driver in service.drivers:
        driver.close()
    for close in service.closing:
        close()
    rule = tmp_path / "rule.yaml"
    rule.write_text(RULE)
    assert main(["replay", "--config", str(config), "--kafka", mails, "--rules", str(rule)]) == 0
    assert json.loads(capsys.readouterr().out)["rule"] == "a-promotion"


RULE = """
id: a-promotion
title: A promotion
status: live
severity: low
owner: brand
why: To see what the catalogue said.
when: {letter: {event: marketing.message.sent, where: category == "promotional"}}
alert: {once_per: [customer], say: "{letter.tool} sent a promotion."}
runbook: none
tests: []
"""


def test_a_mapping_is_inferred_from_the_newest_records_of_a_topic(
    topics: Topics, capsys: pytest.CaptureFixture[str]
) -> None:
    mails = topics.create("mails", 2)
    rows = [{**MAIL, "sg_event_id": f"e-{number}"} for number in range(20)]
    produce(topics.bootstrap, mails, [Sent(json.dumps([row]).encode(), row["sg_event_id"].encode()) for row in rows])
    assert main(["sources", "infer", "--kafka", mails, "--bootstrap", topics.bootstrap, "--source", "mails"]) == 0
    assert "Of these 20 payloads it makes 20 events" in capsys.readouterr().out
