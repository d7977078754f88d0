"""What the statements say about reading and checking a rule: the errors and warnings they ask for."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from coordwatch.errors import RuleError
from coordwatch.rules.calendars import TZDATA_VERSION
from coordwatch.rules.lint import LintIssue, lint
from coordwatch.rules.parse import parse_rules
from tests.laws import subject
from tests.statements.scene import document

AFTER = "when: {promo: {event: sent}}\nafter: {complaint: {event: case, within: 2h}}\n"
EXPECT = "when: {promo: {event: sent}}\nexpect: {answer: {event: case, within: 2h}}\n"


def refused(text: str, shared: dict[str, Any] | None = None) -> str:
    """What is said about a rule that cannot be read; nothing when it can."""
    try:
        subject.specs([document(text)], shared)
    except RuleError as error:
        return str(error)
    return ""


def issues(text: str) -> list[LintIssue]:
    return lint(subject.specs([document(text)]))


def checked(text: str) -> list[str]:
    """The codes of the errors that lint finds, without what every short example lacks."""
    return [issue.code for issue in issues(text) if issue.code not in ("no-runbook", "no-tests", "no-false-positives")]


def test_rule_05_an_unless_without_a_window_and_an_after_without_within_are_errors() -> None:
    assert refused(AFTER) == ""
    assert refused("when: {promo: {event: sent}}\nafter: {complaint: {event: case}}") != ""
    assert refused("when: {promo: {event: sent}}\nunless: {solved: {event: status}}") != ""
    assert refused("when: {promo: {event: sent}}\nunless: {solved: {event: status, within: 1h}}") == ""


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (AFTER + "unless: {solved: {event: status, since: complaint}}", True),
        (AFTER + "unless: {solved: {event: status, since: promo}}", False),
        (EXPECT + "unless: {solved: {event: status, since: promo}}", True),
        (AFTER + "unless: {solved: {event: status, since: nobody}}", False),
        (AFTER.replace("2h}", "2h, at_least: 2}") + "unless: {solved: {event: status, since: complaint}}", True),
        ("when: {promo: {event: sent}}\nafter: {b: {event: case, within: 1h, since: a}, a: {event: order, within: 1h}}", False),
        ("when: {promo: {event: sent}}\nafter: {a: {event: order, within: 1h}, b: {event: case, within: 1h, since: a}}", True),
        ("when: {promo: {event: sent}}\nafter: {a: {event: order, within: 1h, at_least: 2}, b: {event: case, within: 1h, since: a}}", False),
    ],
)  # fmt: skip
def test_rule_05_what_since_may_name(rule: str, allowed: bool) -> None:
    assert (refused(rule) == "") == allowed


def test_rule_07_there_is_one_act_and_at_most_one_expect() -> None:
    assert refused("when: {one: {event: sent}, two: {event: case}}") != ""
    assert (
        refused("when: {one: {event: sent}}\nexpect: {a: {event: case, within: 1h}, b: {event: order, within: 1h}}")
        != ""
    )


def test_rule_10_a_counting_step_is_not_named_in_a_where_and_unless_does_not_count() -> None:
    counting = AFTER.replace("2h}", "2h, at_least: 2}")
    assert refused(counting + "unless: {solved: {event: status, within: 1h, where: complaint.kind == kind}}") != ""
    assert refused(AFTER + "unless: {solved: {event: status, within: 1h, at_least: 2}}") != ""


def test_rule_14_lint_warns_of_a_state_that_is_not_tied_to_a_key_the_act_requires() -> None:
    rule = (
        "when: {update: {event: status}}\nwhile: {open: {opened: {event: case}, closed: {event: order}, same: case}}\n"
    )
    assert "state-not-tied" in checked(rule)
    assert "state-not-tied" not in checked(rule.replace("{opened: {event: case}", "{opened: {event: case, same: case}"))


@pytest.mark.parametrize("name", ["channel", "order", "time", "customer"])
def test_rule_20_a_step_with_the_name_of_a_field_or_an_attribute_is_an_error(name: str) -> None:
    rule = f"when: {{{name}: {{event: sent}}}}"
    assert refused(rule) != "" or "name-clash" in checked(rule)


def test_rule_20_an_unknown_name_is_an_error_with_the_nearest() -> None:
    text = refused('when: {promo: {event: sent, where: categry == "promotional"}}')
    assert "category" in text
    assert "categry" in text


def test_rule_20_only_earlier_steps_have_a_name() -> None:
    rule = "when: {promo: {event: sent}}\nafter: {a: {event: case, within: 1h, where: kind == b.kind}, b: {event: case, within: 1h}}"
    assert refused(rule) != ""


@pytest.mark.parametrize("where", ["category == null", "null != category", "category in [null]", "null"])
def test_rule_21_comparing_with_null_is_an_error(where: str) -> None:
    rule = f"when: {{promo: {{event: sent, where: '{where}'}}}}"
    assert refused(rule) != "" or checked(rule) != []


def test_rule_23_a_path_through_a_list_in_a_where_is_an_error() -> None:
    assert refused('when: {promo: {event: sent, where: items.sku == "A"}}') != ""
    assert refused("when: {promo: {event: sent, where: 'items.exists(i, i.sku == \"A\")'}}") == ""


def test_rule_24_an_unknown_calendar_is_an_error_and_the_zones_have_a_version() -> None:
    assert (
        refused("when: {promo: {event: sent}}\nexpect: {answer: {event: case, within: {open: 1h, calendar: desk}}}")
        != ""
    )
    assert (
        refused(
            'when: {promo: {event: sent}}\nexpect: {answer: {event: case, by: \'addOpen(promo.time, duration("1h"), "desk")\'}}'
        )
        != ""
    )
    assert TZDATA_VERSION


@pytest.mark.parametrize(
    ("text", "there"), [("60s", True), ("1d12h", True), ("90", False), ("-1h", False), ("1.5h", False), ("1y", False)]
)
def test_section_1_durations(text: str, there: bool) -> None:
    assert (refused(AFTER.replace("2h", f"'{text}'")) == "") == there


def test_section_1_unknown_and_duplicate_keys_and_boolean_traps_say_where() -> None:
    head = yaml.safe_dump(document("when: {promo: {event: sent}}"), default_flow_style=False, sort_keys=False)
    for extra, word in (("whil: {}", "while"), ("owner: again", "owner"), ("tags: [no]", "no")):
        with pytest.raises(RuleError) as caught:
            parse_rules(head + extra + "\n", "rules/promo.yaml")
        line = head.count("\n") + 1
        assert f"rules/promo.yaml:{line}:" in str(caught.value)
        assert word in str(caught.value)


def test_section_1_an_expression_in_braces_must_be_quoted_and_the_error_says_so() -> None:
    head = yaml.safe_dump(document("{}"), default_flow_style=False)
    with pytest.raises(RuleError) as caught:
        parse_rules(
            head + 'when: {promo: {event: marketing.message.sent, where: category in ["a", "b"]}}\n', "rules/promo.yaml"
        )
    assert "quote" in str(caught.value)
