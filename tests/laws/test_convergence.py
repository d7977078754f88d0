"""Laws 2 and 4: order, duplicates, batches and restarts do not change where the running engine ends."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.laws import subject
from tests.laws.alphabet import BASE, GRID, KINDS
from tests.laws.histories import Case, cases
from tests.laws.rules import FOCUS, SHARED
from tests.reference import evaluator

law = settings(
    max_examples=int(os.environ.get("COORDWATCH_EXAMPLES", "2000")) // 10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
anything = st.sampled_from(sorted(FOCUS)).flatmap(cases)


def known(case: Case) -> tuple[list[dict[str, Any]], int]:
    """The events up to the clock that belong to a customer or to all, and the clock."""
    clock = max(event["time"] for event in case.events) if case.until is None else case.until
    events = [e for e in case.events if e["time"] <= clock and (e["subject"] is not None or KINDS[e["type"]].broadcast)]
    return events, clock


@st.composite
def arrivals(draw: st.DrawFn, events: list[dict[str, Any]], clock: int) -> list[tuple[str, Any]]:
    """Batches in any order, with repeats, restarts, and progress that later turns out to have been too early."""
    again = draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    waiting = draw(st.permutations([*events, *again]))
    happenings: list[tuple[str, Any]] = []
    while waiting:
        size = draw(st.integers(1, 4))
        happenings.append(("feed", waiting[:size]))
        waiting = waiting[size:]
        other = draw(st.sampled_from(("nothing", "nothing", "restart", "settle")))
        if other == "settle":
            happenings.append(("settle", min(clock, BASE + draw(st.integers(0, 24)) * GRID)))
        elif other == "restart":
            happenings.append(("restart", None))
    return happenings


@law
@given(anything, st.data())
def test_the_running_engine_ends_where_the_reference_ends(case: Case, data: st.DataObject) -> None:
    events, clock = known(case)
    running = subject.Running(case.rules, SHARED)
    for what, with_ in data.draw(arrivals(events, clock)):
        if what == "feed":
            running.feed(with_, clock)
        elif what == "settle":
            running.settle(with_)
        else:
            running.restart()
    running.settle(clock)
    assert running.standing() == evaluator.replay(case.rules, events, clock, SHARED)
