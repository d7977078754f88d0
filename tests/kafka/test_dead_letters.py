"""`coordwatch dead-letters` on a real Kafka: what the stage put aside is listed, shown and sent round again, as it was."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import producer
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.app.letters_again import sends_again
from coordwatch.cli import main
from coordwatch.clock import ManualClock
from coordwatch.ports import DeadLetter, Effects
from coordwatch.processor.letter_limit import LetterLimit
from coordwatch.processor.stage import Output
from coordwatch.processor.topics import Topics as Names
from coordwatch.sources.mapper import Mapper
from tests.build import CARDS
from tests.processor.ingest import BACK, MAIL, NOW, TOPICS, Line, mail, run, site, source
from tests.services.consume import Read, Sent, produce, read_topic, settled
from tests.services.processes import free_port
from tests.services.topics import Topics
from tests.sources.build import LINKED, mapping

HEADERS = (("content-type", b"application/json"), ("trace", b"\xff\x00"))
LOG = [
    mail({"event": "teleported"}, {}, headers=HEADERS, key=b"k-1", timestamp=NOW),
    Line(b'{"no', HEADERS, None, NOW),
    Line(b"\xff\xfe", None, b"\xff", NOW),
    mail({"event": "teleported"}, {"event": "beamed"}, timestamp=NOW),
]
SITE = site(source("sendgrid.events", "sendgrid"))


class Desk:
    """The command, on topics of its own."""

    def __init__(self, kafka: str, topics: Topics, folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        self.kafka, self.topics, self._capsys = kafka, topics, capsysbinary
        self.config = folder / "worker.yaml"
        self.config.write_text(f"kafka: {{bootstrap: '{kafka}', prefix: {topics.prefix}}}\n")

    def open(self, outputs: list[Output]) -> None:
        for name in ("dead-letters", "replayed"):
            self.topics.create(name)
        self.put(outputs)

    def put(self, outputs: list[Output]) -> None:
        letters = [one for one in outputs if one.topic == TOPICS.dead_letters]
        records = [Sent(one.value, one.key, tuple(one.headers)) for one in letters]  # type: ignore[arg-type]
        produce(self.kafka, f"{self.topics.prefix}.dead-letters", records)

    def __call__(self, *words: str, code: int = 0) -> bytes:
        assert main(["dead-letters", *words, "--config", str(self.config)]) == code
        said = self._capsys.readouterr()
        self.complained = said.err.decode()
        return said.out

    def rows(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self(*words).splitlines()]

    def sent(self) -> list[Read]:
        return read_topic(self.kafka, f"{self.topics.prefix}.replayed")


@pytest.fixture
def desk(kafka: str, topics: Topics, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Desk:
    return Desk(kafka, topics, tmp_path, capsysbinary)


@pytest.fixture
def filled(desk: Desk) -> Desk:
    desk.open(run(SITE, {MAIL: LOG}).given)
    return desk


def lines_of(found: list[Read]) -> list[Line]:
    return [Line(one.value, one.headers, one.key, one.timestamp * 1000) for one in found]


def test_letters_are_listed_newest_first_and_by_what_is_asked(filled: Desk) -> None:
    rows = filled.rows("list")
    assert [(one["offset"], one["reason"], one["pieces"]) for one in rows] == [
        (3, "not_recognised", 2),
        (2, "not_json", 1),
        (1, "not_json", 1),
        (0, "not_recognised", 1),
    ]
    assert (rows[0]["topic"], rows[0]["partition"], rows[0]["input"]) == ("sendgrid.events", 1, "sendgrid")
    assert rows[0]["logged_at"] == "2026-03-02T12:00:00Z"
    assert [one["offset"] for one in filled.rows("list", "--reason", "not_json")] == [2, 1]
    assert [one["offset"] for one in filled.rows("list", "--reason", "map.not_recognised", "--limit", "1")] == [3]
    assert "there are more than 1" in filled.complained
    assert len(filled.rows("list", "--since", "1h", "--topic", "sendgrid.events")) == 4
    assert filled.rows("list", "--topic", "other") == []
    assert filled.complained == "there is no such dead letter\n"
    assert filled.rows("list", "--since", "2999-01-01T00:00:00Z") == []


def test_a_letter_is_shown_with_its_headers_and_its_bytes(filled: Desk) -> None:
    third, second, first = (one["id"] for one in filled.rows("list")[1:])
    (shown,) = filled.rows("show", second)
    assert (shown["value"], shown["key"]) == ('{"no', None)
    assert shown["headers"] == [["content-type", "application/json"], ["trace", "hex:ff00"]]
    (shown,) = filled.rows("show", third[:12])
    assert (shown["value"], shown["key"], shown["headers"]) == ("hex:fffe", "hex:ff", [])
    assert shown["detail"]
    assert json.loads(filled.rows("show", first)[0]["value"])[0]["event"] == "teleported"


def test_the_original_bytes_can_be_had_alone(filled: Desk) -> None:
    name = filled.rows("list", "--reason", "not_json")[0]["id"]
    assert filled("show", name, "--raw") == b"\xff\xfe"


def test_a_letter_whose_mapping_is_corrected_is_used(desk: Desk) -> None:
    line = Line(b'{"number": "1", "at": "2026-01-31T09:30:00Z", "customer": "C-1"}', HEADERS, b"k", NOW)
    broken, fixed = (Mapper([mapping(text_of(field) + LINKED)]) for field in ("id", "number"))
    tools = site(source("sendgrid.events", "tool"))
    desk.open(run(tools, {MAIL: [line, line]}, broken).given)
    assert desk.rows("replay", "--all") == [{"records": 2, "sent": 2, "reasons": {"missing_id": 2}}]
    again = run(tools, {BACK: lines_of(desk.sent())}, fixed)
    never_failed = run(tools, {MAIL: [line, line]}, fixed)
    assert again.on(TOPICS.events) == never_failed.on(TOPICS.events) != []
    assert again.tallies()[str(BACK)] == {"in": 2, "passed": 2}


def text_of(field: str) -> str:
    return f"id: {field}\ntime: {{path: at, format: iso}}\nidentifiers: [{{type: customer_id, path: customer}}]\n"


def test_sending_twice_changes_nothing_downstream(filled: Desk) -> None:
    filled("replay", "--all")
    once = run(SITE, {BACK: lines_of(filled.sent())})
    filled("replay", "--all")
    twice = run(SITE, {BACK: lines_of(filled.sent())})
    assert identities(twice) == identities(once) != set()
    filled.put(once.given)
    assert len(filled.rows("list")) == 4, "what fails again is the same letter"
    assert filled.rows("replay", "--all", "--dry-run")[0]["records"] == 4


def identities(shore: Any) -> set[tuple[bytes | None, bytes | None]]:
    return {(one.key, one.value) for one in shore.on(TOPICS.events)}


def test_only_what_was_committed_is_listed(filled: Desk) -> None:
    """As the worker writes them: in transactions, of which some are aborted and one may be open."""
    topic = f"{filled.topics.prefix}.dead-letters"
    found = read_topic(filled.kafka, topic)
    for number, end in enumerate(("commit", "abort", "leave open")):
        way = producer(KafkaAccess(filled.kafka), f"{filled.topics.prefix}-{number}")
        way.init_transactions(30)
        way.begin_transaction()
        way.produce(topic, found[number].value, f"{number}", headers=renamed(found[number], f"{number}"))
        way.flush(30)
        if end == "commit":
            way.commit_transaction(30)
            settled(filled.kafka, topic)
        elif end == "abort":
            way.abort_transaction(30)
            settled(filled.kafka, topic)
        rows = filled.rows("list")
        assert len(rows) == 5
        assert rows[0]["id"] == "0"
    assert filled.rows("replay", "--all")[0]["sent"] == 4, "the fifth is another letter about the first record"


def renamed(one: Read, name: str) -> list[tuple[str, str | bytes | None]]:
    return [(header, name.encode() if header == "cw-id" else value) for header, value in one.headers]


def test_a_record_of_several_letters_is_sent_once(desk: Desk) -> None:
    desk.open(run(SITE, {MAIL: [mail({"event": "teleported"}, {"email": 7, "sg_event_id": "x" * 999})]}).given)
    assert sorted(one["reason"] for one in desk.rows("list")) == ["not_recognised", "too_long"]
    assert desk.rows("replay", "--all")[0]["sent"] == 1
    assert len(desk.sent()) == 1


def test_many_letters_are_all_found_and_sent_in_order(desk: Desk) -> None:
    many, generous = 1203, LetterLimit(1.0, 10_000, 10_000)
    lines = [Line(b"{%d" % number) for number in range(many)]
    desk.open(run(site(source("sendgrid.events", "sendgrid"), limit=generous), {MAIL: lines}).given)
    assert [one["offset"] for one in desk.rows("list", "--limit", "5000")] == list(reversed(range(many)))
    assert desk.rows("replay", "--reason", "decode.not_json")[0]["sent"] == many
    assert [one.value for one in desk.sent()] == [line.value for line in lines]


def test_only_what_is_named_is_sent(filled: Desk) -> None:
    rows = filled.rows("list")
    assert filled.rows("replay", "--reason", "not_json", "--dry-run") == [
        {"records": 2, "sent": 0, "reasons": {"not_json": 2}}
    ]
    assert filled.sent() == []
    filled("replay", rows[0]["id"], rows[3]["id"][:10])
    assert [dict(one.headers)["cw-offset"] for one in filled.sent()] == [b"0", b"3"]
    assert [one.key for one in filled.sent()] == [rows[3]["id"].encode(), rows[0]["id"].encode()]
    filled("replay", "--topic", "other")
    assert len(filled.sent()) == 2


def test_a_terminal_is_given_words_and_nothing_that_it_obeys(desk: Desk) -> None:
    desk.open(run(SITE, {MAIL: [Line(b"\x1b[2J{\n\tno", (("evil", b"\x1b]0;x\x07"),), b"k", NOW)]}).given)
    (row,) = desk.rows("list")
    listed, shown = (on_a_terminal(desk, *words) for words in (["list"], ["show", row["id"]]))
    assert f"{row['id'][:12]}  " in listed
    assert "sendgrid.events/1 at 0" in listed
    assert "logged_at     2026-03-02T12:00:00Z" in shown
    assert "header        evil: \\x1b]0;x\\x07" in shown
    assert "\n\\x1b[2J{\n\tno\n" in shown
    assert "\x1b" not in listed + shown
    assert "would send 1 records round again (1 not_json)" in on_a_terminal(desk, "replay", "--all", "--dry-run")


def on_a_terminal(desk: Desk, *words: str) -> str:
    """What a person sees."""
    here, there = pty.openpty()
    command = [sys.executable, "-m", "coordwatch", "dead-letters", *words, "--config", str(desk.config)]
    with os.fdopen(there, "wb") as screen:
        process = subprocess.Popen(command, stdout=screen, stderr=screen)
    seen = b""
    with suppress(OSError):  # how Linux says that the other end is closed
        while more := os.read(here, 65536):
            seen += more
    os.close(here)
    assert process.wait() == 0
    return seen.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["replay"], "say which to send: ids, --reason, --topic, --since or --all"),
        (["replay", "abc", "--all"], "ids and --all at once"),
        (["replay", "abc", "--reason", "not_json"], "ids and --reason at once"),
        (["list", "--since", "yesterday"], "--since: not a time with a zone"),
        (["list", "--limit", "0"], "a number from 1 to 1000000"),
    ],
)
def test_wrong_usage_is_told_before_any_broker_is_asked(
    tmp_path: Path, capsys: Any, words: list[str], said: str
) -> None:
    assert main(["dead-letters", *words, "--config", str(tmp_path / "none.yaml")]) == 2
    assert said in capsys.readouterr().err


def test_what_is_not_there_is_told(filled: Desk) -> None:
    filled("show", "no-such", code=2)
    assert "there is no dead letter 'no-such': 'coordwatch dead-letters list' shows them" in filled.complained
    filled("replay", filled.rows("list")[0]["id"], "no-such", code=2)
    assert "there is no dead letter 'no-such'" in filled.complained
    assert filled.sent() == [], "nothing is sent when one of them is not there"
    filled("show", "", code=2)
    assert "begins 4 ids: write more of it" in filled.complained


def test_a_topic_that_is_not_there_is_told(desk: Desk) -> None:
    desk("list", code=2)
    assert f"there is no topic '{desk.topics.prefix}.dead-letters'" in desk.complained
    assert "coordwatch doctor" in desk.complained


def test_settings_without_kafka_are_told(tmp_path: Path, capsys: Any) -> None:
    config = tmp_path / "serve.yaml"
    config.write_text("inputs: [{kind: http}]\n")
    assert main(["dead-letters", "list", "--config", str(config)]) == 2
    assert "has no 'kafka:'" in capsys.readouterr().err


def test_brokers_that_do_not_answer_are_told(tmp_path: Path, capsys: Any) -> None:
    config = tmp_path / "worker.yaml"
    config.write_text(f"kafka: {{bootstrap: '127.0.0.1:{free_port()}'}}\n")
    assert main(["dead-letters", "list", "--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert "no broker answers at 127.0.0.1:" in said
    assert "start it, or correct kafka.bootstrap" in said


def test_the_page_sends_the_originals_round_again_and_keeps_what_is_on_the_topic_no_more(
    filled: Desk, tmp_path: Path
) -> None:
    rows = filled.rows("list")
    gone = "a letter that the topic has let go of"
    store = SqlStore(tmp_path / "alerts.db", CARDS, durable=False)
    letters = [DeadLetter(one["id"], "sendgrid", "map", one["reason"], "", None, NOW, b"") for one in rows]
    letters.append(DeadLetter(gone, "sendgrid", "map", "not_json", "", None, NOW, b"{"))
    store.commit(Effects(dead_letters=letters), NOW)
    replay = sends_again(KafkaAccess(filled.kafka), Names(filled.topics.prefix), store, ManualClock(NOW))
    newest, *_, oldest = letters[:-1]
    said = replay([newest, letters[-1]], "ada")
    assert said == (
        "1 sent round again; what fails again comes back here in a moment. 1 is on the topic no more, and stands here as before."
    )
    assert replay([oldest], "ada") == "1 sent round again; what fails again comes back here in a moment."
    assert [(one.value, dict(one.headers)["cw-offset"]) for one in filled.sent()] == [
        (LOG[3].value, b"3"),
        (LOG[0].value, b"0"),
    ]
    assert {one.id for one in store.letters()} == {one["id"] for one in rows[1:3]} | {gone}
    told = [(one.kind, one.actor) for one in store.trail().links() if one.kind == "letter.replay"]
    assert told == [("letter.replay", "ada")] * 2
    store.close()
