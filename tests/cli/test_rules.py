"""`coordwatch rules`: what each of its five parts prints, and the exit codes."""

import json
from pathlib import Path

import pytest

from coordwatch.adapters.files import load_rules
from coordwatch.cli import main

GOOD = """\
id: promo-after-complaint
title: Promotion after a complaint
severity: high
owner: lifecycle
why: It looks as if nobody listened.
when: {promo: {event: marketing.message.sent, where: category == "promotional"}}
after: {complaint: {event: service.case.opened, where: kind == "complaint", within: 1d}}
alert: {say: "{promo.tool} sent {promo.campaign} {gap} after complaint {complaint.case}."}
runbook: Pause it.
tests:
  - name: two hours later
    events:
      - {at: 0h, service.case.opened: {case: K1, kind: complaint}}
      - {at: 2h, marketing.message.sent: {category: promotional}}
    expect: [{at: 2h, evidence: [complaint]}]
  - name: two days later
    events:
      - {at: 0h, service.case.opened: {case: K1, kind: complaint}}
      - {at: 2d, marketing.message.sent: {category: promotional}}
    expect: []
"""


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text(GOOD, "utf-8")
    return path


def changed(path: Path, before: str, after: str) -> Path:
    assert before in GOOD
    path.write_text(GOOD.replace(before, after), "utf-8")
    return path


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


# ---- lint


def test_lint_of_a_good_rule_says_so(capsys, good):
    assert main(["rules", "lint", str(good)]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "1 rule, 0 errors, 0 warnings\n")


def test_lint_of_the_rules_that_ship(capsys):
    assert main(["rules", "lint"]) == 0
    assert capsys.readouterr().err == f"{len(load_rules().specs)} rules, 0 errors, 0 warnings\n"


def test_lint_prints_each_error_with_its_place(capsys, good):
    changed(good, "category ==", "categry ==")
    assert main(["rules", "lint", str(good)]) == 1
    captured = capsys.readouterr()
    assert captured.out == (
        f"{good}:6:54: error: 'categry' is no field of marketing.message.sent, and no earlier step, list or macro"
        " (did you mean 'category'?) [unreadable]\n"
    )
    assert captured.err == "0 rules, 1 error, 0 warnings\n"


def test_a_warning_fails_only_a_strict_check(capsys, good):
    changed(good, "runbook: Pause it.\n", "")
    assert main(["rules", "lint", str(good)]) == 0
    assert "warning: there is no runbook" in capsys.readouterr().out
    assert main(["rules", "lint", "--strict", str(good)]) == 1


def test_lint_as_json(capsys, good):
    changed(good, '"promotional"', '"promo"')
    assert main(["rules", "lint", "--json", str(good)]) == 0
    (issue,) = lines(capsys.readouterr().out)
    assert issue == {
        "path": str(good), "line": 6, "column": 66, "severity": "warning", "code": "unknown-value",
        "message": "'category' is never 'promo'", "hint": "did you mean 'promotional'?", "rule": "promo-after-complaint",
    }  # fmt: skip


@pytest.mark.parametrize("action", ["lint", "test", "list"])
def test_a_path_that_is_not_there_is_wrong_usage(capsys, tmp_path, action):
    assert main(["rules", action, str(tmp_path / "none")]) == 2
    assert "there is no file or folder" in capsys.readouterr().err


# ---- test


def test_a_rule_that_does_what_its_tests_say(capsys, good):
    assert main(["rules", "test", str(good)]) == 0
    captured = capsys.readouterr()
    assert captured.out == (
        "promo-after-complaint: 2 of 2 tests passed; no test notices when.promo.where, after.complaint.where\n"
    )
    assert captured.err == "2 of 2 tests of 1 rule passed\n"


def test_a_test_that_fails_names_the_difference_and_its_place(capsys, good):
    changed(good, "within: 1d", "within: 3d")
    assert main(["rules", "test", "--no-coverage", str(good)]) == 1
    captured = capsys.readouterr()
    assert captured.out == (
        f"{good}:16:5: promo-after-complaint: two days later: not expected: a detection at 2d, open\n"
        "promo-after-complaint: 1 of 2 tests passed\n"
    )


def test_tests_as_json(capsys, good):
    assert main(["rules", "test", "--json", str(good)]) == 0
    first, second, clauses = lines(capsys.readouterr().out)
    assert first == {
        "rule": "promo-after-complaint", "test": "two hours later", "passed": True, "differences": [],
        "path": str(good), "line": 11, "column": 5,
    }  # fmt: skip
    assert second["test"] == "two days later"
    assert clauses["not_covered"] == ["when.promo.where", "after.complaint.where"]


def test_a_rule_that_cannot_be_read_is_bad_input(capsys, good):
    changed(good, "within: 1d", "within: soon")
    assert main(["rules", "test", str(good)]) == 2
    assert "'within' must be a duration" in capsys.readouterr().err


# ---- list, show, sentence


def test_list(capsys, good):
    assert main(["rules", "list", str(good)]) == 0
    assert capsys.readouterr().out == "promo-after-complaint  draft  high  lifecycle  Promotion after a complaint\n"
    assert main(["rules", "list", "--json", str(good)]) == 0
    (rule,) = lines(capsys.readouterr().out)
    assert (rule["id"], rule["status"], rule["tests"], rule["line"]) == ("promo-after-complaint", "draft", 2, 1)


def test_show_of_one_rule_by_its_id(capsys, good):
    assert main(["rules", "show", "promo-after-complaint", str(good)]) == 0
    printed = capsys.readouterr().out
    for words in (
        "Promotion after a complaint",
        "It is a conflict when",
        "after   complaint: service.case.opened",
        "Pause it.",
    ):
        assert words in printed
    assert main(["rules", "show", "--json", str(good)]) == 0
    (rule,) = lines(capsys.readouterr().out)
    assert rule["steps"] == [
        {"step": "promo", "kind": "when", "events": ["marketing.message.sent"]},
        {"step": "complaint", "kind": "after", "events": ["service.case.opened"]},
    ]


def test_the_sentence_of_a_rule_that_ships(capsys):
    assert main(["rules", "sentence", "bot-loop"]) == 0
    assert capsys.readouterr().out.startswith("bot-loop: It is a conflict when the bot wrote to the customer")


def test_an_id_that_no_rule_has_names_the_nearest(capsys):
    assert main(["rules", "sentence", "bot-lop"]) == 2
    assert capsys.readouterr().err == "coordwatch: there is no rule 'bot-lop'; did you mean 'bot-loop'?\n"


def test_a_test_that_waits_for_a_detection_says_which_step_did_not_hold(capsys, good):
    changed(good, '"promotional"', '"transactional"')
    assert main(["rules", "test", str(good)]) == 1
    told = capsys.readouterr().out
    assert "and there is none\n    The rule judged nothing" in told
    assert "\n    no  when      " in told
