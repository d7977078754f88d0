"""Incidents in the database: alerts find their place, people act on all of it at once; on SQLite and PostgreSQL."""

import random
import threading
from collections import defaultdict
from dataclasses import replace

import pytest
from sqlalchemy import select

from coordwatch.adapters.alert_rows import from_flat
from coordwatch.adapters.sql.schema import alerts, trail
from coordwatch.alerts.alert import ActionRefused, Order, VersionConflict
from coordwatch.alerts.causes import CauseKind
from coordwatch.alerts.grouping import clue_of
from coordwatch.alerts.incident import IncidentAction, IncidentOrder
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.alerts.once import Once
from coordwatch.alerts.repair import RepairState
from coordwatch.events.times import DAY, HOUR, MINUTE
from coordwatch.ports import Effects, RepairOrder
from tests.alerts.places import naive
from tests.build import NOW, PROMO, a_cancellation, a_loop, a_promo, a_sold_out, raised, retracted
from tests.database.test_silences import Desk

ADA, BEN = "ada@ops.test", "ben@ops.test"


@pytest.fixture
def desk(place):
    one = Desk(place)
    one.incidents, one.later = one.store.incidents(), NOW
    yield one
    one.close()


def come(desk, *detections, now=NOW):
    desk.store.commit(Effects(changes=[raised(one) for one in detections]), now)
    return desk.chores(now)


def rows(desk, **filters):
    desk.later += DAY
    desk.incidents.refresh(desk.later)
    return desk.incidents.incidents(filters, 100, None)[0]


def order(action, actor=ADA, now=NOW + 1, **more):
    return IncidentOrder(IncidentAction(action), actor, now, **more)


def decided(state, actor=ADA, **more):
    return RepairOrder(RepairState(state), actor, NOW + 5, **more)


def together(desk):
    found = defaultdict(set)
    with desk.store._read() as connection:
        for alert, incident in connection.execute(select(alerts.c.id, alerts.c.incident_id)):
            found[incident].add(alert)
    return {frozenset(one) for one in found.values()}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_database_groups_as_the_definition_says_whatever_the_order(desk, seed):
    chance = random.Random(seed)
    found = [
        a_promo(f"c{n}", NOW + chance.choice([0, 1, 20, 30, 47, 70]) * HOUR, case=f"K-{n}", campaign=f"sale {chance.randrange(14)}")
        for n in range(40)
    ]  # fmt: skip
    found += [a_promo(f"d{n}", NOW + n * MINUTE, case=f"L-{n}", campaign=f"sale {n}") for n in range(11)]
    chance.shuffle(found)
    for start in range(0, len(found), 9):
        come(desk, *found[start : start + 9], now=NOW + start)
    while desk.store.undecided(1):
        desk.chores(NOW + DAY)
    with desk.store._read() as connection:
        clues = [clue_of(from_flat(dict(row))) for row in connection.execute(select(alerts)).mappings()]
    assert together(desk) == naive(clues)
    assert {one for part in together(desk) for one in part} == {one.alert for one in clues}


def test_one_campaign_is_one_incident_with_a_title_counts_and_causes(desk):
    come(desk, *(a_promo(f"c{n}", NOW + n * MINUTE, case=f"K-{n}") for n in range(4)), a_cancellation("c1", NOW))
    promo, cancelled = sorted(rows(desk), key=lambda one: -one.alerts)
    assert promo.title == (
        "4 alerts about 4 customers since 2 Mar 2026 12:00 UTC, likely because of the campaign Spring sale"
    )
    assert (promo.alerts, promo.live, promo.customers, promo.to_repair, promo.severity) == (4, 4, 4, 4, "high")
    assert (cancelled.alerts, cancelled.severity) == (1, "critical")
    view = desk.incidents.incident(promo.id)
    assert [one.kind for one in view.causes][:2] == [CauseKind.CAMPAIGN, CauseKind.TOOLS]
    assert view.rules == [(PROMO.id, PROMO.title, 4)]
    assert view.actions == ["acknowledge", "resolve", "note"]
    found = desk.store.alerts({"incident": promo.id}, 9, None)[0]
    assert {one.incident for one in found} == {promo.id}
    assert len(found) == 4


def test_taking_an_incident_takes_its_alerts_and_calls_nobody_for_more_of_the_same(desk):
    assert len(come(desk, a_promo("c0", NOW), a_promo("c1", NOW, case="K-1"))) == 2
    (row,) = rows(desk)
    taken = desk.incidents.act(row.id, order("acknowledge", note="pausing it", version=1))
    assert (taken.status, taken.version, taken.taken_by, taken.note) == ("acknowledged", 2, ADA, "pausing it")
    assert {one.status for one in desk.store.alerts({}, 9, None)[0]} == {"acknowledged"}
    assert come(desk, a_promo("c2", NOW + HOUR, case="K-2"), now=NOW + HOUR) == []
    (new,) = desk.store.alerts({"customer": "c2"}, 9, None)[0]
    words = "ada@ops.test has its incident in hand, and it is no worse than what was known then"
    assert desk.history(new.id) == [("", "incident_acknowledged", words)]
    assert come(desk, replace_rule(a_cancellation("c3", NOW + HOUR), "Spring sale"), now=NOW + HOUR) != []
    desk.incidents.act(row.id, order("undo", now=NOW + 2 * HOUR))
    assert len(desk.chores(NOW + 2 * HOUR)) == 3
    with pytest.raises(VersionConflict):
        desk.incidents.act(row.id, order("resolve", version=2))
    with pytest.raises(ActionRefused, match="it can take: acknowledge, resolve, note"):
        desk.incidents.act(row.id, order("reopen"))


def replace_rule(detection, campaign):
    """A critical detection of the same campaign."""
    act = replace(detection.act, data={**detection.act.data, "campaign": campaign})
    return replace(detection, act=act)


def test_an_incident_ends_with_its_last_alert_and_comes_back_with_one(desk):
    come(desk, a_promo("c0", NOW), a_promo("c1", NOW, case="K-1"))
    (row,) = rows(desk)
    desk.store.commit(
        Effects(changes=[retracted(a_promo("c0", NOW)), retracted(a_promo("c1", NOW, case="K-1"))]), NOW + 1
    )
    (over,) = rows(desk)
    assert (over.status, over.live, over.customers) == ("resolved", 0, 0)
    come(desk, a_promo("c0", NOW), now=NOW + 2)
    (back,) = rows(desk)
    assert (back.id, back.status, back.live) == (row.id, "open", 1)
    notes = [one.action for one in desk.incidents.incident(row.id).audit]
    assert notes == ["begin", "end", "come_back"]


def test_resolving_resolves_all_and_undo_brings_back_what_it_did_and_no_more(desk):
    come(desk, *(a_promo(f"c{n}", NOW, case=f"K-{n}") for n in range(3)))
    (row,) = rows(desk)
    first = desk.store.alerts({}, 9, None)[0][0]
    desk.store.act(first.id, Order(AlertAction.RESOLVE, BEN, NOW + 1))
    once = Once("key", "digest")
    done = desk.incidents.act(row.id, order("resolve", now=NOW + 2), once)
    assert desk.incidents.act(row.id, order("resolve", now=NOW + 3), once) == done
    assert (done.status, done.live) == ("resolved", 0)
    again = desk.incidents.act(row.id, order("undo", now=NOW + 4))
    assert (again.status, again.live) == ("open", 2)
    assert desk.store.alert(first.id).row.status == "resolved"
    desk.incidents.act(row.id, order("resolve", now=NOW + 5))
    come(desk, a_promo("c9", NOW + MINUTE, case="K-9"), now=NOW + 6)
    assert {one.status for one in rows(desk)} == {"open", "resolved"}


def test_what_a_person_split_stays_apart_and_what_they_merged_together(desk):
    come(desk, *(a_promo(f"c{n}", NOW, case=f"K-{n}") for n in range(3)), a_sold_out("c5", NOW))
    promo = next(one for one in rows(desk) if one.alerts == 3)
    ids = sorted(one.id for one in desk.store.alerts({"incident": promo.id}, 9, None)[0])
    new = desk.incidents.split(promo.id, ids[:1], order("split", version=promo.version))
    assert (new.alerts, desk.incidents.incident(promo.id).row.alerts) == (1, 2)
    come(desk, a_promo("c7", NOW + MINUTE, case="K-7"), now=NOW + 7)
    found = {one.id: one.alerts for one in rows(desk)}
    assert (found[new.id], found[promo.id]) == (2, 2)
    other = next(one for one in found if one not in (new.id, promo.id))
    merged = desk.incidents.merge(promo.id, [new.id, other], order("merge"))
    assert (merged.alerts, merged.customers) == (5, 5)
    gone = desk.incidents.incident(new.id).row
    assert (gone.status, gone.merged_into) == ("merged", promo.id)
    assert [one.id for one in rows(desk)] == [promo.id]
    for wrong in (["none"], [promo.id], [new.id]):
        with pytest.raises(ActionRefused, match="both must be incidents that go on"):
            desk.incidents.merge(promo.id, wrong, order("merge"))
    with pytest.raises(ActionRefused, match="not in this incident"):
        desk.incidents.split(promo.id, ["none"], order("split"))


def test_what_was_put_together_is_taken_apart_again_with_what_it_brought_along(desk):
    come(desk, *(a_promo(f"c{n}", NOW, case=f"K-{n}") for n in range(2)), a_sold_out("c5", NOW), a_loop("c6", NOW))
    hit = {desk.incidents.repairs(one.id, 1, None)[0].customer: one for one in rows(desk)}
    promo, sold, loop = hit["c0"], hit["c5"], hit["c6"]
    desk.incidents.repair(sold.id, ["c5"], decided("repaired", note="called"))
    desk.incidents.merge(sold.id, [loop.id], order("merge", BEN))
    desk.incidents.merge(promo.id, [sold.id], order("merge", BEN))
    view = desk.incidents.incident(promo.id)
    assert [(one.id, one.live) for one in view.holds if one.id == sold.id] == [(sold.id, 0)]
    assert desk.incidents.incident(loop.id).row.merged_into == promo.id
    come(desk, a_sold_out("c8", NOW + MINUTE), now=NOW + 7)
    seen = desk.incidents.incident(sold.id)
    assert list(seen.actions) == ["undo"]
    with pytest.raises(VersionConflict):
        desk.incidents.act(sold.id, order("undo", version=seen.row.version + 1))
    once = Once("k", "asked")
    back = desk.incidents.act(sold.id, order("undo", version=seen.row.version, note="two things"), once)
    assert desk.incidents.act(sold.id, order("undo"), once) == back
    assert (back.status, back.alerts, back.merged_into) == ("open", 2, None)
    assert {one.customer: one.state for one in desk.incidents.repairs(sold.id, 9, None)} == {
        "c5": "repaired", "c6": "open",
    }  # fmt: skip
    assert [one.customer for one in desk.incidents.repairs(promo.id, 9, None)] == ["c0", "c1", "c8"]
    assert desk.incidents.incident(loop.id).row.merged_into == sold.id, "its address leads there again"
    assert desk.incidents.incident(sold.id).audit[-1].note == f"out of {promo.id}: two things"
    assert desk.incidents.incident(promo.id).audit[-1].note == f"{sold.id} was taken out again"
    with desk.store._read() as connection:
        deeds = connection.execute(select(trail.c.kind, trail.c.actor).where(trail.c.subject == sold.id)).all()
    assert tuple(deeds[-1]) == ("incident.change", ADA)
    assert [one.id for one in desk.incidents.incident(promo.id).holds] == []
    with pytest.raises(ActionRefused, match="cannot take 'undo'"):
        desk.incidents.act(sold.id, order("undo"))
    assert desk.incidents.act(loop.id, order("undo")).alerts == 1


def test_what_was_split_off_knows_where_it_came_from_and_what_cannot_be_taken_apart_is_said(desk):
    come(desk, *(a_promo(f"c{n}", NOW, case=f"K-{n}") for n in range(3)))
    (promo,) = rows(desk)
    ids = [one.id for one in desk.store.alerts({"incident": promo.id}, 9, None)[0]]
    new = desk.incidents.split(promo.id, ids[:1], order("split"))
    assert desk.incidents.incident(new.id).split_from == promo.id
    assert desk.incidents.incident(promo.id).split_from is None
    assert (desk.incidents.totals().going_on, desk.incidents.totals().to_repair) == ({"high": 2}, 3)
    assert desk.incidents.merge(promo.id, [new.id], order("merge")).alerts == 3
    desk.incidents.split(promo.id, ids[:1], order("split", now=NOW + 3))
    with pytest.raises(ActionRefused, match="nothing of it is there any more"):
        desk.incidents.act(new.id, order("undo"))


def test_the_customers_to_repair_say_what_happened_what_to_do_and_who_did_it(desk):
    come(desk, *(a_promo(f"c{n}", NOW, case=f"K-{n}") for n in range(3)))
    desk.store.commit(Effects(changes=[retracted(a_promo("c2", NOW, case="K-2"))]), NOW + 1)
    (row,) = rows(desk)
    lines = desk.incidents.repairs(row.id, 9, None)
    assert [(one.customer, one.state, one.by) for one in lines] == [("c0", "open", ""), ("c1", "open", "")]
    assert lines[0].what.startswith("Journeys sent Spring sale 2 h 10 min after complaint K-0")
    done = desk.incidents.repair(row.id, ["c0"], decided("repaired", note="called them"))
    assert (done[0].state, done[0].by, done[0].note, done[0].version) == ("repaired", ADA, "called them", 1)
    kept = desk.incidents.repair(row.id, ["c0", "c1"], decided("not_needed", BEN, expected=RepairState.OPEN))
    assert [(one.state, one.by) for one in kept] == [("repaired", ADA), ("not_needed", BEN)]
    with pytest.raises(VersionConflict):
        desk.incidents.repair(row.id, ["c0"], decided("open", version=0))
    with pytest.raises(ActionRefused, match="did not hit the customer 'c9'"):
        desk.incidents.repair(row.id, ["c9"], decided("repaired"))
    assert rows(desk)[0].to_repair == 0
    assert [one.customer for one in desk.incidents.all_repairs(row.id, ADA, NOW)] == ["c0", "c1"]
    assert desk.incidents.repairs("none", 9, None) is desk.incidents.all_repairs("none", ADA, NOW) is None


def test_nothing_of_a_forgotten_customer_is_left_in_incidents(desk):
    come(desk, a_promo("c-gone", NOW), a_promo("c-stays", NOW, case="K-1"))
    (row,) = rows(desk)
    desk.incidents.repair(row.id, ["c-gone"], decided("repaired", note="c-gone was called"))
    desk.incidents.act(row.id, order("note", note="c-gone complained"))
    assert [(one.state, one.note) for one in desk.store.customer_repairs("c-gone")] == [
        ("repaired", "c-gone was called")
    ]
    desk.store.commit(Effects(forgotten=["c-gone"]), NOW + 9)
    (left,) = rows(desk)
    assert (left.alerts, left.customers, left.note) == (1, 1, "")
    assert [one.customer for one in desk.incidents.repairs(row.id, 9, None)] == ["c-stays"]
    assert desk.store.customer_repairs("c-gone") == []
    assert not any("c-gone" in one.note for one in desk.incidents.incident(row.id).audit)


def test_changes_and_dark_sources_are_remembered_as_possible_causes(desk):
    desk.incidents.note_revisions(CauseKind.RULE_CHANGED, {PROMO.id: "r1"}, NOW - 9 * DAY)
    desk.incidents.note_revisions(CauseKind.RULE_CHANGED, {PROMO.id: "r1"}, NOW - 8 * DAY)
    come(desk, a_promo("c0", NOW))
    assert CauseKind.RULE_CHANGED not in {one.kind for one in desk.incidents.incident(rows(desk)[0].id).causes}
    desk.incidents.note_revisions(CauseKind.RULE_CHANGED, {PROMO.id: "r2"}, NOW - HOUR)
    desk.incidents.note_dark({"deskflow": ["Deskflow"]}, NOW - HOUR)
    desk.incidents.note_dark({}, NOW - MINUTE)
    come(desk, a_promo("c1", NOW, case="K-1"), now=NOW + 1)
    causes = desk.incidents.incident(rows(desk)[0].id).causes
    assert {CauseKind.RULE_CHANGED, CauseKind.SOURCE_DARK} <= {one.kind for one in causes}
    dark = next(one for one in causes if one.kind is CauseKind.SOURCE_DARK)
    assert dark.evidence.startswith("it was dark from 2 Mar 2026 11:00 UTC until 2 Mar 2026 11:59 UTC; 2 of 2 alerts")


def test_of_many_who_take_an_incident_at_once_one_does(desk):
    come(desk, *(a_promo(f"c{n}", NOW, case=f"K-{n}") for n in range(5)))
    (row,) = rows(desk)
    ready, won, lost = threading.Barrier(6), [], []

    def take(name):
        ready.wait()
        try:
            won.append(desk.incidents.act(row.id, order("acknowledge", name, version=1)).taken_by)
        except VersionConflict as error:
            lost.append(error.version)

    threads = [threading.Thread(target=take, args=(f"person-{n}",)) for n in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (len(won), lost) == (1, [2] * 5)
    assert desk.incidents.incident(row.id).row.taken_by == won[0]
    assert {one.version for one in desk.store.alerts({}, 9, None)[0]} == {2}


def test_several_processes_place_alerts_without_losing_one(new_place):
    place = new_place("postgres")
    several = [Desk(place) for _ in range(3)]
    found = [a_promo(f"c{n}", NOW + n * MINUTE, case=f"K-{n}", campaign=f"sale {n % 5}") for n in range(60)]
    several[0].store.commit(Effects(changes=[raised(one) for one in found]), NOW)
    threads = [threading.Thread(target=one.store.holding().prepare, args=(NOW,)) for one in several for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    sizes = sorted(len(one) for one in together(several[1]))
    assert sizes == [12] * 5
    for one in several:
        one.close()
