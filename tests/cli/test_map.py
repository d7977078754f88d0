"""`coordwatch map` and `coordwatch sources`, as a person or a pipe uses them."""

import base64
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from coordwatch.cli import main
from coordwatch.cli.map import payloads_of
from coordwatch.simulator.run import live
from tests.sources.shipped import GOLDEN, SOURCES

TICKET = {
    "account_id": 7, "id": "z1", "type": "zen:event-type:ticket.created", "time": "2025-10-09T09:00:00Z",
    "detail": {"id": "5", "requester_id": "9", "tags": ["complaint"]}, "event": {},
}  # fmt: skip
OWN = """
source: house-tool
family: crm
id: id
time: {path: at, format: iso}
identifiers: [{type: email, path: email}]
emit: [{event: customer.identifiers.linked}]
tests:
  - name: one
    payload: {id: "1", at: "2025-10-09T09:00:00Z", email: mina@example.com}
    events: [{type: customer.identifiers.linked, id: "1"}]
"""


class Ran(NamedTuple):
    code: int
    rows: list[dict[str, Any]]
    errors: str

    @property
    def rejects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.errors.splitlines()]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Ran]:
    def call(*arguments: object) -> Ran:
        code = main([str(one) for one in arguments])
        captured = capfdbinary.readouterr()
        return Ran(code, [json.loads(line) for line in captured.out.splitlines()], captured.err.decode())

    return call


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(content: Any, name: str = "payloads.json") -> Path:
        path = tmp_path / name
        path.write_bytes(
            content
            if isinstance(content, bytes)
            else content.encode()
            if isinstance(content, str)
            else json.dumps(content).encode()
        )
        return path

    return write


def lines(rows: Sequence[Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def ticket(number: int) -> dict[str, Any]:
    return {**TICKET, "id": f"z{number}"}


@pytest.mark.parametrize(
    "content",
    [
        lines([ticket(1), ticket(2)]),
        json.dumps([ticket(1), ticket(2)]),
        json.dumps([ticket(1), ticket(2)], indent=2),
        "\n\n" + lines([ticket(1)]) + "\n" + lines([ticket(2)]) + "\n\n",
        json.dumps(ticket(1), indent=1) + "\n" + json.dumps(ticket(2), indent=4),
        lines([ticket(1), ticket(2)]).replace("\n", "\r\n"),
        lines([{"topic": "zendesk", "value": ticket(1)}, {"topic": "zendesk", "value": json.dumps(ticket(2))}]),
    ],
)
def test_payloads_come_as_lines_as_a_list_or_as_one_text(
    run: Callable[..., Ran], file: Callable[..., Path], content: str
) -> None:
    ran = run("map", "--source", "zendesk", file(content))
    assert (0, "") == (ran.code, ran.errors)
    assert ["z1", "z2"] == [row["id"] for row in ran.rows]
    assert {"org.coordwatch.service.case.opened"} == {row["type"] for row in ran.rows}


def test_compressed_files_and_several_of_them(run: Callable[..., Ran], file: Callable[..., Path]) -> None:
    first = file(gzip.compress(lines([ticket(1)]).encode()), "one.jsonl.gz")
    ran = run("map", "--source", "zendesk", first, file(ticket(2)))
    assert ["z1", "z2"] == [row["id"] for row in ran.rows]


def test_what_is_refused_is_told_with_its_original_and_the_rest_goes_on(
    run: Callable[..., Ran], file: Callable[..., Path]
) -> None:
    path = file(lines([ticket(1)]) + '{"half":\n' + lines([{"type": "zen:event-type:ticket.created"}, ticket(2)]))
    ran = run("map", "--source", "zendesk", path)
    assert (1, ["z1", "z2"]) == (ran.code, [row["id"] for row in ran.rows])
    half, empty = ran.rejects
    assert ("not_json", "decode", None, 2, '{"half":', str(path)) == tuple(
        half[name] for name in ("reason", "stage", "path", "line", "original", "file")
    )
    assert ("missing_id", "map", "id", 3, "zendesk") == tuple(
        empty[name] for name in ("reason", "stage", "path", "line", "source")
    )


def test_bytes_that_are_no_text_come_back_as_base64(run: Callable[..., Ran], file: Callable[..., Path]) -> None:
    ran = run("map", "--source", "zendesk", file(b"\xff\xfe{"))
    (reject,) = ran.rejects
    assert (1, b"\xff\xfe{") == (ran.code, base64.b64decode(reject["original_base64"]))


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
def test_a_file_without_any_payload_is_not_passed_over_in_silence(
    run: Callable[..., Ran], file: Callable[..., Path], content: bytes
) -> None:
    ran = run("map", "--source", "zendesk", file(content))
    assert (1, ["empty"]) == (ran.code, [one["reason"] for one in ran.rejects])


def test_a_broken_pretty_text_is_one_reject_and_not_one_a_line(
    run: Callable[..., Ran], file: Callable[..., Path]
) -> None:
    text = json.dumps(ticket(1), indent=2)[:-1]
    (reject,) = run("map", "--source", "zendesk", file(text)).rejects
    assert ("not_json", text) == (reject["reason"], reject["original"])


def test_a_huge_payload_is_refused_and_a_batch_prints_its_bytes_once(
    run: Callable[..., Ran], file: Callable[..., Path]
) -> None:
    ran = run("map", "--source", "zendesk", file(b'{"a": "' + b"x" * 10_000_000 + b'"}'))
    (reject,) = ran.rejects
    assert ("too_large", 10_000_009) == (reject["reason"], len(reject["original"]))
    batch = json.dumps([{"pad": "x" * 100_000}, {}])
    first, second = run("map", "--source", "zendesk", file(batch)).rejects
    assert (batch, 0, 1) == (first["original"], first["piece"], second["piece"])
    assert "original" not in second


def test_left_aside_is_no_finding(run: Callable[..., Ran], file: Callable[..., Path]) -> None:
    ran = run("map", "--source", "sendgrid", file([{"event": "delivered", "sg_event_id": "1"}]))
    assert Ran(0, [], "") == ran


def test_headers_topic_and_time_of_arrival_can_be_given(run: Callable[..., Ran], file: Callable[..., Path]) -> None:
    path = file({"id": 1, "created_at": "2099-01-01T00:00:00Z", "customer": {"id": 3}})
    arguments = [
        "--topic",
        "eu.shopify",
        "--header",
        "X-Shopify-Topic: orders/create",
        "--observed-at",
        "2026-01-31T09:30:00Z",
    ]
    (row,) = run("map", *arguments, path).rows
    assert ("2026-01-31T09:30:00Z", "clamped") == (row["time"], row["data"]["time_basis"])
    assert "orders/create" not in json.dumps(row)
    (unclamped,) = run("map", "--source", "shopify", "--header", "x-shopify-topic:orders/create", path).rows
    assert "2099-01-01T00:00:00Z" == unclamped["time"] == unclamped["recordedtime"]


def test_without_a_name_the_topic_chooses_and_without_both_the_reject_says_so(
    run: Callable[..., Ran], file: Callable[..., Path]
) -> None:
    (reject,) = run("map", file(ticket(1))).rejects
    assert "no_mapping" == reject["reason"]
    assert f"mappings: {', '.join(SOURCES)}" in reject["detail"]


@pytest.mark.parametrize("source", SOURCES)
def test_recorded_streams_of_every_tool_are_read_as_they_are(run: Callable[..., Ran], source: str) -> None:
    ran = run("map", GOLDEN / f"{source}.records.jsonl")
    expected = [json.loads(line) for line in (GOLDEN / f"{source}.expected.jsonl").read_bytes().splitlines()]
    assert [event for row in expected for event in row["events"]] == ran.rows
    assert [one["reason"] for row in expected for one in row["rejected"]] == [one["reason"] for one in ran.rejects]


def test_a_mapping_of_the_house_and_a_catalogue_through_config(
    run: Callable[..., Ran], file: Callable[..., Path]
) -> None:
    own = file(OWN, "own.yaml")
    path = file({"id": "1", "at": "2025-10-09T09:00:00Z", "email": "mina@example.com"})
    assert 1 == len(run("map", "--source", "house-tool", "--config", own, path).rows)
    catalogue = file(
        "campaigns: [{match: {tag: spring}, category: promotional, purpose: promo}]\ntools: {sendgrid: {team: crm}}",
        "c.yaml",
    )
    message = file(
        [
            {
                "event": "processed",
                "category": "spring",
                "sg_event_id": "1",
                "sg_message_id": "m",
                "email": "a@example.com",
                "timestamp": 1760000000,
            }
        ],
        "m.json",
    )
    (row,) = run("map", "--source", "sendgrid", "--config", catalogue, message).rows
    assert ("promotional", "crm") == (row["data"]["category"], row["data"]["tool"]["team"])
    settings = file("sources: {mappings: [own.yaml], catalogue: c.yaml}\nother: {}", "coordwatch.yaml")
    assert 1 == len(run("map", "--source", "house-tool", "--config", settings, path).rows)
    assert (
        "promotional" == run("map", "--source", "sendgrid", "--config", settings, message).rows[0]["data"]["category"]
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "zendes", "x"], "no mapping is called 'zendes' (did you mean 'zendesk'?)"),
        (["--source", "zendesk", "/nowhere/at/all.json"], "No such file"),
        (["--source", "zendesk", "--header", "nonsense", "x"], "--header: 'nonsense' is not NAME:VALUE"),
        (["--source", "zendesk", "--observed-at", "soon", "x"], "--observed-at: not a time with a zone"),
        (["--source", "zendesk", "--config", "/nowhere.yaml", "x"], "/nowhere.yaml:1:1: the file cannot be read"),
        (["--source", "zendesk"], "the following arguments are required: PAYLOADS"),
    ],
)
def test_wrong_usage_ends_with_2_and_the_next_move(run: Callable[..., Ran], arguments: list[str], words: str) -> None:
    ran = run("map", *arguments)
    assert (2, []) == (ran.code, ran.rows)
    assert words in ran.errors


def test_a_wrong_file_is_told_with_every_place(run: Callable[..., Ran], file: Callable[..., Path]) -> None:
    own = file(OWN.replace("family", "familly").replace("event:", "evnt:"), "own.yaml")
    ran = run("map", "--source", "house-tool", "--config", own, "-")
    assert 2 == ran.code
    assert f"{own}:3:1: a mapping has no 'familly' (did you mean 'family'?)" in ran.errors
    assert f"{own}:7:9: an emission has no 'evnt' (did you mean 'event'?)" in ran.errors
    catalogue = file("tables: {zendesk.case_knd: {}}\ntools: {sendgird: {team: x}}", "c.yaml")
    ran = run("map", "--source", "zendesk", "--config", catalogue, "-")
    assert 2 == ran.code
    assert "no mapping has a table 'zendesk.case_knd' (did you mean 'zendesk.case_kind'?)" in ran.errors
    assert "no mapping is called 'sendgird' (did you mean 'sendgrid'?)" in ran.errors


def test_a_pipe_is_read_as_it_comes() -> None:
    command = [sys.executable, "-m", "coordwatch", "map", "--source", "zendesk", "-"]
    done = subprocess.run(command, input=lines([ticket(1)]).encode(), capture_output=True, check=False, timeout=300)
    assert (0, b"", "z1") == (done.returncode, done.stderr, json.loads(done.stdout)["id"])


def test_a_stream_of_lines_is_not_gathered_before_it_is_mapped() -> None:
    class Endless(io.RawIOBase):
        """Gives one line, and fails the test when it is asked for everything."""

        def readable(self) -> bool:
            return True

        def __iter__(self) -> Any:
            yield b'{"a": 1}\n'
            yield b'{"b": 2}\n'
            raise AssertionError("more than was needed has been read")

    stream: Any = Endless()
    payloads = payloads_of(stream)
    assert [(1, b'{"a": 1}'), (2, b'{"b": 2}')] == [next(payloads), next(payloads)]


def test_what_the_simulator_emits_is_mapped_without_a_single_reject(
    run: Callable[..., Ran], file: Callable[..., Path]
) -> None:
    rows = []
    for number, record in enumerate(live(7, customers=20)):
        if number == 400:
            break
        one = record.record
        headers = dict(one.headers)
        rows.append({"topic": one.topic, "headers": headers, "value": (one.value or b"").decode()})
    ran = run("map", file(lines(rows)))
    assert (0, "") == (ran.code, ran.errors)
    assert len(ran.rows) > 200


def test_sources_list_names_every_mapping_and_what_it_emits(run: Callable[..., Ran]) -> None:
    ran = run("sources", "list")
    assert 0 == ran.code
    assert list(SOURCES) == [row["name"] for row in ran.rows]
    emits = {row["name"]: row["emits"] for row in ran.rows}
    assert ["fulfilment.return.changed", "fulfilment.shipment.changed"] == emits["easypost"]
    assert ["*"] == emits["cloudevents"]
    assert all(row["summary"] and row["topics"] for row in ran.rows)


def test_sources_test_runs_the_examples_of_one_of_a_file_or_of_all(
    run: Callable[..., Ran], file: Callable[..., Path]
) -> None:
    ran = run("sources", "test")
    assert 0 == ran.code
    assert set(SOURCES) == {row["source"] for row in ran.rows}
    assert {"pass"} == {row["result"] for row in ran.rows}
    assert {"rasa"} == {row["source"] for row in run("sources", "test", "rasa").rows}
    assert ["house-tool"] == [row["source"] for row in run("sources", "test", file(OWN, "own.yaml")).rows]


def test_an_example_that_does_not_hold_is_a_finding_with_its_place(
    run: Callable[..., Ran], file: Callable[..., Path]
) -> None:
    own = file(OWN.replace('id: "1"}]', 'id: "2"}]'), "own.yaml")
    ran = run("sources", "test", own)
    assert 1 == ran.code
    (row,) = ran.rows
    assert ("fail", f"{own}:9:5") == (row["result"], row["place"])
    assert ["event 1: id is '1', wants '2'"] == row["differences"]


def test_a_name_that_is_neither_a_mapping_nor_a_file(run: Callable[..., Ran]) -> None:
    ran = run("sources", "test", "sendgird")
    assert 2 == ran.code
    assert "no mapping has this name, and no file (did you mean 'sendgrid'?)" in ran.errors
