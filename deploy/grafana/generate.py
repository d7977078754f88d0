"""Writes the boards: `python -m deploy.grafana.generate`; with `--check` it only says which file differs.

What enters: the rows. What leaves: `boards/*.json`, ready to be provisioned. The next room: Grafana.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from deploy.grafana.asked import asked_panels
from deploy.grafana.health import health_panels
from deploy.grafana.panels import SOURCE
from deploy.grafana.rates import rate_panels

BOARDS = Path(__file__).with_name("boards")
_EVERYTHING = VariableOption(text="All", value="$__all")


def boards() -> Mapping[str, Dashboard]:
    """Every board by its file's name."""
    return {"conflict-rates": _conflict_rates()}


def text_of(board: Dashboard) -> str:
    """A board as its file holds it."""
    return json.dumps(board, cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _conflict_rates() -> Dashboard:
    board = (
        dashboard.Dashboard("coordwatch: conflict rates")
        .uid("coordwatch-conflict-rates")
        .description(
            "How often separate tools collide on one customer, as a share of what they did, and whether these numbers can be "
            "trusted. Every panel explains itself under its (i)."
        )
        .tags(["coordwatch"])
        .timezone("browser")
        .time("now-24h", "now")
        .refresh("1m")
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
    )
    for variable in (_datasource(), _job(), _rule(), _tool()):
        board.with_variable(variable)
    for title, panels in (
        ("Conflict rates", rate_panels()),
        ("Asked before acting", asked_panels()),
        ("Health: can the numbers be trusted", health_panels()),
    ):
        board.with_row(dashboard.Row(title))
        for panel in panels:
            board.with_panel(panel)
    return _numbered(board.build())


def _numbered(board: Dashboard) -> Dashboard:
    """Panels need ids, and the same ones every time."""
    for number, panel in enumerate(board.panels or (), 1):
        panel.id_val = number
    return board


def _datasource() -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def _job() -> dashboard.QueryVariable:
    return _labels("job", "coordwatch_build_info", "job").label("Installation").include_all(False)


def _rule() -> dashboard.QueryVariable:
    variable = _labels("rule", 'coordwatch_acts_total{job="$job"}', "rule").label("Rule")
    return variable.multi(True).include_all(True).all_value(".*").current(_EVERYTHING)


def _tool() -> dashboard.QueryVariable:
    variable = _labels("tool", 'coordwatch_pair_acts{job="$job"}', "act_tool").label("Acting tool")
    return variable.multi(True).include_all(True).all_value(".*").current(_EVERYTHING)


def _labels(name: str, metric: str, label: str) -> dashboard.QueryVariable:
    query = f"label_values({metric}, {label})"
    return (
        dashboard.QueryVariable(name)
        .datasource(SOURCE)
        .query({"query": query, "refId": "StandardVariableQuery"})
        .definition(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def main(arguments: list[str]) -> int:
    """Write the boards, or say which differ; exit 1 when one does."""
    code = 0
    for name, board in boards().items():
        path = BOARDS / f"{name}.json"
        text = text_of(board)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(f"{path.name} is not what the code says: python -m deploy.grafana.generate", file=sys.stderr)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
