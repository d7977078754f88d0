"""The stage ends where `replay` ends, whatever the slices, partitions, ticks, crashes and rebalances on the way."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.detecting.cluster import Cluster, Worker
from tests.laws.alphabet import BASE, GRID
from tests.laws.histories import Case, cases
from tests.laws.rules import FOCUS, SHARED
from tests.laws.subject import replay
from tests.laws.test_convergence import known

law = settings(
    max_examples=int(os.environ.get("COORDWATCH_EXAMPLES", "2000")) // 10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
anything = st.sampled_from(sorted(FOCUS)).flatmap(cases)
OPERATIONS = ("take", "take", "take", "take", "hear", "tick", "mark", "commit", "commit", "crash", "rebalance")


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """What happens to the processes: an operation, on one of two partitions, and how much of it."""
    operation = st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 1), st.integers(1, 6))
    return draw(st.lists(operation, min_size=4, max_size=40))


def lived(cluster: Cluster, operations: list[tuple[str, int, int]], now: int) -> None:
    """Run two processes through everything that happens, and let them settle."""
    workers = [Worker(cluster, [0]), Worker(cluster, [1])]
    owner = {0: 0, 1: 1}
    for what, partition, count in operations:
        worker = workers[owner[partition]]
        if what == "take":
            worker.take(partition, count, now)
        elif what == "hear":
            worker.hear(count, now)
        elif what == "tick":
            worker.stage.tick(now)
        elif what == "mark":
            cluster.mark(min(now, BASE + 4 * count * GRID))
        elif what == "commit":
            worker.commit(now)
        elif what == "crash":
            workers[owner[partition]] = Worker(cluster, [one for one in owner if owner[one] == owner[partition]])
        else:
            if count % 2:
                worker.commit(now)
            worker.revoke(partition)
            owner[partition] = count % 2
            workers[owner[partition]].assign(partition)
    cluster.mark(now)
    for worker in workers:
        worker.settle(now)


def filled(case: Case, events: list[dict[str, Any]]) -> Cluster:
    cluster = Cluster.of(case.rules, SHARED)
    for event in events:
        cluster.file(event)
    return cluster


@law
@given(anything, lives())
def test_the_stage_ends_where_replay_ends(case: Case, operations: list[tuple[str, int, int]]) -> None:
    events, clock = known(case)
    cluster = filled(case, events)
    lived(cluster, operations, clock)
    assert cluster.standing() == replay(case.rules, events, clock, SHARED)
    undisturbed = filled(case, events)
    undisturbed.mark(clock)
    Worker(undisturbed).settle(clock)
    assert cluster.counts("retracted") == undisturbed.counts("retracted")
    tallies, others = cluster.tallies(), undisturbed.tallies()
    for each in (tallies, others):
        each.pop("type_mismatch", None)  # counted whenever something is judged
    assert tallies == others
    assert tallies.get("in", 0) == sum(tallies.get(name, 0) for name in ("applied", "duplicate", "dropped"))
