"""The committed boards as the tests see them: panels, and the questions in them with every variable filled in.

Enters: `deploy/grafana/boards/*.json`. Leaves: panels and queries. What Grafana would put in for a variable is said once.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.grafana.generate import BOARDS

FILES = sorted(BOARDS.glob("*.json"))
JOB = "coordwatch"
_FILLED = {
    "$__rate_interval": "30s",
    "$__interval": "15s",
    "$__range": "1h",
    "$job": JOB,
    "$rule": ".*",
    "$tool": ".*",
}


@dataclass(frozen=True, slots=True)
class Query:
    """One question of one panel."""

    panel: str
    ref: str
    expr: str

    @property
    def filled(self) -> str:
        """The question as Grafana would send it."""
        return filled(self.expr)


def board_of(path: Path) -> dict[str, Any]:
    board: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return board


def panels_of(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel but the rows."""
    for panel in board["panels"]:
        if panel["type"] != "row":
            yield panel
        yield from panels_of({"panels": panel.get("panels", [])})


def queries_of(board: Mapping[str, Any]) -> Iterator[Query]:
    for panel in panels_of(board):
        for target in panel["targets"]:
            yield Query(panel["title"], target["refId"], target["expr"])


def every_query() -> list[Query]:
    return [query for path in FILES for query in queries_of(board_of(path))]


def filled(text: str) -> str:
    """Put something in for each variable."""
    for name in sorted(_FILLED, key=len, reverse=True):
        text = text.replace(name, _FILLED[name])
    return text
