"""Inhibition and maintenance, from the settings to the decision; on SQLite and PostgreSQL."""

import pytest

from coordwatch.alerts.alert import Order
from coordwatch.alerts.inhibition import InhibitRule
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.alerts.matchers import parse_matchers
from coordwatch.app.quiet import quiet_of
from coordwatch.errors import DocumentError
from coordwatch.events.times import DAY, HOUR
from coordwatch.notify.holds import Quiet
from coordwatch.ports import Effects
from coordwatch.settings import read_settings
from tests.build import NOW, a_cancellation, a_promo, a_sold_out, raised
from tests.database.test_silences import Desk

ADA = "ada@ops.test"
CRITICAL_FIRST = InhibitRule(parse_matchers("severity=critical"), parse_matchers("severity!=critical"), ("customer",))
WRITTEN = """
time_intervals:
  - name: mondays
    time_intervals:
      - {weekdays: [monday], times: [{start_time: "11:00", end_time: "14:00"}], location: Europe/Berlin}
maintenance:
  - {name: stock count, matchers: [tool=Stockroom], mute_time_intervals: [mondays], comment: every shelf is counted}
inhibit_rules:
  - {source_matchers: [severity=critical], target_matchers: ["severity=~high|medium"], equal: [customer]}
"""


@pytest.fixture
def inhibited(place):
    desk = Desk(place, Quiet((CRITICAL_FIRST,)))
    yield desk
    desk.close()


def raise_all(desk, *detections, now=NOW):
    desk.store.commit(Effects(changes=[raised(one) for one in detections]), now)
    return desk.chores(now)


def test_what_another_alert_says_is_told_when_that_one_is_over(inhibited):
    desk = inhibited
    told = raise_all(desk, a_promo("c", NOW), a_cancellation("c", NOW), a_promo("other", NOW, case="K-9"))
    assert sorted(told) == ["cancellation-without-notice", "promo-during-open-complaint"]
    (held,) = desk.store.alerts({"customer": "c", "severity": "high"}, 9, None)[0]
    (source,) = desk.store.alerts({"customer": "c", "severity": "critical"}, 9, None)[0]
    assert desk.history(held.id) == [("", "inhibited", f"while {source.rule} is not over: alert {source.id}")]
    desk.store.act(source.id, Order(AlertAction.ACKNOWLEDGE, ADA, NOW + 1))
    assert desk.chores(NOW + DAY) == []
    desk.store.act(source.id, Order(AlertAction.RESOLVE, ADA, NOW + DAY))
    assert desk.chores(NOW + DAY) == ["promo-during-open-complaint"]


def test_a_window_of_maintenance_holds_back_what_it_takes_until_it_closes(place, tmp_path):
    file = tmp_path / "coordwatch.yaml"
    file.write_text(WRITTEN)
    desk = Desk(place, quiet_of(read_settings(file)))
    try:
        assert raise_all(desk, a_sold_out("c", NOW)) == []
        (row,) = desk.store.alerts({}, 9, None)[0]
        words = "stock count, until 2 Mar 2026 13:00 UTC: every shelf is counted"
        assert desk.history(row.id) == [("", "muted", words)]
        assert desk.chores(NOW + HOUR - 1) == []
        assert desk.chores(NOW + HOUR) == ["promo-for-sold-out-item"]
        assert raise_all(desk, a_sold_out("d", NOW + 2 * HOUR), now=NOW + 2 * HOUR) == ["promo-for-sold-out-item"]
    finally:
        desk.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("maintenance: [{name: a, matchers: ['tool=~\".*\"'], mute_time_intervals: [x], comment: c}]", "these take every alert"),
        ("maintenance: [{name: a, matchers: [tool=A], mute_time_intervals: [mondayz], comment: c}]", "did you mean 'mondays'"),
        ("maintenance: [{name: a, matchers: [colour=A], mute_time_intervals: [mondays], comment: c}]", "no alert has a label"),
        ("inhibit_rules: [{source_matchers: [severity=high], target_matchers: ['tool!=A']}]", "these take every alert"),
        ("inhibit_rules: [{source_matchers: [severity=high], target_matchers: [tool=A], equal: [tol]}]", "did you mean 'tool'"),
        ("inhibit_rules: [{source_matcher: [severity=high], target_matchers: [tool=A]}]", "did you mean 'source_matchers'"),
    ],
)  # fmt: skip
def test_what_cannot_stand_in_the_settings_is_said_with_its_place(tmp_path, text, words):
    file = tmp_path / "coordwatch.yaml"
    kept = WRITTEN.partition("maintenance:")[0]
    file.write_text(
        kept
        + "\n"
        + text
        + "\n"
        + ("" if "maintenance" in text else WRITTEN[WRITTEN.index("maintenance:") : WRITTEN.index("inhibit")])
    )
    with pytest.raises(DocumentError) as error:
        read_settings(file)
    said = [str(one) for one in error.value.problems]
    assert any(words in one and ".yaml:" in one for one in said), said
