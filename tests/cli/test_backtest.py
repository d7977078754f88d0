"""`coordwatch backtest` as a command: files and standard input, text for people and lines for programs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from coordwatch.cli import main
from tests.statements.scene import document

PROMO = "when: {promo: {event: sent}}\nafter: {complaint: {event: case, same: case, within: %s}}"


def rules(path: Path, within: str, *more: dict[str, object]) -> str:
    path.write_text("\n---\n".join(json.dumps(one) for one in (document(PROMO % within), *more)), encoding="utf-8")
    return str(path)


def line(name: str, kind: str, time: str, **data: object) -> str:
    plain = {"id": name, "source": "crm", "type": kind, "time": f"2026-03-02T{time}Z", "subject": "C1", "data": data}
    return json.dumps({"specversion": "1.0", **plain})


EVENTS = "\n".join(
    [
        line("k", "service.case.opened", "12:00:00", case="K1"),
        line("m1", "marketing.message.sent", "13:00:00", case="K1"),
        line("m2", "marketing.message.sent", "20:00:00", case="K1"),
    ]
)


@pytest.fixture
def versions(tmp_path: Path) -> list[str]:
    (tmp_path / "events.jsonl").write_text(EVENTS + "\n", encoding="utf-8")
    other = document("when: {promo: {event: sent}}", 2)
    new, old = rules(tmp_path / "new.yaml", "10h", other), rules(tmp_path / "old.yaml", "2h", other)
    return [str(tmp_path / "events.jsonl"), "--rules", new, "--against", old]


def test_people_read_what_would_change_rule_by_rule(versions: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", *versions]) == 0
    assert capsys.readouterr().out == (
        "rule-1\n"
        "  acts        2\n"
        "  detections  1 -> 2   50.00% -> 100.00%\n"
        "  1 added; 1 customer\n"
        "    + 2026-03-02T20:00:00Z  C1  marketing.message.sent m2 (crm)\n"
        "\n"
        "1 rule says what it said before.\n"
        "In all 1 added, 0 removed, 0 changed; 1 customer.\n"
    )
    assert main(["backtest", *versions, "--show", "0", "--jobs", "2"]) == 0
    assert "    ... and 1 more: --show, or --json for all" in capsys.readouterr().out


def test_a_rule_that_finds_no_act_at_all_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "events.jsonl").write_text(
        line("k", "service.case.opened", "12:00:00", case="K1") + "\n", encoding="utf-8"
    )
    assert main(["backtest", str(tmp_path / "events.jsonl"), "--rules", rules(tmp_path / "new.yaml", "10h")]) == 0
    assert "Nothing here is an act of rule-1: look at 'when'" in capsys.readouterr().out


def test_programs_read_lines(versions: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", *versions, "--json"]) == 0
    found = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    assert [one["kind"] for one in found] == ["detection", "rule", "rule", "total"]
    assert (found[0]["change"], found[0]["rule"], found[0]["act"]["id"]) == ("added", "rule-1", "m2")
    assert found[1] == {
        "kind": "rule", "rule": "rule-1", "acts": {"was": 2, "now": 2}, "detections": {"was": 1, "now": 2},
        "rate": {"was": 0.5, "now": 1.0}, "added": 1, "removed": 0, "changed": 0, "customers": 1,
    }  # fmt: skip
    assert found[3] == {"kind": "total", "added": 1, "removed": 0, "changed": 0, "customers": 1}


def test_standard_input_and_a_bad_line(versions: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coordwatch", "backtest", "-", *versions[1:], "--json"],
        input=f"{EVENTS}\nno event\n", capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 2
    assert json.loads(done.stderr)["line"] == 4
    assert json.loads(done.stdout.splitlines()[-1])["added"] == 1


def test_the_clock_can_be_moved(versions: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", *versions, "--until", "2026-03-02T19:00:00Z"]) == 0
    assert "In all 0 added" in capsys.readouterr().out


def test_the_rules_of_a_site_are_the_old_version(
    tmp_path: Path, versions: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site.yaml").write_text("rules: [old.yaml]\n", encoding="utf-8")
    assert main(["backtest", *versions[:3], "--config", str(tmp_path / "site.yaml")]) == 0
    assert "In all 1 added" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rules", "x"], "which events?"),
        (["a", "--rules", "nowhere.yaml"], "there is no such file or folder"),
        (["nowhere.jsonl", "--rules", "rules"], "nowhere.jsonl: there is no such file"),
        (["a", "--rules", "x", "--until", "soon"], "--until"),
        (["a", "--rules", "x", "--jobs", "0"], "--jobs"),
        (["a", "--rules", "rules", "--source", "sendgrid"], "--source and --bootstrap are for --kafka"),
        (["--kafka", "a@..", "--rules", "rules"], "--kafka: which brokers?"),
        (["--kafka", "a@5", "--bootstrap", "127.0.0.1:1", "--rules", "rules"], "has no '..'"),
        (["--kafka", "a", "--bootstrap", "127.0.0.1:1", "--rules", "rules", "--source", "sendgird"],
         "did you mean 'sendgrid'?"),
        (["--kafka", "a", "--config", "nowhere.yaml", "--rules", "rules"], "cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
