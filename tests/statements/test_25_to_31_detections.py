"""Statements 25 to 31: detections."""

import itertools

import pytest

from tests.statements.scene import Judge, acts, at, document, evidence, on, told

EXPECT = """
when: {gone: {event: order, where: status == "cancelled"}}
expect: {notice: {event: sent, same: order, within: 30m, repair: 1h}}
"""
AFTER = """
when: {promo: {event: sent}}
after: {complaint: {event: case, within: 2h}}
"""


def gone(time: str, name: str, order: str = "O1") -> dict[str, object]:
    return on("order", time, id=name, order=order, status="cancelled")


def test_rule_25_each_act_has_its_own_deadline(judge: Judge) -> None:
    found = told(judge, EXPECT, [gone("0h", "a"), gone("10m", "b")], until="9h")
    assert [(one["act"]["id"], one["at"]) for one in found] == [("a", at("30m")), ("b", at("40m"))]
    found = told(judge, EXPECT, [gone("0h", "a"), gone("10m", "b"), on("sent", "35m", order="O1", id="m")], until="9h")
    assert [(one["act"]["id"], one["status"]) for one in found] == [("a", "made_good")]


def test_rule_25_one_detection_an_act_whatever_the_number_of_bindings(judge: Judge) -> None:
    assert len(told(judge, AFTER, [on("case", "0h"), on("case", "1m"), on("case", "2m"), on("sent", "1h")])) == 1


def test_rule_25_the_order_of_arrival_changes_nothing(judge: Judge) -> None:
    events = [on("case", "0h"), on("case", "5m"), on("sent", "1h"), on("sent", "1h")]
    results = [told(judge, AFTER, order) for order in itertools.permutations(events)]
    assert all(result == results[0] for result in results)
    assert len(results[0]) == 2


def test_rule_26_at_is_the_acts_time_or_the_deadline(judge: Judge) -> None:
    assert [one["at"] for one in told(judge, AFTER, [on("case", "0h", seen=at("9h")), on("sent", "1h")])] == [at("1h")]
    assert [one["at"] for one in told(judge, EXPECT, [gone("0h", "a")], until="9h")] == [at("30m")]


@pytest.mark.parametrize(
    ("time", "shift", "status"),
    [("30m", 0, None), ("30m", 1, "made_good"), ("90m", 0, "made_good"), ("90m", 1, "open")],
)
def test_rule_27_late_by_at_most_repair_is_made_good(judge: Judge, time: str, shift: int, status: str | None) -> None:
    found = told(judge, EXPECT, [gone("0h", "a"), on("sent", time, shift, order="O1", id="m")], until="9h")
    assert [one["status"] for one in found] == ([status] if status else [])
    assert [evidence(one) for one in found] == ([[("notice", "m")] if status == "made_good" else []] if status else [])


def test_rule_27_the_earliest_late_event_is_named(judge: Judge) -> None:
    events = [gone("0h", "a"), on("sent", "50m", order="O1", id="second"), on("sent", "40m", order="O1", id="first")]
    assert [evidence(one) for one in told(judge, EXPECT, events, until="9h")] == [[("notice", "first")]]


def test_rule_27_the_default_repair_is_30_days(judge: Judge) -> None:
    rule = EXPECT.replace(", repair: 1h", "")
    for shift, status in ((0, "made_good"), (1, "open")):
        late = {**on("sent", "30m", shift, order="O1")}
        late["time"] += 30 * 86_400 * 10**6
        assert [one["status"] for one in told(judge, rule, [gone("0h", "a"), late], until="90d")] == [status]


def test_rule_27_one_expected_event_may_fulfil_any_number_of_acts(judge: Judge) -> None:
    assert told(judge, EXPECT, [gone("0h", "a"), gone("1m", "b"), on("sent", "20m", order="O1")], until="9h") == []


def test_rule_27_open_while_an_unfulfilled_binding_is_left(judge: Judge) -> None:
    rule = """
    when: {gone: {event: order}}
    after: {wish: {event: sent, same: order, within: 1d}}
    expect: {notice: {event: status, same: order, within: 30m}}
    """
    events = [
        on("sent", "0h", order="O1", id="w1"),
        on("sent", "0h", order="O2", id="w2"),
        on("order", "1h", order=["O1", "O2"]),
    ]
    late = [on("status", "2h", order="O1", id="l1"), on("status", "3h", order="O2", id="l2")]
    assert [one["status"] for one in told(judge, rule, events, until="9h")] == ["open"]
    assert [one["status"] for one in told(judge, rule, [*events, late[0]], until="9h")] == ["open"]
    latest = told(judge, rule, [*events, late[1]], until="9h")
    assert [(one["status"], evidence(one)) for one in latest] == [("open", [("wish", "w2")])]
    done = told(judge, rule, [*events, *late], until="9h")
    assert [(one["status"], evidence(one)) for one in done] == [("made_good", [("wish", "w2"), ("notice", "l2")])]


EXCEPTIONS = """
when: {promo: {event: sent}}
after: {complaint: {event: case, within: 2d}}
exceptions:
  - {name: recall, where: complaint.kind == "question", reason: a duty, owner: legal, until: 2026-03-03}
"""


def test_rule_28_an_exception_removes_the_bindings_for_which_it_is_true(judge: Judge) -> None:
    question, complaint = on("case", "0h", kind="question", id="q"), on("case", "-1h", kind="complaint", id="c")
    promo = on("sent", "1h")
    assert told(judge, EXCEPTIONS, [question, promo]) == []
    assert [evidence(one) for one in told(judge, EXCEPTIONS, [question, complaint, promo])] == [[("complaint", "c")]]
    assert len(told(judge, EXCEPTIONS, [on("case", "0h"), promo])) == 1, "unknown is not true"


@pytest.mark.parametrize(("shift", "count"), [(-1, 0), (0, 1)])
def test_rule_28_only_acts_before_its_date_at_midnight(judge: Judge, shift: int, count: int) -> None:
    events = [on("case", "0h", kind="question"), on("sent", "12h", shift)]
    assert len(told(judge, EXCEPTIONS, events)) == count


def test_rule_29_once_per_and_quiet_never_change_detections(judge: Judge) -> None:
    events = [on("case", "0h", case="K1"), *(on("sent", f"{n}m") for n in range(1, 5))]
    plain = told(judge, AFTER, events)
    folded = told(judge, AFTER + "alert: {once_per: [customer, case], quiet: 24h}", events)
    assert len(plain) == 4
    assert folded == plain


def test_rule_30_an_act_that_belongs_to_no_customer_is_not_judged(judge: Judge) -> None:
    rule = "when: {promo: {event: sent}}"
    assert acts(told(judge, rule, [on("sent", "0h", who=None), on("sent", "1h", id="m")])) == ["m"]


def test_rule_30_rules_see_one_customer(judge: Judge) -> None:
    assert told(judge, AFTER, [on("case", "0h", who="C2"), on("sent", "1h")]) == []
    assert told(judge, AFTER, [on("case", "0h", who=None), on("sent", "1h")]) == []
    found = told(judge, AFTER, [on("case", "0h", who="C2"), on("sent", "1h", who="C2", id="m")])
    assert [(one["customer"], acts([one])) for one in found] == [("C2", ["m"])]


def test_rule_31_a_duplicate_changes_nothing(judge: Judge) -> None:
    rule = AFTER.replace("within: 2h", "within: 2h, at_least: 2")
    case, promo = on("case", "0h", id="k", seen=at("5h")), on("sent", "1h")
    again = {**case, "observed_at": at("1h")}
    assert told(judge, rule, [case, again, promo]) == []
    assert len(told(judge, rule, [case, again, on("case", "1m"), promo, promo])) == 1


def test_rule_31_of_observed_at_the_smallest_counts(judge: Judge) -> None:
    rule = "when: {promo: {event: sent, where: 'observed_at - time < duration(\"10m\")'}}"
    first, second = on("sent", "0h", id="m", seen=at("1h")), on("sent", "0h", id="m", seen=at("5m"))
    assert told(judge, rule, [first]) == []
    assert len(told(judge, rule, [first, second])) == 1
    assert len(told(judge, rule, [second, first])) == 1
    opposite = rule.replace("<", ">")
    assert len(told(judge, opposite, [first])) == 1
    assert told(judge, opposite, [first, second]) == []
    assert told(judge, opposite, [second, first]) == []


def test_rule_31_other_content_under_a_known_identity_is_dropped(judge: Judge) -> None:
    rule = 'when: {promo: {event: sent, where: channel == "sms"}}'
    sms, mail = on("sent", "0h", id="m", channel="sms"), on("sent", "0h", id="m", channel="email")
    assert len(told(judge, rule, [sms, mail])) == 1
    assert told(judge, rule, [mail, sms]) == []


def test_rule_31_of_two_contents_that_both_matter_the_first_is_kept(judge: Judge) -> None:
    rule = "{when: {promo: {event: sent}}, after: {bought: {event: order, same: order, within: 1d}}}"
    first, second = on("order", "0h", id="o", order="O1"), on("order", "0h", id="o", order="O2")
    promo = on("sent", "1h", order="O1")
    assert len(told(judge, rule, [first, second, promo])) == 1
    assert told(judge, rule, [second, first, promo]) == []


def test_rule_31_the_same_id_from_another_source_is_another_event(judge: Judge) -> None:
    events = [on("sent", "0h", id="m", source="one"), on("sent", "0h", id="m", source="two")]
    assert [one["act"]["source"] for one in told(judge, "when: {promo: {event: sent}}", events)] == ["one", "two"]


def test_rule_38_the_clock_is_the_largest_event_time_or_until(judge: Judge) -> None:
    assert told(judge, EXPECT, [gone("0h", "a")]) == [], "pending"
    assert told(judge, EXPECT, [gone("0h", "a"), on("case", "29m")]) == []
    assert acts(told(judge, EXPECT, [gone("0h", "a"), on("case", "30m")])) == ["a"], "deadline = clock is violated"
    assert acts(told(judge, EXPECT, [gone("0h", "a"), on("case", "30m", who=None)])) == ["a"]
    assert acts(told(judge, EXPECT, [gone("0h", "a")], until="30m")) == ["a"]


def test_rule_38_events_later_than_the_clock_are_not_yet_there(judge: Judge) -> None:
    events = [gone("0h", "a"), on("sent", "40m", order="O1"), gone("1h", "b")]
    assert [one["status"] for one in told(judge, EXPECT, events, until="35m")] == ["open"]
    assert [one["status"] for one in told(judge, EXPECT, events, until="40m")] == ["made_good"]
    assert told(judge, EXPECT, events, until="29m") == []
    assert told(judge, AFTER, [on("case", "0h"), on("sent", "1h", 1)], until="1h") == []


def test_rule_39_printed_is_what_stands_at_the_end_in_order(judge: Judge) -> None:
    rules = [document("when: {promo: {event: sent}}", 2), document("when: {promo: {event: sent}}", 1)]
    events = [on("sent", "2h", id="b"), on("sent", "2h", id="a"), on("sent", "1h", id="z", source="shop")]
    order = [(one["rule"], one["act"]["id"]) for one in judge(rules, events, None, None)]
    assert order == [
        ("rule-1", "z"),
        ("rule-2", "z"),
        ("rule-1", "a"),
        ("rule-1", "b"),
        ("rule-2", "a"),
        ("rule-2", "b"),
    ]
    (first, *_) = judge(rules, events, None, None)
    assert first == {
        "rule": "rule-1", "customer": "C1", "at": at("1h"), "evidence": [], "status": "open",
        "act": {"source": "shop", "id": "z", "type": "marketing.message.sent", "time": at("1h")},
    }  # fmt: skip


@pytest.mark.parametrize(("status", "count"), [("draft", 1), ("shadow", 1), ("live", 1), ("retired", 0)])
def test_rule_40_draft_shadow_and_live_rules_are_evaluated_alike(judge: Judge, status: str, count: int) -> None:
    assert len(told(judge, f"{{status: {status}, when: {{promo: {{event: sent}}}}}}", [on("sent", "0h")])) == count
