"""The command line as a whole: its commands, its help, its exit codes, and how it ends when nobody listens."""

import importlib
import subprocess
import sys

import pytest

from coordwatch import __version__
from coordwatch.cli import COMMANDS, main, module_of
from coordwatch.errors import Place, Problem, RuleError, TemporaryError


def test_help_lists_every_command_with_a_line(capsys):
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    width = max(map(len, COMMANDS))
    for name, summary in COMMANDS.items():
        assert f"  {name.ljust(width)}  {summary}\n" in printed


def test_the_help_is_there_whatever_command_was_loaded_before(capsys):
    for name in COMMANDS:
        importlib.import_module(module_of(name))
    assert main(["--help"]) == 0
    assert capsys.readouterr().out.count("\n  ") == len(COMMANDS)


def test_without_a_command_the_help_is_an_error(capsys):
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: coordwatch COMMAND" in captured.err


@pytest.mark.parametrize("arguments", [["--version"], ["-V"]])
def test_version(capsys, arguments):
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"coordwatch {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rpelay"], "there is no command 'rpelay'; did you mean 'replay'?"),
        (["xyzzy"], "there is no command 'xyzzy'; `coordwatch --help` lists them"),
        (["--verbose"], "there is no option '--verbose'"),
        (["rules"], "the following arguments are required"),
        (["rules", "lnt"], "invalid choice: 'lnt'"),
        (["rules", "lint", "--jso"], "unrecognized arguments: --jso"),
    ],
)
def test_wrong_usage_is_told_on_stderr_with_exit_code_2(capsys, arguments, words):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_of_its_own(capsys, name):
    assert main([name, "--help"]) == 0
    assert f"usage: coordwatch {name}" in capsys.readouterr().out
    assert main(["help", name]) == 0
    assert f"usage: coordwatch {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TemporaryError("the store is locked"), "coordwatch: the store is locked\n"),
        (RuleError([Problem(Place("a", 1), "one"), Problem(Place("b", 2, 3), "two", "do")]), "a:1:1: one\nb:2:3: two (do)\n"),
    ],
)  # fmt: skip
def test_an_error_on_purpose_is_one_line_and_no_trace(capsys, monkeypatch, error, words):
    def fail(_):
        raise error

    monkeypatch.setattr(importlib.import_module("coordwatch.cli.rules"), "run", fail)
    assert main(["rules", "list"]) == 2
    assert capsys.readouterr().err == words


def test_an_interrupt_ends_quietly(capsys, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module("coordwatch.cli.rules"), "run", interrupt)
    assert main(["rules", "list"]) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("words", [("rules", "show", "--json"), ("replay", "events.jsonl")])
def test_a_reader_that_has_gone_ends_it_quietly(tmp_path, words):
    assert (
        main(["simulate", "--customers", "20", "--days", "3", "--seed", "1", "--out", str(tmp_path / "events.jsonl")])
        == 0
    )
    command = [sys.executable, "-m", "coordwatch", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_command_imports_only_what_it_needs():
    code = "import sys; from coordwatch.cli import main; main(['rules', 'list']); print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert not loaded & {
        "fastapi",
        "sqlalchemy",
        "pydantic",
        "jinja2",
        "uvicorn",
        "starlette",
        "prometheus_client",
        "jmespath",
    }


def test_a_command_without_its_extra_says_how_to_get_it():
    code = "import sys; sys.modules['confluent_kafka'] = None; from coordwatch.cli import main; sys.exit(main(['dead-letters', 'list']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "coordwatch dead-letters: this needs the extra 'kafka': pip install 'coordwatch[kafka]'\n"
