"""What tools read about a customer is what asking would say, by the naive reference, whatever happens to the processes."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

from coordwatch.codec import decode_json
from coordwatch.engine.folder import NEVER
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import MINUTE
from coordwatch.processor.detecting.rows import HELD, unpack_row
from coordwatch.processor.detecting.suppressing import Suppression
from tests.detecting.cluster import Cluster, Worker
from tests.detecting.test_laws import lived, lives
from tests.laws.histories import Case, cases
from tests.laws.rules import SHARED
from tests.laws.test_check import against, without_graces
from tests.laws.test_convergence import known

EXAMPLES = int(os.environ.get("COORDWATCH_EXAMPLES", "400"))
FOCUSES = ("counts", "facts", "keys", "sequences", "states", "cancelled")
NAMES = ("one", "other")

Plain = dict[str, Any]


def broadcasts(doc: Plain) -> bool:
    return any(name in json.dumps(doc.get("given", {})) for name, one in TYPES.items() if one.broadcast)


def able(doc: Plain) -> bool:
    """Whether a rule can answer from a customer's own facts."""
    positive = {**doc.get("after", {}), **doc.get("while", {}), **doc.get("given", {})}
    return bool(positive) and not broadcasts(doc)


def asked_for(case: Case, data: st.DataObject) -> tuple[list[Plain], list[Plain], dict[str, Plain], int]:
    """Rules, events up to a clock, the acts of these suppressions, the clock."""
    rules = [without_graces(doc) for doc in case.rules if "expect" not in doc and able(doc)]
    acts = [one for one in known(case)[0] if one["subject"] is not None]
    assume(rules and acts)
    chosen = {name: data.draw(st.sampled_from(acts)) for name in NAMES}
    # As of one of them, around which the history was made.
    clock = max(one["time"] for one in chosen.values())
    return rules, [one for one in known(case)[0] if one["time"] <= clock], chosen, clock


def cluster_of(rules: list[Plain], events: list[Plain], acts: dict[str, Plain], **more: Any) -> Cluster:
    wanted = tuple(Suppression.of(name, act["type"], act["data"]) for name, act in acts.items())
    cluster = Cluster.of(rules, SHARED, settings={"suppressions": wanted}, **more)
    for event in events:
        cluster.file(event)
    return cluster


def told(cluster: Cluster) -> dict[str, Plain]:
    """What tools read, by customer."""
    read = {key.decode(): decode_json(value) for key, value in cluster.suppressions.items()}
    assert all(value["customer"] == key for key, value in read.items())
    return {key: value["suppressions"] for key, value in read.items()}


def stands(rules: list[Plain], events: list[Plain], act: Plain, customer: str, now: int) -> set[str]:
    """The rules that the reference says such an act of a customer would violate now."""
    return against(rules, events, {**act, "source": "suppressions", "id": "asked", "subject": customer}, now)


def customers(events: list[Plain]) -> set[str]:
    return {one["subject"] for one in events if one["subject"] is not None}


def holds(cluster: Cluster, rules: list[Plain], events: list[Plain], acts: dict[str, Plain], now: int) -> list[bool]:
    """See that what is told is what the reference says; for each customer, whether anything stands."""
    found, wanted = told(cluster), {}
    for customer in customers(events):
        against = {name: stands(rules, events, act, customer, now) for name, act in acts.items()}
        wanted[customer] = {name: rules for name, rules in against.items() if rules}
        assert {name: set(one["rules"]) for name, one in found.get(customer, {}).items()} == wanted[customer]
    assert not found.keys() - wanted.keys()
    return [bool(one) for one in wanted.values()]


@pytest.mark.parametrize("focus", FOCUSES)
def test_what_is_told_is_what_asking_would_say(focus: str) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES // (2 * len(FOCUSES)), deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases(focus), lives(), st.data())
    def equal(case: Case, operations: list[tuple[str, int, int]], data: st.DataObject) -> None:
        rules, events, acts, clock = asked_for(case, data)
        first = data.draw(st.integers(0, len(events)))
        cluster = cluster_of(rules, events[:first], acts)
        lived(cluster, operations, clock)
        seen.update(holds(cluster, rules, events[:first], acts, clock))
        for event in events[first:]:
            cluster.file(event)
        lived(cluster, [], clock)
        seen.update(holds(cluster, rules, events, acts, clock))

    seed(f"told {focus}")(equal)()
    assert min(seen[True], seen[False]) > 3, seen


@pytest.mark.parametrize("focus", FOCUSES)
def test_it_stays_so_while_nothing_happens_but_time(focus: str) -> None:
    """Where no condition looks at the clock: what ends and what begins by itself is told when it does, whoever restarts."""
    seen: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES // (2 * len(FOCUSES)), deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases(focus), st.data())
    def stays(case: Case, data: st.DataObject) -> None:
        rules, events, acts, clock = asked_for(case, data)
        assume("time" not in json.dumps(rules) and "observed_at" not in json.dumps(rules))
        cluster = cluster_of(rules, events, acts)
        worker = Worker(cluster)
        worker.settle(clock)
        for later in sorted(data.draw(st.lists(st.integers(1, 3 * 24 * 60), min_size=1, max_size=4, unique=True))):
            now = clock + later * MINUTE
            edges = [edge for edge in looks(cluster) if edge < now][:2]
            for instant in sorted({now, *edges, *(edge - 1 for edge in edges)}):
                if data.draw(st.booleans()):
                    worker = Worker(cluster)
                before = told(cluster)
                worker.settle(instant)
                holds(cluster, rules, events, acts, instant)
                seen.update(["changed"] if told(cluster) != before else [])

    seed(f"stays {focus}")(stays)()
    assert seen["changed"] > 1, seen


def looks(cluster: Cluster) -> list[int]:
    """When somebody is to be looked at again."""
    rows = (unpack_row(key, row) for part in cluster.rows.values() for key, row in part.items() if key.startswith(HELD))
    return sorted(again for _, again in rows if again < NEVER)
