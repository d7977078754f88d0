"""The command line: arguments in, an exit code out: 0 well, 1 something was found, 2 wrong usage or input.

Each command is a module with `add_arguments(parser)` and `run(args) -> int`, loaded by name only when it is asked for,
so that a command starts in the time its own imports take.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

from coordwatch import __version__
from coordwatch.documents import nearest
from coordwatch.errors import CoordwatchError, DocumentError

COMMANDS: Mapping[str, str] = {
    "demo": "watch invented tools collide, in a browser, with nothing to set up",
    "serve": "watch your own events on one machine: files, HTTP or the simulator in, alerts out",
    "worker": "watch your own events beside a Kafka, on as many machines as you like",
    "replay": "judge files of canonical events, or ranges of topics, and print what stands at their end",
    "backtest": "say what changed rules would change: a history judged by both versions, and the difference",
    "explain": "say step by step why a rule fired for a customer, or why it did not",
    "rules": "lint, test, list, show and read rules in plain English",
    "map": "turn a tool's own payloads into canonical events",
    "sources": "list the source mappings, run their tests, propose one for payloads that none knows",
    "simulate": "print an invented history, with the conflicts that are in it",
    "doctor": "check the installation, the settings, the rules and the sources, and say what to do",
    "alerts": "list, show, acknowledge, snooze and resolve alerts",
    "incidents": "list, show and act on incidents, and take along the customers to repair",
    "report": "what the last days came to: rates beside those before, who collided with whom, what could have been known",
    "silences": "list, make and end silences",
    "audit": "who did what, and whether any of it was changed since",
    "channels": "list the channels, send one a test message, try again what was refused",
    "users": "add, list, change and shut out those who may sign in",
    "tokens": "make, list and end tokens for programs that use the API",
    "identity": "say why events are one person's, keep two apart who are not, change the key",
    "forget": "forget a person, everywhere, and leave aside what still comes about them",
    "subject": "export everything that is held of one person",
    "dead-letters": "what could not be used: list it, show it, send it round again",
}
_EXTRA_KAFKA = frozenset({"confluent_kafka", "faust", "mode", "aiokafka"})
OK, WRONG = 0, 2
INTERRUPTED, PIPE_CLOSED = 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; never raises for wrong usage or input."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            # A lone surrogate out of somebody's payload must not end the program half-way through its output.
            reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; without this the interpreter would complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except DocumentError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return WRONG
    except CoordwatchError as error:
        print(f"coordwatch: {error}", file=sys.stderr)
        return WRONG


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        print(help_text(), file=sys.stderr)
        return WRONG
    name, rest = arguments[0], arguments[1:]
    if name == "help" and rest:
        name, rest = rest[0], ["--help"]
    if name in ("-h", "--help", "help"):
        print(help_text())
        return OK
    if name in ("-V", "--version"):
        print(f"coordwatch {__version__}")
        return OK
    if name not in COMMANDS:
        what = "option" if name.startswith("-") else "command"
        close = nearest(name, COMMANDS)
        hint = f"did you mean '{close}'?" if close else "`coordwatch --help` lists them"
        print(f"coordwatch: there is no {what} '{name[:60]}'; {hint}", file=sys.stderr)
        return WRONG
    try:
        command = importlib.import_module(module_of(name))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA_KAFKA:
            raise
        print(f"coordwatch {name}: this needs the extra 'kafka': pip install 'coordwatch[kafka]'", file=sys.stderr)
        return WRONG
    return _run(command, name, rest)


def module_of(name: str) -> str:
    """The module of a command."""
    return f"coordwatch.cli.{name.replace('-', '_')}"


def _run(command: ModuleType, name: str, rest: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=f"coordwatch {name}", description=f"{COMMANDS[name].capitalize()}.", allow_abbrev=False
    )
    command.add_arguments(parser)
    try:
        args = parser.parse_args(rest)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else WRONG
    code = command.run(args)
    assert isinstance(code, int)
    return code


def help_text() -> str:
    """What `coordwatch --help` prints."""
    # Not map(): once the command `map` is loaded, that name is its module here.
    width = max(len(name) for name in COMMANDS)
    lines = [f"  {name.ljust(width)}  {summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        [
            "coordwatch watches what separate tools do to one customer and tells the people on call when two collide.",
            "",
            "usage: coordwatch COMMAND ...",
            "",
            *lines,
            "",
            "`coordwatch COMMAND --help` says more. Exit codes: 0 well, 1 something was found, 2 wrong usage or input.",
        ]
    )
