"""`coordwatch report`: a week beside the one before, by hand and by law."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.adapters.sql.database import read_database
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.report import Stretch, report_of
from coordwatch.cli import main
from coordwatch.events.times import DAY, HOUR
from coordwatch.ports import Count, Effects
from tests.build import CARDS, NOW, PROMO, fill

TODAY, THEN = "2026-03-02T12:00:00Z", NOW - 365 * DAY
names = st.sampled_from(("a", "b", "c"))
kinds = st.sampled_from(("acts", "detections", "retracted", "made_good", "in_flight"))
amounts = st.lists(st.tuples(names, names, names, kinds, st.integers(0, 9)), max_size=12)


@given(amounts, amounts)
def test_the_parts_of_a_report_add_up(now, before):
    report = report_of(Stretch(0, DAY, now), Stretch(-DAY, 0, before), {"a": "Title"})
    assert report.total.acts == sum(one[4] for one in now if one[3] == "acts")
    assert report.total_before.conflicts == sum(one[4] for one in before if one[3] == "detections")
    assert sum(pair.now for pair in report.pairs) == report.total.conflicts
    assert sum(pair.before for pair in report.pairs) == report.total_before.conflicts
    assert all(line.now.rate is None or line.now.rate >= 0 for line in report.rules)
    assert [line.now.conflicts for line in report.rules] == sorted(
        (one.now.conflicts for one in report.rules), reverse=True
    )


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    """A busy day, and two days a year before in which only promotions were judged; on SQLite and PostgreSQL."""
    url = request.getfixturevalue("postgres")() if request.param == "postgres" else str(tmp_path / "a.db")
    store = SqlStore(read_database(url), CARDS, durable=False)
    fill(store)
    end = THEN // HOUR
    counts = [
        Count(PROMO.id, end - 1, "Journeys", "", "acts", 40),
        Count(PROMO.id, end - 24, "Journeys", "Deskflow", "detections", 3),
        Count(PROMO.id, end, "Journeys", "Deskflow", "detections", 500),
        Count(PROMO.id, end - 25, "Journeys", "", "acts", 50),
        Count(PROMO.id, end - 48, "Journeys", "Deskflow", "detections", 10),
        Count(PROMO.id, end - 49, "Journeys", "Deskflow", "detections", 500),
        Count("gone|rule", end - 2, "", "", "acts", 1),
    ]
    store.commit(Effects(counts=counts), NOW)
    store.close()
    return url


def said(capsys, database, *words, until=TODAY):
    assert main(["report", "--database", database, "--days", "1", "--until", until, *words]) == 0
    return capsys.readouterr().out


def test_a_day_beside_the_one_before(capsys, database):
    lines = said(capsys, database, until="2025-03-02T12:40:00Z").splitlines()
    assert lines == [
        "# Conflicts from 1 Mar 2025 12:00 UTC to 2 Mar 2025 12:00 UTC",
        "",
        "3 conflicts of 41 acts judged (7.32 %); in the day before, 10 conflicts of 50 acts judged (20.00 %).",
        "",
        "| rule | acts | conflicts | rate | before | made good | retracted |",
        "|---|--:|--:|--:|--:|--:|--:|",
        "| Promotion sent while a complaint is open | 40 | 3 | 7.50 % | 20.00 % | 0 | 0 |",
        "| gone\\|rule | 1 | 0 | 0.00 % | – | 0 | 0 |",
        "",
        "## Who collided with whom",
        "",
        "| acting tool | with | conflicts | before |",
        "|---|---|--:|--:|",
        "| Journeys | Deskflow | 3 | 10 |",
    ]


def test_campaigns_are_listed_with_how_many_they_hit(capsys, database):
    lines = said(capsys, database).splitlines()
    # Of twelve, one was taken back by the engine and one was no conflict to a person.
    assert lines[lines.index("## Campaigns with the most alerts") + 4] == "| Spring sale | 10 | 10 |"


def test_what_a_question_would_have_told(capsys, database):
    """Of what was ignored or in flight; what was taken back is no conflict."""
    found = json.loads(said(capsys, database, "--json"))
    known = found["attributions"]
    assert found["knowable"]["alerts"] == known.get("ignored", 0) + known.get("in_flight", 0)
    assert found["knowable"]["of"] == found["knowable"]["alerts"] + known.get("could_not_know", 0)
    assert 0 < found["knowable"]["of"] < sum(known.values())
    assert (found["since"], found["until"]) == ("2026-03-01T12:00:00Z", TODAY)


def test_a_spreadsheet_gets_a_line_for_each_rule(capsys, database):
    text = said(capsys, database, "--csv", until="2025-03-02T12:00:00Z").removeprefix("\ufeff")
    first = next(csv.DictReader(io.StringIO(text, newline="")))
    assert (first["rule"], first["acts"], first["conflicts"], first["rate"], first["rate before"]) == (
        PROMO.id, "40", "3", "0.075", "0.2",
    )  # fmt: skip


def test_nothing_to_report_is_said(capsys, database):
    assert main(["report", "--database", database, "--until", "2020-01-01T00:00:00Z"]) == 0
    assert "Nothing was judged in this time, nor in the 7 days before." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "hint"), [(["--days", "0"], "--days is 1 to 366"), (["--until", "yesterday"], "yesterday")]
)
def test_a_mistake_is_told(capsys, database, words, hint):
    assert main(["report", "--database", database, *words]) == 2
    assert hint in capsys.readouterr().err
