"""What a worker says of itself: lag, stopped partitions, commits, state; and, without the role alerts, what it counted.

What enters: WorkerReadings, and the counts of the partitions that this process judges.
What leaves: families by stage.
The next room: `rendering`.

Counts of rules and tools are one worker's to tell: whoever writes them into the database. A worker that only judges tells
the tool pairs of its own partitions under the same names, as gauges: added up over such workers they are the whole, and
never more than what the database says. It tells no counters of them, since a partition that moves away would look like a
restart and be counted again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prometheus_client.core import Metric

from coordwatch.adapters.prometheus.names import Amounts, Lengths, families, summary
from coordwatch.adapters.prometheus.stored import of_tools
from coordwatch.ports import ToolCount
from coordwatch.processor.readings import StageReading, WorkerReadings


@dataclass(frozen=True, slots=True)
class Running:
    """Where the numbers come from; `counted` None for a process that tells what the database says.

    `waits` is 1 while records wait for the schema registry, and 0 while they do not.
    """

    worker: WorkerReadings
    counted: Callable[[], Iterable[ToolCount]] | None = None
    waits: Callable[[], float] = lambda: 0.0


def of_worker(running: Running) -> Iterable[Metric]:
    """Everything that a worker says of itself."""
    stages = running.worker.stages()
    yield from families(_of_stages(stages))
    lengths: Lengths = {(one.stage,): (one.commits.get("committed", 0), one.commit_seconds) for one in stages}
    yield summary("coordwatch_commit_seconds", lengths)
    yield from families({"coordwatch_schema_registry_waiting": {(): running.waits()}})
    if running.counted is not None:
        yield from families(of_tools(running.counted()))


def _of_stages(stages: Sequence[StageReading]) -> dict[str, Amounts]:
    places = [((stage.stage, place.topic, str(place.partition)), place) for stage in stages for place in stage.places]
    states = [one for one in stages if one.state is not None]
    return {
        "coordwatch_consumer_lag": {labels: place.lag for labels, place in places},
        "coordwatch_partition_stopped": {labels: float(place.stopped is not None) for labels, place in places},
        "coordwatch_commits": {(one.stage, result): n for one in stages for result, n in one.commits.items()},
        "coordwatch_records_lost": {(one.stage,): one.lost for one in stages},
        "coordwatch_restore_seconds": {(one.stage,): one.restore_seconds for one in states},
        "coordwatch_state_keys": {(one.stage,): one.state.keys for one in states if one.state},
        "coordwatch_state_bytes": {(one.stage,): one.state.bytes for one in states if one.state},
        "coordwatch_suppressed_customers": {
            (name,): amount for one in states if one.state for name, amount in one.state.suppressed.items()
        },
    }
