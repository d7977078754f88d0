"""Every numbered statement has a test that names its number."""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent
STATEMENTS = range(1, 42)


def named() -> dict[int, list[str]]:
    """The tests of each number."""
    found: dict[int, list[str]] = {}
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_rule_"):
                found.setdefault(int(node.name.split("_")[2]), []).append(node.name)
    return found


def test_every_statement_has_a_test_that_names_its_number() -> None:
    found = named()
    assert [number for number in STATEMENTS if number not in found] == []
    assert [number for number in found if number not in STATEMENTS] == []
