"""The metrics of a worker: every declared name is there with its labels, and nothing is told twice."""

from dataclasses import replace

import pytest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from coordwatch.adapters.catalogue_keeper import CatalogueKeeper
from coordwatch.adapters.memory import MemoryStore
from coordwatch.adapters.prometheus import (
    NAMES,
    WORKER_NAMES,
    Metrics,
    Readings,
    Running,
    of_channels,
    of_incidents,
    of_trail,
)
from coordwatch.audit.chain import Head
from coordwatch.clock import ManualClock
from coordwatch.events.times import HOUR, SECOND
from coordwatch.notify.outbox import ChannelView
from coordwatch.ports import Effects, SourceView, ToolCount
from coordwatch.ports.incidents import IncidentTotals
from coordwatch.processor.readings import PlaceReading, StageReading, trouble_of
from coordwatch.sources.catalogue import Catalogue
from tests.build import CARDS, NOW, fill
from tests.worker.readings import ALERTS, DETECT, FakeWorker

DECLARED = {name.name: name for name in (*NAMES, *WORKER_NAMES)}
COUNTED = [
    ToolCount("bot-loop", "Chatline", "", "acts", 9),
    ToolCount("bot-loop", "Chatline", "Chatline", "detections", 4),
    ToolCount("bot-loop", "Chatline", "Chatline", "retracted", 1),
]


def stored() -> Readings:
    """A database with a busy day, and two sources."""
    store = MemoryStore(CARDS)
    fill(store)
    letters = {"dead_lettered": 2, "dead_lettered.map.no_time": 2, "dropped.drop_if": 1, "in": 3, "dropped": 1}
    letters |= {"lookup_known.mail.category": 3, "lookup_unknown.mail.category": 1}
    letters |= {"whose.resolved.Shopline": 7, "whose.parked.Shopline": 2, "gap.no_owner": 2, "unusable.blocked": 1}
    letters |= {"source.mapped.zendesk": 5, "source.refused.zendesk": 2, "time.broker.zendesk": 1}
    letters |= {"message.delivered.slack": 3}
    letters |= {"filled.fields.zendesk": 40, "filled.identifiers.zendesk": 6}
    store.commit(Effects(tallies=letters), NOW)
    sources = [SourceView("orders", "read", NOW - HOUR, NOW), SourceView("mail", "dark", None, NOW - HOUR)]
    ours = ("coordwatch_stream_watchers", "coordwatch_rules_disabled", "coordwatch_forget_unverified")
    gauges = dict.fromkeys(ours, lambda: 0.0)
    kept = {"refs": 34_560_000.0, "kept_away": float("inf")}
    return Readings(store, lambda: sources, ManualClock(NOW), gauges, retention=kept)


def families(metrics: Metrics) -> dict[str, Metric]:
    text = metrics.render()[0].decode()
    parsed = list(text_string_to_metric_families(text))
    names = [one.name for one in parsed]
    assert len(names) == len(set(names)), "a family is told twice"
    return {one.name: one for one in parsed if one.name.startswith("coordwatch_")}


def amounts(family: Metric) -> dict[tuple[str, ...], float]:
    """Values by the end of the sample's name and the labels in their declared order."""
    labels = DECLARED[family.name].labels
    return {
        (sample.name.removeprefix(family.name), *(sample.labels[label] for label in labels)): sample.value
        for sample in family.samples
    }


def test_every_declared_name_is_told_with_its_labels_by_a_worker_with_all_roles():
    keeper = CatalogueKeeper(None, Catalogue(), lambda _: None, ManualClock(NOW))
    door: dict[tuple[str, ...], float] = {("mails", "taken"): 1.0}
    channels = of_channels(
        [ChannelView("slack", 1, NOW, delivered_at=NOW), ChannelView("canary", delivered_at=NOW)], NOW
    )
    trail = of_trail(Head(3, "00000000002a00000000002b" + "0" * 40))
    assert trail == {
        "coordwatch_audit_entries": {(): 3},
        "coordwatch_audit_seal": {(): 42},
        "coordwatch_audit_seal_next": {(): 43},
    }
    incidents = of_incidents(IncidentTotals({"high": 2}, 7))
    checks = {"coordwatch_checks": {("hold",): 1.0}, "coordwatch_check_objections": {("promo", "live"): 1.0}}
    beside = {**keeper.amounts(), **checks, **channels, **trail, **incidents, "coordwatch_webhook_requests": door}
    found = families(Metrics(stored(), Running(FakeWorker()), lambda: beside))
    assert amounts(found["coordwatch_incidents_going_on"])[("", "high")] == 2
    assert amounts(found["coordwatch_incident_customers_to_repair"]) == {("",): 7}
    assert found.keys() == DECLARED.keys()
    for name, family in found.items():
        assert family.type == DECLARED[name].kind
        assert family.documentation == DECLARED[name].help
        assert family.samples, name
        assert {frozenset(sample.labels) for sample in family.samples} == {frozenset(DECLARED[name].labels)}, name


def test_names_follow_the_practice_and_no_label_is_about_a_customer():
    for name in (*NAMES, *WORKER_NAMES):
        assert not name.name.endswith(("_total", "_count", "_sum", "_bucket", "_info")) or name.kind == "gauge"
        assert not {"customer", "campaign", "alert", "case", "order", "message", "id"} & set(name.labels), name.name
        assert not name.name.endswith(("_ms", "_milliseconds", "_kb", "_minutes")), name.name


def test_how_events_came_to_their_customers_by_tool():
    found = families(Metrics(stored(), None))
    assert amounts(found["coordwatch_identity_events"]) == {
        ("_total", "Shopline", "resolved"): 7, ("_total", "Shopline", "parked"): 2,
    }  # fmt: skip
    assert amounts(found["coordwatch_identity_gaps"]) == {("_total", "no_owner"): 2}
    assert amounts(found["coordwatch_identity_unusable"]) == {("_total", "blocked"): 1}


def test_what_payloads_came_to_by_source_with_a_nought_for_what_has_not_happened():
    found = families(Metrics(stored(), None))
    assert amounts(found["coordwatch_mapping"]) == {
        ("_total", "zendesk", "mapped"): 5, ("_total", "zendesk", "dropped"): 0, ("_total", "zendesk", "refused"): 2,
    }  # fmt: skip
    assert amounts(found["coordwatch_source_times"]) == {
        ("_total", "zendesk", "broker"): 1, ("_total", "zendesk", "clamped"): 0,
    }  # fmt: skip
    assert amounts(found["coordwatch_source_filled"]) == {
        ("_total", "zendesk", "fields"): 40, ("_total", "zendesk", "identifiers"): 6,
    }  # fmt: skip


def test_what_a_worker_says_of_itself():
    found = families(Metrics(None, Running(FakeWorker())))
    assert found.keys() == {name.name for name in WORKER_NAMES} | {"coordwatch_build_info"}
    assert amounts(found["coordwatch_consumer_lag"])["", "detect", "cw.events", "0"] == 7
    assert amounts(found["coordwatch_commits"])["_total", "detect", "aborted"] == 1
    assert amounts(found["coordwatch_commit_seconds"]) == {
        ("_count", "detect"): 12,
        ("_sum", "detect"): 1.5,
        ("_count", "alerts"): 3,
        ("_sum", "alerts"): 0.5,
    }
    assert amounts(found["coordwatch_state_keys"]) == {("", "detect"): 1000}, "alerts keeps no state of its own"
    assert amounts(found["coordwatch_records_lost"])["_total", "detect"] == 2
    assert set(amounts(found["coordwatch_partition_stopped"]).values()) == {0.0}


def test_a_stopped_partition_is_a_one():
    stopped = replace(DETECT, places=(PlaceReading("cw.events", 0, 7, "cw.events/0 stops at offset 8: why"),))
    found = families(Metrics(None, Running(FakeWorker([stopped]))))
    assert amounts(found["coordwatch_partition_stopped"]) == {("", "detect", "cw.events", "0"): 1.0}


def test_a_worker_that_only_judges_tells_the_tool_pairs_of_its_own_partitions_and_no_counter_of_them():
    found = families(Metrics(None, Running(FakeWorker([DETECT]), lambda: COUNTED)))
    assert amounts(found["coordwatch_pair_acts"]) == {("", "bot-loop", "Chatline"): 9}
    assert amounts(found["coordwatch_pair_detections"]) == {("", "bot-loop", "Chatline", "Chatline"): 4}
    assert not {"coordwatch_acts", "coordwatch_detections_raised"} & found.keys()


def test_the_tool_pairs_of_the_database_add_up_to_its_rules():
    readings = stored()
    found = families(Metrics(readings))
    for rule in readings.reader.rule_counts():
        pairs = [value for key, value in amounts(found["coordwatch_pair_acts"]).items() if key[1] == rule.rule]
        assert sum(pairs) == rule.acts
        pairs = [value for key, value in amounts(found["coordwatch_pair_detections"]).items() if key[1] == rule.rule]
        assert sum(pairs) == rule.detections


def test_how_far_a_source_is_read_is_told_as_an_instant_and_as_a_length():
    found = families(Metrics(stored()))
    assert amounts(found["coordwatch_source_read_through_seconds"]) == {("", "orders"): (NOW - HOUR) / SECOND}
    assert amounts(found["coordwatch_source_lag_seconds"]) == {("", "orders"): 3600}
    assert amounts(found["coordwatch_source_dark"]) == {("", "orders"): 0, ("", "mail"): 1}


# ---- whether it is ready


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


def test_a_worker_is_ready_when_every_stage_works(worker):
    assert trouble_of(worker) is None
    worker.of_stages = []
    assert trouble_of(worker) is None


def test_a_worker_that_restores_says_which_stage_and_what_it_waits_for(worker):
    worker.of_stages = [ALERTS, StageReading("detect", waits="its state is being read back (7 of 12 partitions)")]
    assert trouble_of(worker) == "detect: its state is being read back (7 of 12 partitions)"


def test_a_stopped_partition_makes_a_worker_not_ready_with_its_own_words(worker):
    one = PlaceReading("cw.events", 0, stopped="cw.events/0 stops at offset 8: why")
    worker.of_stages = [replace(DETECT, places=(one,)), ALERTS]
    assert trouble_of(worker) == "cw.events/0 stops at offset 8: why"
    worker.of_stages = [replace(DETECT, places=(one, one, one)), ALERTS]
    assert trouble_of(worker) == "cw.events/0 stops at offset 8: why (2 more stopped)"


def test_a_worker_that_ends_says_why_first(worker):
    worker.ending = "this worker was fenced: its partitions have another owner"
    worker.of_stages = [StageReading("detect", waits="to join")]
    assert trouble_of(worker) == "this worker was fenced: its partitions have another owner"
