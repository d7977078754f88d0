"""The Grafana boards: what is committed is what the code says, and it keeps the rules of a good board.

No Grafana runs here. The rules are those of Grafana's own dashboard linter, written again; that the questions have answers
is tried on a real Prometheus in `test_queries`.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.generate import boards, main, text_of
from tests.deploy.boards import FILES, board_of, every_query, panels_of
from tests.tidy.tree import ROOT

KINDS = {"stat", "table", "timeseries", "state-timeline"}
GROWTH = re.compile(r"\b(?:rate|irate|increase|delta|idelta|deriv)\(\s*[^()]*?\[([^\]]+)\]")
UNITS = {value for name, value in vars(units).items() if name[0].isupper() and isinstance(value, str)}
# A board about an installation, not about a process: where two processes show the same numbers they count once, and the
# health row adds up over processes. So there is no variable `instance`, on purpose.
VARIABLES = ["datasource", "job", "rule", "tool"]


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def board(request: pytest.FixtureRequest) -> dict[str, Any]:
    path: Path = request.param
    return board_of(path)


def test_what_is_committed_is_what_the_code_says() -> None:
    assert {path.stem for path in FILES} == set(boards())
    assert main(["--check"]) == 0


def test_a_board_survives_reading_and_writing(board: dict[str, Any]) -> None:
    """The SDK knows every word that it wrote: nothing is misspelt or in the wrong place."""
    again = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    assert again == board
    assert text_of(Dashboard.from_json(board)) == text_of(
        next(one for one in boards().values() if one.uid == board["uid"])
    )


def test_every_panel_says_what_it_shows(board: dict[str, Any]) -> None:
    panels = list(panels_of(board))
    assert len(panels) > 20
    for panel in panels:
        assert panel["type"] in KINDS, "no pies, no needles: numbers, lines, strips and tables"
        assert panel["title"]
        assert len(panel["description"].split()) >= 8, panel["title"]
        assert panel["description"].endswith((".", "'")), panel["title"]
    titles = [panel["title"] for panel in panels]
    assert len(titles) == len(set(titles))
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(numbers) == len(set(numbers))


def test_every_number_has_a_unit_that_grafana_knows(board: dict[str, Any]) -> None:
    for panel in panels_of(board):
        config = panel["fieldConfig"]
        overridden = [
            one["value"] for override in config["overrides"] for one in override["properties"] if one["id"] == "unit"
        ]
        assert {config["defaults"]["unit"], *overridden} <= UNITS, panel["title"]


def test_the_source_is_chosen_by_the_reader(board: dict[str, Any]) -> None:
    variables = {one["name"]: one for one in board["templating"]["list"]}
    assert VARIABLES == list(variables)
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for variable in variables.values():
        assert variable["label"]
        assert variable["type"] == "datasource" or variable["datasource"] == chosen
    for panel in panels_of(board):
        assert panel["datasource"] == chosen
        assert all(target["datasource"] == chosen for target in panel["targets"])


def test_nothing_overlaps_and_no_row_is_wider_than_the_page(board: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_growth_is_asked_over_what_grafana_says() -> None:
    """A fixed range hides points on a long view and is empty on a short one; recorded ranges have it in their names."""
    for query in every_query():
        assert set(GROWTH.findall(query.expr)) <= {"$__rate_interval", "$__range"}, query.panel
    assert GROWTH.findall("rate(x{a=~'b'}[5m]) + increase(y[$__range])") == ["5m", "$__range"]


def test_every_question_is_about_one_installation() -> None:
    """Two installations in one Prometheus must not be added up."""
    for query in every_query():
        for metric in re.findall(r"(?:coordwatch[:_]|\bup\b)[a-z0-9_:]*(?:\{[^}]*\})?", query.expr):
            assert 'job="$job"' in metric, f"{query.panel}: {metric}"


def test_tables_name_every_column_that_they_ask_for(board: dict[str, Any]) -> None:
    """Grafana calls a column Value, or Value #B when there are several questions: each gets a head, and a look."""
    for panel in panels_of(board):
        if panel["type"] != "table":
            continue
        refs = [target["refId"] for target in panel["targets"]]
        named = [f"Value #{ref}" for ref in refs] if len(refs) > 1 else ["Value"]
        steps = {step["id"]: step["options"] for step in panel["transformations"]}
        heads = steps["organize"]["renameByName"]
        assert set(named) <= set(heads), panel["title"]
        assert set(heads) == set(steps["organize"]["indexByName"]), panel["title"]
        looks = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
        assert {heads[name] for name in named} == looks, panel["title"]
        for target in panel["targets"]:
            assert target["format"] == "table"
            assert target["instant"] is True


def test_grafana_finds_the_boards_where_the_provisioning_looks() -> None:
    compose = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    provider = (ROOT / "deploy" / "grafana" / "provisioning" / "dashboards" / "boards.yml").read_text(encoding="utf-8")
    (looked_in,) = re.findall(r"path: (\S+)", provider)
    assert f"./grafana/boards:{looked_in}:ro" in compose
    (home,) = re.findall(r"GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: (\S+)", compose)
    assert Path(home).parent == Path(looked_in)
    assert Path(home).name in {path.name for path in FILES}
