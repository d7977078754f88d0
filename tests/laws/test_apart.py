"""Laws 5, 10 and 11, and isolation: what has nothing to do with a detection does not change it."""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.laws import subject
from tests.laws.alphabet import BASE, GRID, JOURNAL, STEPS, event
from tests.laws.histories import Case, cases
from tests.laws.rules import SHARED, rules_of
from tests.reference.expression import instant

law = settings(
    max_examples=int(os.environ.get("COORDWATCH_EXAMPLES", "2000")) // 20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
NAMES = ("order", "case", "conversation", "commitment", "message", "contact", "return")
END = BASE + (STEPS + 40) * GRID


def judged(case: Case) -> list[dict[str, Any]]:
    return subject.replay(case.rules, case.events, case.until, SHARED)


@law
@given(cases(), st.lists(event(JOURNAL), max_size=8))
def test_the_events_of_another_customer_change_nothing(case: Case, others: list[dict[str, Any]]) -> None:
    until = END if case.until is None else case.until
    strangers = [{**one, "subject": "somebody else", "id": f"x{number}"} for number, one in enumerate(others)]
    alone = subject.replay(case.rules, case.events, until, SHARED)
    together = subject.replay(case.rules, [*strangers, *case.events], until, SHARED)
    assert [one for one in together if one["customer"] != "somebody else"] == alone


@law
@given(cases(), st.data())
def test_one_event_from_2099_changes_nothing_else(case: Case, data: st.DataObject) -> None:
    until = END if case.until is None else case.until
    stray = {**data.draw(event(JOURNAL)), "id": "stray", "time": instant("2099-01-01T00:00:00Z")}
    before = subject.replay(case.rules, case.events, until, SHARED)
    assert subject.replay(case.rules, [stray, *case.events], until, SHARED) == before


@law
@given(cases(), st.data())
def test_editing_one_rule_never_changes_anothers_detections(case: Case, data: st.DataObject) -> None:
    first = case.rules[0]
    other = data.draw(rules_of(tuple(one["type"] for one in case.events if one["type"] in JOURNAL) or JOURNAL[:1]))
    alone = subject.replay([first], case.events, case.until, SHARED)
    beside = subject.replay(
        [{**other, "id": "a-first"}, first, {**other, "id": "z-last"}], case.events, case.until, SHARED
    )
    assert [one for one in beside if one["rule"] == first["id"]] == alone


def rewritten(rules: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    """The rules with the ids that their conditions mention under their new names."""
    text = json.dumps(rules)
    for old, new in names.items():
        text = text.replace(f'\\"{old}\\"', f'\\"{new}\\"')
    return list(json.loads(text))


def renamed(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [renamed(item, name) for item in value]
    return f"{name}-{value}" if isinstance(value, str) else value


def all_renamed(one: dict[str, Any]) -> dict[str, Any]:
    """Every opaque id under a new name that keeps their order: identities, customers, refs."""
    data = {key: renamed(value, "x") if key in NAMES else value for key, value in one["data"].items()}
    who = None if one["subject"] is None else f"x-{one['subject']}"
    return {**one, "id": f"x-{one['id']}", "source": f"x-{one['source']}", "subject": who, "data": data}


def detection_renamed(one: dict[str, Any]) -> dict[str, Any]:
    named = [{**each, "id": f"x-{each['id']}", "source": f"x-{each['source']}"} for each in one["evidence"]]
    act = {**one["act"], "id": f"x-{one['act']['id']}", "source": f"x-{one['act']['source']}"}
    return {**one, "customer": f"x-{one['customer']}", "act": act, "evidence": named}


@law
@given(cases())
def test_renaming_opaque_ids_renames_detections_and_nothing_else(case: Case) -> None:
    rules = rewritten(case.rules, {name: f"x-{name}" for name in ("crm", "C1", "e0")})
    again = Case(rules, [all_renamed(one) for one in case.events], case.until)
    assert judged(again) == [detection_renamed(one) for one in judged(case)]


@law
@given(cases())
def test_the_order_of_ids_never_decides_whether_a_detection_exists(case: Case) -> None:
    """RULES 3: ids in the opposite order may name other evidence, and that is all."""

    def turned(name: str) -> str:
        return f"e{1000 - int(name[1:] or -1)}"

    def stands(found: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
        return {(one["rule"], one["act"]["source"], one["act"]["id"], one["at"], one["status"]) for one in found}

    again = Case(
        rewritten(case.rules, {"e0": turned("e0")}),
        [{**one, "id": turned(one["id"])} for one in case.events],
        case.until,
    )
    expected = {(rule, source, turned(name), at, status) for rule, source, name, at, status in stands(judged(case))}
    assert stands(judged(again)) == expected
