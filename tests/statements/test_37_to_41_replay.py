"""Statements 37 to 41: what `coordwatch replay` reads and prints, and the tests inside a rule."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coordwatch.engine.replay import replay_events
from coordwatch.events.event import Event
from coordwatch.events.wire import Rejected, decode_event
from coordwatch.rules.examples import run_examples
from tests.laws import subject
from tests.statements.scene import document

RULE = document("when: {promo: {event: sent}}\nafter: {complaint: {event: case, same: case, within: 2h}}")
ABSENCE = document("when: {gone: {event: order}}\nexpect: {notice: {event: sent, within: 30m}}", 2)


def line(name: str, kind: str, time: str, /, **words: Any) -> dict[str, Any]:
    """One canonical event as it stands in a file."""
    plain = {
        "specversion": "1.0", "id": name, "source": "crm", "type": kind, "time": f"2026-03-02T{time}Z", "subject": "C1",
        "data": words.pop("data", {}),
    }  # fmt: skip
    return {**plain, **words}


COMPLAINT = line("k", "org.coordwatch.service.case.opened", "12:00:00", data={"case": "K1", "kind": "complaint"})
PROMO = line("m", "marketing.message.sent", "13:00:00", data={"case": ["K1", "K2"]})


def replay(
    tmp_path: Path, *events: Any, options: tuple[str, ...] = (), rules: Any = (RULE, ABSENCE)
) -> tuple[int, list[Any], list[Any]]:
    """Run the command: exit code, what it printed, and what it said on standard error."""
    (tmp_path / "rules.yaml").write_text("\n---\n".join(json.dumps(rule) for rule in rules), encoding="utf-8")
    text = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in events)
    done = subprocess.run(
        [sys.executable, "-m", "coordwatch", "replay", "-", "--rules", str(tmp_path / "rules.yaml"), *options],
        input=text.encode(), capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    printed, said = ([json.loads(row) for row in out.decode().splitlines()] for out in (done.stdout, done.stderr))
    return done.returncode, printed, said


def test_rule_37_the_wire_form_of_an_event() -> None:
    event = decode_event(json.dumps({**COMPLAINT, "recordedtime": "2026-03-02T12:00:05.1234567Z"}).encode())
    assert isinstance(event, Event)
    assert (event.type, event.subject, event.data["case"]) == ("service.case.opened", "C1", "K1")
    assert event.observed_at - event.time == 5_123_456, "further digits are cut"
    assert isinstance(decode_event(b"{}"), Rejected)


def test_rule_37_a_ref_is_a_text_or_a_list_and_the_prefix_may_be_left_out(tmp_path: Path) -> None:
    code, rows, said = replay(tmp_path, PROMO, COMPLAINT)
    assert (code, said) == (0, [])
    assert rows == [{
        "rule": "rule-1", "customer": "C1", "at": "2026-03-02T13:00:00Z", "status": "open",
        "act": {"source": "crm", "id": "m", "type": "marketing.message.sent", "time": "2026-03-02T13:00:00Z"},
        "evidence": [{"step": "complaint", "source": "crm", "id": "k"}],
    }]  # fmt: skip


def test_rule_37_without_a_subject_the_identity_stage_resolves(tmp_path: Path) -> None:
    """The promotion names nobody, but the case that it is about belongs to C1."""
    nobody = {key: value for key, value in PROMO.items() if key != "subject"}
    _, rows, _ = replay(tmp_path, COMPLAINT, {**nobody, "data": {"case": "K1"}})
    assert [(row["customer"], row["act"]["id"]) for row in rows] == [("C1", "m")]
    _, rows, _ = replay(tmp_path, COMPLAINT, {**nobody, "data": {"case": "K9"}})
    assert rows == []


def test_rule_38_until_moves_the_clock(tmp_path: Path) -> None:
    order = line("o", "commerce.order.changed", "13:00:00", data={"order": "O1", "status": "cancelled"})
    assert replay(tmp_path, order)[1] == []
    code, rows, _ = replay(tmp_path, order, options=("--until", "2026-03-02T13:30:00Z"))
    assert (code, [(row["rule"], row["at"]) for row in rows]) == (0, [("rule-2", "2026-03-02T13:30:00Z")])
    assert replay(tmp_path, order, options=("--until", "2026-03-02T13:29:59.999999Z"))[1] == []


def test_rule_39_retracted_is_only_in_the_trail(tmp_path: Path) -> None:
    order = line("o", "commerce.order.changed", "13:00:00", recordedtime="2026-03-02T13:00:00Z")
    clock = line("c", "service.case.opened", "14:00:00", recordedtime="2026-03-02T14:00:00Z")
    late = line("m", "marketing.message.sent", "13:10:00", recordedtime="2026-03-02T15:00:00Z")
    assert replay(tmp_path, order, clock, late)[1] == []
    _, rows, _ = replay(tmp_path, order, clock, late, options=("--trail",))
    assert [row["change"] for row in rows] == ["raised", "retracted"]


def test_rule_40_a_bad_line_is_reported_skipped_and_the_exit_code_is_2(tmp_path: Path) -> None:
    code, rows, said = replay(tmp_path, COMPLAINT, "{not json", PROMO, "[]")
    assert code == 2
    assert [row["act"]["id"] for row in rows] == ["m"]
    assert [one["line"] for one in said] == [2, 4]
    assert all(one["reason"] for one in said)


def test_rule_40_detections_are_no_findings_and_rules_replace_the_shipped_packs(tmp_path: Path) -> None:
    code, rows, _ = replay(tmp_path, COMPLAINT, PROMO)
    assert (code, len(rows)) == (0, 1)
    code, rows, _ = replay(tmp_path, COMPLAINT, PROMO, rules=(ABSENCE,))
    assert (code, rows) == (0, [])


TESTED = {
    **document("when: {gone: {event: order}}\nexpect: {notice: {event: sent, within: 30m}}"),
    "tests": [
        {
            "name": "nothing comes",
            "events": [{"at": "0h", "commerce.order.changed": {"order": "O1", "status": "cancelled"}}],
        }
    ],
}


@pytest.mark.parametrize(
    ("until", "expect", "passes"),
    [
        (None, [{"at": "30m"}], True),
        (None, [], False),
        ("29m", [], True),
        ("29m", [{"at": "30m"}], False),
        ("30m", [{"at": "30m"}], True),
    ],
)
def test_rule_41_until_moves_the_clock_of_a_test_and_the_default_lets_deadlines_pass(
    until: str | None, expect: list[Any], passes: bool
) -> None:
    example = {**TESTED["tests"][0], "expect": expect, **({} if until is None else {"until": until})}
    (spec,) = subject.specs([{**TESTED, "tests": [example]}])
    (result,) = run_examples(spec, replay_events)
    assert result.passed == passes, result.differences
