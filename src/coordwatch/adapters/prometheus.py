"""Metrics for Prometheus: one declared list of names, all of them read from what is stored, none about a customer.

What enters: an AlertReader, the sources, a few numbers of the process.
What leaves: the text of /metrics.
The next room: `http_api`, which serves it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, ProcessCollector, exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import coordwatch
from coordwatch.clock import Clock
from coordwatch.events.times import SECOND
from coordwatch.ports import AlertReader, SourceView


@dataclass(frozen=True, slots=True)
class Name:
    """One metric: its kind, its labels, and what it means."""

    name: str
    kind: Literal["counter", "gauge"]
    labels: tuple[str, ...]
    help: str


NAMES: Sequence[Name] = (
    Name("coordwatch_acts", "counter", ("rule",), "Acts judged: the denominator of the conflict rate"),
    Name("coordwatch_acts_in_flight", "counter", ("rule",), "Acts not judged a conflict because they were already in flight"),
    Name("coordwatch_acts_missing_key", "counter", ("rule",), "Acts or evidence that lacked a key the rule compares"),
    Name("coordwatch_detections_raised", "counter", ("rule",), "Detections raised, later retracted ones included"),
    Name("coordwatch_detections_retracted", "counter", ("rule",), "Detections that no longer stand"),
    Name("coordwatch_detections_made_good", "counter", ("rule",), "Detections whose expected event came too late"),
    Name("coordwatch_detections_standing", "gauge", ("rule",), "Detections that stand: the numerator of the conflict rate"),
    Name("coordwatch_alerts", "gauge", ("status",), "Alerts by status"),
    Name("coordwatch_alerts_live", "gauge", ("severity",), "Alerts that are open, acknowledged or snoozed, by severity"),
    Name("coordwatch_events_in", "counter", (), "Events taken in; always applied + duplicate + dropped + dead-lettered + parked"),
    Name("coordwatch_events", "counter", ("result",), "Events by what became of them"),
    Name("coordwatch_events_parked", "gauge", (), "Events that wait for their customer to be known"),
    Name("coordwatch_events_dropped", "counter", ("reason",), "Events left aside on purpose, by reason"),
    Name("coordwatch_dead_letters", "counter", ("stage", "reason"), "Records that could not be used, by stage and reason"),
    Name("coordwatch_identity_aliased", "counter", (), "Customers who turned out to be others"),
    Name("coordwatch_identity_quarantined", "counter", (), "Identifiers shared by too many to say anything"),
    Name("coordwatch_unknown_category", "counter", (), "Messages of which nobody could tell whether they were promotional"),
    Name("coordwatch_source_lag_seconds", "gauge", ("source",), "How far behind the present a source is read, in event time"),
    Name("coordwatch_source_dark", "gauge", ("source",), "1 when a source has fallen silent for longer than it may"),
    Name("coordwatch_rules_disabled", "gauge", (), "Rules that no configured source can feed"),
    Name("coordwatch_stream_watchers", "gauge", (), "Open streams of new alerts"),
    Name("coordwatch_build_info", "gauge", ("version",), "Always 1; the label says which program this is"),
)  # fmt: skip
_BY_NAME = {one.name: one for one in NAMES}
_RESULTS = ("applied", "duplicate", "dropped", "dead_lettered")
_STATUSES = ("open", "acknowledged", "snoozed", "resolved", "retracted", "not_a_conflict")
_SEVERITIES = ("critical", "high", "medium", "low")
Amounts = Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Readings:
    """Where the numbers come from. `gauges` are numbers of this process, by metric name."""

    reader: AlertReader
    sources: Callable[[], Sequence[SourceView]]
    clock: Clock
    gauges: Mapping[str, Callable[[], float]]


class Metrics:
    """Renders /metrics from what is stored at that moment."""

    def __init__(self, readings: Readings) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Stored(readings))
        ProcessCollector(registry=self._registry)

    def render(self) -> tuple[bytes, str]:
        """The text of /metrics and its media type."""
        return exposition.generate_latest(self._registry), exposition.CONTENT_TYPE_LATEST


class _Stored(Collector):
    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterable[Metric]:
        amounts: dict[str, Amounts] = {
            **_of_rules(self._readings.reader),
            **_of_alerts(self._readings.reader),
            **_of_tallies(self._readings.reader.tallies()),
            **_of_sources(self._readings.sources(), self._readings.clock.now()),
            **{name: {(): read()} for name, read in self._readings.gauges.items()},
            "coordwatch_build_info": {(coordwatch.__version__,): 1},
        }
        return [_family(_BY_NAME[name], values) for name, values in amounts.items()]


def _family(name: Name, amounts: Amounts) -> Metric:
    make = CounterMetricFamily if name.kind == "counter" else GaugeMetricFamily
    family = make(name.name, name.help, labels=list(name.labels))
    for labels, amount in amounts.items():
        family.add_metric(list(labels), amount)
    return family


def _of_rules(reader: AlertReader) -> dict[str, Amounts]:
    counts = reader.rule_counts()
    return {
        "coordwatch_acts": {(one.rule,): one.acts for one in counts},
        "coordwatch_acts_in_flight": {(one.rule,): one.in_flight for one in counts},
        "coordwatch_acts_missing_key": {(one.rule,): one.missing_key for one in counts},
        "coordwatch_detections_raised": {(one.rule,): one.detections + one.retracted for one in counts},
        "coordwatch_detections_retracted": {(one.rule,): one.retracted for one in counts},
        "coordwatch_detections_made_good": {(one.rule,): one.made_good for one in counts},
        "coordwatch_detections_standing": {(one.rule,): one.detections for one in counts},
    }


def _of_alerts(reader: AlertReader) -> dict[str, Amounts]:
    totals = reader.alert_totals()
    return {
        "coordwatch_alerts": {(status,): totals.get(status, 0) for status in _STATUSES},
        "coordwatch_alerts_live": {(severity,): totals.get(severity, 0) for severity in _SEVERITIES},
    }


def _of_tallies(tallies: Mapping[str, int]) -> dict[str, Amounts]:
    letters: dict[tuple[str, ...], float] = {}
    dropped: dict[tuple[str, ...], float] = {}
    for name, amount in tallies.items():
        kind, _, reason = name.partition(".")
        if kind == "dead_lettered" and reason:
            stage, _, reason = reason.partition(".")
            letters[stage, reason] = amount
        elif kind == "dropped" and reason:
            dropped[(reason,)] = amount
    return {
        "coordwatch_events_in": {(): tallies.get("in", 0)},
        "coordwatch_events": {(result,): tallies.get(result, 0) for result in _RESULTS},
        "coordwatch_events_parked": {(): tallies.get("parked", 0)},
        "coordwatch_events_dropped": dropped,
        "coordwatch_dead_letters": letters,
        "coordwatch_identity_aliased": {(): tallies.get("aliased", 0)},
        "coordwatch_identity_quarantined": {(): tallies.get("quarantined", 0)},
        "coordwatch_unknown_category": {(): tallies.get("unknown_category", 0)},
    }


def _of_sources(sources: Sequence[SourceView], now: int) -> dict[str, Amounts]:
    read = [(view.name, view.read_through) for view in sources if view.read_through is not None]
    return {
        "coordwatch_source_lag_seconds": {(name,): max(0.0, (now - through) / SECOND) for name, through in read},
        "coordwatch_source_dark": {(view.name,): float(view.status == "dark") for view in sources},
    }
