"""The demo beside a Kafka: what its tools publish, on whose time, and that nothing of it stays."""

import re
import subprocess
import sys
from collections import Counter

import pytest

from coordwatch.app.demo_kafka import TOOLS, Wish, due_records, settings_of
from coordwatch.cli import main
from coordwatch.clock import PacedClock, SystemClock
from coordwatch.codec import decode_json
from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND, parse_time
from coordwatch.simulator.config import START
from coordwatch.simulator.run import live
from tests.services.consume import Read, read_topic
from tests.services.topics import Topics

SPEED = 2000


def a_wish(tmp_path) -> Wish:
    return Wish("127.0.0.1:1", "demo-1", tmp_path / "demo.db", "127.0.0.1:0", 1, 30, 600.0)


def a_day(seed: int = 1):
    for simulated in live(seed, customers=30):
        if (simulated.record.timestamp or 0) > START + DAY:
            return
        yield simulated


def test_every_record_of_the_shop_has_its_topic_and_its_types_are_declared():
    spoken: dict[str, set[str]] = {}
    for simulated in a_day():
        spoken.setdefault(simulated.record.topic or "", set()).update(event.type for event in simulated.events)
    assert spoken.keys() == TOOLS.keys()
    for topic, tool in TOOLS.items():
        assert not tool.carries or spoken[topic] <= set(tool.carries), topic


def test_many_records_have_no_key_and_the_others_the_key_of_their_tool(tmp_path):
    keys: dict[str, list[bytes | None]] = {}
    for due in due_records(a_wish(tmp_path)):
        if due.at > START + DAY:
            break
        keys.setdefault(due.topic.removeprefix("demo-1."), []).append(due.key)
    without = {topic for topic, found in keys.items() if set(found) == {None}}
    assert without == {
        "sendgrid.events",
        "shopify.webhooks",
        "zendesk.events",
        "easypost.events",
        "cloudevents.audiences",
    }
    assert None not in keys["rasa.events"]
    assert len(set(keys["rasa.events"])) > 10


def test_records_are_those_of_the_simulator_in_order_with_their_headers(tmp_path):
    told = [simulated.record for simulated, _ in zip(a_day(), range(300), strict=False)]
    for record, due in zip(told, due_records(a_wish(tmp_path)), strict=False):
        assert (due.at, due.topic, due.value) == (record.timestamp, f"demo-1.{record.topic}", record.value)
        assert list(due.headers) == [(name, text.encode()) for name, text in record.headers]


def test_the_settings_are_those_of_a_worker_and_wait_for_publisher_and_broker(tmp_path):
    settings = settings_of(a_wish(tmp_path))
    assert settings.kafka.prefix == "demo-1.coordwatch"
    assert {one.topic for one in settings.kafka_inputs} == {f"demo-1.{topic}" for topic in TOOLS}
    assert {one.publishing_delay for one in settings.kafka_inputs} == {HOUR}
    assert settings.identity.mode == "graph"


def test_what_the_environment_says_of_a_site_in_earnest_does_not_reach_a_demo(tmp_path, monkeypatch):
    monkeypatch.setenv("COORDWATCH_KAFKA__PREFIX", "coordwatch")
    monkeypatch.setenv("COORDWATCH_DATABASE", str(tmp_path / "earnest.db"))
    monkeypatch.setenv("COORDWATCH_DEMO_KAFKA__SECURITY__PROTOCOL", "ssl")
    settings = settings_of(a_wish(tmp_path))
    assert (settings.kafka.prefix, settings.database.name) == ("demo-1.coordwatch", "demo.db")
    assert settings.kafka.security.protocol == "ssl"


def test_a_paced_clock_and_the_wall_say_the_same():
    clock = PacedClock(START, 600)
    wall = SystemClock().now()
    assert abs(clock.at(wall) - clock.now()) < 10 * SECOND
    for instant in (START, START + 1, START + HOUR, START - MINUTE):
        assert 0 <= clock.at(clock.wall(instant)) - instant <= 600
    assert clock.at(wall + SECOND) - clock.at(wall) == 600 * SECOND


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--keep"], "name it with --kafka"),
        (["--prefix", "x"], "name it with --kafka"),
        (["--kafka", "nowhere"], "no host and port"),
        (["--kafka", "127.0.0.1:9092", "--prefix", "no good"], "kafka.prefix"),
    ],
)
def test_what_cannot_be_is_said(capsys, arguments, words):
    assert main(["demo", "--no-browser", "--port", "0", *arguments]) == 2
    assert words in capsys.readouterr().err


def run_demo(topics: Topics, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "coordwatch", "demo", "--no-browser", "--port", "0", "--kafka", topics.bootstrap]
    more = ["--prefix", topics.prefix, "--speed", str(SPEED), "--for", "15s", "--customers", "20", *arguments]
    return subprocess.run([*command, *more], check=False, capture_output=True, text=True, timeout=240)


def test_records_on_the_wall_stages_in_the_shop(topics):
    began = SystemClock().now()
    done = run_demo(topics, "--keep")
    ended = SystemClock().now()
    assert (done.returncode, done.stderr) == (0, "")
    said = re.search(r"([\d ]+) events = (.*)\.\n", done.stdout)
    assert said, done.stdout
    parts = [int(number.replace(" ", "")) for number in re.findall(r"(\d[\d ]*)", said[2])]
    assert int(said[1].replace(" ", "")) == sum(parts) > 100

    sources: dict[str, list[Read]] = {tool: read_topic(topics.bootstrap, f"{topics.prefix}.{tool}") for tool in TOOLS}
    records = [record for found in sources.values() for record in found]
    assert len(records) > 100
    assert all(began - SECOND <= record.timestamp * 1000 <= ended for record in records)
    shopify = {name for record in sources["shopify.webhooks"] for name, _ in record.headers}
    assert {"X-Shopify-Topic", "X-Shopify-Event-Id"} <= shopify
    assert len({record.partition for record in sources["rasa.events"]}) > 1

    events = [
        decode_json(record.value or b"")
        for record in read_topic(topics.bootstrap, f"{topics.prefix}.coordwatch.events")
        if record.header("cw-kind") is None
    ]
    assert len(events) > 50
    assert {event["time"][:7] for event in events} == {"2026-06"}
    assert not [event for event in events if event["data"].get("time_basis") == "clamped"]
    # It was seen when the shop's clock said so: minutes after it happened, as each tool is late, and never months.
    late = [parse_time(event["recordedtime"]) - parse_time(event["time"]) for event in events]
    assert -MINUTE < min(late) <= max(late) < 5 * HOUR
    kinds = Counter(event["type"] for event in events)
    assert len(kinds) > 5
    again = run_demo(topics)
    assert again.returncode == 2
    assert "there are topics already" in again.stderr
