"""Statements 20 to 23: expressions."""

from typing import Any

import pytest

from tests.statements.scene import Judge, acts, on, told


def holds(judge: Judge, where: str, shared: dict[str, Any] | None = None, kind: str = "statement", **data: Any) -> bool:
    """Does the condition hold for one event with this data?"""
    rule = f"{{when: {{it: {{event: {kind}, where: {where!r}}}}}}}"
    return len(told(judge, rule, [on(kind, "0h", **data)], shared=shared)) == 1


def test_rule_20_a_bare_name_is_a_field_then_an_attribute_then_a_step_then_a_list_or_macro(judge: Judge) -> None:
    shared = {"lists": {"over": ["solved", "closed"]}, "macros": {"is_over": "status in over"}}
    assert holds(judge, 'status == "solved" && customer == "C1" && source == "crm"', kind="status", status="solved")
    assert holds(judge, 'type == "service.case.status_changed" && observed_at >= time', kind="status", status="solved")
    assert holds(judge, "status in over && is_over", shared, kind="status", status="closed")
    assert not holds(judge, "is_over", shared, kind="status", status="open")
    assert holds(judge, 'tool.name == "desk"', tool={"name": "desk"})


def test_rule_20_earlier_steps_are_named_by_name(judge: Judge) -> None:
    rule = """
    when: {promo: {event: sent}}
    after:
      bought: {event: order, within: 1d, where: total == 10 && promo.channel == "sms"}
      back: {event: return, within: 1d, where: time - bought.time == duration("30m") && tool.name == bought.tool.name}
    """
    tool = {"tool": {"name": "shop"}}
    events = [on("order", "0h", total=10, **tool), on("return", "30m", **tool), on("sent", "1h", channel="sms")]
    assert len(told(judge, rule, events)) == 1
    assert told(judge, rule, [*events[:2], on("sent", "1h", channel="email")]) == []
    assert told(judge, rule, [events[0], on("return", "30m", tool={"name": "other"}), events[2]]) == []


def test_rule_20_in_closed_and_reopened_the_states_name_is_the_event_that_began_the_episode(judge: Judge) -> None:
    rule = """
    when: {promo: {event: sent}}
    while:
      open:
        opened: {event: case}
        closed: {event: status, where: topic == open.topic && status == "solved"}
        reopened: {event: status, where: topic == open.topic && status == "reopened"}
    """
    begin = on("case", "0h", topic="a")
    promo = on("sent", "3h")
    assert told(judge, rule, [begin, on("status", "1h", topic="a", status="solved"), promo]) == []
    assert len(told(judge, rule, [begin, on("status", "1h", topic="b", status="solved"), promo])) == 1
    done = [begin, on("status", "1h", topic="a", status="solved")]
    assert len(told(judge, rule, [*done, on("status", "2h", topic="a", status="reopened"), promo])) == 1
    assert told(judge, rule, [*done, on("status", "2h", topic="b", status="reopened"), promo]) == []


TRUTH = {"true": "has(about)", "false": "!has(about)", "unknown": 'field == "x"'}


@pytest.mark.parametrize(
    ("sign", "left", "right", "expected"),
    [
        ("&&", "true", "true", "true"), ("&&", "true", "unknown", "unknown"), ("&&", "unknown", "unknown", "unknown"),
        ("&&", "false", "unknown", "false"), ("&&", "unknown", "false", "false"), ("&&", "true", "false", "false"),
        ("||", "true", "unknown", "true"), ("||", "unknown", "true", "true"), ("||", "false", "unknown", "unknown"),
        ("||", "unknown", "unknown", "unknown"), ("||", "false", "false", "false"), ("||", "unknown", "false", "unknown"),
    ],
)  # fmt: skip
def test_rule_21_and_and_or_are_kleene(judge: Judge, sign: str, left: str, right: str, expected: str) -> None:
    whole = f"(({TRUTH[left]}) {sign} ({TRUTH[right]}))"
    assert holds(judge, whole, about="order") == (expected == "true")
    assert holds(judge, f"!{whole}", about="order") == (expected == "false"), "not unknown is unknown"


@pytest.mark.parametrize(
    "where",
    ['field == "x"', 'field != "x"', '!(field == "x")', 'field in ["x"]', 'field.startsWith("x")', "size(field) >= 0",
     '!field.matches("x")', "total + 1 > 0", 'field + "x" != "x"', 'items.exists(i, i.sku == "A")', 'items.all(i, i.sku == "A")'],
)  # fmt: skip
@pytest.mark.parametrize("data", [{}, {"field": None, "total": None, "items": None}])
def test_rule_21_any_operator_on_a_missing_or_null_value_is_unknown(
    judge: Judge, where: str, data: dict[str, Any]
) -> None:
    kind = "order" if "total" in where else "statement"
    assert not holds(judge, where, kind=kind, **data)
    assert not holds(judge, f"!({where})", kind=kind, **data)


def test_rule_21_only_has_sees_absence(judge: Judge) -> None:
    assert holds(judge, "has(field)", field="")
    assert holds(judge, "!has(field)")
    assert holds(judge, "!has(field)", field=None)
    assert holds(judge, "has(tool.name) && !has(tool.team)", tool={"name": "x"})
    assert holds(judge, "!has(tool.name)")


def test_rule_21_in_a_list(judge: Judge) -> None:
    assert holds(judge, "value in [1, 2]", value=2)
    assert holds(judge, "!(value in [1, 2])", value=3)
    assert not holds(judge, "value in [1, 2] || !(value in [1, 2])")
    assert holds(judge, '"O1" in order', order=["O1", None])
    assert not holds(judge, '"O1" in order || !("O1" in order)', order=["O2", None]), "an element is unknown"
    assert not holds(judge, '"O1" in order || !("O1" in order)', order=None)
    assert holds(judge, '!("O1" in order)', order=[])


def test_rule_21_exists_is_a_kleene_or_and_all_a_kleene_and(judge: Judge) -> None:
    some, every = 'items.exists(i, i.sku == "A")', 'items.all(i, i.sku == "A")'
    a, b, unknown = {"sku": "A"}, {"sku": "B"}, {"quantity": 1}
    assert holds(judge, some, items=[unknown, a])
    assert not holds(judge, f"{some} || !{some}", items=[unknown, b])
    assert holds(judge, f"!{some}", items=[b])
    assert holds(judge, f"!{every}", items=[unknown, b])
    assert not holds(judge, f"{every} || !{every}", items=[unknown, a])
    assert holds(judge, f"{every} && !{some}", items=[])


@pytest.mark.parametrize(
    ("where", "value", "expected"),
    [
        ("value == 1", 1.0, True), ("value == 1", True, False), ("value != 1", True, True), ("value == true", 1, False),
        ("value != true", 1, True), ('value == "1"', 1, False), ('value != "1"', 1, True), ("value in [1]", True, False),
        ("value in [true]", 1, False), ("value in [1.0]", 1, True), ("value == 0", False, False),
    ],
)  # fmt: skip
def test_rule_22_equality_of_different_kinds_is_false(judge: Judge, where: str, value: object, expected: bool) -> None:
    assert holds(judge, where, value=value) == expected


@pytest.mark.parametrize("value", ["a", True, [1], {"x": 1}])
def test_rule_22_ordering_or_calling_on_the_wrong_kind_is_unknown(judge: Judge, value: object) -> None:
    assert not holds(judge, "value > 0", value=value)
    assert not holds(judge, "!(value > 0)", value=value)
    assert holds(judge, 'value > 0 || about == "order"', value=value, about="order")


def test_rule_22_calling_on_the_wrong_kind_is_unknown(judge: Judge) -> None:
    for where in ('value.startsWith("a")', "size(value) > 0", 'value.matches("1")'):
        assert not holds(judge, where, value=1), where
        assert not holds(judge, f"!({where})", value=1), where


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("turn + 1 == 11", True), ("turn - 1.5 == 8.5", True), ("turn * turn == 100", True), ("turn / 4 == 2", True),
        ("turn / 4.0 == 2.5", True), ("-turn / 4 == -2", True), ("turn % 3 == 1", True), ("-turn % 3 == -1", True),
        ("-turn < 0", True), ("turn / 0 == 1", False), ("!(turn / 0 == 1)", False), ("!(turn % 0 == 1)", False),
        ("turn * 4611686018427387904 > 0", False), ("!(turn * 4611686018427387904 > 0)", False),
        ("turn + 2 * 3 == 16", True), ("(turn + 2) * 3 == 36", True), ("turn == 10 || turn / 0 == 1", True),
        ('response_id + "!" == "EUR!"', True),
    ],
)  # fmt: skip
def test_rule_22_arithmetic(judge: Judge, where: str, expected: bool) -> None:
    assert holds(judge, where, kind="bot", turn=10, response_id="EUR") == expected


def test_rule_22_a_number_is_a_double_however_it_is_written(judge: Judge) -> None:
    for total in (10, 10.0):
        assert holds(judge, "total / 4 == 2.5", kind="order", total=total)


@pytest.mark.parametrize(
    "where",
    [
        'promised_delivery - time == duration("30m")',
        'time + duration("30m") == promised_delivery',
        'promised_delivery - duration("1h") < time',
        'promised_delivery - time > duration("29m59s999ms")',
    ],
)
def test_rule_22_time_arithmetic(judge: Judge, where: str) -> None:
    assert holds(judge, where, kind="order", promised_delivery="2026-03-02T12:30:00Z")
    assert not holds(judge, where, kind="order", promised_delivery="2026-03-02T13:30:00Z") or "> duration" in where
    assert not holds(judge, f"({where}) || !({where})", kind="order"), "no date is unknown"


def test_rule_23_lists_are_asked_with_exists(judge: Judge) -> None:
    assert holds(
        judge,
        'items.exists(i, i.sku == "A" && i.price > 5)',
        items=[{"sku": "A", "price": 1}, {"sku": "A", "price": 9}],
    )
    assert not holds(
        judge,
        'items.exists(i, i.sku == "A" && i.price > 5)',
        items=[{"sku": "A", "price": 1}, {"sku": "B", "price": 9}],
    )


def test_rule_23_matches_is_an_unanchored_search(judge: Judge) -> None:
    assert holds(judge, 'field.matches("rde")', field="order")
    assert not holds(judge, 'field.matches("^rde")', field="order")
    assert not holds(judge, 'field.matches("RDE")', field="order")


def test_rule_23_text_functions(judge: Judge) -> None:
    where = 'field.startsWith("or") && field.endsWith("er") && field.contains("rd") && size(field) == 5'
    assert holds(judge, where, field="order")
    assert acts(
        told(
            judge, "when: {it: {event: statement, where: size(field) == 1}}", [on("statement", "0h", id="x", field="é")]
        )
    ) == ["x"]
