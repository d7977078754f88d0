"""Statement 19: facts."""

import pytest

from tests.statements.scene import Judge, evidence, on, told

STOCK = """
when: {promo: {event: sent, same: {item: items.sku}}}
given: {stock: {event: stock, where: available <= 0, same: item, per: location}}
"""


def promo(time: str, *skus: str) -> dict[str, object]:
    return on("sent", time, items=[{"sku": sku} for sku in skus])


def stock(time: str, available: object, shift: int = 0, /, **words: object) -> dict[str, object]:
    return on("stock", time, shift, **{"who": None, "item": "A", "location": "paris", "available": available, **words})


def test_rule_19_the_last_fact_as_of_the_act_counts(judge: Judge) -> None:
    assert len(told(judge, STOCK, [stock("0h", 5), stock("1h", 0), promo("2h", "A")])) == 1
    assert told(judge, STOCK, [stock("0h", 0), stock("1h", 5), promo("2h", "A")]) == []
    assert len(told(judge, STOCK, [stock("0h", 0), stock("2h", 5, 1), promo("2h", "A")])) == 1
    assert told(judge, STOCK, [stock("0h", 0), stock("2h", 5), promo("2h", "A")]) == []


def test_rule_19_no_fact_is_unknown(judge: Judge) -> None:
    assert told(judge, STOCK, [promo("2h", "A")]) == []
    assert told(judge, STOCK, [stock("0h", 0, item="B"), promo("2h", "A")]) == []
    assert len(told(judge, STOCK, [stock("0h", 0, item="B"), promo("2h", "A", "B")])) == 1


def test_rule_19_every_value_of_per_must_satisfy(judge: Judge) -> None:
    gone, there = stock("0h", 0, id="p"), stock("1h", 3, location="lyon")
    assert told(judge, STOCK, [gone, there, promo("2h", "A")]) == []
    both = [gone, there, stock("90m", 0, location="lyon", id="l"), promo("2h", "A")]
    assert [evidence(one) for one in told(judge, STOCK, both)] == [[("stock", "p"), ("stock", "l")]]


def test_rule_19_facts_at_one_instant_must_all_satisfy(judge: Judge) -> None:
    assert told(judge, STOCK, [stock("0h", 0), stock("0h", 3), promo("2h", "A")]) == []
    assert len(told(judge, STOCK, [stock("0h", 0), stock("0h", -1), promo("2h", "A")])) == 1


def test_rule_19_an_unknown_condition_does_not_hold(judge: Judge) -> None:
    assert told(judge, STOCK, [stock("0h", None), promo("2h", "A")]) == []
    assert told(judge, STOCK, [stock("0h", 0), stock("1h", None), promo("2h", "A")]) == [], "the last fact says nothing"


def test_rule_19_a_fact_without_key_or_per_value_does_not_qualify(judge: Judge) -> None:
    assert len(told(judge, STOCK, [stock("0h", 0), stock("1h", 5, location=None), promo("2h", "A")])) == 1
    assert len(told(judge, STOCK, [stock("0h", 0), stock("1h", 5, item=None), promo("2h", "A")])) == 1


@pytest.mark.parametrize(("shift", "count"), [(-1, 0), (0, 0), (1, 1)])
def test_rule_19_facts_older_than_within_are_not_seen(judge: Judge, shift: int, count: int) -> None:
    rule = STOCK.replace("per: location", "per: location, within: 2h")
    assert len(told(judge, rule, [stock("0h", 0, shift), promo("2h", "A")])) == count


def test_rule_19_a_per_value_with_only_stale_facts_does_not_count(judge: Judge) -> None:
    rule = STOCK.replace("per: location", "per: location, within: 2h")
    assert len(told(judge, rule, [stock("-1h", 9, location="lyon"), stock("1h", 0), promo("2h", "A")])) == 1


def test_rule_19_broadcast_types_are_read_across_customers_and_others_are_not(judge: Judge) -> None:
    assert len(told(judge, STOCK, [stock("0h", 0, who="C2"), promo("2h", "A")])) == 1
    rule = '{when: {promo: {event: sent}}, given: {last: {event: order, where: status == "cancelled"}}}'
    assert told(judge, rule, [on("order", "0h", status="cancelled", who="C2"), on("sent", "1h")]) == []
    assert told(judge, rule, [on("order", "0h", status="cancelled", who=None), on("sent", "1h")]) == []
    assert len(told(judge, rule, [on("order", "0h", status="cancelled"), on("sent", "1h")])) == 1


def test_rule_19_without_same_all_facts_of_the_type_are_read(judge: Judge) -> None:
    rule = "{when: {promo: {event: sent}}, given: {stock: {event: stock, where: available <= 0}}}"
    assert len(told(judge, rule, [stock("0h", 5), stock("1h", 0, item="B"), on("sent", "2h")])) == 1
    assert told(judge, rule, [stock("0h", 0), stock("1h", 5, item="B"), on("sent", "2h")]) == []
