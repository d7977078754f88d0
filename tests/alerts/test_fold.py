"""Detections fold into alerts by key and quiet, and change nothing else (RULES 29)."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from coordwatch.adapters.memory import MemoryStore
from coordwatch.alerts.alert import Order, alert_id
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.events.times import DAY, HOUR, MINUTE
from coordwatch.ports import AlertRow, Effects
from coordwatch.rules.detection import DetectionStatus, RetractReason
from coordwatch.rules.spec import RuleStatus
from tests.build import CANCEL, CARDS, NOW, PROMO, a_cancellation, a_promo, raised, retracted


def a_store(*changes, cards=CARDS):
    store = MemoryStore(cards)
    for change in changes:
        store.commit(Effects(changes=[change]), NOW)
    return store


def all_rows(store) -> list[AlertRow]:
    return store.alerts({"sort": "oldest"}, 1000, None)[0]


def act(store, action, **more):
    (row,) = all_rows(store)
    return store.act(row.id, Order(action, "ada@ops.test", NOW, **more))


def test_near_detections_under_one_key_are_one_alert_and_quiet_itself_is_outside():
    inside = a_store(raised(a_promo("c", NOW)), raised(a_promo("c", NOW + DAY - 1)))
    assert [row.count for row in all_rows(inside)] == [2]
    outside = a_store(raised(a_promo("c", NOW)), raised(a_promo("c", NOW + DAY)))
    assert [row.count for row in all_rows(outside)] == [1, 1]


def test_an_earlier_detection_that_comes_late_joins_too():
    store = a_store(raised(a_promo("c", NOW)), raised(a_promo("c", NOW - HOUR)))
    (row,) = all_rows(store)
    assert (row.first_at, row.last_at, row.at, row.count) == (NOW - HOUR, NOW, NOW, 2)


def test_other_keys_are_other_alerts():
    store = a_store(raised(a_promo("c", NOW)), raised(a_promo("c", NOW + 1, case="K-2")), raised(a_promo("d", NOW)))
    assert len(all_rows(store)) == 3


def test_the_id_is_derived_from_rule_key_and_the_detection_that_began_it():
    (row,) = all_rows(a_store(raised(a_promo("c", NOW))))
    assert row.id == alert_id(PROMO.id, ("c", "K-1042"), a_promo("c", NOW).id)


def test_raising_the_same_detection_again_changes_nothing():
    store = a_store(raised(a_promo("c", NOW)), raised(a_promo("c", NOW)))
    (row,) = all_rows(store)
    assert (row.count, row.version, len(store.alert(row.id).audit)) == (1, 1, 1)


def test_a_retracted_alert_says_why_and_keeps_what_it_said():
    gone = replace(a_promo("c", NOW), evidence=())
    store = a_store(raised(a_promo("c", NOW)), retracted(gone, RetractReason.CANCELLED))
    (row,) = all_rows(store)
    view = store.alert(row.id)
    assert (row.status, row.count, view.audit[-1].note) == ("retracted", 0, "cancelled")
    assert "K-1042" in row.sentence
    assert view.detections[0]["evidence"][0]["id"] == "C-K-1042"
    assert list(store.standing_detections()) == []


def test_retracting_one_of_two_leaves_the_alert_and_its_face():
    store = a_store(
        raised(a_promo("c", NOW)),
        raised(a_promo("c", NOW + HOUR, campaign="Autumn")),
        retracted(a_promo("c", NOW + HOUR)),
    )
    (row,) = all_rows(store)
    assert (row.status, row.count, row.campaign) == ("open", 1, "Spring sale")


def test_a_detection_that_comes_back_opens_its_alert_again():
    store = a_store(raised(a_promo("c", NOW)), retracted(a_promo("c", NOW)), raised(a_promo("c", NOW)))
    (row,) = all_rows(store)
    assert (row.status, row.count) == ("open", 1)


def test_made_good_resolves_and_says_how_late():
    store = a_store(raised(a_cancellation("c", NOW)), raised(a_cancellation("c", NOW, late=3 * HOUR)))
    (row,) = all_rows(store)
    assert (row.status, row.count, store.alert(row.id).audit[-1].note) == ("resolved", 1, "3 h late")
    fresh = a_store(raised(a_cancellation("c", NOW, late=3 * HOUR)))
    (row,) = all_rows(fresh)
    assert (row.status, [entry.action for entry in fresh.alert(row.id).audit]) == ("resolved", ["raise", "made_good"])


def test_a_repeat_opens_what_was_resolved_but_not_what_is_no_conflict():
    store = a_store(raised(a_promo("c", NOW)))
    act(store, AlertAction.RESOLVE)
    store.commit(Effects(changes=[raised(a_promo("c", NOW + HOUR))]), NOW)
    assert all_rows(store)[0].status == "open"
    act(store, AlertAction.VERDICT)
    store.commit(Effects(changes=[raised(a_promo("c", NOW + 2 * HOUR))]), NOW)
    assert (all_rows(store)[0].status, all_rows(store)[0].count) == ("not_a_conflict", 3)


def test_evidence_that_changes_the_key_moves_the_detection_to_another_alert():
    first = a_promo("c", NOW)
    moved = replace(first, evidence=a_promo("c", NOW, case="K-7").evidence)
    store = a_store(raised(first), raised(moved))
    old, new = sorted(all_rows(store), key=lambda row: row.count)
    assert (old.status, new.status, new.sentence.count("K-7")) == ("retracted", "open", 1)
    store.commit(Effects(changes=[raised(first)]), NOW)
    by_status = {row.status: row for row in all_rows(store)}
    assert by_status["open"].id == old.id
    assert by_status["retracted"].id == new.id


def test_a_customer_that_merges_takes_the_detection_along():
    store = a_store(raised(a_promo("c", NOW)), retracted(a_promo("c", NOW), RetractReason.CUSTOMER_MERGED))
    store.commit(Effects(changes=[raised(replace(a_promo("c", NOW), customer="merged"))]), NOW)
    assert sorted((row.customer, row.status) for row in all_rows(store)) == [("c", "retracted"), ("merged", "open")]


def test_drafts_shadows_and_unknown_rules_raise_no_alert_but_are_kept():
    for cards in (
        {},
        {PROMO.id: replace(PROMO, status=RuleStatus.SHADOW)},
        {PROMO.id: replace(PROMO, status=RuleStatus.DRAFT)},
    ):
        store = a_store(raised(a_promo("c", NOW)), raised(a_promo("c", NOW)), cards=cards)
        assert all_rows(store) == []
        assert len(list(store.standing_detections())) == 1
        store.commit(Effects(changes=[retracted(a_promo("c", NOW))]), NOW)
        assert list(store.standing_detections()) == []


DETECTIONS = [a_promo("c", NOW + n * 30 * MINUTE) for n in range(4)] + [a_cancellation("c", NOW)]
CHANGES = st.one_of(
    st.sampled_from(DETECTIONS).map(raised),
    st.sampled_from(DETECTIONS).map(retracted),
    st.just(raised(a_cancellation("c", NOW, late=HOUR))),
)


@given(st.lists(CHANGES, max_size=25))
def test_the_counts_of_every_alert_are_those_of_its_detections(changes):
    store = a_store(*changes)
    expected: dict[str, DetectionStatus] = {}
    for change in changes:
        status = DetectionStatus.RETRACTED if change.kind == "retracted" else change.detection.status
        if change.detection.id in expected or status is not DetectionStatus.RETRACTED:
            expected[change.detection.id] = status
    standing = {one for one, status in expected.items() if status is not DetectionStatus.RETRACTED}
    assert {plain["id"] for plain in store.standing_detections()} == standing
    for row in all_rows(store):
        view = store.alert(row.id)
        live = [plain for plain in view.detections if plain["status"] != "retracted"]
        assert row.count == len(live)
        assert (row.status == "retracted") == (not live)
        if live and row.rule == CANCEL.id:
            assert (row.status == "resolved") == (live[0]["status"] == "made_good")
        assert row.first_at <= row.at <= row.last_at
