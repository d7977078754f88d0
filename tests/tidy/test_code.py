"""Habits that a linter has no rule for."""

import ast

from tests.tidy.tree import PACKAGE, Function, functions_of, name_of, python_files, tracked, tree_of

# The rooms below `ports`, and what is proven about them as a whole.
CORE_TESTS = (
    "tests/errors", "tests/codec", "tests/documents", "tests/events", "tests/sources", "tests/identity",
    "tests/context", "tests/rules", "tests/alerts", "tests/notify", "tests/engine", "tests/laws",
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
    banned = {"Mock", "MagicMock", "patch", "monkeypatch", "sleep", "freeze_time"}

    def word(node: ast.AST) -> str:
        match node:
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


def test_the_tree_is_found_at_all() -> None:
    """Every check above is vacuous on an empty list."""
    assert len(python_files("src")) > 10
    assert len(tracked()) > len(python_files("src", "tests"))
