"""Statements 7 to 13: bindings."""

import pytest

from tests.statements.scene import Judge, acts, evidence, on, told

AFTER = """
when: {promo: {event: sent}}
after: {complaint: {event: case, within: 2h}}
"""


def test_rule_07_an_event_is_never_used_up(judge: Judge) -> None:
    events = [on("case", "0h", id="k"), on("sent", "1h", id="a"), on("sent", "90m", id="b")]
    found = told(judge, AFTER, events)
    assert [(acts([one]), evidence(one)) for one in found] == [
        (["a"], [("complaint", "k")]),
        (["b"], [("complaint", "k")]),
    ]


def test_rule_07_one_binding_that_stands_is_enough(judge: Judge) -> None:
    """The second complaint was solved since; the first was not: a detection by the first."""
    rule = AFTER + "unless: {solved: {event: status, since: complaint, where: kind == complaint.kind}}"
    events = [
        on("case", "0h", id="open", case="K1", kind="complaint"),
        on("case", "10m", id="done", case="K2", kind="question"),
        on("status", "20m", status="solved", kind="question"),
        on("sent", "1h", id="a"),
    ]
    assert [evidence(one) for one in told(judge, rule, events)] == [[("complaint", "open")]]
    events.append(on("status", "30m", status="solved", kind="complaint"))
    assert told(judge, rule, events) == []


def test_rule_07_with_expect_one_unfulfilled_binding_violates(judge: Judge) -> None:
    rule = """
    when: {cancelled: {event: order, same: {item: items.sku}}}
    after: {wish: {event: sent, same: {item: items.sku}, within: 1d}}
    expect: {notice: {event: status, same: {item: items.sku}, within: 30m}}
    """
    both = [{"sku": "A"}, {"sku": "B"}]
    events = [
        on("sent", "0h", id="a", items=[{"sku": "A"}]), on("sent", "0h", id="b", items=[{"sku": "B"}]),
        on("order", "1h", items=both), on("status", "70m", items=[{"sku": "A"}]),
    ]  # fmt: skip
    assert [evidence(one) for one in told(judge, rule, events, until="9h")] == [[("wish", "b")]]
    assert told(judge, rule, [*events, on("status", "75m", items=[{"sku": "B"}])], until="9h") == []


TWO = """
when: {promo: {event: sent}}
after:
  bought: {event: order, within: 2h}
  back: {event: return, within: 2h}
"""


def test_rule_08_after_steps_are_unordered_among_themselves(judge: Judge) -> None:
    assert len(told(judge, TWO, [on("order", "0h"), on("return", "1h"), on("sent", "90m")])) == 1
    assert len(told(judge, TWO, [on("return", "0h"), on("order", "1h"), on("sent", "90m")])) == 1


@pytest.mark.parametrize(("shift", "count"), [(-1, 0), (0, 1), (1, 1)])
def test_rule_08_since_on_after_demands_the_order(judge: Judge, shift: int, count: int) -> None:
    rule = TWO.replace("{event: return, within: 2h}", "{event: return, within: 2h, since: bought}")
    assert len(told(judge, rule, [on("order", "1h"), on("return", "1h", shift), on("sent", "90m")])) == count


def test_rule_09_one_event_plays_one_part_among_single_after_steps(judge: Judge) -> None:
    rule = """
    when: {promo: {event: sent}}
    after:
      one: {event: case, within: 2h}
      two: {event: case, within: 2h}
    """
    assert told(judge, rule, [on("case", "0h"), on("sent", "1h")]) == []
    assert len(told(judge, rule, [on("case", "0h"), on("case", "0h"), on("sent", "1h")])) == 1


def test_rule_09_the_act_is_never_evidence_for_or_against_itself(judge: Judge) -> None:
    for step in (
        "after: {other: {event: sent, within: 2h}}",
        "after: {others: {event: sent, within: 2h, at_least: 1}}",
        "given: {fact: {event: sent}}",
        "while: {busy: {opened: {event: sent}, closed: {event: status}}}",
    ):
        rule = "when: {promo: {event: sent}}\n" + step
        assert told(judge, rule, [on("sent", "0h")]) == [], step
        assert acts(told(judge, rule, [on("sent", "0h"), on("sent", "1h", id="second")])) == ["second"], step
    for step in (
        "unless: {other: {event: sent, within: 2h}}",
        "unless: {busy: {opened: {event: sent}, closed: {event: status}}}",
        "expect: {other: {event: sent, within: 30m}}",
        "while: {busy: {opened: {event: case}, closed: {event: sent}}}",
    ):
        rule = "when: {promo: {event: sent}}\n" + step
        assert len(told(judge, rule, [on("case", "-1h"), on("sent", "0h")], until="9h")) == 1, step


def test_rule_09_an_event_bound_by_after_neither_cancels_nor_fulfils(judge: Judge) -> None:
    rule = AFTER + "unless: {another: {event: case, within: 2h}}"
    assert len(told(judge, rule, [on("case", "0h"), on("sent", "1h")])) == 1
    assert told(judge, rule, [on("case", "0h"), on("case", "0h"), on("sent", "1h")]) == []
    rule = AFTER + "expect: {another: {event: case, within: 1h, early: 2h}}"
    assert len(told(judge, rule, [on("case", "0h"), on("sent", "1h")], until="9h")) == 1
    assert told(judge, rule, [on("case", "0h"), on("case", "0h"), on("sent", "1h")], until="9h") == []


def test_rule_09_a_counting_step_leaves_out_what_a_single_step_binds_and_shares_with_another_count(
    judge: Judge,
) -> None:
    rule = """
    when: {promo: {event: sent}}
    after:
      one: {event: case, within: 2h}
      some: {event: case, within: 2h, at_least: 2}
    """
    assert told(judge, rule, [on("case", "0h"), on("case", "0h"), on("sent", "1h")]) == []
    assert len(told(judge, rule, [on("case", "0h"), on("case", "0h"), on("case", "0h"), on("sent", "1h")])) == 1
    shared = rule.replace("one: {event: case, within: 2h}", "more: {event: case, within: 2h, at_least: 2}")
    assert len(told(judge, shared, [on("case", "0h"), on("case", "0h"), on("sent", "1h")])) == 1


def test_rule_09_states_and_facts_may_share_an_event_with_a_step(judge: Judge) -> None:
    rule = AFTER + "while: {open: {opened: {event: case}, closed: {event: status}}}\ngiven: {last: {event: case}}"
    found = told(judge, rule, [on("case", "0h", id="k"), on("sent", "1h")])
    assert [evidence(one) for one in found] == [[("complaint", "k"), ("open", "k"), ("last", "k")]]


LOOP = """
when: {again: {event: bot, where: fallback}}
after: {before: {event: bot, where: fallback, same: conversation, within: 15m, at_least: 2}}
"""


def test_rule_10_at_least_counts_other_events(judge: Judge) -> None:
    turns = [on("bot", f"{n}m", id=f"t{n}", conversation="V1", fallback=True, turn=n) for n in range(1, 4)]
    found = told(judge, LOOP, turns)
    assert [(acts([one]), evidence(one)) for one in found] == [(["t3"], [("before", "t1"), ("before", "t2")])]


def test_rule_10_distinct_counts_known_values_of_the_others(judge: Judge) -> None:
    rule = LOOP.replace("at_least: 2", "at_least: 2, distinct: response_id")
    act = on("bot", "9m", id="act", conversation="V1", fallback=True, response_id="utter_b")

    def turn(response: str | None) -> dict[str, object]:
        return on(
            "bot", "5m", conversation="V1", fallback=True, **({} if response is None else {"response_id": response})
        )

    assert told(judge, rule, [turn("utter_a"), turn("utter_a"), act]) == []
    assert told(judge, rule, [turn("utter_a"), turn(None), act]) == [], "a missing value is not known"
    assert acts(told(judge, rule, [turn("utter_a"), turn("utter_b"), act])) == ["act"]


@pytest.mark.parametrize(("minute", "count"), [(1, 1), (2, 0), (3, 0)])
def test_rule_10_since_a_counting_step_starts_at_the_earliest_of_the_most_recent_that_suffice(
    judge: Judge, minute: int, count: int
) -> None:
    rule = LOOP + "unless: {learned: {event: captured, since: before}}"
    turns = [on("bot", f"{n}m", conversation="V1", fallback=True) for n in (0, 2, 4)]
    events = [*turns, on("captured", f"{minute}m"), on("bot", "9m", id="act", conversation="V1", fallback=True)]
    assert acts(told(judge, rule, events)).count("act") == count


SAME = """
when: {ad: {event: sent, same: {item: items.sku}}}
after:
  returned: {event: return, same: {item: items.sku}, within: 30d}
"""


def test_rule_11_a_key_is_one_value_that_act_and_steps_contain(judge: Judge) -> None:
    ad = on("sent", "1h", items=[{"sku": "A"}, {"sku": "B"}])
    assert len(told(judge, SAME, [on("return", "0h", items=[{"sku": "B"}, {"sku": "C"}]), ad])) == 1
    assert told(judge, SAME, [on("return", "0h", items=[{"sku": "C"}]), ad]) == []


def test_rule_11_all_positive_steps_contain_the_one_value(judge: Judge) -> None:
    rule = SAME + "  bought: {event: order, same: {item: items.sku}, within: 30d}\n"
    ad = on("sent", "1h", items=[{"sku": "A"}, {"sku": "B"}])
    returned = on("return", "0h", items=[{"sku": "A"}])
    assert told(judge, rule, [returned, on("order", "0h", items=[{"sku": "B"}]), ad]) == []
    assert len(told(judge, rule, [returned, on("order", "0h", items=[{"sku": "A"}]), ad])) == 1


def test_rule_11_unless_must_contain_the_bound_value(judge: Judge) -> None:
    rule = SAME + "unless: {kept: {event: order, same: {item: items.sku}, within: 30d}}"
    ad = on("sent", "1h", items=[{"sku": "A"}, {"sku": "B"}])
    returned = on("return", "0h", items=[{"sku": "A"}])
    assert len(told(judge, rule, [returned, on("order", "0h", items=[{"sku": "B"}]), ad])) == 1
    assert told(judge, rule, [returned, on("order", "0h", items=[{"sku": "A"}]), ad]) == []


def test_rule_11_unless_shares_any_value_when_no_positive_step_names_the_key(judge: Judge) -> None:
    rule = "{when: {ad: {event: sent, same: {item: items.sku}}}, unless: {bought: {event: order, same: {item: items.sku}, within: 1d}}}"
    ad = on("sent", "1h", items=[{"sku": "A"}, {"sku": "B"}])
    assert told(judge, rule, [on("order", "0h", items=[{"sku": "B"}]), ad]) == []
    assert len(told(judge, rule, [on("order", "0h", items=[{"sku": "C"}]), ad])) == 1


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [(1, 1.0, True), (1, True, False), (0, False, False), (1, "1", False), (True, True, True), ("1", "1", True), (True, "true", False)],
)  # fmt: skip
def test_rule_11_numbers_are_equal_by_value_and_true_is_not_1(
    judge: Judge, one: object, other: object, equal: bool
) -> None:
    rule = "{when: {said: {event: statement}}, after: {earlier: {event: statement, same: value, within: 1d}}}"
    assert len(told(judge, rule, [on("statement", "0h", value=one), on("statement", "1h", value=other)])) == equal
    assert (
        len(told(judge, rule, [on("statement", "0h", value=[other, "x"]), on("statement", "1h", value=[one])])) == equal
    )


@pytest.mark.parametrize("missing", [{}, {"order": None}, {"order": []}, {"order": {}}])
def test_rule_12_an_after_event_without_the_key_does_not_qualify(judge: Judge, missing: dict[str, object]) -> None:
    rule = "{when: {promo: {event: sent}}, after: {bought: {event: order, same: order, within: 1d}}}"
    assert told(judge, rule, [on("order", "0h", **missing), on("sent", "1h", order="O1")]) == []
    assert told(judge, rule, [on("order", "0h", order="O1"), on("sent", "1h", **missing)]) == []
    assert told(judge, rule, [on("order", "0h", **missing), on("sent", "1h", **missing)]) == [], (
        "missing equals nothing"
    )


def test_rule_12_an_unless_event_without_the_key_does_not_cancel_and_a_closing_closes_nothing(judge: Judge) -> None:
    rule = "{when: {promo: {event: sent}}, unless: {kept: {event: order, same: order, within: 1d}}}"
    assert len(told(judge, rule, [on("order", "0h"), on("sent", "1h", order="O1")])) == 1
    rule = "{when: {promo: {event: sent}}, while: {open: {opened: {event: case}, closed: {event: status}, same: case}}}"
    assert len(told(judge, rule, [on("case", "0h", case="K1"), on("status", "1h"), on("sent", "2h")])) == 1
    assert told(judge, rule, [on("case", "0h"), on("sent", "2h")]) == []


def test_rule_12_an_act_without_a_key_that_expect_names_is_not_judged(judge: Judge) -> None:
    rule = "{when: {gone: {event: order}}, expect: {notice: {event: sent, same: order, within: 30m}}}"
    assert told(judge, rule, [on("order", "0h")], until="9h") == []
    assert len(told(judge, rule, [on("order", "0h", order="O1")], until="9h")) == 1
    either = """
    when: {gone: {event: order}}
    expect: {notice: {within: 30m, any: [{event: sent, same: order}, {event: status}]}}
    """
    assert len(told(judge, either, [on("order", "0h")], until="9h")) == 1
    assert len(told(judge, either, [on("order", "0h"), on("sent", "1m", order="O1")], until="9h")) == 1
    assert told(judge, either, [on("order", "0h"), on("status", "1m")], until="9h") == []


@pytest.mark.parametrize("form", ["order", "{order: order}", "[order]", "[{order: order}]"])
def test_rule_12_same_has_three_forms(judge: Judge, form: str) -> None:
    rule = f"{{when: {{promo: {{event: sent}}}}, after: {{bought: {{event: order, same: {form}, within: 1d}}}}}}"
    assert len(told(judge, rule, [on("order", "0h", order="O1"), on("sent", "1h", order="O1")])) == 1
    assert told(judge, rule, [on("order", "0h", order="O2"), on("sent", "1h", order="O1")]) == []


def test_rule_13_the_latest_binding_is_named_step_by_step(judge: Judge) -> None:
    events = [on("order", "0h", id="o1"), on("return", "50m", id="r1"), on("order", "10m", id="o2"), on("sent", "1h")]
    assert [evidence(one) for one in told(judge, TWO, events)] == [[("bought", "o2"), ("back", "r1")]]


def test_rule_13_the_latest_binding_is_sought_over_all_values_of_a_key(judge: Judge) -> None:
    """Under the value A the later event is needed for the second step; under B it is free for the first."""
    rule = """
    when: {bought: {event: order, same: {item: items.sku}}}
    after:
      first: {event: order, within: 1d}
      second: {event: order, same: {item: items.sku}, within: 1d}
    """
    a, b = on("order", "10m", id="a", items=[{"sku": "A"}]), on("order", "0h", id="b", items=[{"sku": "B"}])
    act = on("order", "1h", id="act", items=[{"sku": "A"}, {"sku": "B"}])
    found = told(judge, rule, [a, b, act])
    assert [evidence(one) for one in found if one["act"]["id"] == "act"] == [[("first", "a"), ("second", "b")]]


def test_rule_13_equal_times_are_told_apart_by_source_and_id(judge: Judge) -> None:
    events = [
        on("case", "0h", id="b", source="s1"),
        on("case", "0h", id="a", source="s2"),
        on("case", "0h", id="z", source="s1"),
    ]
    assert [evidence(one) for one in told(judge, AFTER, [*events, on("sent", "1h")])] == [[("complaint", "a")]]


def test_rule_13_facts_states_counts_and_the_late_event_are_named_and_unless_is_not(judge: Judge) -> None:
    rule = """
    when: {gone: {event: order, same: {item: items.sku}}}
    after: {pings: {event: sent, within: 1d, at_least: 2}}
    while: {open: {opened: {event: case}, closed: {event: status}}}
    given: {stock: {event: stock, where: available <= 0, same: item, per: location}}
    unless: {back: {event: return, within: 1m}}
    expect: {paid: {event: payment, within: 10m}}
    """
    events = [
        on("payment", "2h", id="late"), on("order", "1h", items=[{"sku": "A"}]), on("case", "0h", id="k1"), on("case", "5m", id="k2"),
        on("sent", "8m", id="m2"), on("sent", "7m", id="m1"), on("return", "0h"),
        on("stock", "3m", id="s2", who=None, item="A", location="lyon", available=0),
        on("stock", "2m", id="s1", who=None, item="A", location="paris", available=0),
        on("stock", "1m", id="s0", who=None, item="A", location="paris", available=0),
    ]  # fmt: skip
    found = told(judge, rule, events, until="9h")
    named = [("pings", "m1"), ("pings", "m2"), ("open", "k1"), ("stock", "s1"), ("stock", "s2"), ("paid", "late")]
    assert [(one["status"], evidence(one)) for one in found] == [("made_good", named)]
