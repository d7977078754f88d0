"""Habits that a linter has no rule for."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain

from tests.tidy.tree import PACKAGE, ROOT, Function, functions_of, name_of, python_files, tracked, tree_of

# The rooms below `ports`, and what is proven about them as a whole.
CORE_TESTS = (
    "tests/errors", "tests/codec", "tests/documents", "tests/events", "tests/sources", "tests/identity",
    "tests/context", "tests/rules", "tests/alerts", "tests/notify", "tests/audit", "tests/engine", "tests/laws",
    "tests/reference", "tests/processor", "tests/simulator",
)  # fmt: skip
# Words that hide what a thing does, and words that mean something else here.
NO_MODULE_IS_CALLED = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base"}


def test_no_import_hides_in_a_function() -> None:
    """An import in a function hides a cycle or a cost; `cli` names its command modules as text instead."""

    def hidden(function: Function) -> bool:
        return any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function))

    found = [
        f"{name_of(path)}:{node.lineno}: {name} imports inside its body: move the import to the top of the module"
        for path in python_files("src", "tests")
        for name, node in functions_of(path)
        if hidden(node)
    ]
    assert [] == found


def test_core_tests_use_no_stand_ins_and_wait_for_nothing() -> None:
    """Below the ports everything is a value: build one, and pass the time in."""
    banned = {"Mock", "MagicMock", "patch", "monkeypatch.setattr", "monkeypatch.setitem", "sleep", "freeze_time"}

    def word(node: ast.AST) -> str:
        match node:
            case ast.Attribute(value=ast.Name(id="monkeypatch"), attr=name):
                return f"monkeypatch.{name}"
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
                return name
        return ""

    found = [
        f"{name_of(path)}:{getattr(node, 'lineno', 1)}: {word(node)}: pass the value or the time in"
        for path in python_files(*CORE_TESTS)
        for node in ast.walk(tree_of(path))
        if word(node) in banned
    ]
    assert [] == found


def test_no_module_has_a_name_that_says_nothing() -> None:
    found = [
        f"{name_of(path)}: name it after the noun that it owns"
        for path in python_files("src")
        if {path.stem, *path.relative_to(PACKAGE).parent.parts} & NO_MODULE_IS_CALLED
    ]
    assert [] == found


def test_every_module_says_what_enters_and_what_leaves() -> None:
    """The module docstring is the sign on the door."""
    found = [
        f"{name_of(path)}: the docstring is missing, or one line long: say what enters, what leaves, the next room"
        for path in python_files("src")
        if len((ast.get_docstring(tree_of(path)) or "").splitlines()) < 2
    ]
    assert [] == found


def test_no_test_is_skipped_or_expected_to_fail_for_good() -> None:
    """A skip is for something that this machine cannot have; it stands in conftest, where it fails under CI."""
    found = [
        f"{name_of(path)}:{node.lineno}: {node.attr}"
        for path in python_files("tests")
        if path.name != "conftest.py"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute)
        and node.attr in ("skip", "skipif", "importorskip")
        and isinstance(node.value, ast.Name | ast.Attribute)
        and (node.value.id if isinstance(node.value, ast.Name) else node.value.attr) in ("pytest", "mark")
    ]
    assert [] == found


def test_what_is_imported_is_declared() -> None:
    """What comes along with something else today may be gone with its next release."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, groups = pyproject["project"], pyproject["dependency-groups"]
    runtime = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    for folder, declared in (("src", runtime), ("tests", [*runtime, *chain.from_iterable(groups.values())])):
        allowed = {re.split(r"[\[<>=~! ]", each)[0].lower() for each in declared}
        assert {name: homes for name, homes in imported(folder).items() if not allowed & homes} == {}, folder


def imported(folder: str) -> dict[str, set[str]]:
    """Give each package from elsewhere that the folder imports, with the distributions that bring it."""
    nodes = [node for path in python_files(folder) for node in ast.walk(tree_of(path))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    ours = {"coordwatch", "tests", "bench", "deploy", *sys.stdlib_module_names}
    homes = packages_distributions()
    tops = {name.partition(".")[0] for name in names} - ours
    return {top: {each.lower().replace("_", "-") for each in homes.get(top, ())} for top in tops}


def test_the_tree_is_found_at_all() -> None:
    """Every check above is vacuous on an empty list."""
    assert len(python_files("src")) > 10
    assert len(tracked()) > len(python_files("src", "tests"))
