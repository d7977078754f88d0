"""Histories that come near a rule: planted events at the edges of its windows, among noise, in any order, seen again.

Enters: rules as documents, and chance (Hypothesis). Leaves: a `Case`: rules, events in arrival order, a clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.laws.alphabet import FACTS, GRID, KINDS, LATE, TRUE_WITH, event, made, times
from tests.laws.rules import maybe, pools, rule, types_of
from tests.reference.expression import duration


@dataclass(frozen=True)
class Case:
    """What one example is about."""

    rules: list[dict[str, Any]]
    events: list[dict[str, Any]]
    until: int | None


def lengths(step: dict[str, Any]) -> Iterator[int]:
    """The lengths of time that a step's words name."""
    for word in ("within", "grace", "linger", "at_most", "early", "repair"):
        named = step.get(word)
        if isinstance(named, str) and named != "forever":
            yield duration(named)


def near(draw: st.DrawFn, step: dict[str, Any]) -> int:
    """A distance from the act, at or around an edge of the step."""
    edges = [length + shift for length in lengths(step) for shift in (-1, 0, 1)]
    return draw(st.sampled_from([0, GRID // 2, GRID, 2 * GRID, *edges]))


def planted(draw: st.DrawFn, step: dict[str, Any], time: int, values: dict[str, Any]) -> dict[str, Any]:
    """One event that is likely to be the step's."""
    one = draw(st.sampled_from(step.get("any", [step])))
    kind = KINDS[one["event"]]
    found = made(draw, kind.name, time, None if kind.broadcast and maybe(draw, 2) else "C1")
    if not maybe(draw, 6):
        for text in sorted(TRUE_WITH, key=len):
            if text in one.get("where", ""):
                found["data"].update(TRUE_WITH[text])
        for key, path in kind.keys.items():
            if key in values:
                found["data"].update(holding(draw, path, values[key]))
    return found


def holding(draw: st.DrawFn, path: str, value: Any) -> dict[str, Any]:
    """Data in which a key's path leads to the value, alone or among others."""
    if path == "items.sku":
        return {
            "items": draw(
                st.sampled_from(([{"sku": value}], [{"sku": value}, {"sku": "B"}], [{"sku": "B"}, {"sku": value}]))
            )
        }
    if path in ("field", "value", "turn", "location"):
        return {path: value}
    return {path: draw(st.sampled_from((value, value, [value], [value, "O2"], ["K2", value])))}


def scene(draw: st.DrawFn, doc: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An act of the rule with, now and then, an event for each of its steps."""
    values: dict[str, Any] = {
        "order": "O1",
        "case": "K1",
        "conversation": "V1",
        "item": "A",
        "field": "email",
        "value": 1,
    }
    act = planted(draw, next(iter(doc["when"].values())), draw(times), values)
    t = act["time"]
    yield act
    for step in doc.get("after", {}).values():
        for _ in range(step.get("at_least", 1)):
            yield planted(draw, step, t - near(draw, step), values)
    for step in doc.get("given", {}).values():
        yield planted(draw, step, t - near(draw, step), values)
    for step in doc.get("while", {}).values():
        yield from episode(draw, step, t, values)
    for step in doc.get("unless", {}).values():
        if maybe(draw, 3):
            if "opened" in step:
                yield from episode(draw, step, t, values)
            else:
                yield planted(draw, step, t + draw(st.sampled_from((-1, 1))) * near(draw, step), values)
    for step in doc.get("expect", {}).values():
        if maybe(draw, 2):
            yield planted(draw, step, t + near(draw, step) + draw(st.sampled_from((0, 0, *lengths(step)))), values)


def episode(draw: st.DrawFn, step: dict[str, Any], t: int, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    opening = t - near(draw, step)
    yield planted(draw, step["opened"], opening, values)
    for part in ("closed", "reopened"):
        if part in step and maybe(draw, 2):
            yield planted(
                draw, step[part], draw(st.sampled_from((opening, opening + GRID, t - near(draw, step)))), values
            )


@st.composite
def histories(draw: st.DrawFn, rules: Sequence[dict[str, Any]], types: Sequence[str]) -> list[dict[str, Any]]:
    """A history in arrival order: no two events share an identity, except exact duplicates seen again."""
    found = [one for doc in rules for one in scene(draw, doc)]
    found += draw(st.lists(event(types), max_size=6))
    names = draw(st.permutations(range(len(found))))
    events = [{**found[name], "id": f"e{number}"} for number, name in enumerate(names)]
    if maybe(draw, 5):  # the same id from other sources is another event
        events = [{**one, "id": "e", "source": f"{one['source']}{number}"} for number, one in enumerate(events)]
    again = draw(st.lists(st.sampled_from(events), max_size=2))
    shift = draw(st.sampled_from((-1, GRID)))
    return events + [{**one, "observed_at": one["observed_at"] + shift} for one in again]


clocks = st.one_of(st.none(), st.sampled_from(LATE), st.sampled_from(LATE), times)


@st.composite
def cases(draw: st.DrawFn, focus: str = "anything") -> Case:
    """One or two rules over one pool, a history of their types, and a clock."""
    pool = draw(pools(focus=focus))
    rules = [draw(rule(pool, number, focus)) for number in range(1, draw(st.sampled_from((2, 2, 2, 3))))]
    read = [type_ for doc in rules for step in doc.get("given", {}).values() for type_ in types_of(step)]
    facts = tuple(type_ for type_ in read if type_ in FACTS)
    return Case(rules, draw(histories(rules, (*pool.types, *pool.types, *facts))), draw(clocks))
