"""The shipped rules: each can be read, is wise, does what its examples say, and tells a person what to do."""

import re
from pathlib import Path

import pytest

from coordwatch.adapters.files import load_rules, rule_files, shipped
from coordwatch.alerts.card import card_of
from coordwatch.engine.replay import replay_events
from coordwatch.errors import Problem
from coordwatch.events.taxonomy import TYPES
from coordwatch.rules.examples import coverage, run_examples
from coordwatch.rules.lint import lint
from coordwatch.rules.spec import RuleSpec, RuleStatus

FILES = load_rules(None)
SPECS = {spec.id: spec for spec in FILES.specs}
# RULES 5 wants a window on every `after`, also where `since` already says more.
NEVER_DECIDES = {("details-asked-again", "after.takeover.within")}
PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[a-z_]+)*)\}")
OWN_WORDS = {"gap", "deadline", "customer"}

every_rule = pytest.mark.parametrize("spec", FILES.specs, ids=list(SPECS))


def test_all_eleven_can_be_read():
    assert FILES.problems == ()
    assert sorted(SPECS) == [
        "ad-for-returned-defective-item",
        "bot-loop",
        "bot-resolved-case-open",
        "cancelled-without-notice",
        "conflicting-customer-records",
        "delay-without-notice",
        "details-asked-again",
        "promo-during-open-complaint",
        "promo-local-stock-gone",
        "promo-while-bot-resolving",
        "refund-promised-not-made",
    ]


def test_a_file_holds_one_rule_and_is_called_like_it():
    problems: list[Problem] = []
    paths = sorted(file.path for file in rule_files(shipped("rules"), problems))
    assert problems == []
    assert [path.stem for path in paths] == sorted(SPECS, key=lambda name: SPECS[name].place.path)
    assert {Path(spec.place.path).name for spec in FILES.specs} == {f"{name}.yaml" for name in SPECS}


def test_lint_has_nothing_to_say():
    assert [str(issue) for issue in lint(FILES.specs, carried=set(TYPES))] == []


@every_rule
def test_it_is_live_and_says_why_who_and_what_to_do(spec: RuleSpec):
    assert spec.status is RuleStatus.LIVE
    assert spec.why.endswith(".")
    assert spec.owner
    assert len(spec.tags) >= 2
    assert len(spec.false_positives) >= 1
    assert spec.runbook.startswith("1. Stop the bleeding: ")
    assert "\n2. " in spec.runbook


@every_rule
def test_it_does_what_its_examples_say_in_any_order(spec: RuleSpec):
    results = run_examples(spec, replay_events)
    assert [(result.name, result.differences) for result in results if result.differences] == []


@every_rule
def test_it_has_examples_of_both_kinds(spec: RuleSpec):
    raising = [example for example in spec.tests if example.expect]
    assert len(raising) >= 2
    assert len(spec.tests) - len(raising) >= 2


@every_rule
def test_no_clause_could_be_left_out_unnoticed(spec: RuleSpec):
    idle = {(spec.id, clause.name) for clause, is_covered in coverage(spec, replay_events) if not is_covered}
    assert idle - NEVER_DECIDES == set()


@every_rule
def test_its_sentence_and_runbook_name_only_what_there_is(spec: RuleSpec):
    card = card_of(spec)
    assert spec.alert.say is not None
    assert spec.alert.say.startswith(f"{{{spec.when.name}.tool}} ") or "hold different values" in spec.alert.say
    for name in PLACEHOLDER.findall(spec.alert.say + spec.runbook):
        step, _, field = name.partition(".")
        assert name in OWN_WORDS or step in card.steps, name
        types = {match.event for part in _steps(spec) if part.name == step for match in _matches(part)}
        assert not field or field == "tool" or any(field.split(".")[0] in TYPES[one].fields for one in types), name


def _steps(spec: RuleSpec):
    return [spec.when, *spec.after, *spec.while_, *spec.given, *spec.unless, *([spec.expect] if spec.expect else [])]


def _matches(step):
    return getattr(step, "matches", ()) or step.opened
