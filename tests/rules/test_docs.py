"""What the pages about rules show is true: their rules are in order and pass their own tests, and every word is explained."""

import re
from pathlib import Path

import pytest

from coordwatch.adapters.files import load_rules
from coordwatch.engine.replay import replay_events
from coordwatch.rules.examples import run_examples
from coordwatch.rules.lint import lint
from coordwatch.rules.lint_words import WORDS
from coordwatch.rules.parse import RULE, parse_rules
from coordwatch.rules.resolve_calls import FUNCTIONS
from coordwatch.rules.spec import RuleStatus

ROOT = Path(__file__).parents[2]
SHARED = load_rules().specs[0].shared


def shown(page: str) -> list[str]:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    return [block for block in blocks if block.startswith("id: ")]


@pytest.mark.parametrize(("page", "rules"), [("README.md", 1), ("docs/writing-rules.md", 3)])
def test_the_rules_shown_are_in_order_and_hold_their_tests(page: str, rules: int) -> None:
    specs = [spec for block in shown(page) for spec in parse_rules(block, page, SHARED)]
    assert (len(specs), lint(specs)) == (rules, [])
    for spec in specs:
        results = run_examples(spec, replay_events)
        assert [result.differences for result in results] == [()] * len(spec.tests)


def test_every_word_of_the_language_is_explained() -> None:
    guide = (ROOT / "docs" / "writing-rules.md").read_text("utf-8")
    words = [
        *RULE[RULE.index("when") : RULE.index("runbook")],
        *FUNCTIONS,
        *(f"{{{word}}}" for word in WORDS),
        *RuleStatus,
    ]
    assert [] == [word for word in words if word not in guide]


def test_the_statements_are_all_there_and_numbered() -> None:
    text = (ROOT / "docs" / "rule-reference.md").read_text("utf-8")
    assert [int(number) for number in re.findall(r"^(\d+)\. ", text, re.MULTILINE)] == list(range(1, 42))
