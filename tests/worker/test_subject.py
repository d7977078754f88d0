"""What is held of a person beside a real Kafka is what `serve` holds after the same events, but for what the two cannot share."""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from coordwatch.cli import main
from coordwatch.clock import SystemClock
from coordwatch.events.times import HOUR, MINUTE
from tests.embedded.read_whole import read_whole
from tests.services.consume import Sent, latest, produce
from tests.services.topics import Topics
from tests.services.waiting import ANSWER, wait_until
from tests.worker.house import Worker
from tests.worker.test_forgetting import KEY, SETTINGS, broken, canary, of, told_of

SERVE = """\
bind: 127.0.0.1:0
identity: {mode: graph}
inputs: [{kind: file, name: tools, path: in.ndjson, source: canonical}]
"""
MAIL = f"email:{canary(1)}@example.com"
WAITS = "K-waits"


def history(now: int) -> list[Sent]:
    """Two people, a late merge, an address of many, an event that finds nobody, and what nobody can read."""
    at = now - 2 * HOUR
    desk = [of(f"d{n}", "customer.profile.changed", at, "email:desk@example.net", f"cookie:D-{n}", system="web")
            for n in range(25)]  # fmt: skip
    late = [
        of("l1", "web.page.viewed", at, "cookie:K-late", page="/"),
        of("l2", "customer.profile.changed", at + MINUTE, "cookie:K-late", MAIL, "phone:+33123456789", system="crm"),
        of("l3", "customer.identifiers.linked", at + MINUTE, MAIL, "email:second@example.com", system="crm"),
        of("l4", "customer.profile.changed", at + MINUTE, "email:second@example.com", "cookie:K-2", system="crm"),
        of("w1", "service.case.opened", now - MINUTE, case=WAITS, kind="complaint"),
    ]
    return [*told_of(1, now), *told_of(2, now), *late, *desk, broken(1)]


class Kafka:
    """A worker with everything."""

    def __init__(self, topics: Topics, folder: Path) -> None:
        self.topics, self.prefix, self.config = topics, f"{topics.prefix}.cw", folder / "worker.yaml"
        self.source = topics.create("tools", 1)
        self.config.write_text(
            SETTINGS.format(bootstrap=topics.bootstrap, prefix=self.prefix, source=self.source)
            .replace("site.db", "worker.db")
            .replace("kafka: {", "kafka: {verify_forgotten: 1s, ")
        )
        command = [sys.executable, "-m", "coordwatch", "worker", "--config", str(self.config), "--runtime", "plain"]
        self.worker = Worker(command, folder / "worker.log", {**os.environ, "COORDWATCH_IDENTITY__KEY": KEY})

    def has(self, name: str, *words: str) -> bool:
        rows = latest(self.topics.bootstrap, f"{self.prefix}.{name}")
        held = b"".join((key or b"") + (value or b"") for key, value in rows.items() if value)
        return all(word.encode() in held for word in words)


def served(config: Path, sent: list[Sent]) -> None:
    config.write_text(SERVE)
    (config.parent / "in.ndjson").write_bytes(b"".join((one.value or b"") + b"\n" for one in sent))
    read_whole(config, len(sent))


def unlinked(held: dict[str, Any]) -> dict[str, Any]:
    """The reasons without whom a tool named beside whom: workers only keep whom each follows since then."""
    return held | {"because": [one for one in held["because"] if one["how"] != "linked"]}


def alike(held: dict[str, Any]) -> dict[str, Any]:
    """A document without what cannot be equal: when identifiers were seen last, when this site wrote to an alert and under
    which number its incident and a dead letter are kept, when and where that was read."""
    for row in held["identifiers"]:
        del row["seen"]
    for alert in (alert for one in held["held"] for alert in one["alerts"]):
        alert["row"]["incident"] = None
        for done in (*alert["audit"], *alert["tellings"]):
            done["at"] = None
    for letter in held["dead_letters"]:
        letter.update(id="", at="", input="")
    return unlinked(held)


def test_serve_and_workers_hold_the_same_of_a_person(topics: Topics, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COORDWATCH_IDENTITY__KEY", KEY)
    now = SystemClock().now()
    sent, serve = history(now), tmp_path / "serve.yaml"
    kafka = Kafka(topics, tmp_path)

    def said(*arguments: str) -> tuple[int, str]:
        code = main(list(arguments))
        out, err = capsys.readouterr()
        return code, out or err

    try:
        produce(topics.bootstrap, kafka.source, sent)
        served(serve, sent)
        wait_until(lambda: kafka.has("identity-state", WAITS), "the event that waits", 90)
        both = [serve, kafka.config]

        def held(who: str) -> list[Any]:
            asked = [said("subject", "export", who, "--config", str(one)) for one in both]
            return [alike(json.loads(text)) if code == 0 else text for code, text in asked]

        def equal() -> bool:
            ours, theirs = held(MAIL)
            return ours == theirs and len(ours["held"][0]["alerts"]) == 1 == len(ours["dead_letters"])

        wait_until(equal, "the same of both", 60)
        customers = held(MAIL)[1]["customer"]

        def the_same(of: Callable[[str], list[Any]], who: str) -> Any:
            """What both say; the worker's stages hear of one after the other, so perhaps not yet."""
            ours = of(who)[0]
            wait_until(lambda: of(who)[1] == ours, f"the same of both of {who}: {ours}", 60)
            return ours

        def why(who: str) -> list[Any]:
            told = [said("identity", "explain", who, "--config", str(one)) for one in both]
            return [(code, [unlinked(one) for one in json.loads(text)] if code == 0 else text) for code, text in told]

        assert [one["id"] for one in the_same(held, f"case:{WAITS}")["waiting_events"]] == ["w1"]
        for who in (MAIL, f"customer_id:{canary(2)}", "cookie:K-2", f"order:O-{canary(1)}", *customers):
            assert the_same(why, who)[0] == 0
        for who in ("email:desk@example.net", "email:nobody@example.com", "nobody"):
            assert the_same(why, who)[0] == 2
        keys = [said("identity", "keys", "--config", str(one)) for one in both]
        assert keys[0] == keys[1]

        def receipts() -> dict[str, Any]:
            lines = said("forget", "--receipts", "--config", str(kafka.config))[1].splitlines()
            return {one["reference"]: one for one in map(json.loads, lines)}

        assert said("forget", f"customer_id:{canary(2)}", "--config", str(kafka.config))[0] == 0
        wait_until(lambda: any(one["checked_at"] for one in receipts().values()), "a look by the worker itself", 60)
        (address,) = re.findall(r"answers at (http\S*)", kafka.worker.said)

        def is_told() -> bool:
            (one,) = receipts().values()
            waits = "coordwatch_forget_unverified " + ("0.0" if one["verified_at"] else "1.0")
            return waits in httpx.get(f"{address}/metrics", timeout=ANSWER).text.splitlines()

        wait_until(is_told, "the metric of the receipt", 30)
        assert kafka.worker.stop() == 0, kafka.worker.said
    finally:
        kafka.worker.close()
