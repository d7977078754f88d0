"""What stands in the database: rules, tool pairs, alerts, the accounts, dead letters; and how far sources are read.

What enters: an AlertReader and the sources.
What leaves: amounts by metric name and label values.
The next room: `rendering`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from coordwatch.adapters.prometheus.names import Amounts
from coordwatch.alerts.verdict import Verdict
from coordwatch.audit.chain import Head
from coordwatch.clock import Clock
from coordwatch.events.times import SECOND
from coordwatch.notify.outbox import ChannelView
from coordwatch.ports import AlertReader, IncidentTotals, SourceView, ToolCount
from coordwatch.sources.lookups import KNOWN, UNKNOWN

_RESULTS = ("applied", "duplicate", "dropped", "dead_lettered")
_MAPPED, _BASES = ("mapped", "dropped", "refused"), ("broker", "clamped")
_TOLD = ("delivered", "again", "refused", "withdrawn")
_STATUSES = ("open", "acknowledged", "snoozed", "resolved", "retracted", "not_a_conflict")
_SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Readings:
    """Where the numbers come from. `gauges` are numbers of this process, by metric name; `retention` is in seconds."""

    reader: AlertReader
    sources: Callable[[], Sequence[SourceView]]
    clock: Clock
    gauges: Mapping[str, Callable[[], float]]
    retention: Mapping[str, float] = field(default_factory=dict)


def of_store(readings: Readings) -> dict[str, Amounts]:
    """Everything that is read from the database and the sources."""
    reader = readings.reader
    return {
        **_of_rules(reader),
        **of_tools(reader.tool_counts()),
        **_of_alerts(reader),
        **_of_tallies(reader.tallies()),
        **of_sources(readings.sources(), readings.clock.now()),
        **{name: {(): read()} for name, read in readings.gauges.items()},
        "coordwatch_retention_seconds": {(store,): kept for store, kept in readings.retention.items()},
    }


def _of_rules(reader: AlertReader) -> dict[str, Amounts]:
    counts = reader.rule_counts()
    return {
        "coordwatch_acts": {(one.rule,): one.acts for one in counts},
        "coordwatch_verdicts": {
            (one.rule, verdict.value): one.verdicts.get(verdict.value, 0) for one in counts for verdict in Verdict
        },
        "coordwatch_acts_in_flight": {(one.rule,): one.in_flight for one in counts},
        "coordwatch_acts_missing_key": {(one.rule,): one.missing_key for one in counts},
        "coordwatch_detections_raised": {(one.rule,): one.detections + one.retracted for one in counts},
        "coordwatch_detections_retracted": {(one.rule,): one.retracted for one in counts},
        "coordwatch_detections_made_good": {(one.rule,): one.made_good for one in counts},
        "coordwatch_detections_standing": {(one.rule,): one.detections for one in counts},
    }


def of_tools(counts: Iterable[ToolCount]) -> dict[str, Amounts]:
    """Acts by rule and acting tool, and the detections that stand by rule and tool pair."""
    acts: Counter[tuple[str, ...]] = Counter()
    found: Counter[tuple[str, ...]] = Counter()
    for one in counts:
        if one.kind == "acts":
            acts[one.rule, one.act_tool] += one.amount
        elif one.kind == "detections":
            found[one.rule, one.act_tool, one.evidence_tool] += one.amount
    return {"coordwatch_pair_acts": acts, "coordwatch_pair_detections": found}


def _of_alerts(reader: AlertReader) -> dict[str, Amounts]:
    totals = reader.alert_totals()
    return {
        "coordwatch_alerts": {(status,): totals.get(status, 0) for status in _STATUSES},
        "coordwatch_alerts_live": {(severity,): totals.get(severity, 0) for severity in _SEVERITIES},
    }


def _of_tallies(tallies: Mapping[str, int]) -> dict[str, Amounts]:
    letters: dict[tuple[str, ...], float] = {}
    dropped: dict[tuple[str, ...], float] = {}
    lookups: dict[tuple[str, ...], float] = {}
    identity: dict[str, dict[tuple[str, ...], float]] = {"whose": {}, "gap": {}, "unusable": {}}
    mapping: dict[tuple[str, ...], float] = {}
    times: dict[tuple[str, ...], float] = {}
    filled: dict[tuple[str, ...], float] = {}
    told: dict[tuple[str, ...], float] = {}
    for name, amount in tallies.items():
        kind, _, reason = name.partition(".")
        if kind in ("source", "time", "filled"):
            word, _, source = reason.partition(".")
            {"source": mapping, "time": times, "filled": filled}[kind][source, word] = amount
        elif kind == "dead_lettered" and reason:
            stage, _, reason = reason.partition(".")
            letters[stage, reason] = amount
        elif kind == "message":
            result, _, channel = reason.partition(".")
            told[channel, result] = amount
        elif kind == "dropped" and reason:
            dropped[(reason,)] = amount
        elif kind == "whose":
            found, _, tool = reason.partition(".")
            identity[kind][tool, found] = amount
        elif kind in identity:
            identity[kind][(reason,)] = amount
        elif kind in (KNOWN, UNKNOWN):
            tool, _, what = reason.partition(".")
            lookups[tool, what, "known" if kind == KNOWN else "unknown"] = amount
    return {
        "coordwatch_events_in": {(): tallies.get("in", 0)},
        "coordwatch_events": {(result,): tallies.get(result, 0) for result in _RESULTS},
        "coordwatch_events_parked": {(): tallies.get("parked", 0)},
        "coordwatch_events_under_way": {(): tallies.get("under_way", 0)},
        "coordwatch_events_dropped": dropped,
        "coordwatch_dead_letters": letters,
        # With a nought for what has not happened yet, so that the first refusal is a rise and no new series.
        "coordwatch_mapping": {(source, word): 0 for source, _ in mapping for word in _MAPPED} | mapping,
        "coordwatch_source_filled": filled,
        "coordwatch_source_times": {(source, word): 0 for source, _ in mapping for word in _BASES} | times,
        "coordwatch_identity_aliased": {(): tallies.get("aliased", 0)},
        "coordwatch_identity_quarantined": {(): tallies.get("quarantined", 0)},
        "coordwatch_identity_events": identity["whose"],
        "coordwatch_identity_gaps": identity["gap"],
        "coordwatch_identity_unusable": identity["unusable"],
        "coordwatch_catalogue_lookups": lookups,
        "coordwatch_unknown_category": {(): tallies.get("unknown_category", 0)},
        "coordwatch_messages": {(channel, word): 0 for channel, _ in told for word in _TOLD} | told,
    }


def of_channels(views: Sequence[ChannelView], now: int) -> dict[str, Amounts]:
    """How the channels stand. Units: microseconds since 1970 UTC."""
    canary = [one.delivered_at / SECOND for one in views if one.name == "canary" and one.delivered_at is not None]
    others = [one for one in views if one.name != "canary"]
    heard: Amounts = {(one.name,): one.delivered_at / SECOND for one in others if one.delivered_at is not None}
    return {
        "coordwatch_messages_waiting": {(one.name,): one.waiting for one in others},
        "coordwatch_messages_refused": {(one.name,): one.refused for one in others},
        "coordwatch_messages_oldest_seconds": {
            (one.name,): 0.0 if one.oldest is None else max(0.0, (now - one.oldest) / SECOND) for one in others
        },
        "coordwatch_channel_delivered_seconds": heard,
        "coordwatch_canary_arrived_seconds": dict.fromkeys([()], canary[0]) if canary else {},
    }


def of_incidents(totals: IncidentTotals) -> dict[str, Amounts]:
    """What goes on, and for how many customers something is still to be done."""
    return {
        "coordwatch_incidents_going_on": {(severity,): totals.going_on.get(severity, 0) for severity in _SEVERITIES},
        "coordwatch_incident_customers_to_repair": {(): totals.to_repair},
    }


def of_trail(head: Head) -> dict[str, Amounts]:
    """How far the audit trail goes: its number, and the first 96 bits of its seal, in two numbers that hold 48 exactly."""
    return {
        "coordwatch_audit_entries": {(): head.number},
        "coordwatch_audit_seal": {(): int(head.seal[:12], 16)},
        "coordwatch_audit_seal_next": {(): int(head.seal[12:24], 16)},
    }


def of_sources(sources: Sequence[SourceView], now: int) -> dict[str, Amounts]:
    """How far each source is read. Units: microseconds since 1970 UTC."""
    read = [(view.name, view.read_through) for view in sources if view.read_through is not None]
    return {
        "coordwatch_source_lag_seconds": {(name,): max(0.0, (now - through) / SECOND) for name, through in read},
        "coordwatch_source_read_through_seconds": {(name,): through / SECOND for name, through in read},
        "coordwatch_source_dark": {(view.name,): float(view.status == "dark") for view in sources},
    }
