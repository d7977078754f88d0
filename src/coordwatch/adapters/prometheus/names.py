"""The names: every metric with its kind, its labels and what it means. A label is never about a customer.

What enters: amounts by label values.
What leaves: families for the text of /metrics.
The next rooms: `stored` and `running`, which read the amounts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily

Amounts = Mapping[tuple[str, ...], float]
Lengths = Mapping[tuple[str, ...], tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Name:
    """One metric: its kind, its labels, and what it means."""

    name: str
    kind: Literal["counter", "gauge", "summary"]
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
    Name("coordwatch_pair_acts", "gauge", ("rule", "act_tool"), "Acts of a tool that a rule judged"),
    Name("coordwatch_pair_detections", "gauge", ("rule", "act_tool", "evidence_tool"), "Detections that stand, by acting tool and the tool whose events are the evidence, empty when what was due never came"),
    Name("coordwatch_verdicts", "gauge", ("rule", "verdict"), "What people said of alerts once they had looked: conflict, unsure, or why it is none; conflict by all but unsure is the precision of a rule"),
    Name("coordwatch_checks", "counter", ("advice",), "Acts that were asked about before they were done, by the answer: allow, hold, deny"),
    Name("coordwatch_check_objections", "counter", ("rule", "status"), "Rules that stood against an act that was asked about; those that are not live decided nothing"),
    Name("coordwatch_alerts", "gauge", ("status",), "Alerts by status"),
    Name("coordwatch_alerts_live", "gauge", ("severity",), "Alerts that are open, acknowledged or snoozed, by severity"),
    Name("coordwatch_incidents_going_on", "gauge", ("severity",), "Incidents that are open or acknowledged, by severity"),
    Name("coordwatch_incident_customers_to_repair", "gauge", (), "Customers of incidents that go on about whom nobody has decided yet"),
    Name("coordwatch_events_in", "counter", (), "Events taken in; always applied + duplicate + dropped + dead-lettered + parked, and what is under way"),
    Name("coordwatch_events", "counter", ("result",), "Events by what became of them"),
    Name("coordwatch_events_parked", "gauge", (), "Events that wait for their customer to be known"),
    Name("coordwatch_events_under_way", "gauge", (), "Events that one stage has handed on and the next has not taken yet; 0 in one process"),
    Name("coordwatch_events_dropped", "counter", ("reason",), "Events left aside on purpose, by reason"),
    Name("coordwatch_dead_letters", "counter", ("stage", "reason"), "Records that could not be used, by stage and reason"),
    Name("coordwatch_mapping", "counter", ("source", "result"), "What the payloads of a source came to: events mapped, pieces dropped on purpose, pieces refused"),
    Name("coordwatch_source_filled", "counter", ("source", "what"), "Fields and identifiers in the events of a source, all added up: by its events, how full they are"),
    Name("coordwatch_source_times", "counter", ("source", "basis"), "Events of a source whose own time could not be read (broker) or lay in the future (clamped)"),
    Name("coordwatch_identity_aliased", "counter", (), "Customers who turned out to be others"),
    Name("coordwatch_identity_quarantined", "counter", (), "Identifiers shared by too many to say anything"),
    Name("coordwatch_identity_events", "counter", ("tool", "result"), "Events by how they came to their customer: resolved at once, parked, released, given_up after waiting, unidentified"),
    Name("coordwatch_identity_gaps", "counter", ("reason",), "Events that found no customer at once, by reason"),
    Name("coordwatch_identity_unusable", "counter", ("reason",), "Identifiers that name nobody, by reason"),
    Name("coordwatch_catalogue_lookups", "counter", ("source", "what", "result"), "What was asked of the catalogue and of the mappings' tables, known or unknown: category, purpose, owner, skus, locations, or the name of a table"),
    Name("coordwatch_retention_seconds", "gauge", ("store",), "How long what is kept of people stays: journals at most, refs, messages, parked events, closed alerts, dead letters, entries about who is kept away; +Inf: for ever"),
    Name("coordwatch_forget_unverified", "gauge", (), "People who were forgotten and of whom something may still be read: 0 once the last look found nothing"),
    Name("coordwatch_unknown_category", "counter", (), "Messages of which nobody could tell whether they were promotional"),
    Name("coordwatch_source_lag_seconds", "gauge", ("source",), "How far behind the present a source is read, in event time"),
    Name("coordwatch_source_read_through_seconds", "gauge", ("source",), "The event time through which a source is read, in seconds since 1970"),
    Name("coordwatch_source_dark", "gauge", ("source",), "1 when a source has fallen silent for longer than it may"),
    Name("coordwatch_rules_disabled", "gauge", (), "Rules that no configured source can feed"),
    Name("coordwatch_webhook_requests", "counter", ("source", "outcome"), "Requests to the webhook door: taken, repeated, handshake, empty, busy, or the reason why one was refused"),
    Name("coordwatch_catalogue_info", "gauge", ("version", "digest"), "Always 1; the labels say which catalogue this process uses now"),
    Name("coordwatch_catalogue_problems", "gauge", (), "Mistakes in the newest edit of the catalogue; while there are any, the last good one is used"),
    Name("coordwatch_catalogue_loaded_seconds", "gauge", (), "When the catalogue in use was loaded, in seconds since 1970"),
    Name("coordwatch_messages", "counter", ("channel", "result"), "Tries to say a message on a channel, by what came of them: delivered, again (may work later), refused (for good), withdrawn (over before it was said)"),
    Name("coordwatch_messages_waiting", "gauge", ("channel",), "Messages that a channel has not been told yet"),
    Name("coordwatch_messages_refused", "gauge", ("channel",), "Messages that a channel refused for good: somebody must change something"),
    Name("coordwatch_messages_oldest_seconds", "gauge", ("channel",), "Age of the oldest message that a channel has not been told yet; 0 when there is none"),
    Name("coordwatch_channel_delivered_seconds", "gauge", ("channel",), "When a channel last took a message, in seconds since 1970"),
    Name("coordwatch_canary_arrived_seconds", "gauge", (), "When the canary that is sent every minute last came through decision, outbox and sender, in seconds since 1970"),
    Name("coordwatch_audit_entries", "gauge", (), "How many entries the audit trail has; it never falls"),
    Name("coordwatch_audit_seal", "gauge", (), "The first twelve hexadecimal digits of the newest seal of the audit trail, as a number"),
    Name("coordwatch_audit_seal_next", "gauge", (), "The twelve hexadecimal digits after those, as a number"),
    Name("coordwatch_stream_watchers", "gauge", (), "Open streams of new alerts"),
    Name("coordwatch_build_info", "gauge", ("version",), "Always 1; the label says which program this is"),
)  # fmt: skip
WORKER_NAMES: Sequence[Name] = (
    Name("coordwatch_consumer_lag", "gauge", ("stage", "topic", "partition"), "Records of a partition that a stage has not committed yet"),
    Name("coordwatch_partition_stopped", "gauge", ("stage", "topic", "partition"), "1 when a stage refuses to go on with a partition"),
    Name("coordwatch_commits", "counter", ("stage", "result"), "Commits by what came of them"),
    Name("coordwatch_commit_seconds", "summary", ("stage",), "How long commits took"),
    Name("coordwatch_schema_registry_waiting", "gauge", (), "1 while records wait because the schema registry does not answer"),
    Name("coordwatch_records_lost", "counter", ("stage",), "Records that retention deleted before they were read, given up by a person"),
    Name("coordwatch_restore_seconds", "gauge", ("stage",), "How long the state took to be read back last time"),
    Name("coordwatch_state_keys", "gauge", ("stage",), "Rows of state that this process holds"),
    Name("coordwatch_state_bytes", "gauge", ("stage",), "Bytes of state that this process holds"),
    Name("coordwatch_suppressed_customers", "gauge", ("suppression",), "Customers of whom tools read that something stands against such an act"),
)  # fmt: skip
_BY_NAME = {one.name: one for one in (*NAMES, *WORKER_NAMES)}


def families(amounts: Mapping[str, Amounts]) -> Iterable[Metric]:
    """Counters and gauges, by metric name and then by label values."""
    for title, values in amounts.items():
        name = _BY_NAME[title]
        make = CounterMetricFamily if name.kind == "counter" else GaugeMetricFamily
        family = make(name.name, name.help, labels=list(name.labels))
        for labels, amount in values.items():
            family.add_metric(list(labels), amount)
        yield family


def summary(title: str, lengths: Lengths) -> Metric:
    """How often something was done and how long that took in all."""
    name = _BY_NAME[title]
    family = SummaryMetricFamily(name.name, name.help, labels=list(name.labels))
    for labels, (count, seconds) in lengths.items():
        family.add_metric(list(labels), count, seconds)
    return family
