"""The demo beside a Kafka: what its tools publish, on whose time, and that nothing of it stays."""

import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from coordwatch.app.demo_kafka import TOOLS, Wish, due_records, settings_of
from coordwatch.cli import main
from coordwatch.clock import PacedClock, SystemClock
from coordwatch.codec import decode_json
from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND, parse_time
from coordwatch.events.words import THIN_SPACE
from coordwatch.simulator.config import START
from coordwatch.simulator.run import live
from tests.services.consume import Read, read_topic
from tests.services.topics import Topics
from tests.services.waiting import ANSWER, wait_until

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
    earliest = SystemClock().now()
    clock = PacedClock(START, 600)
    latest = SystemClock().now()
    before, wall, after = clock.now(), SystemClock().now(), clock.now()
    made_within = (latest - earliest) * 600 + SECOND
    assert before - made_within <= clock.at(wall) <= after + made_within
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


def demo_on(topics: Topics, *arguments: str) -> list[str]:
    command = [sys.executable, "-m", "coordwatch", "demo", "--no-browser", "--port", "0", "--kafka", topics.bootstrap]
    return [*command, "--prefix", topics.prefix, "--speed", str(SPEED), "--for", "10m", "--customers", "20", *arguments]


def events_of(topics: Topics) -> list[dict[str, Any]]:
    """The canonical events that there are."""
    filed = read_topic(topics.bootstrap, f"{topics.prefix}.coordwatch.events")
    return [decode_json(one.value or b"") for one in filed if one.header("cw-kind") is None]


def has_worked(address: str, topics: Topics) -> bool:
    """Whether the worker has taken what is looked at below, and counted it."""
    counted = re.search(
        r"^coordwatch_events_in_total (\S+)$", httpx.get(f"{address}/metrics", timeout=ANSWER).text, re.M
    )
    if counted is None or float(counted[1]) <= 200:
        return False
    events = events_of(topics)
    return len(events) > 100 and len({event["type"] for event in events}) > 5


def late_at_most(topics: Topics, records: list[Read], began: int) -> int:
    """How much later than it happened anything was seen, in the shop's time, by what each record says of the wall's time.

    A tool is late by itself, and the publisher by as long as this machine took to start it and to let it have its turn.
    """
    wish = Wish(topics.bootstrap, topics.prefix, Path("none"), "127.0.0.1:0", 1, 20, SPEED)
    due: dict[tuple[str, bytes | None], int] = {}
    tools = 0
    for one, simulated in zip(due_records(wish), live(1, customers=20), strict=False):
        if len(due) > 2 * len(records):
            break
        due.setdefault((one.topic, one.value), one.at)
        tools = max([tools, *(one.at - event.time for event in simulated.events)])
    assert tools < DAY
    return tools + max(
        (one.timestamp * 1000 + 1000 - began) * SPEED - (due[one.topic, one.value] - START) for one in records
    )


def test_records_on_the_wall_stages_in_the_shop(topics):
    began = SystemClock().now()
    with subprocess.Popen(demo_on(topics, "--keep"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        address = demo.stdout.readline().split()[2]
        wait_until(lambda: has_worked(address, topics), "some hours of the shop", 240)
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=180)
    ended = SystemClock().now()
    assert (demo.returncode, err) == (0, "")
    # A thin space stands between thousands.
    said = re.search(rf"([\d{THIN_SPACE}]+) events = (.*)\.\n", out)
    assert said, out
    total, *parts = (int(number) for number in re.findall(r"\d+", said[0].replace(THIN_SPACE, "")))
    assert total == sum(parts) > 100

    sources: dict[str, list[Read]] = {tool: read_topic(topics.bootstrap, f"{topics.prefix}.{tool}") for tool in TOOLS}
    records = [record for found in sources.values() for record in found]
    assert len(records) > 100
    assert all(began - SECOND <= record.timestamp * 1000 <= ended for record in records)
    shopify = {name for record in sources["shopify.webhooks"] for name, _ in record.headers}
    assert {"X-Shopify-Topic", "X-Shopify-Event-Id"} <= shopify
    assert len({record.partition for record in sources["rasa.events"]}) > 1

    events = events_of(topics)
    assert len(events) > 50
    assert {event["time"][:7] for event in events} == {"2026-06"}
    assert not [event for event in events if event["data"].get("time_basis") == "clamped"]
    # It was seen when the shop's clock said so: minutes after it happened, as each tool is late, and never months.
    late = [parse_time(event["recordedtime"]) - parse_time(event["time"]) for event in events]
    assert -MINUTE < min(late) <= max(late) <= late_at_most(topics, records, began)
    kinds = Counter(event["type"] for event in events)
    assert len(kinds) > 5
    again = subprocess.run(demo_on(topics), check=False, capture_output=True, text=True, timeout=300)
    assert again.returncode == 2
    assert "there are topics already" in again.stderr
