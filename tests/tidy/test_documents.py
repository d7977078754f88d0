"""What is written about the program agrees with the program."""

import re
import tomllib
from itertools import chain
from typing import Any

from tests.tidy.tree import PACKAGE, ROOT

ADR = ROOT / "docs" / "decisions"
ADR_PARTS = ["Context", "Decision", "Consequences", "What was refused"]


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_walk_lists_every_room_once() -> None:
    """The first column of the module table is the tree: `name/` for a package, `name.py` for a module."""
    text = (PACKAGE / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| *`([a-z_]+(?:/|\.py))` *\|", text, re.MULTILINE)
    packages = [f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")]
    modules = [path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("__")]
    assert sorted(packages + modules) == sorted(listed)


def _contract(name: str) -> dict[str, Any]:
    contracts: list[dict[str, Any]] = _pyproject()["tool"]["importlinter"]["contracts"]
    return next(each for each in contracts if each["id"] == name)


def test_every_room_below_the_ports_is_held_to_be_pure() -> None:
    layers = _contract("walk")["layers"]
    below = [name for layer in layers[layers.index("ports") + 1 :] for name in layer.split(" | ")]
    held = [name.removeprefix("coordwatch.") for name in _contract("pure-core")["source_modules"]]
    assert sorted(held) == sorted(set(below) - {"clock"}), "`clock` alone may look at the wall"


def test_every_adapter_is_apart_or_shared_on_purpose() -> None:
    """A module that two adapters share is read by at least two of them; everything else stands alone."""
    folder = PACKAGE / "adapters"
    there = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    apart = {name.rpartition(".")[2] for name in _contract("adapters-apart")["modules"]}
    assert there - apart - {"__init__"} == {
        "alert_rows",
        "csv_rows",
        "egress",
        "event_files",
        "files",
        "inbox_query",
        "ledger_rows",
        "paging",
        "posting",
        "seen",
    }
    assert apart <= there


def test_the_layer_contract_has_no_room_that_is_not_there() -> None:
    """Parentheses excuse a missing layer: they may stand only around one that is still to come."""
    optional = re.findall(r"\((\w+)\)", " ".join(_contract("walk")["layers"]))
    assert [] == [name for name in optional if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()]


def test_every_dependency_has_its_row_in_the_readme() -> None:
    """A dependency without a reason is a dependency too many."""
    pyproject = _pyproject()
    project = pyproject["project"]
    named = [
        *project["dependencies"],
        *chain.from_iterable(project["optional-dependencies"].values()),
        *chain.from_iterable(pyproject["dependency-groups"].values()),
    ]
    text = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    names = {re.split(r"[\[<>=~! ]", each)[0].lower() for each in named}
    assert len(names) > 20
    assert [] == sorted(name for name in names if not re.search(rf"^\|.*`{re.escape(name)}`", text, re.MULTILINE))


def test_every_decision_is_linked_and_has_its_parts() -> None:
    index = (ADR / "README.md").read_text(encoding="utf-8")
    records = sorted(path for path in ADR.glob("*.md") if path.name != "README.md")
    assert records
    for record in records:
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+", record.stem), f"{record.name}: NNNN-title-in-small-letters.md"
        assert f"({record.name})" in index, f"{record.name}: link it in docs/decisions/README.md"
        parts = re.findall(r"^## (.+)$", record.read_text(encoding="utf-8"), re.MULTILINE)
        assert ADR_PARTS == parts, f"{record.name}: the parts are {', '.join(ADR_PARTS)}"
    numbers = [record.stem[:4] for record in records]
    assert sorted(set(numbers)) == numbers, "two decisions share a number"


def test_the_changelog_has_a_place_for_the_next_change() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[Unreleased\]$", text, re.MULTILINE)


def test_the_gate_is_what_a_developer_types() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert ["set -eu", 'cd "$(dirname "$0")/.."', "exec make test"] == [line for line in lines if line[:1] != "#"]
