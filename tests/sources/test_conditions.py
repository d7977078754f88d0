"""Conditions hold or do not; they never fail, whatever stands in the payload."""

import textwrap
from typing import Any

import pytest

from coordwatch.documents import read_documents
from coordwatch.errors import Problem
from coordwatch.sources.conditions import compile_condition
from coordwatch.sources.parse_condition import parse_condition
from coordwatch.sources.reading import Reading
from tests.sources.build import scope

PAYLOAD = {
    "event": "bounce", "count": 3, "ok": True, "none": None, "empty": "", "list": [], "tags": ["a", "vip"], "email": "x@y",
    "lines": [{"sku": "A"}, {"sku": "B"}],
}  # fmt: skip


def holds(text: str, item: Any = PAYLOAD) -> bool:
    (node,) = read_documents(textwrap.dedent(text), "c.yaml")
    reading = Reading("c.yaml")
    condition = parse_condition(node, reading)
    assert [] == reading.problems
    return compile_condition(condition)(scope(item))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{event: bounce}", True),
        ("{event: open}", False),
        ("{event: [open, bounce]}", True),
        ("{event: {not: bounce}}", False),
        ("{event: {not: [open, click]}}", True),
        ("{missing: {not: bounce}}", True),
        ("{event: bounce, count: 3}", True),
        ("{event: bounce, count: 4}", False),
        ("{ok: true}", True),
        ("{ok: 1}", False),
        ("{count: true}", False),
        ("{count: {over: 2, under: 4}}", True),
        ("{count: {over: 3}}", False),
        ("{event: {over: 3}}", False),
        ("{none: {present: false}}", True),
        ("{empty: {present: false}}", True),
        ("{list: {present: false}}", True),
        ("{missing.deep: {present: false}}", True),
        ("{count: {present: true}}", True),
        ("{tags: {contains: vip}}", True),
        ("{tags: {contains: vi}}", False),
        ("{email: {contains: '@'}}", True),
        ("{count: {contains: 3}}", False),
        ("{event: {starts_with: bou}}", True),
        ("{event: {ends_with: nce, matches: '^b'}}", True),
        ("{count: {starts_with: '3'}}", False),
        ("{'lines[*].sku': B}", True),
        ("{'lines[*].sku': [X, Z]}", False),
        ("{any: [{event: open}, {count: 3}]}", True),
        ("{none: [{event: open}, {count: 3}]}", False),
        ("{none: [{event: open}]}", True),
        ("{all: [{event: bounce}, {count: 3}]}", True),
        ("{jmes: \"length(lines) == `2`\"}", True),
        ("{jmes: \"sum(tags)\"}", False),
    ],
)  # fmt: skip
def test_a_condition_holds_or_not(condition: str, expected: bool) -> None:
    if condition.startswith("{none: {"):
        condition = condition.replace("{none:", '{"$.none":', 1)
    assert expected == holds(condition)


@pytest.mark.parametrize("item", [None, [], "text", 5, {"event": {"deep": [1]}}, {"event": [["x"], None, True]}])
def test_no_payload_makes_a_condition_fail(item: Any) -> None:
    for text in (
        "{event: x}",
        "{event: [x, z]}",
        "{event: {over: 1}}",
        "{event: {matches: x}}",
        "{event: {contains: x}}",
    ):
        holds(text, item)


def problems_of(text: str) -> list[Problem]:
    (node,) = read_documents(text, "c.yaml")
    reading = Reading("c.yaml")
    parse_condition(node, reading)
    return reading.problems


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "{event: {startswith: x}}",
            "c.yaml:1:10: the test of 'event' has no 'startswith' (did you mean 'starts_with'?)",
        ),
        ("{event: {matches: '('}}", "not a pattern of RE2"),
        ("{jmes: 'a['}", "not a JMESPath expression"),
        ("{event: null}", "null is no value to compare with (write {present: false})"),
        ("{event: {over: much}}", "'over' wants a number"),
        ("{event: []}", "an empty list never holds"),
        ("{}", "an empty condition"),
        ("[event]", "a condition wants names with values"),
        ("{event: {}}", "no test of 'event'"),
        ("{event: {present: 1}}", "present wants true or false"),
    ],
)
def test_a_mistake_in_a_condition_has_its_place(text: str, complaint: str) -> None:
    assert any(complaint in str(problem) for problem in problems_of(text)), problems_of(text)
