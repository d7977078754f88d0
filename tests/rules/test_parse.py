"""Rule files: every word of the language, and every way to write one wrong, with its place and the next move."""

import pytest

from coordwatch.errors import RuleError
from coordwatch.events.times import DAY, HOUR, MINUTE
from coordwatch.rules.expression import FieldRef
from coordwatch.rules.parse import parse_rules, parse_shared
from coordwatch.rules.references import walk
from coordwatch.rules.spec import RuleStatus, Severity, State, UnlessEvent, Window

HEAD = "id: a-rule\ntitle: A rule\nseverity: low\nowner: nobody\nwhy: Because.\n"
WHEN = "when: {sent: {event: marketing.message.sent}}\n"
SHARED = parse_shared(
    """
lists: {closed_words: [solved, closed]}
macros: {is_over: status in closed_words}
calendars:
  support-hours: {zone: Europe/Paris, weekly: {mon: ["09:00-12:00", "13:00-17:00"], sun: []}, holidays: [2026-12-25]}
""",
    "_shared.yaml",
)


def rule(body, head=HEAD):
    (spec,) = parse_rules(head + body, "rule.yaml", SHARED)
    return spec


def told(body, head=HEAD):
    """Each problem as `line:column message (hint)`, lines counted from the first line of the body."""
    with pytest.raises(RuleError) as error:
        parse_rules(head + body, "rule.yaml", SHARED)
    first = head.count("\n")
    return [
        f"{problem.place.line - first}:{problem.place.column} {problem.message}"
        + (f" ({problem.hint})" if problem.hint else "")
        for problem in error.value.problems
    ]


# ---- every word


FULL = """
id: promo-during-open-complaint
title: Promotion sent while a complaint is open
status: shadow
severity: critical
owner: lifecycle-marketing
tags: [retail, bank]
why: A customer waiting for an answer reads a promotion as proof that nobody is listening.
when:
  promo: {event: org.coordwatch.marketing.message.sent, where: category == "promotional", same: {item: items.sku}}
after:
  bought: {event: commerce.order.changed, same: [order, {item: items.sku}], within: 30d, grace: 10m}
  asked: {event: bot.message.received, within: forever, at_least: 3, distinct: intent, since: bought}
while:
  complaint:
    opened: {event: service.case.opened, where: kind == "complaint", same: order}
    closed:
      any:
        - {event: service.case.status_changed, where: is_over && time > complaint.time}
        - {event: service.case.updated}
    reopened: {event: service.case.status_changed, where: status == "reopened"}
    same: [case]
    grace: 10m
    linger: 48h
    at_most: forever
given:
  stock: {event: inventory.level.changed, where: available == 0, same: item, per: [location], within: 1d}
unless:
  solved: {event: service.case.status_changed, since: complaint, within: {open: 2h, calendar: support-hours}}
  legal:
    opened: {event: customer.status.changed, where: status == "legal_hold"}
    closed: {event: customer.status.changed, where: status != "legal_hold"}
exceptions:
  - {name: recalls, where: 'purpose == "recall_notice" && complaint.topic == "recall"', reason: duty, owner: legal, until: 2026-12-31}
alert: {once_per: [customer, case], quiet: 12h, say: "{promo.tool} after {gap}"}
runbook: |
  1. Pause it.
references: [one, two]
false_positives: [none]
tests:
  - name: raised
    events:
      - {at: 0h, service.case.opened: {case: K1, kind: complaint}}
      - {at: 2h, id: E9, source: crm, observed: 3h, subject: C7, marketing.message.sent: {category: promotional}}
    expect: [{at: 2h, status: open, evidence: [complaint]}]
    until: 5d
"""


def test_every_word_is_read():
    (spec,) = parse_rules(FULL, "rule.yaml", SHARED)
    assert (spec.id, spec.status, spec.severity) == (
        "promo-during-open-complaint",
        RuleStatus.SHADOW,
        Severity.CRITICAL,
    )
    assert spec.when.matches[0].event == "marketing.message.sent"
    assert spec.when.matches[0].same == {"item": "items.sku"}
    bought, asked = spec.after
    assert bought.matches[0].same == {"order": "order", "item": "items.sku"}
    assert (bought.within, bought.grace, bought.is_counting) == (Window(30 * DAY), 10 * MINUTE, False)
    assert (asked.within, asked.at_least, asked.distinct, asked.since) == (None, 3, "intent", "bought")
    (complaint,) = spec.while_
    assert [match.event for match in complaint.closed] == ["service.case.status_changed", "service.case.updated"]
    assert (complaint.same, complaint.opened[0].same) == ({"case": "case"}, {"order": "order"})
    assert (complaint.grace, complaint.linger, complaint.at_most) == (10 * MINUTE, 48 * HOUR, None)
    (stock,) = spec.given
    assert (stock.per, stock.matches[0].same, stock.within) == ({"location": "location"}, {"item": "item"}, Window(DAY))
    solved, legal = spec.unless
    assert isinstance(solved, UnlessEvent)
    assert (solved.since, solved.within) == ("complaint", Window(2 * HOUR, "support-hours"))
    assert isinstance(legal, State)
    assert (legal.grace, legal.at_most) == (0, 180 * DAY)
    (recalls,) = spec.exceptions
    assert recalls.until == 1_798_675_200_000_000
    assert {node.step for node in walk(recalls.where) if isinstance(node, FieldRef)} == {"promo", "complaint"}
    assert (spec.alert.once_per, spec.alert.quiet, spec.alert.say) == (
        ("customer", "case"),
        12 * HOUR,
        "{promo.tool} after {gap}",
    )
    assert (spec.runbook, spec.references, spec.tags) == ("1. Pause it.", ("one", "two"), ("retail", "bank"))
    (example,) = spec.tests
    assert example.until == 5 * DAY
    assert example.events[1] == {
        "at": 2 * HOUR, "type": "marketing.message.sent", "data": {"category": "promotional"},
        "id": "E9", "source": "crm", "observed_at": 3 * HOUR, "subject": "C7",
    }  # fmt: skip
    assert example.expect == ({"at": 2 * HOUR, "status": "open", "evidence": ["complaint"]},)


def test_expect_with_its_words():
    spec = rule(
        "when: {promise: {event: service.commitment.made}}\n"
        "unless: {back: {event: service.commitment.closed, since: promise}}\n"
        "expect: {paid: {event: commerce.payment.changed, same: order, within: 3d, early: 1h, repair: 7d,"
        " by: 'due_at + duration(\"15m\")'}}\n"
    )
    assert spec.expect is not None
    assert (spec.expect.within, spec.expect.early, spec.expect.repair) == (Window(3 * DAY), HOUR, 7 * DAY)
    assert spec.expect.by is not None
    assert [node.step for node in walk(spec.expect.by) if isinstance(node, FieldRef)] == ["promise"]


def test_what_a_short_rule_leaves_out_has_its_default():
    spec = rule(WHEN)
    assert (spec.status, spec.alert.once_per, spec.alert.quiet) == (RuleStatus.DRAFT, ("customer",), DAY)
    assert (spec.tests, spec.unless, spec.expect) == ((), (), None)


def test_several_rules_stand_in_one_file():
    text = HEAD + WHEN + "---\n" + HEAD.replace("a-rule", "b-rule") + WHEN
    assert [spec.id for spec in parse_rules(text, "rule.yaml")] == ["a-rule", "b-rule"]
    with pytest.raises(
        RuleError, match=r"rule.yaml:8:1: two rules have the id 'a-rule' \(the first stands at line 1\)"
    ):
        parse_rules(HEAD + WHEN + "---\n" + HEAD + WHEN, "rule.yaml")


# ---- every mistake


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("whn: {}\n" + WHEN, "1:1 unknown word 'whn' in a rule (did you mean 'when'?)"),
        ("", "-4:1 a rule needs the word 'when'"),
        ("when: sent\n", "1:7 when must be a map of words, and this is 'sent'"),
        ("when: {}\n", "1:7 'when' names exactly one step, the act; here is none"),
        (
            "when:\n  a: {event: marketing.message.sent}\n  b: {event: marketing.message.sent}\n",
            "2:3 'when' names exactly one step, the act; here is 2",
        ),
        (
            "when: {a: {event: marketing.mesage.sent}}\n",
            "1:19 no event type is called 'marketing.mesage.sent' (did you mean 'marketing.message.sent'?)",
        ),
        ("when: {a: {evnt: x}}\n", "1:12 unknown word 'evnt' in a when step (did you mean 'event'?)"),
        ("when: {a: {where: 'has(code)'}}\n", "1:11 a when step needs the word 'event' (or any: [{event: ...}, ...])"),
        ("when: {2a: {event: marketing.message.sent}}\n", "1:8 '2a' cannot be the name of a step (letters, digits and _, no digit first)"),
        ("when: {in: {event: marketing.message.sent}}\n", "1:8 'in' has a meaning of its own and cannot be the name of a step"),
        (
            WHEN + "after: {sent: {event: feedback.received, within: 1d}}\n",
            "2:9 two steps are called 'sent' (the first stands at line 6)",
        ),
        (WHEN + "after: {a: {event: feedback.received}}\n", "2:9 'a' needs a 'within' (within: 72h, or within: forever)"),
        (
            WHEN + "after: {a: {event: feedback.received, within: 3 days}}\n",
            "2:47 'within' must be a duration, and '3 days' is none (a number and a unit: 90s, 10m, 72h, 1d12h, 2w)",
        ),
        (
            WHEN + "after: {a: {event: feedback.received, within: 30}}\n",
            "2:47 'within' must be a duration, and '30' is none (write the unit: 30m)",
        ),
        (
            WHEN + "after: {a: {event: feedback.received, within: 1d, at_least: 0}}\n",
            "2:61 'at_least' must be a whole number from 1 on, and this is '0'",
        ),
        (
            WHEN + "after: {a: {event: feedback.received, within: 1d, since: b}, b: {event: feedback.received, within: 1d}}\n",
            "2:58 'since: b' must name a single after step written before it",
        ),
        (
            WHEN + "after: {a: {event: feedback.received, within: 1d, since: sent}}\n",
            "2:58 'since: sent' must name a single after step written before it",
        ),
        (
            WHEN + "after: {a: {event: feedback.received, within: 1d, distinct: scor}}\n",
            "2:61 feedback.received has no field 'scor' (did you mean 'score'?)",
        ),
        (
            WHEN + "unless: {a: {event: feedback.received}}\n",
            "2:10 'a' needs a 'within' or a 'since' (within: 1h, or since: the name of a step)",
        ),
        (
            WHEN + "unless: {a: {event: feedback.received, within: 1d, at_least: 2}}\n",
            "2:10 an unless step has no 'at_least' (one event cancels)",
        ),
        (
            WHEN + "unless: {a: {event: feedback.received, since: sent}}\n",
            "2:47 'since: sent' must name an after step, a state; the act only with 'expect'",
        ),
        (
            WHEN + "unless: {a: {event: feedback.received, within: forever}}\n",
            "2:48 'forever' is for after steps and at_most (write the longest time that matters)",
        ),
        (
            WHEN + "unless: {a: {opened: {event: feedback.received}, closed: {event: feedback.received}, grace: 1m}}\n",
            "2:86 unknown word 'grace' in an unless step that is a state",
        ),
        (WHEN + "while: {a: {opened: {event: feedback.received}}}\n", "2:12 a while step needs the word 'closed'"),
        (
            WHEN + "while: {a: {opened: {event: service.case.opened}, closed: {event: service.case.opened, same: case}}}\n",
            "2:59 'closed' is not tied to the act, so it has no 'same' of its own",
        ),
        (WHEN + "expect: {a: {event: feedback.received}}\n", "2:10 'a' needs a 'within' or a 'by'"),
        (
            WHEN + "expect: {a: {event: feedback.received, within: 1h}, b: {event: feedback.received, within: 1h}}\n",
            "2:53 'expect' names at most one step (use any: for one of several events)",
        ),
        (WHEN + "expect: {a: {event: feedback.received, by: category}}\n", "2:44 'by' must be a time"),
        (
            WHEN + "expect: {a: {event: feedback.received, within: {open: 1h, calendar: night}}}\n",
            "2:69 there is no calendar 'night' (one of: support-hours)",
        ),
        (
            "when: {a: {any: []}}\n",
            "1:17 'any' must be a list of alternatives (any: [{event: ...}, {event: ...}])",
        ),
        (
            "when: {a: {event: feedback.received, any: [{event: feedback.received}]}}\n",
            "1:12 'event' stands beside 'any' (write it inside each alternative)",
        ),
        (
            WHEN + "after: {a: {event: feedback.received, within: 1d, same: sku}}\n",
            "2:57 feedback.received has no field 'sku'",
        ),
        (
            WHEN + "after: {a: {event: feedback.received, within: 1d, same: score}}\n",
            "2:57 the act 'sent' has no 'score' to compare with (say where it stands: when: {sent: {same: {score: ...}}})",
        ),
        (
            WHEN + "after: {a: {event: feedback.received, within: 1d, same: {item: items}}}\n",
            "2:57 'items' is no single value (name a field inside it: items.sku)",
        ),
        (
            WHEN + "after: {a: {event: feedback.received, within: 1d, same: {item: [items]}}}\n",
            "2:64 'item' needs the path of its value ({item: items.sku})",
        ),
        (
            WHEN + "exceptions: [{name: x, where: 'has(item)', reason: r, owner: o, until: soon}]\n",
            "2:72 'soon' is no day (write 2026-12-31)",
        ),
        (WHEN + "exceptions: [{name: x, where: 'has(item)', owner: o, until: 2026-01-01}]\n", "2:14 an exception needs the word 'reason'"),
        (WHEN + "alert: {quit: 2h}\n", "2:9 unknown word 'quit' in 'alert' (did you mean 'quiet'?)"),
        (WHEN + "status: alive\n", "2:9 'alive' is no status (did you mean 'live'?)"),
        (WHEN + "tests: [{name: x, events: [{at: 1h, service.case.opend: {}}], expect: []}]\n",
         "2:37 no event type is called 'service.case.opend' (did you mean 'service.case.opened'?)"),
        (WHEN + "tests: [{name: x, events: [{at: 1h, service.case.opened: {kid: 1}}], expect: []}]\n",
         "2:59 service.case.opened has no field 'kid' (did you mean 'kind'?)"),
        (WHEN + "tests: [{name: x, events: [{at: 1h, service.case.opened: {id: 1}}], expect: []}]\n",
         "2:59 'id' belongs to the envelope (write it beside 'at', not inside service.case.opened)"),
        (WHEN + "tests: [{name: x, events: [{at: 1h}], expect: []}]\n",
         "2:28 an event of a test names one event type; here are 0 (- {at: 2h, service.case.opened: {case: K1}})"),
        (WHEN + "tests: [{name: x, events: [], expect: [{at: 1h, evidence: [sent]}]}]\n",
         "2:59 no step that gives evidence is called 'sent'"),
        (WHEN + "tests: [{name: x, events: []}]\n", "2:9 a test needs the word 'expect'"),
        (WHEN + "runbook: true\n", "2:10 'runbook' must be a text, and this is 'true'"),
        ("when: {a: {event: feedback.received, where: no}}\n", "1:45 'no' is a boolean in YAML (write true or false, or quote it: \"no\")"),
        (WHEN + "tags: [a]\ntags: [b]\n", "3:1 the key 'tags' stands here twice (first at line 7)"),
        (
            WHEN + "after: {a: {event: feedback.received, where: b.score > 1, within: 1d}, b: {event: feedback.received, within: 1d}}\n",
            "2:46 'b' comes later; a step sees only the steps before it",
        ),
        (
            WHEN + "after:\n  a: {event: feedback.received, where: channel == a, within: 1d}\n",
            "3:51 'a' comes later; a step sees only the steps before it (as a text it is written \"a\")",
        ),
        (
            WHEN + "after:\n  a: {event: feedback.received, where: 'channel in [emial, sms]', within: 1d}\n",
            "3:53 'emial' is no field of feedback.received, and no earlier step, list or macro (as a text it is written \"emial\")",
        ),
        (
            WHEN + "after:\n  a: {event: feedback.received, within: 1d, at_least: 2}\n  b: {event: feedback.received, within: 1d, where: a.score > 1}\n",
            "4:52 'a' counts events, so it is no one event whose fields could be read",
        ),
        (
            WHEN + "unless:\n  a: {event: feedback.received, within: 1d}\n  b: {event: feedback.received, within: 1d, where: a.score > 1}\n",
            "4:52 'a' cancels: when the rule holds there is no such event to read",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_the_next_move(body, problem):
    assert any(each.startswith(problem) for each in told(body)), told(body)


def test_all_mistakes_of_a_file_are_told_in_one_run_in_the_order_of_its_lines():
    body = (
        'when: {promo: {event: marketing.message.sent, where: categry == "x"}}\n'
        "after: {a: {event: service.case.opend, within: 3x, where: (}}\n"
        "unles: {}\n"
        "---\n"
        "id: second\n"
    )
    problems = told(body)
    assert [problem.split(" ")[0] for problem in problems] == [
        "1:54", "2:20", "2:48", "2:60", "3:1", "5:1", "5:1", "5:1", "5:1", "5:1",
    ]  # fmt: skip


def test_an_expression_with_a_comma_must_be_quoted_and_the_error_says_so():
    problems = told("when: {a: {event: marketing.message.sent, where: items.exists(i, i.sku == 1)}}\n")
    assert any("unknown word 'i.sku == 1)'" in problem and "quote an expression" in problem for problem in problems)
    problems = told('when: {a: {event: marketing.message.sent, where: category in ["a"]}}\n')
    assert any("quote an expression that holds [, { or a comma" in problem for problem in problems)
    problems = told("when:\n  a:\n    event: marketing.message.sent\n    where: [a, b]\n")
    assert any("quote an expression" in problem for problem in problems)
    problems = told("when:\n  a:\n    event: marketing.message.sent\n    where: !has(item)\n")
    assert problems == ["4:12 YAML takes the leading ! for itself (quote it: where: '!has(kind)')"]


@pytest.mark.parametrize(
    ("where", "line", "column"),
    [
        ("where: kind == 'x' && categry == 'y'", 4, 12),
        ("where: channel == 'x' && categry == 'y'", 4, 30),
        ('where: \'channel == "x" && categry == "y"\'', 4, 31),
        ("where: 'channel == ''x'' && categry == ''y'''", 4, 33),
        ('where: "channel == \\"x\\" && categry == \\"y\\""', 4, 33),
        ('where: "channel == \\u0022x\\u0022 && categry == 1"', 4, 41),
        ("where: |\n      channel == 'x'\n      && categry == 'y'", 6, 10),
        ("where: >-\n      channel == 'x'\n\n      && categry == 'y'", 7, 10),
        ("where: channel == 'x'\n      && categry == 'y'", 5, 10),
        ("where: \"channel == 'x'\n      && categry == 'y'\"", 5, 10),
        ("where: \"channel == 'x' \\\n      && categry == 'y'\"", 5, 10),
    ],
)
def test_the_column_is_exact_through_quotes_escapes_and_folded_lines(where, line, column):
    with pytest.raises(RuleError) as error:
        parse_rules(f"{HEAD}when:\n  a:\n    event: marketing.message.sent\n    {where}\n", "rule.yaml")
    place = error.value.problems[0].place
    assert (place.line - HEAD.count("\n"), place.column) == (line, column)


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("case", {"case": "case"}),
        ("[case]", {"case": "case"}),
        ("{item: items.sku}", {"item": "items.sku"}),
        ("[case, {item: items.sku}]", {"case": "case", "item": "items.sku"}),
        ("[{item: items.sku, case: case}]", {"item": "items.sku", "case": "case"}),
    ],
)
def test_statement_12_same_is_a_name_a_map_or_a_list_of_both(written, keys):
    spec = rule(WHEN + f"after: {{a: {{event: service.case.opened, within: 1d, same: {written}}}}}\n")
    assert spec.after[0].matches[0].same == keys


def test_the_act_says_where_its_own_key_stands():
    spec = rule(
        "when: {sent: {event: marketing.message.sent, same: {sku: items.sku}}}\n"
        "after: {a: {event: commerce.order.changed, within: 1d, same: {sku: items.sku}}}\n"
    )
    assert spec.when.matches[0].same == {"sku": "items.sku"}


def test_a_broken_rule_names_only_its_own_mistakes():
    problems = told(
        "when: {sent: {event: marketing.mesage.sent}}\nafter: {a: {event: feedback.received, within: 1d,"
        " where: sent.category == 'x', same: item}}\nexpect: {b: {event: feedback.received, by: due_at}}\n"
    )
    assert len(problems) == 1


# ---- shared words


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("list: {}", "1:1: unknown word 'list' in _shared.yaml (did you mean 'lists'?)"),
        ("lists: {a: b}", "1:12: the list 'a' must be a list (a: [first, second])"),
        ("lists: {a: [[b]]}", "1:13: the list 'a' holds texts, numbers, true and false only"),
        ("macros: {a: b ==}", "1:17: the expression ends where a value should follow"),
        ("lists: {a: [x]}\nmacros: {a: has(b)}", "2:10: 'a' is both a list and a macro"),
        ("calendars: {a: {zone: Europe/Pari, weekly: {mon: ['09:00-17:00']}}}",
         "1:23: there is no time zone 'Europe/Pari' (did you mean 'Europe/Paris'?)"),
        ("calendars: {a: {zone: UTC, weekly: {mon: ['17:00-09:00']}}}",
         "1:43: '17:00-09:00' does not end after it begins (split hours that pass midnight: 22:00-24:00)"),
        ("calendars: {a: {zone: UTC, weekly: {mon: ['9-17']}}}", "1:43: '9-17' is no span of open hours"),
        ("calendars: {a: {zone: UTC, weekly: {mon: ['09:00-17:00', '16:00-18:00']}}}", "1:42: the open hours of mon overlap"),
        ("calendars: {a: {zone: UTC, weekly: {mond: ['09:00-17:00']}}}", "1:37: unknown word 'mond' in 'weekly' (did you mean 'mon'?)"),
        ("calendars: {a: {zone: UTC, weekly: {mon: []}}}", "1:36: the calendar 'a' is never open"),
        ("calendars: {a: {zone: UTC, weekly: {mon: ['00:00-24:00']}, holidays: [2026-02-30]}}", "1:70: '2026-02-30' is no day"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_shared_words(text, problem):
    with pytest.raises(RuleError) as error:
        parse_shared(text, "_shared.yaml")
    assert str(error.value.problems[0]).startswith(f"_shared.yaml:{problem}")


# ---- hostile files


@pytest.mark.parametrize(
    "text",
    [
        "\0",
        "[" * 10_000,
        "a: &a [x]\nb: *a",
        "{" * 40 + "}" * 40,
        "!!python/object/apply:os.system ['true']",
        "- " * 5_000,
        "id: [\n",
        "'",
        "? [a]\n: b",
        "--- a\n--- b\n",
        HEAD + "when: {a: {event: feedback.received, where: '" + "(" * 5_000 + "'}}\n",
        HEAD + "when: {a: {event: feedback.received, where: '" + "x" * 1_000_000 + "'}}\n",
        HEAD + "when: {a: {event: [feedback.received], same: [[[x]]], any: 3}}\n",
        HEAD + WHEN + "while: {a: {opened: 1, closed: [], same: {a: {b: c}}}}\n",
        HEAD + WHEN + "expect: []\ntests: {a: b}\nalert: []\nexceptions: {a: b}\n",
    ],
)
def test_a_hostile_file_is_an_error(text):
    with pytest.raises(RuleError):
        parse_rules(text, "rule.yaml", SHARED)


def test_an_empty_file_holds_no_rule():
    assert parse_rules("", "rule.yaml") == []
    assert parse_rules("# nothing\n---\n", "rule.yaml") == []


@pytest.mark.parametrize("by", ["due_at", "promise.due_at", "act.due_at"])
def test_statement_6_by_is_a_time_of_the_act(by):
    spec = rule(
        "when: {promise: {event: service.commitment.made}}\n"
        f"expect: {{paid: {{event: commerce.payment.changed, by: '{by} + duration(\"15m\")'}}}}\n"
    )
    assert spec.expect is not None
    assert spec.expect.by is not None
    (field,) = [node for node in walk(spec.expect.by) if isinstance(node, FieldRef)]
    assert (field.step, field.path, field.kind) == ("promise", ("due_at",), "timestamp")
