"""The rules that ship for Prometheus, read once for all tests about them.

Enters: `deploy/prometheus/rules/*.yml`. Leaves: rules as plain data.
"""

from functools import cache
from typing import Any

import yaml

from tests.tidy.tree import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
FILES = sorted((FOLDER / "rules").glob("*.yml"))


@cache
def rules() -> tuple[dict[str, Any], ...]:
    """Every rule of every file, recorded series and alerts."""
    loaded = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES]
    return tuple(rule for file in loaded for group in file["groups"] for rule in group["rules"])


def alerts() -> dict[str, dict[str, Any]]:
    """The alerts by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}
