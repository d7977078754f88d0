"""`coordwatch rules`: lint, test, list, show, sentence.

What enters: rule files, or nothing for those that ship.
What leaves: what is wrong with them, what their tests say, or what they mean; text, or JSON Lines with --json.
The next room: the person who wrote the rule.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from coordwatch.adapters.files import RuleFiles, load_rules
from coordwatch.cli.explain import explain_among, lines_of
from coordwatch.codec import encode_json
from coordwatch.documents import did_you_mean
from coordwatch.engine.replay import replay_events
from coordwatch.errors import PermanentError, Problem
from coordwatch.events.times import format_duration
from coordwatch.rules.examples import (
    CUSTOMER,
    EXAMPLE_START,
    NONE_RAISED,
    coverage,
    example_events,
    run_examples,
    until_of,
)
from coordwatch.rules.lint import LintIssue, LintSeverity, lint
from coordwatch.rules.outline import all_steps, matches_of, section_of
from coordwatch.rules.sentence import sentence
from coordwatch.rules.spec import Example, RuleSpec

_PATHS = "rule files and folders; without any, the rules that ship"
_CHOSEN = "ids of rules, and rule files and folders; without any, every rule that ships"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the five things that can be asked of rules."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="lint|test|list|show|sentence")
    for name, summary, paths in (
        ("lint", "say what is wrong with rules, each with its place and the next move", _PATHS),
        ("test", "run the tests inside rules, in every order, and say what they do not cover", _PATHS),
        ("list", "one line a rule", _PATHS),
        ("show", "everything about a rule: its sentence, steps, tests and runbook", _CHOSEN),
        ("sentence", "what a rule means, in English", _CHOSEN),
    ):
        action = actions.add_parser(name, help=summary, description=f"{summary.capitalize()}.", allow_abbrev=False)
        action.add_argument("paths", nargs="*", metavar="RULE" if paths is _CHOSEN else "PATH", help=paths)
        action.add_argument("--json", action="store_true", help="one JSON object a line")
        if name == "lint":
            action.add_argument("--strict", action="store_true", help="let a warning fail the check too")
        if name == "test":
            action.add_argument("--no-coverage", action="store_true", help="leave out which clauses no test covers")


def run(args: argparse.Namespace) -> int:
    """Run one of them."""
    actions: Mapping[str, Callable[[argparse.Namespace], int]] = {
        "lint": _lint, "test": _test, "list": _list, "show": _show, "sentence": _sentence,
    }  # fmt: skip
    return actions[args.action](args)


def _line(record: Mapping[str, Any]) -> None:
    sys.stdout.write(encode_json(record).decode() + "\n")


def _load(paths: Sequence[str]) -> RuleFiles:
    """The rules under some paths. Raises: PermanentError for a path that is not there."""
    found = [Path(path) for path in paths]
    for path in found:
        if not path.exists():
            raise PermanentError(f"there is no file or folder '{path}'")
    return load_rules(found or None)


def _usable(paths: Sequence[str]) -> tuple[RuleFiles, int]:
    """The rules, their problems told on stderr, and the exit code these make."""
    files = _load(paths)
    for problem in files.problems:
        print(problem, file=sys.stderr)
    return files, 2 if files.problems else 0


# ---- lint


def _lint(args: argparse.Namespace) -> int:
    files = _load(args.paths)
    issues = [*(_as_issue(problem) for problem in files.problems), *lint(files.specs)]
    for issue in issues:
        if args.json:
            place = {"path": issue.place.path, "line": issue.place.line, "column": issue.place.column}
            said = {"message": issue.message, "hint": issue.hint, "rule": issue.rule or None}
            _line({**place, "severity": issue.severity.value, "code": issue.code, **said})
        else:
            print(issue)
    errors = sum(issue.severity is LintSeverity.ERROR for issue in issues)
    warnings = len(issues) - errors
    summary = f"{_count(len(files.specs), 'rule')}, {_count(errors, 'error')}, {_count(warnings, 'warning')}"
    print(summary, file=sys.stderr)
    return 1 if errors or (args.strict and warnings) else 0


def _as_issue(problem: Problem) -> LintIssue:
    return LintIssue(LintSeverity.ERROR, "unreadable", problem.message, problem.place, hint=problem.hint)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# ---- test


def _test(args: argparse.Namespace) -> int:
    files, code = _usable(args.paths)
    passed = failed = 0
    for spec in files.specs:
        results = run_examples(spec, replay_events)
        passed += sum(result.passed for result in results)
        failed += sum(not result.passed for result in results)
        clauses = [] if args.no_coverage or not spec.tests else coverage(spec, replay_events)
        uncovered = [clause.name for clause, covered in clauses if not covered]
        if args.json:
            for result in results:
                place = {"path": result.place.path, "line": result.place.line, "column": result.place.column}
                told = {"passed": result.passed, "differences": result.differences}
                _line({"rule": spec.id, "test": result.name, **told, **place})
            if clauses:
                _line({"rule": spec.id, "clauses": len(clauses), "not_covered": uncovered})
            continue
        for result, example in zip(results, spec.tests, strict=True):
            for difference in result.differences:
                print(f"{result.place}: {spec.id}: {result.name}: {difference}")
            if any(difference.endswith(NONE_RAISED) for difference in result.differences):
                print(*_why_not(spec, example), sep="\n")
        good = sum(result.passed for result in results)
        said = f"{good} of {_count(len(results), 'test')} passed" if results else "no tests"
        print(f"{spec.id}: {said}" + (f"; no test notices {', '.join(uncovered)}" if uncovered else ""))
    total = f"{passed} of {_count(passed + failed, 'test')} of {_count(len(files.specs), 'rule')} passed"
    print(total, file=sys.stderr)
    return code or (1 if failed else 0)


def _why_not(spec: RuleSpec, example: Example) -> list[str]:
    """Why the first act that should have raised something did not, step by step."""
    events = [(event, event.subject) for event in example_events(spec, example)]
    at = next((EXAMPLE_START + wanted["at"] for wanted in example.expect if "at" in wanted), None)
    if spec.expect is not None or at is None:
        at = min((event.time for event, _ in events), default=None)  # a deadline is no act
    explanation = explain_among(spec, events, CUSTOMER, (at, until_of(example)))
    return [f"    {explanation.sentence}", *(f"  {line}" for line in lines_of(explanation))]


# ---- list, show, sentence


def _list(args: argparse.Namespace) -> int:
    files, code = _usable(args.paths)
    rows = [(spec.id, spec.status.value, spec.severity.value, spec.owner, spec.title) for spec in files.specs]
    if args.json:
        for spec, row in zip(files.specs, rows, strict=True):
            record = dict(zip(("id", "status", "severity", "owner", "title"), row, strict=True))
            place = {"path": spec.place.path, "line": spec.place.line}
            _line({**record, "tags": spec.tags, "tests": len(spec.tests), **place})
        return code
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    for row in rows:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]]))
    return code


def _chosen(words: Sequence[str]) -> tuple[list[RuleSpec], int]:
    """The rules that some words name: ids, files or folders.

    Raises: PermanentError for an id that no rule has
    """
    paths = [word for word in words if Path(word).exists()]
    ids = [word for word in words if word not in paths]
    files, code = _usable(paths)
    by_id = {spec.id: spec for spec in files.specs}
    for rule_id in ids:
        if rule_id not in by_id:
            raise PermanentError(f"there is no rule '{rule_id}'; {did_you_mean(rule_id, by_id) or 'see `rules list`'}")
    return [by_id[rule_id] for rule_id in ids] if ids else list(files.specs), code


def _sentence(args: argparse.Namespace) -> int:
    specs, code = _chosen(args.paths)
    for spec in specs:
        if args.json:
            _line({"id": spec.id, "sentence": sentence(spec)})
        else:
            print(f"{spec.id}: {sentence(spec)}")
    return code


def _show(args: argparse.Namespace) -> int:
    specs, code = _chosen(args.paths)
    for number, spec in enumerate(specs):
        if args.json:
            _line(_record(spec))
        else:
            print("\n".join([*([""] if number else []), *_page(spec)]))
    return code


def _record(spec: RuleSpec) -> Mapping[str, Any]:
    steps = [
        {"step": step.name, "kind": section_of(spec, step), "events": _events(matches_of(step))}
        for step in all_steps(spec)
    ]
    return {
        "id": spec.id, "title": spec.title, "status": spec.status.value, "severity": spec.severity.value,
        "owner": spec.owner, "tags": spec.tags, "why": spec.why, "sentence": sentence(spec), "steps": steps,
        "exceptions": [each.name for each in spec.exceptions], "once_per": spec.alert.once_per,
        "quiet": format_duration(spec.alert.quiet), "say": spec.alert.say, "runbook": spec.runbook,
        "references": spec.references, "false_positives": spec.false_positives,
        "tests": [example.name for example in spec.tests], "path": spec.place.path, "line": spec.place.line,
    }  # fmt: skip


def _events(matches: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(match.event for match in matches))


def _page(spec: RuleSpec) -> list[str]:
    lines = [
        f"{spec.id}: {spec.title}",
        f"  {spec.status.value}, {spec.severity.value}, owner {spec.owner}, {spec.place}",
    ]
    lines += ["", f"  {sentence(spec)}", "", f"  Why: {spec.why}", "", "  Steps:"]
    for step in all_steps(spec):
        lines.append(f"    {section_of(spec, step):7} {step.name}: {', '.join(_events(matches_of(step)))}")
    folded = ", ".join(spec.alert.once_per)
    lines += ["", f"  One alert per {folded}, quiet for {format_duration(spec.alert.quiet)}"]
    if spec.alert.say:
        lines.append(f"  Says: {spec.alert.say}")
    for title, texts in (
        ("Runbook", spec.runbook.splitlines()),
        ("Known false positives", spec.false_positives),
        ("References", spec.references),
        ("Tests", [example.name for example in spec.tests]),
    ):
        if texts:
            lines += ["", f"  {title}:", *(f"    {text}" for text in texts)]
    return lines
