"""The simulation itself: the same for the same seed, in the order of a log, and hard where the world is hard."""

from collections import Counter
from dataclasses import replace
from itertools import islice, pairwise

import pytest

from coordwatch.engine.replay import replay_events
from coordwatch.events.times import DAY, HOUR, MINUTE
from coordwatch.simulator.config import START, SimulationConfig
from coordwatch.simulator.labels import LabelKind, Which
from coordwatch.simulator.run import live, simulate
from tests.simulator.shop import WEEK, specs, week

SMALL = SimulationConfig(customers=30, days=2, seed=5)


def test_the_same_seed_tells_the_same_story():
    first, second = simulate(SMALL), simulate(SMALL)
    assert list(first) == list(second)
    assert first.labels == second.labels


def test_another_seed_tells_another_story():
    assert list(simulate(SMALL)) != list(simulate(replace(SMALL, seed=6)))


def test_another_start_moves_the_story_whole():
    moved = simulate(replace(SMALL, start=START + 7 * DAY))
    first = next(iter(moved))
    assert first.record.timestamp is not None
    assert START + 7 * DAY <= first.record.timestamp < START + 7 * DAY + MINUTE


def test_records_come_as_the_log_takes_them_and_never_before_they_happened():
    records = week()[0]
    assert all(one.record.timestamp <= two.record.timestamp for one, two in pairwise(records))
    for record in records:
        assert all(event.observed_at == record.record.timestamp for event in record.events)
        assert all(WEEK.start <= event.time <= event.observed_at for event in record.events)
        assert all(event.time <= WEEK.end + MINUTE for event in record.events)


def test_offsets_count_up_within_a_topic():
    counts: Counter[str] = Counter()
    for record in week()[0]:
        assert record.record.offset == counts[record.record.topic]
        counts[record.record.topic] += 1


def test_some_records_come_twice_and_some_come_late_and_out_of_order():
    records = week()[0]
    seen = Counter(record.record.value for record in records)
    copies = sum(count - 1 for count in seen.values())
    assert 0.005 < copies / len(records) < 0.03
    times = [event.time for record in records for event in record.events]
    assert sum(one > two for one, two in pairwise(times)) > len(times) // 20
    delays = [event.observed_at - event.time for record in records for event in record.events]
    assert sum(delay > HOUR for delay in delays) > 10


def test_the_last_event_is_the_end():
    assert max(event.time for record in week()[0] for event in record.events) >= WEEK.end


def test_customers_are_heavy_tailed_and_nights_are_calm():
    per_customer = Counter(event.subject for record in week()[0] for event in record.events if event.subject)
    ranked = [count for _, count in per_customer.most_common()]
    assert sum(ranked[: len(ranked) // 10]) > 0.2 * sum(ranked)
    chats = [event for record in week()[0] for event in record.events if event.type == "bot.conversation.started"]
    by_hour = Counter(event.time % DAY // HOUR for event in chats)
    assert sum(by_hour[hour] for hour in range(4)) * 2 < sum(by_hour[hour] for hour in range(8, 12))


def test_campaigns_come_in_bursts():
    sent = Counter(
        (event.data["campaign"], event.time // HOUR)
        for record in week()[0]
        for event in record.events
        if event.type == "marketing.message.sent" and event.data["category"] == "promotional"
    )
    assert max(sent.values()) > WEEK.customers // 8


def test_every_rule_has_conflicts_and_every_trap_is_set():
    labels = week()[1]
    conflicts = {label.rule for label in labels if label.kind is LabelKind.TRUE_CONFLICT and label.published}
    assert conflicts == {spec.id for spec in specs()}
    assert {label.which for label in labels} - {None} == set(Which)


def test_an_act_has_one_label_a_rule():
    acts = Counter((label.rule, label.source, label.id) for label in week()[1])
    assert [act for act, count in acts.items() if count > 1] == []


def test_a_label_whose_deadline_is_not_over_is_not_told():
    assert all(label.at <= WEEK.end for label in week()[1])


def test_a_live_shop_never_closes():
    records = list(islice(live(3, customers=10), 4000))
    assert len(records) == 4000
    assert records[-1].record.timestamp > START + DAY


@pytest.mark.parametrize("seed", [0, 1, 2, 7, 42])
def test_every_rule_fires_in_the_first_ten_hours_of_a_live_shop(seed: int):
    end = START + 10 * HOUR
    events = []
    for record in live(seed):
        if record.record.timestamp > end:
            break
        events += record.events
    fired = {row["rule"] for row in replay_events(specs(), events, end)}
    assert fired == {spec.id for spec in specs()}
