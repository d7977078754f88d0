"""Every question of every board, and every rule, asked of a real Prometheus that reads a running coordwatch.

An answer that is empty is a failure: a metric was renamed, a label is gone, a join has no partner.
"""

import subprocess
import sys

import pytest

from deploy.grafana.promql import bound
from tests.deploy.boards import JOB, every_query, filled
from tests.deploy.conftest import PATIENCE, Watched
from tests.deploy.exported import FOREIGN, WORKER_ONLY, needed, on_metrics
from tests.deploy.rules import alerts, rules
from tests.deploy.test_image import health_check
from tests.services.prometheus import Prometheus
from tests.services.waiting import wait_until


def test_every_metric_that_is_asked_for_is_one_that_we_export() -> None:
    """Boards and rules name metrics of ours only, as the exporter declares them."""
    asked = [query.expr for query in every_query()] + [rule["expr"] for rule in rules()]
    named = frozenset[str]().union(*map(needed, asked))
    assert len(named) > 20
    assert named <= on_metrics()


def test_a_question_is_followed_to_what_is_exported() -> None:
    assert needed('sum(coordwatch:consumer_lag:sum{job="$job"})') == {"coordwatch_consumer_lag"}
    assert needed("coordwatch:conflict_rate:ratio_rate1h / up") == {
        "coordwatch_acts_total",
        "coordwatch_detections_raised_total",
        "coordwatch_detections_retracted_total",
        "up",
    }


def test_every_question_can_be_read_by_a_real_prometheus(watched: Watched) -> None:
    for query in every_query():
        assert watched.prometheus.get("format_query", query=query.filled), query.panel
    for rule in rules():
        assert watched.prometheus.get("format_query", query=rule["expr"])


def test_every_question_has_an_answer(watched: Watched) -> None:
    """But for what only a worker knows, when there is none."""
    left_out = frozenset[str]() if watched.kind == "workers" else WORKER_ONLY
    asked = [query for query in every_query() if not needed(query.expr) & left_out]
    unasked = [query for query in every_query() if needed(query.expr) & left_out]
    assert len(asked) >= 30
    assert len(unasked) == (0 if watched.kind == "workers" else 11)
    empty = [
        f"{query.panel} {query.ref}: {query.filled}" for query in asked if not watched.prometheus.query(query.filled)
    ]
    assert [] == empty


def test_every_recorded_series_is_recorded(watched: Watched) -> None:
    left_out = frozenset[str]() if watched.kind == "workers" else WORKER_ONLY
    recorded = [rule["record"] for rule in rules() if "record" in rule and not needed(rule["expr"]) & left_out]
    assert len(recorded) > 8
    # It says nothing of a job that is watched for less than a quarter of an hour; promtool has tried it.
    recorded.remove("coordwatch:dead_letters:delta15m")
    assert [] == [name for name in recorded if not watched.prometheus.query(f'{name}{{job="{JOB}"}}')]


def test_nothing_is_wrong_with_what_runs_well(watched: Watched) -> None:
    """No alert about the process itself is about to fire."""
    firing = {one.labels["alertname"] for one in watched.prometheus.query("ALERTS")}
    assert not firing & {"CoordwatchDown", "CoordwatchAbsent", "CoordwatchRestartsOften", "CoordwatchNoCommits"}
    assert firing <= set(alerts())


def test_the_images_health_check_knows_the_living_from_the_dead(watched: Watched) -> None:
    """The command of the Dockerfile, asked of these ports; it needs no token."""
    command = health_check()
    for target in watched.running.targets:
        here = [sys.executable, command[1], command[2].replace("127.0.0.1:8484", target)]
        assert subprocess.run(here, capture_output=True, check=False).returncode == 0, target
    nobody = [sys.executable, command[1], command[2].replace("8484", "1")]
    assert subprocess.run(nobody, capture_output=True, check=False).returncode != 0


def test_the_variables_offer_what_is_there(watched: Watched) -> None:
    def offered(selector: str, label: str) -> list[str]:
        found: list[str] = watched.prometheus.get(f"label/{label}/values", **{"match[]": filled(selector)})
        return found

    assert [JOB] == offered("coordwatch_build_info", "job")
    assert len(offered('coordwatch_acts_total{job="$job"}', "rule")) > 5
    assert len(offered('coordwatch_pair_acts{job="$job"}', "act_tool")) > 2


def test_the_numbers_of_the_board_are_those_of_the_ledger(watched: Watched) -> None:
    """Conflicts and acts by rule, added up over tools, are what /metrics says of each rule."""
    conflicts, judged, rates = of_one_moment(watched.prometheus, "ABC")
    assert sum(conflicts.values()) > 10
    assert rates == pytest.approx({rule: found / judged[rule] for rule, found in conflicts.items() if judged[rule]})


def test_an_interval_holds_the_rate_and_is_shown_below_two_hundred_acts(watched: Watched) -> None:
    acts, rates, least, most = of_one_moment(watched.prometheus, "BCDE")
    assert set(least) == set(most) == {rule for rule, count in acts.items() if 0 < count < 200}
    for rule, low in least.items():
        ends = [0, low, rates[rule], most[rule], 1]
        assert ends == pytest.approx(sorted(ends))
    assert any(0 < rates[rule] < 1 for rule in least)


def test_an_interval_is_the_known_one(watched: Watched) -> None:
    """1 of 2 lies between 9.5 % and 90.5 %, 41 of 150 between 20.9 % and 35.0 % (Wilson, 95 %)."""
    from_text = {
        (1, 2): (0.0945, 0.9055),
        (41, 150): (0.2086, 0.3496),
        (0, 10): (0.0, 0.2775),
    }
    for (part, whole), (low, high) in from_text.items():
        ends = [watched.prometheus.query(bound(f"vector({part})", f"vector({whole})", sign))[0].value for sign in "-+"]
        assert ends == pytest.approx([low, high], abs=0.0005)


def of_one_moment(prometheus: Prometheus, refs: str) -> list[dict[str, float]]:
    """Columns of the table of rules, as of one moment at which its conflicts and acts are those that /metrics says of each rule.

    One that only judges tells what it has found before it stands in the database of the other, so the two agree when the
    database has caught up, and not at any moment.
    """
    columns = {query.ref: query.filled for query in every_query() if query.panel == "By rule: conflicts of acts"}

    def at_rest() -> list[dict[str, float]] | None:
        moment = prometheus.query("time()")[0].value
        found = {ref: by_rule(prometheus, asked, moment) for ref, asked in columns.items()}
        said = [by_rule(prometheus, f"coordwatch_{name}", moment) for name in ("detections_standing", "acts_total")]
        return [found[ref] for ref in refs] if [found["A"], found["B"]] == said else None

    return wait_until(at_rest, "a board that shows what the ledger says", PATIENCE)


def by_rule(prometheus: Prometheus, expr: str, at: float) -> dict[str, float]:
    return {one.labels["rule"]: one.value for one in prometheus.query(expr, at)}


def test_foreign_names_are_few() -> None:
    assert FOREIGN == {"up", "process_start_time_seconds"}
