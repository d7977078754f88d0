"""Lint: what a rule can read but cannot mean, or will be regretted, each with its place and code."""

import pytest

from coordwatch.adapters.files import load_rules
from coordwatch.events.taxonomy import TYPES
from coordwatch.rules.lint import LintSeverity, lint
from coordwatch.rules.parse import parse_rules
from tests.rules.test_parse import HEAD, SHARED

WHEN = "when: {sent: {event: marketing.message.sent}}\n"
CARE = (
    "runbook: Look.\n"
    "tests:\n"
    "  - {name: yes it does, events: [{at: 0h, marketing.message.sent: {}}], expect: [{at: 0h}]}\n"
    "  - {name: it does not, events: [], expect: []}\n"
)


def issues(body, care=CARE, carried=None):
    specs = parse_rules(HEAD + body + care, "rule.yaml", SHARED)
    first = HEAD.count("\n")
    return [
        f"{issue.place.line - first}:{issue.place.column} {issue.severity.value} {issue.code}: {issue.message}"
        + (f" ({issue.hint})" if issue.hint else "")
        for issue in lint(specs, carried)
    ]


def test_a_rule_in_order_has_no_issue():
    assert issues(WHEN) == []


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        ("when: {case: {event: marketing.message.sent}}\n",
         "1:8 error name-clash: the step 'case' has the name of a field of marketing.message.sent (give the step another name)"),
        ("when: {time: {event: marketing.message.sent}}\n", "1:8 error name-clash: the step 'time' has the name of an attribute"),
        ("when: {closed_words: {event: marketing.message.sent}}\n", "1:8 error name-clash: the step 'closed_words' has the name of a list"),
        ("when: {is_over: {event: marketing.message.sent}}\n", "1:8 error name-clash: the step 'is_over' has the name of a macro"),
        ("when: {sent: {event: marketing.message.sent, where: offer_price > 'a'}}\n",
         "1:65 error kind: a number and a text have no order: this is never known"),
        ("when: {sent: {event: marketing.message.sent, where: category}}\n",
         "1:53 error kind: a condition must be true or false, and this is a text"),
        (WHEN + "expect: {a: {event: feedback.received, by: 'sent.time + duration(\"1h\") - sent.time + sent.time'}}\n", ""),
        (WHEN + "after: {a: {event: feedback.received, within: 0s}}\n",
         "2:9 error empty-window: 'a' looks back over no time at all (within: 1h)"),
        (WHEN + "unless: {a: {event: feedback.received, within: 0s}}\n", "2:10 error empty-window"),
        (WHEN + "after: {a: {event: feedback.received, within: 900000d}}\n",
         "2:9 warning odd-window: 'a' looks at 900000d, more than ten years, and so long everything it names is kept"),
        (WHEN + "after: {a: {event: feedback.received, within: 30ms}}\n", "2:9 warning odd-window: 'a' looks at 30ms only"),
        (WHEN + "after: {a: {event: service.case.opened, within: 1h, where: 'kind == \"claim\" && case == \"K\" && kind == \"question\"'}}\n",
         "2:103 warning never-holds: 'kind' cannot be both 'claim' and 'question', so this never holds (write || or: in [...])"),
        (WHEN + "after: {a: {event: feedback.received, within: 1h, grace: 60m}}\n",
         "2:9 error empty-window: 'a' can never hold: its grace of 1h is as long as its within of 1h"),
        (WHEN + "alert: {once_per: [customer, cases]}\n", "2:9 error unknown-key: no step has 'cases' (did you mean 'case'?)"),
        (WHEN + 'alert: {say: "{sent.campain} and {gap}"}\n',
         "2:9 error unknown-placeholder: {sent.campain}: marketing.message.sent has no field 'campain' (did you mean 'campaign'?)"),
        (WHEN + 'alert: {say: "{snet.campaign}"}\n', "2:9 error unknown-placeholder: {snet.campaign} is filled by nothing (did you mean 'sent'?)"),
        (WHEN + 'alert: {say: "{sent}"}\n', "2:9 error unknown-placeholder: {sent} is a step, not a value (name a field of it: {sent.tool})"),
        (WHEN + "unless: {b: {event: feedback.received, within: 1h}}\nalert: {say: '{b.score}'}\n",
         "3:9 error unknown-placeholder: {b.score} can never be filled: 'b' cancels"),
        (WHEN + "after: {b: {event: feedback.received, within: 1h}}\nalert: {say: '{b.count}'}\n", "3:9 error unknown-placeholder"),
        (("when: {sent: {event: service.case.updated}}\n"
         "while: {a: {opened: {event: service.case.opened}, closed: {event: service.case.status_changed}, same: case}}\n"),
         ("2:9 warning state-not-tied: the state 'a' of any case counts, not only the case of the act"
         " (write same: case inside 'opened' if it must be the same)")),
        (WHEN + "after: {a: {event: feedback.received, within: 1h, at_least: 201}}\n", "2:9 warning count-too-high"),
        (WHEN + "after: {a: {event: feedback.received, within: 1h, distinct: score}}\n", "2:9 warning count-of-one"),
        ("when: {sent: {event: marketing.message.sent, where: category == 'promo'}}\n",
         "1:65 warning unknown-value: 'category' is never 'promo' (did you mean 'promotional'?)"),
        ("when: {sent: {event: marketing.message.sent, where: \"!('smss' != channel)\"}}\n", "1:56 warning unknown-value: 'channel' is never 'smss'"),
        ("when: {sent: {event: marketing.message.sent, where: \"channel in ['sms', 'fax']\"}}\n", "1:73 warning unknown-value: 'channel' is never 'fax'"),
        (WHEN + "after: {a: {event: feedback.received, where: sent.channel in closed_words, within: 1h}}\n", "2:62 warning unknown-value"),
        (WHEN + "after: {a: {event: inventory.item.flagged, within: 1h}}\n",
         "2:12 warning broadcast: inventory.item.flagged is broadcast: without a customer it is only read by a given step (move 'a' under given)"),
    ],
)  # fmt: skip
def test_an_issue_is_told_with_its_place(body, issue):
    found = issues(body)
    if not issue:
        assert found == []
    else:
        assert found[0].startswith(issue), found


def test_what_is_in_order_is_left_alone():
    assert issues(
        "when: {sent: {event: service.case.updated}}\n"
        "while: {a: {opened: {event: service.case.opened, same: case}, closed: {event: service.case.status_changed, where: is_over},"
        " same: case}}\n"
        "after: {b: {event: feedback.received, within: 1h, at_least: 2}}\n"
        "alert: {once_per: [customer, case], say: '{sent.tool} {sent.tool.name} {a.case} {b.count} {b.score} {gap} {deadline} {late}'}\n"
    ) == []  # fmt: skip


def test_a_long_grace_is_no_issue_because_further_openings_make_an_episode_longer():
    assert issues(
        WHEN + "while: {a: {opened: {event: service.case.opened}, closed: {event: service.case.updated}, grace: 2h, at_most: 1h}}\n"
    ) == []  # fmt: skip


def test_a_state_tied_to_the_act_by_a_condition_is_tied():
    assert issues(
        "when: {sent: {event: service.case.updated}}\n"
        "while: {a: {opened: {event: service.case.opened, where: case == sent.case}, closed: {event: service.case.status_changed},"
        " same: case}}\n"
    ) == []  # fmt: skip


def test_a_value_in_a_test_that_cannot_be():
    care = CARE.replace("marketing.message.sent: {}", "marketing.message.sent: {channel: fax}")
    assert issues(WHEN, care) == ["4:5 warning unknown-value: 'channel' is never 'fax' (did you mean 'ad'?)"] or [
        issue.split(" (")[0] for issue in issues(WHEN, care)
    ] == ["4:5 warning unknown-value: 'channel' is never 'fax'"]


def test_a_rule_without_care():
    assert [issue.split(":")[2 - 1].split(" ")[-1] for issue in issues(WHEN, "")] == ["no-runbook", "no-tests"]
    only = "runbook: Look.\ntests: [{name: a, events: [], expect: []}]\n"
    assert issues(WHEN, only) == ["3:1 warning one-sided-tests: no test raises a detection (add one)"]
    only = "runbook: Look.\ntests: [{name: a, events: [{at: 0h, marketing.message.sent: {}}], expect: [{at: 0h}]}]\n"
    assert issues(WHEN, only) == ["3:1 warning one-sided-tests: no test raises nothing (add one)"]


def test_a_type_that_no_source_carries():
    body = (
        WHEN
        + "unless: {c: {event: service.case.updated, within: 1h}}\nexpect: {b: {any: [{event: feedback.received}], within: 1h}}\n"
    )
    assert issues(body, carried={"marketing.message.sent", "feedback.received", "service.case.updated"}) == []
    assert issues(body, carried={"marketing.message.sent", "feedback.recieved"}) == [
        (
            "2:10 warning not-carried: no configured source carries service.case.updated: 'c' cancels nothing"
            " (map a source to it; `coordwatch sources list` shows what there is)"
        ),
        (
            "3:10 error not-carried: no configured source carries feedback.received: the rule is disabled"
            " (map a source to it; `coordwatch sources list` shows what there is)"
        ),
    ]
    assert any("can never fire" in issue for issue in issues(body, carried=set()))


def test_two_rules_of_one_id():
    specs = [
        *parse_rules(HEAD + WHEN + CARE, "one.yaml", SHARED),
        *parse_rules(HEAD + WHEN + CARE, "two.yaml", SHARED),
    ]
    (issue,) = lint(specs)
    assert str(issue) == "two.yaml:1:1: error: two rules have the id 'a-rule' (the first: one.yaml:1:1) [duplicate-id]"
    assert issue.severity is LintSeverity.ERROR


def test_the_shipped_rules_are_in_order():
    found = load_rules()
    assert found.problems == ()
    assert lint(found.specs, set(TYPES)) == []
