"""Forgetting beside a real Kafka: asked by a person and by a tool, gone from state, alerts and dead letters, after compaction too."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from coordwatch.app.over_kafka import names_of
from coordwatch.cli import main
from coordwatch.clock import SystemClock
from coordwatch.events.times import HOUR, MINUTE, format_time
from coordwatch.identity.kept_away import KeptAway
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.sources.record import Record
from tests.api.build import an_event
from tests.services.consume import Sent, latest, produce, read_topic, settled
from tests.services.topics import Topics
from tests.services.waiting import wait_until
from tests.worker.house import Worker

KEY = "an identity key of no site at all"
PEOPLE, FORGOTTEN = 1000, 100
CANARY = re.compile(rb"canary-[0-9]{4}")
SETTINGS = """\
kafka: {{bootstrap: "{bootstrap}", prefix: {prefix}, partitions: 2, replication: 1, session_timeout: 30s, commit_interval: 200ms,
         dead_letter_limit: {{ratio: 0.9, consecutive: 5000}},
         suppressions: [{{name: promotions, type: marketing.message.sent, data: {{category: promotional, channel: email}}}}]}}
identity: {{mode: graph}}
database: site.db
bind: 127.0.0.1:0
inputs:
  - {{kind: kafka, name: tools, topic: {source}, source: canonical, publishing_delay: 1s}}
"""
SOON = {
    "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "1000",
    "delete.retention.ms": "1000", "min.compaction.lag.ms": "0",
}  # fmt: skip


def canary(number: int) -> str:
    return f"canary-{number:04}"


def of(name: str, event_type: str, at: int, *identifiers: str, **data: object) -> Sent:
    event = an_event(name, event_type, **data)
    if "case" not in data:
        event["data"].pop("case", None)  # no two people share one here
    event["data"]["identifiers"] = list(identifiers)
    plain = event | {"time": format_time(at), "recordedtime": format_time(at), "subject": None}
    return Sent(json.dumps(plain).encode(), name.encode())


def told_of(number: int, now: int) -> list[Sent]:
    me, at = canary(number), now - 3 * HOUR
    mail = f"email:{me}@example.com"
    sent = {"message": f"M-{me}", "channel": "email", "category": "promotional", "campaign": "Spring sale"}
    return [
        of(f"{me}-1", "customer.profile.changed", at, f"customer_id:{me}", mail, f"cookie:{me}", system="crm"),
        of(f"{me}-2", "commerce.order.changed", at + MINUTE, mail, order=f"O-{me}", status="placed"),
        of(f"{me}-3", "service.case.opened", at + 2 * MINUTE, order=f"O-{me}", case=f"K-{me}", kind="complaint"),
        of(f"{me}-4", "marketing.message.sent", at + HOUR, f"customer_id:{me}", **sent),
    ]


def broken(number: int) -> Sent:
    """What nobody can read, as a tool might have cut it off."""
    return Sent(b'{"to": "%s@example.com", "or' % canary(number).encode(), b"x")


def bytes_of(path: Path) -> bytes:
    """What stands in a file; a journal of the database may be gone before it is read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


class Site:
    """One worker with everything, and its topics."""

    def __init__(self, topics: Topics, folder: Path) -> None:
        self.kafka, self.prefix, self.folder, self.topics = topics.bootstrap, f"{topics.prefix}.cw", folder, topics
        self.source, self.config = topics.create("tools", 1), folder / "site.yaml"
        text = SETTINGS.format(bootstrap=self.kafka, prefix=self.prefix, source=self.source)
        self.config.write_text(text)
        for name, policy, parts in (
            ("identity-state", "compact", 2), ("detect-state", "compact", 2), ("dead-letters", "compact,delete", 1),
            ("aliases", "compact", 1), ("suppressions", "compact", 2),
        ):  # fmt: skip
            topics.create(f"cw.{name}", parts, {"cleanup.policy": policy, "max.message.bytes": "16777216", **SOON})
        command = [sys.executable, "-m", "coordwatch", "worker", "--config", str(self.config), "--runtime", "plain"]
        self.worker = Worker(command, folder / "site.log", {**os.environ, "COORDWATCH_IDENTITY__KEY": KEY})

    def state(self) -> dict[str, set[bytes]]:
        """The canaries that stand in each of our topics as they would be restored, and in the bytes of the database."""
        found = {}
        for name in ("identity-state", "detect-state", "dead-letters", "facts", "aliases"):
            rows = latest(self.kafka, f"{self.prefix}.{name}")
            held = b"".join((key or b"") + (value or b"") for key, value in rows.items() if value)
            found[name] = set(CANARY.findall(held))
        return found | {"database": self.database()}

    def database(self) -> set[bytes]:
        held = b"".join(bytes_of(one) for one in self.folder.glob("site.db*"))
        return set(CANARY.findall(held))

    def told(self) -> int:
        """Of how many customers tools read that something stands against a promotion."""
        return sum(value is not None for value in latest(self.kafka, f"{self.prefix}.suppressions").values())

    def raw(self, name: str) -> set[bytes]:
        """The canaries in every record that can still be read."""
        return {one for record in read_topic(self.kafka, f"{self.prefix}.{name}")
                for one in CANARY.findall(record.value or b"")}  # fmt: skip


def canaries(numbers: range) -> set[bytes]:
    return {canary(number).encode() for number in numbers}


def test_who_is_forgotten_is_gone_everywhere_and_the_others_are_not(
    topics: Topics, tmp_path, capsys, monkeypatch
) -> None:
    monkeypatch.setenv("COORDWATCH_IDENTITY__KEY", KEY)
    site, now = Site(topics, tmp_path), SystemClock().now()
    everybody, gone, left = range(PEOPLE), range(FORGOTTEN), range(FORGOTTEN, PEOPLE)
    try:
        produce(
            site.kafka, site.source, [one for number in everybody for one in (*told_of(number, now), broken(number))]
        )
        there = site.database
        wait_until(lambda: there() >= canaries(everybody), "everybody's alert", 120, lambda: len(there()))
        wait_until(lambda: site.state()["dead-letters"] == canaries(everybody), "everybody's dead letter", 120)
        wait_until(lambda: site.told() == PEOPLE, "everybody's complaint", 120, site.told)

        asked = [f"email:{canary(number)}@example.com" for number in gone if number % 2]
        assert main(["forget", *asked, "--config", str(site.config)]) == 0, capsys.readouterr().err
        erased = [
            of(f"e{n}", "customer.erased", now, f"customer_id:{canary(n)}", request_id="R") for n in gone if n % 2 == 0
        ]
        produce(site.kafka, site.source, erased)

        rounds: list[None] = []

        def only_others() -> bool:
            state = site.state()
            return state["detect-state"] == state["dead-letters"] == canaries(left)

        def nothing_of_them_lies_there() -> bool:
            # Asked by a person or by a tool: what one look has verified says nothing of who was forgotten a moment later.
            others = site.raw("dead-letters") == site.raw("detect-state") == site.database() == canaries(left)
            return others and site.told() == len(left)

        def verified() -> bool:
            capsys.readouterr()
            code = main(["forget", "--verify", "--config", str(site.config)])
            lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
            # What lies in the newest segment is not compacted: new records let it roll.
            rounds.append(None)
            names = [f"tick-{len(rounds)}-{number}" for number in range(8)]
            ticks = [of(name, "customer.profile.changed", now, f"customer_id:{name}", system="x") for name in names]
            produce(site.kafka, site.source, [*ticks, Sent(names[0].encode(), b"x")])
            told = code == 0 and (not lines or lines[-1]["verified_at"] is not None)
            return told and only_others() and nothing_of_them_lies_there()

        wait_until(verified, "nothing left of them", 400)
        assert nothing_of_them_lies_there()

        produce(site.kafka, site.source, [one for number in gone for one in told_of(number, now)])
        produce(site.kafka, site.source, [*told_of(PEOPLE, now)])
        wait_until(lambda: canary(PEOPLE).encode() in site.database(), "somebody new", 300)
        settled(site.kafka, f"{site.prefix}.detect-state")
        assert site.state()["detect-state"] == canaries(left) | {canary(PEOPLE).encode()}
        assert main(["forget", "--receipts", "--config", str(site.config)]) == 0
        (receipt,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert receipt["verified_at"] is not None
        assert "canary" not in json.dumps(receipt)
        assert site.worker.stop() == 0, site.worker.said
    finally:
        site.worker.close()


@pytest.mark.parametrize("key", [b"customer/customer-01", b"held/customer-01", b"customer-01"])
def test_a_row_names_whose_it_is_whatever_kind_it_is_of(key: bytes) -> None:
    """A site's own key of a customer looks like nothing in particular, so it is found by where it stands."""
    kept = KeptAway(IdentityPolicy(mode=IdentityMode.TRUSTED_ID))
    kept.add(["customer-01"], 1)
    assert [names_of(Record(value, key=key), kept) for value in (b"anything", None)] == [1, 0]
    assert names_of(Record(b"anything", key=key + b"2"), kept) == 0
