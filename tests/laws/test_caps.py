"""Law 7: what is kept of one customer stays within its caps, whatever comes."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordwatch.engine.retention import UNSELECTED_MAX
from tests.laws import subject
from tests.laws.alphabet import BASE, GRID, JOURNAL, MINUTE, event
from tests.laws.rules import SHARED, pools, rule
from tests.statements.scene import at, document, on

CAP = 4
law = settings(
    max_examples=int(os.environ.get("COORDWATCH_EXAMPLES", "2000")) // 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A rule, and many events of its types, most of them of one customer."""
    pool = draw(pools())
    doc = draw(rule(pool))
    events = draw(st.lists(event(pool.types), min_size=15, max_size=40))
    return doc, [{**one, "id": f"e{number}"} for number, one in enumerate(events)]


@law
@given(streams())
def test_the_state_of_a_customer_stays_within_its_caps(stream: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    doc, events = stream
    running = subject.Running([doc], SHARED, cap=CAP)
    for number in range(0, len(events), 5):
        running.feed(events[number : number + 5], BASE + 30 * GRID)
        for customer in ("C1", "C2"):
            within_caps(running, customer)


def within_caps(running: subject.Running, customer: str) -> None:
    """Of each type: so many acts that wait, so many other events that rules ask for, so many that none asks for."""
    state = running.processor.state(customer)
    kind = running.processor.retention.kind
    kept = Counter((fact[4], kind(fact)) for fact in state.journal.facts if fact[4] in JOURNAL)
    limits = {"selected": 2 * CAP, "unselected": UNSELECTED_MAX}
    assert all(count <= limits[one] for (_, one), count in kept.items()), kept
    assert len(state.entries) <= 2 * CAP * max(1, len(kept))


def test_a_flood_of_acts_whose_deadline_still_runs_is_bounded_too() -> None:
    """A thousand cancellations, all of them waiting for a notice."""
    rule = document("when: {gone: {event: order}}\nexpect: {notice: {event: sent, within: 30d}}")
    running = subject.Running([rule], cap=50)
    for batch in range(20):
        running.feed(
            [on("order", "0h", batch * 50 + number, id=f"o{batch}-{number}") for number in range(50)], at("1h")
        )
    state = running.processor.state("C1")
    assert len(state.journal.facts) <= 50
    assert len(state.entries) <= 50
    assert "commerce.order.changed" in state.journal.truncated


def test_the_snapshot_of_a_customer_does_not_grow_with_the_stream() -> None:
    rule = document(
        "when: {promo: {event: sent}}\nwhile: {open: {opened: {event: case}, closed: {event: status}, same: case}}"
    )
    running = subject.Running([rule], cap=50)
    sizes = []
    for batch in range(12):
        start = batch * 50 * MINUTE
        running.feed(
            [on("case", "0h", start + n, case=f"K{batch}-{n}", id=f"k{batch}-{n}") for n in range(50)], at("30h")
        )
        running.feed([on("sent", "0h", start + n, message="M1", id=f"m{batch}-{n}") for n in range(50)], at("30h"))
        sizes.append(sum(len(value) for _, value in running.store.scan("customer/")))
    assert sizes[-1] <= 1.2 * sizes[4]
