"""Which metrics a question needs in the end: recorded series are followed to what coordwatch exports.

Enters: PromQL, and the recording rules. Leaves: names of metrics as they stand on /metrics.
"""

import re
from collections.abc import Iterable

from coordwatch.adapters.prometheus import NAMES, WORKER_NAMES
from tests.deploy.rules import rules

_NAME = re.compile(r"\b(?:coordwatch[:_][a-z0-9_:]*|up\b|process_[a-z_]+)")


def _written(name: str, kind: str) -> Iterable[str]:
    if kind == "counter":
        return (f"{name}_total",)
    return (name,) if kind == "gauge" else (f"{name}_sum", f"{name}_count")


# What only a worker on Kafka can know; `serve` shows a dash there, and the board says so.
WORKER_ONLY = frozenset(name for one in WORKER_NAMES for name in _written(one.name, one.kind))
# What Prometheus and its client library add to every process.
FOREIGN = frozenset({"up", "process_start_time_seconds"})


def needed(expr: str) -> frozenset[str]:
    """The metrics below an expression."""
    recorded = {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}
    found: set[str] = set()
    for name in _NAME.findall(expr):
        found |= needed(recorded[name]) if name in recorded else {name}
    return frozenset(found)


def on_metrics() -> frozenset[str]:
    """Every name that our exporter may write, as it stands on /metrics."""
    return frozenset(name for one in (*NAMES, *WORKER_NAMES) for name in _written(one.name, one.kind)) | FOREIGN
