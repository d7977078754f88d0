"""`coordwatch backtest`: what changed rules would change; one history judged by both versions, in its own space.

A history, the new rules and the old ones enter; what would be added, removed and otherwise evidenced leaves, rule by rule,
with rates. The comparison itself is `engine/backtest.py`; nothing that runs is touched, and nobody is told.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from coordwatch.adapters.event_files import temporary_folder
from coordwatch.adapters.files import load_rules
from coordwatch.cli import histories
from coordwatch.cli.replay import How, replay, report
from coordwatch.codec import encode_json
from coordwatch.engine.backtest import Change, Compared, Difference, Row, both_versions, compare
from coordwatch.errors import CoordwatchError, DocumentError
from coordwatch.events.times import parse_time
from coordwatch.rules.spec import RuleSpec

OK, BAD_INPUT = 0, 2
_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    histories.add_arguments(parser)
    parser.add_argument(
        "--rules", nargs="+", type=Path, required=True, metavar="NEW", help="the new version: rule files or folders"
    )
    parser.add_argument(
        "--against",
        nargs="+",
        type=Path,
        metavar="OLD",
        help="the version to compare with (default: the rules of --config, else the packs that ship)",
    )
    parser.add_argument("--until", metavar="TIME", help="move the clock to this time, e.g. 2026-01-31T09:30:00Z")
    parser.add_argument(
        "--show", type=int, default=5, metavar="N", help="how many detections of a rule to show (default 5)"
    )
    parser.add_argument("--json", action="store_true", help="every difference and every rule as JSON Lines")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="how many processes share the work (default 1)"
    )


def run(args: argparse.Namespace) -> int:
    """Judge, compare, print; differences are no findings, so they change no exit code."""
    if histories.nothing_named(args):
        return _refuse("which events? Name the files before --rules, '-' for standard input, or --kafka TOPIC@FROM..TO")
    try:
        until = None if args.until is None else parse_time(args.until)
    except ValueError as error:
        return _refuse(f"--until: {error}")
    if not 1 <= args.jobs <= 64:
        return _refuse("--jobs: a number from 1 to 64")
    try:
        site = histories.site_of(args)
        now, was = _rules(args.rules), _rules(args.against or site.rules)
        with temporary_folder() as folder:
            history = histories.history_of(args, site, Path(folder))
            how = How(until, args.jobs, identity=site.identity, counting=True)
            replayed, _ = replay(both_versions(now, was), history, how)
            compared = compare(now, replayed.rows, replayed.counts.acts)
    except DocumentError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        raise  # whoever read us has seen enough: no mistake
    except (CoordwatchError, OSError) as error:
        return _refuse(str(error))
    report(replayed, history)
    lines = _as_json(compared) if args.json else _as_text(compared, max(args.show, 0))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return BAD_INPUT if replayed.bad or history.refused else OK


def _rules(paths: Sequence[Path] | None) -> list[RuleSpec]:
    """Raises: DocumentError with every problem of every file."""
    rules = load_rules(paths)
    if rules.problems:
        raise DocumentError(rules.problems)
    return list(rules.specs)


def _as_text(compared: Sequence[Compared], show: int) -> Iterator[str]:
    same = 0
    for one in compared:
        if not one.differences and (one.acts_now, one.now) == (one.acts_was, one.was):
            same += 1
            continue
        yield one.rule
        yield f"  acts        {_pair(one.acts_was, one.acts_now)}"
        yield f"  detections  {_pair(one.was, one.now)}   {_rates(one)}"
        yield f"  {_counts_words(one)}"
        yield from (f"    {_difference_words(each)}" for each in one.differences[:show])
        if len(one.differences) > show:
            yield f"    ... and {len(one.differences) - show:,} more: --show, or --json for all"
        yield ""
    if same:
        yield f"{same:,} {'rule says' if same == 1 else 'rules say'} what {'it' if same == 1 else 'they'} said before."
    idle = [one.rule for one in compared if one.acts_was == one.acts_now == 0]
    if idle:
        yield f"Nothing here is an act of {', '.join(idle)}: look at 'when', and whether the history has such events."
    yield _total_words(compared)


def _pair(was: int, now: int) -> str:
    return f"{was:,}" if was == now else f"{was:,} -> {now:,}"


def _rates(one: Compared) -> str:
    was, now = _rate(one.was, one.acts_was), _rate(one.now, one.acts_now)
    return was if was == now else f"{was} -> {now}"


def _rate(detections: int, acts: int) -> str:
    return f"{detections / acts:.2%}" if acts else "no acts"


def _counts_words(one: Compared) -> str:
    counts = one.counts
    if not one.differences:
        return "the same detections"
    words = [f"{counts[change]:,} {change.value}" for change in Change if counts[change]]
    return f"{', '.join(words)}; {_customers(len(one.customers))}"


def _customers(count: int) -> str:
    return "1 customer" if count == 1 else f"{count:,} customers"


def _difference_words(difference: Difference) -> str:
    row = difference.row
    act = row["act"]
    words = f"{_SIGNS[difference.change]} {row['at']}  {row['customer']}  {act['type']} {act['id']} ({act['source']})"
    if difference.now is None or difference.was is None:
        return words
    return f"{words}: {', '.join(_changed_words(difference.now, difference.was))}"


def _changed_words(now: Row, was: Row) -> Iterator[str]:
    for name in ("customer", "at", "status"):
        if now[name] != was[name]:
            yield f"{name} {was[name]} -> {now[name]}"
    after, before = _by_step(now), _by_step(was)
    for step in sorted(after.keys() | before.keys()):
        if after.get(step) != before.get(step):
            yield f"{step} {_events_words(before.get(step, []))} -> {_events_words(after.get(step, []))}"


def _by_step(row: Row) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in row["evidence"]:
        found.setdefault(one["step"], []).append(one["id"])
    return found


def _events_words(ids: Sequence[str]) -> str:
    return (ids[0] if len(ids) == 1 else f"{len(ids)} events") if ids else "none"


def _total_words(compared: Sequence[Compared]) -> str:
    everybody = {customer for one in compared for customer in one.customers}
    totals = {change: sum(one.counts[change] for one in compared) for change in Change}
    words = ", ".join(f"{count:,} {change.value}" for change, count in totals.items())
    return f"In all {words}; {_customers(len(everybody))}."


def _as_json(compared: Sequence[Compared]) -> Iterator[str]:
    for one in compared:
        for each in one.differences:
            was: dict[str, Any] = {} if each.change is not Change.CHANGED else {"was": each.was}
            yield _line({"kind": "detection", "change": each.change.value, **each.row, **was})
        yield _line({"kind": "rule", "rule": one.rule, **_numbers(one)})
    everybody = {customer for one in compared for customer in one.customers}
    total = {change.value: sum(one.counts[change] for one in compared) for change in Change}
    yield _line({"kind": "total", **total, "customers": len(everybody)})


def _numbers(one: Compared) -> dict[str, Any]:
    counts = one.counts
    return {
        "acts": {"was": one.acts_was, "now": one.acts_now},
        "detections": {"was": one.was, "now": one.now},
        "rate": {
            "was": one.was / one.acts_was if one.acts_was else None,
            "now": one.now / one.acts_now if one.acts_now else None,
        },
        **{change.value: counts[change] for change in Change},
        "customers": len(one.customers),
    }


def _line(plain: dict[str, Any]) -> str:
    return encode_json(plain).decode()


def _refuse(message: str) -> int:
    print(f"coordwatch backtest: {message}", file=sys.stderr)
    return BAD_INPUT
