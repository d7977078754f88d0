"""The commands about one person: why events are theirs, what is held, forgetting; beside a service and without one."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from coordwatch.cli import main
from coordwatch.cli.forget import words_of
from coordwatch.processor.requests import Receipt, RequestKind
from tests.api.build import an_event
from tests.build import NOW
from tests.embedded.read_whole import read_whole
from tests.services.waiting import ANSWER, wait_until

COMMAND = [sys.executable, "-m", "coordwatch"]
ANN, BEN = "email:ann@example.com", "email:ben@example.com"
SETTINGS = "bind: 127.0.0.1:0\nidentity: {fanout_max: 2}\ninputs:\n  - {kind: file, name: shop, path: in.ndjson, source: canonical}\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def an(name: str, *identifiers: str, **data: object) -> dict:
    event = an_event(name, str(data.pop("type", "customer.profile.changed")), **data)
    event["data"]["identifiers"] = list(identifiers)
    return event | {"subject": None}


def story() -> list[dict]:
    return [
        an("1", "customer_id:C-1", ANN, system="crm"),
        an("2", ANN, "cookie:K-1", order="O-12345"),
        an("3", "customer_id:C-2", BEN, system="crm"),
        an("4", BEN, "phone:+33123456789", type="service.case.opened", case="K-77777", kind="complaint"),
        *(an(f"fan-{number}", "email:desk@example.net", f"cookie:D-{number}", system="web") for number in range(4)),
    ]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SETTINGS)
    (tmp_path / "in.ndjson").write_text("".join(json.dumps(one) + "\n" for one in story()))
    return path


def served(config: Path) -> "subprocess.Popen[str]":
    service = subprocess.Popen(
        [*COMMAND, "serve", "--config", str(config), "--quiet"], stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert service.stderr is not None
    address = service.stderr.readline().split()[-1]
    applied = f'result="applied"}} {len(story())}.0'
    wait_until(lambda: applied in httpx.get(f"{address}/metrics", timeout=ANSWER).text, "the whole file")
    return service


def ended(service: "subprocess.Popen[str]") -> None:
    service.send_signal(signal.SIGTERM)
    assert service.wait(120) == 0
    assert service.stderr is not None
    service.stderr.close()


def filled(config: Path) -> None:
    """What a service leaves that has read its file."""
    read_whole(config, len(story()))


def test_a_person_is_explained_exported_split_and_forgotten(capsys, config: Path) -> None:
    service = served(config)
    try:
        code, out, err = run(capsys, "identity", "explain", ANN, "--config", str(config))
        assert code == 0, err
        (ann,) = json.loads(out)
        assert (ann["confidence"], ann["identifiers"]) == (
            "high",
            {"cookie": 1, "customer_id": 1, "email": 1, "order": 1},
        )
        assert "ann@example.com" not in out
        assert {edge["how"] for edge in ann["because"]} == {"seen_together"}

        code, out, err = run(capsys, "forget", ANN, "--config", str(config))
        assert code == 0, err
        receipt = json.loads(out)
        assert receipt["verified_at"] is not None
        assert receipt["erased"]["identifiers"] == 4
        assert "ann" not in out
        assert run(capsys, "subject", "export", ANN, "--config", str(config))[0] == 2
    finally:
        ended(service)

    code, out, err = run(capsys, "subject", "export", BEN, "--config", str(config))
    assert code == 0, err
    held = json.loads(out)
    assert [event["id"] for one in held["held"] for event in one["events"]] == ["3", "4"]
    assert {one["type"] for one in held["identifiers"]} == {"customer_id", "email", "phone", "case"}

    code, out, err = run(capsys, "identity", "split", BEN, "phone:+33 1 23 45 67 89", "--config", str(config))
    assert code == 0, err
    assert json.loads(out)["moved"]["edges"] >= 1
    explained = [json.loads(run(capsys, "identity", "explain", one, "--config", str(config))[1])[0]["customer"]
                 for one in (BEN, "phone:+33123456789")]  # fmt: skip
    assert len(set(explained)) == 2

    code, out, err = run(capsys, "forget", BEN, "customer_id:C-1", "--config", str(config))
    assert (code, json.loads(out)["erased"]["identifiers"]) == (0, 4), err
    assert len(run(capsys, "forget", "--receipts", "--config", str(config))[1].splitlines()) == 3


def test_a_quarantined_address_says_so_and_a_stranger_is_nobody(capsys, config: Path) -> None:
    filled(config)
    code, _, err = run(capsys, "identity", "explain", "email:desk@example.net", "--config", str(config))
    assert (code, "it is quarantined (fan_out)" in err, "d***@example.net" in err) == (2, True, True), err
    code, _, err = run(capsys, "identity", "explain", "email:nobody@example.net", "--config", str(config))
    assert (code, "nobody is known by it" in err) == (2, True)
    code, _, err = run(capsys, "forget", "no-such-key", "--config", str(config))
    assert (code, "nobody is known by this" in err) == (2, True)
    code, _, err = run(capsys, "identity", "split", ANN, ANN, "--config", str(config))
    assert (code, "two different identifiers" in err) == (2, True)


def test_a_changed_key_keeps_everybody(capsys, config: Path) -> None:
    filled(config)
    before = json.loads(run(capsys, "identity", "explain", ANN, "--config", str(config))[1])
    code, _, err = run(capsys, "identity", "rotate", "--config", str(config))
    assert (code, "k001" in err) == (0, True)
    after = json.loads(run(capsys, "identity", "explain", ANN, "--config", str(config))[1])
    assert [one["customer"] for one in before] == [one["customer"] for one in after]
    assert list(json.loads(run(capsys, "identity", "keys", "--config", str(config))[1])) != ["k001"]
    assert (config.parent / "coordwatch.db.key").stat().st_mode & 0o777 == 0o600
    assert run(capsys, "forget", ANN, "--config", str(config))[0] == 0


def test_a_receipt_is_a_sentence_on_a_terminal() -> None:
    done = Receipt("r1", RequestKind.FORGET, "ops", NOW, NOW, "ab12", {"identifiers": 44, "customers": 1})
    assert words_of(done.checked(0, NOW)) == (
        "2 Mar 2026 12:00 UTC  forgotten by ops: identifiers 44, customers 1; nothing is left, looked for at 2 Mar 2026 12:00 UTC; "
        "receipt r1, reference ab12"
    )
    assert "; 3 names were still found; " in words_of(done.checked(3, NOW))
    assert "not done for ops: nobody is known" in words_of(replace(done, problem="nobody is known by this"))
    assert "let back by ops" in words_of(replace(done, kind=RequestKind.LIFT))
