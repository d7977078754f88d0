"""Twenty rules: those that ship, and as many bench rules as make up the number.

A folder enters; the paths that a settings file names leave.
"""

from pathlib import Path

from bench import many
from coordwatch.adapters.files import load_rules

RULES = 20
_SHIPPED = Path(__file__).resolve().parents[1] / "rules"


def twenty(folder: Path) -> str:
    """Write the bench rules, and give both places as a settings file lists them."""
    path = folder / "bench-rules.yaml"
    path.write_text(many.rules(RULES - len(load_rules().specs)).replace("id: ", "id: bench-"))
    return f"{_SHIPPED}, {path}"
