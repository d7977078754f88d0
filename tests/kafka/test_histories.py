"""Histories out of Kafka: replay and backtest of a range say what they say of a file with the same events."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import producer
from coordwatch.cli import main
from coordwatch.events.event import Event
from coordwatch.events.filed import encode_filed, filed_to_plain
from coordwatch.events.wire import encode_event
from coordwatch.processor.stage import KIND
from tests.services.consume import Sent, produce, settled
from tests.services.topics import PATIENCE, Topics
from tests.simulator import shop
from tests.statements.scene import document, on

Said = tuple[int, list[dict[str, Any]], list[dict[str, Any]]]


@pytest.fixture
def coordwatch(capsysbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Run a command: exit code, the JSON it printed, and the JSON that it said on standard error."""

    def run(*arguments: str | Path) -> Said:
        code = main([str(one) for one in arguments])
        captured = capsysbinary.readouterr()
        out, said = ([json.loads(line) for line in text.splitlines()] for text in (captured.out, captured.err))
        return code, out, said

    return run


def a_week() -> list[Event]:
    return [event for record in shop.week()[0] for event in record.events if event.subject]


def test_a_range_of_filed_events_is_judged_as_the_file_is(topics: Topics, coordwatch: Any, tmp_path: Path) -> None:
    events = a_week()[:6_000]
    topic = topics.create("events", 4)
    writer = producer(KafkaAccess(topics.bootstrap), f"{topics.prefix}.ingest")
    writer.init_transactions(PATIENCE)
    for begin in range(0, len(events), 500):
        for ends in (writer.abort_transaction, writer.commit_transaction):
            writer.begin_transaction()
            for event in events[begin : begin + 500]:
                writer.produce(topic, encode_filed(event, event.subject or ""), (event.subject or "").encode())
            for partition in range(4):
                writer.produce(topic, b'{"by":""}', None, partition, headers=[(KIND, b"mark")])
                writer.produce(topic, b'{"anchor":"x"}', b"c", partition, headers=[(KIND, b"reask")])
            writer.flush(PATIENCE)
            ends(PATIENCE)
    settled(topics.bootstrap, topic)
    (tmp_path / "events.jsonl").write_bytes(b"".join(encode_event(event) + b"\n" for event in events))
    expected = coordwatch("replay", tmp_path / "events.jsonl")
    assert len(expected[1]) > 100
    kafka = ("--kafka", topic, "--bootstrap", topics.bootstrap)
    assert coordwatch("replay", *kafka) == expected
    assert coordwatch("replay", *kafka, "--jobs", "2") == expected
    trail = coordwatch("replay", *kafka, "--trail")[1]
    assert [row for row in trail if "change" not in row] == expected[1]
    halves = [*kafka[2:], "--kafka", f"{topic}@..1000", "--kafka", f"{topic}@1000.."]
    assert coordwatch("replay", *halves) == expected
    assert topics.existing() == [topic], "nothing was made"


def the_rules(path: Path, *documents: dict[str, Any]) -> Path:
    path.write_text("\n---\n".join(json.dumps(one) for one in documents), encoding="utf-8")
    return path


PROMO = "when: {promo: {event: sent}}\nafter: {complaint: {event: case, same: case, within: %s}}"
STOCK = "when: {promo: {event: sent}}\ngiven: {stock: {event: stock, same: item, where: available <= 0}}"


def filed(events: Sequence[dict[str, Any]]) -> list[Sent]:
    return [Sent(encode_filed(Event(**one), one["subject"]), one["subject"].encode()) for one in events]


def moved(event: dict[str, Any], customer: str, timestamp: int = 0) -> Sent:
    value = json.dumps({"event": filed_to_plain(Event(**event), customer), "said": []}).encode()
    return Sent(value, customer.encode(), ((KIND, b"move"),), timestamp=timestamp)


def test_an_event_that_moved_is_judged_where_it_was_moved_last(topics: Topics, coordwatch: Any, tmp_path: Path) -> None:
    """Filed with A, moved to B and on to C; the complaint is C's."""
    case = on("case", "0h", id="k", case="K1", who="C")
    promo = on("sent", "1h", id="m", case="K1", who="A")
    topic = topics.create("events", 3)
    produce(topics.bootstrap, topic, filed([case, promo]))
    produce(topics.bootstrap, topic, [moved(promo, "B"), Sent(b"no move", b"B", ((KIND, b"move"),))])
    rules = the_rules(tmp_path / "rules.yaml", document(PROMO % "3h"))
    kafka = ("--kafka", topic, "--bootstrap", topics.bootstrap, "--rules", rules)
    code, rows, said = coordwatch("replay", *kafka)
    assert (code, rows) == (2, [])
    assert [(one["topic"], one["offset"], one["reason"]) for one in said] == [(topic, said[0]["offset"], "not_json")]
    produce(topics.bootstrap, topic, [moved(promo, "C")])
    _, rows, _ = coordwatch("replay", *kafka)
    assert [(row["customer"], row["act"]["id"]) for row in rows] == [("C", "m")]


def test_reference_facts_come_along_as_far_as_they_were_known(topics: Topics, coordwatch: Any, tmp_path: Path) -> None:
    events = topics.create("events")
    stock = {**on("stock", "0h", id="s", item="A", available=0), "subject": None}
    later = {**on("stock", "9h", id="t", item="A", available=0), "subject": None}
    produce(topics.bootstrap, events, filed([on("sent", "1h", id="m", item="A")]))
    rules = the_rules(tmp_path / "rules.yaml", document(STOCK))
    kafka = ("--kafka", events, "--bootstrap", topics.bootstrap, "--rules", rules)
    assert coordwatch("replay", *kafka) == (0, [], [])
    facts = topics.create("facts", config={"cleanup.policy": "compact"})
    produce(topics.bootstrap, facts, [Sent(encode_event(Event(**stock)), b"s")])
    assert coordwatch("replay", *kafka) == (0, [], []), "it was not known yet when the range ended"
    produce(topics.bootstrap, events, filed([on("order", "2h", id="o")]))
    produce(topics.bootstrap, facts, [Sent(encode_event(Event(**later)), b"t")])
    code, rows, said = coordwatch("replay", *kafka)
    assert (code, [row["act"]["id"] for row in rows], said) == (0, ["m"], [])
    assert rows == coordwatch("replay", *kafka, "--kafka", facts)[1], "a topic that is asked for is read once"


def test_a_topic_of_payloads_is_mapped_and_what_cannot_be_is_told_at_its_place(
    topics: Topics, coordwatch: Any, tmp_path: Path
) -> None:
    records = [one.record for one in shop.week()[0] if one.record.topic.startswith("sendgrid")][:50]
    topic = topics.create("mail", 2)
    produce(topics.bootstrap, topic, [Sent(one.value, timestamp=(one.timestamp or 0) // 1000) for one in records])
    produce(topics.bootstrap, topic, [Sent(b"no json", partition=1), Sent(None, b"k")])
    rules = the_rules(tmp_path / "rules.yaml", document("when: {promo: {event: sent}}"))
    kafka = ("--kafka", topic, "--bootstrap", topics.bootstrap, "--rules", rules)
    code, rows, said = coordwatch("replay", *kafka, "--source", "sendgrid")
    assert code == 2
    assert len(rows) > 10
    (refused,) = said
    assert (refused["topic"], refused["partition"], refused["reason"]) == (topic, 1, "not_json")
    (tmp_path / "site.yaml").write_text(
        f"kafka: {{bootstrap: '{topics.bootstrap}'}}\n"
        f"inputs: [{{kind: kafka, name: mail, topic: {topic}, source: sendgrid}}]\n",
        encoding="utf-8",
    )
    again = coordwatch("replay", "--kafka", topic, "--config", tmp_path / "site.yaml", "--rules", rules)
    assert (again[0], again[2]) == (code, said)
    assert [row["act"] for row in again[1]] == [row["act"] for row in rows]


def test_backtest_reads_ranges_too(topics: Topics, coordwatch: Any, tmp_path: Path) -> None:
    topic = topics.create("events")
    produce(topics.bootstrap, topic, filed([on("case", "0h", id="k", case="K1"), on("sent", "5h", id="m", case="K1")]))
    new = the_rules(tmp_path / "new.yaml", document(PROMO % "10h"))
    old = the_rules(tmp_path / "old.yaml", document(PROMO % "1h"))
    kafka = ("--kafka", topic, "--bootstrap", topics.bootstrap)
    code, lines, said = coordwatch("backtest", *kafka, "--rules", new, "--against", old, "--json")
    assert (code, said) == (0, [])
    assert [one["act"]["id"] for one in lines if one["kind"] == "detection"] == ["m"]
    assert lines[-1] == {"kind": "total", "added": 1, "removed": 0, "changed": 0, "customers": 1}


def test_a_topic_that_is_not_there_is_told(kafka: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--kafka", "nowhere-at-all", "--bootstrap", kafka]) == 2
    assert "there is no topic 'nowhere-at-all'" in capsys.readouterr().err
