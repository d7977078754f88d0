"""`coordwatch report`: what the last days came to, beside the days before: rates, who collided with whom, what was knowable.

What enters: a database, how many days.
What leaves: Markdown for people (it pastes into a mail or a ticket), one JSON object, or CSV with a line for each rule.
The next room: the store.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from coordwatch.adapters.csv_rows import csv_lines
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.report import PairLine, Rated, Report, RuleLine, report_of
from coordwatch.alerts.words import time_words
from coordwatch.cli.at_the_store import add_database, ago, opened
from coordwatch.clock import SystemClock
from coordwatch.codec import encode_json
from coordwatch.errors import CoordwatchError
from coordwatch.events.times import DAY, HOUR, format_time
from coordwatch.rules.detection import Attribution

OK, BAD_INPUT = 0, 2
DAYS_MOST = 366
PAIRS_SHOWN = 15
_COLUMNS = ("rule", "title", "acts", "conflicts", "rate", "acts before", "conflicts before", "rate before", "made good",
            "retracted", "ignored", "in flight", "could not know")  # fmt: skip
_KNOWN = (
    (Attribution.IGNORED, "ignored: it had lain there"),
    (Attribution.IN_FLIGHT, "in flight: it came shortly before"),
    (Attribution.COULD_NOT_KNOW, "could not know: it came later"),
    (Attribution.NOT_APPLICABLE, "something that was due never came"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_database(parser)
    parser.add_argument("--days", type=int, default=7, metavar="N", help="how many days (default 7)")
    parser.add_argument("--until", metavar="TIME", help="the end: a time, or a duration before now (default: now)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object")
    form.add_argument("--csv", action="store_true", help="a line for each rule, for a spreadsheet")


def run(args: argparse.Namespace) -> int:
    """Read two stretches and print them side by side."""
    if not 1 <= args.days <= DAYS_MOST:
        print(f"coordwatch report: --days is 1 to {DAYS_MOST}", file=sys.stderr)
        return BAD_INPUT
    try:
        until = ago(args.until)
        until = SystemClock().now() if until is None else until
        with opened(args) as store:
            report = _report(store, until - until % HOUR, args.days * DAY)
    except (CoordwatchError, ValueError) as error:
        print(f"coordwatch report: {error}", file=sys.stderr)
        return BAD_INPUT
    if args.json:
        print(encode_json(_plain(report)).decode())
    else:
        sys.stdout.writelines(csv_lines(_COLUMNS, map(_row, report.rules)) if args.csv else _markdown(report))
    return OK


def _report(store: SqlStore, until: int, length: int) -> Report:
    reports, since = store.reports(), until - length
    return report_of(reports.stretch(since, until), reports.stretch(since - length, since), reports.titles())


def _markdown(report: Report) -> Iterator[str]:
    now, days = report.now, (report.now.until - report.now.since) // DAY
    span = "day" if days == 1 else f"{days} days"
    yield f"# Conflicts from {time_words(now.since)} to {time_words(now.until)}\n\n"
    if not report.rules:
        yield f"Nothing was judged in this time, nor in the {span} before.\n"
        return
    yield f"{_rated(report.total)}; in the {span} before, {_rated(report.total_before)}.\n\n"
    yield "| rule | acts | conflicts | rate | before | made good | retracted |\n|---|--:|--:|--:|--:|--:|--:|\n"
    for line in report.rules:
        cells = (line.now.acts, line.now.conflicts)
        rates = (_percent(line.now), _percent(line.before))
        yield _cells(
            _cell(line.title), *(f"{one:,}" for one in cells), *rates, f"{line.made_good:,}", f"{line.retracted:,}"
        )
    yield from _who(report.pairs)
    yield from _known(report)
    if now.campaigns:
        yield "\n## Campaigns with the most alerts\n\n| campaign | alerts | customers |\n|---|--:|--:|\n"
        for campaign, alerts, customers in now.campaigns:
            yield _cells(_cell(campaign), f"{alerts:,}", f"{customers:,}")


def _who(pairs: Sequence[PairLine]) -> Iterator[str]:
    if not pairs:
        return
    yield "\n## Who collided with whom\n\n| acting tool | with | conflicts | before |\n|---|---|--:|--:|\n"
    for pair in pairs[:PAIRS_SHOWN]:
        other = _cell(pair.evidence_tool) or "(what never came)"
        yield _cells(_cell(pair.act_tool) or "(unknown)", other, f"{pair.now:,}", f"{pair.before:,}")
    if len(pairs) > PAIRS_SHOWN:
        yield f"\nand {len(pairs) - PAIRS_SHOWN} more pairs.\n"


def _known(report: Report) -> Iterator[str]:
    found = report.attributions
    if not found:
        return
    yield "\n## Could the acting tool have known?\n\n| alerts | |\n|--:|---|\n"
    for attribution, words in _KNOWN:
        yield _cells(f"{found[attribution]:,}", words)
    known, all_of_them = report.knowable
    if all_of_them:
        yield f"\nA question before the act (`POST /v1/check`) would have told of {known:,} of {all_of_them:,} of them.\n"


def _rated(one: Rated) -> str:
    if not one.acts:
        return "nothing was judged"
    return f"{one.conflicts:,} conflicts of {one.acts:,} acts judged ({_percent(one)})"


def _percent(one: Rated) -> str:
    return "–" if one.rate is None else f"{one.rate:.2%}".replace("%", " %")


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _cell(text: str) -> str:
    """A text from outside that ends no cell and begins no other markup."""
    return "".join(f"\\{sign}" if sign in "\\|`*_[]<>#" else " " if sign < " " else sign for sign in text[:80])


def _row(line: RuleLine) -> Sequence[object]:
    known = [line.attributions.get(attribution, 0) for attribution, _ in _KNOWN[:3]]
    rates = [None if each.rate is None else round(each.rate, 6) for each in (line.now, line.before)]
    return (
        line.rule, line.title, line.now.acts, line.now.conflicts, rates[0],
        line.before.acts, line.before.conflicts, rates[1], line.made_good, line.retracted, *known,
    )  # fmt: skip


def _plain(report: Report) -> dict[str, Any]:
    known, all_of_them = report.knowable
    return {
        "since": format_time(report.now.since),
        "until": format_time(report.now.until),
        "acts": report.total.acts,
        "conflicts": report.total.conflicts,
        "rate": report.total.rate,
        "before": {**asdict(report.total_before), "rate": report.total_before.rate},
        "rules": [{**asdict(line), "rate": line.now.rate, "rate_before": line.before.rate} for line in report.rules],
        "pairs": [asdict(line) for line in report.pairs],
        "attributions": dict(report.attributions),
        "knowable": {"alerts": known, "of": all_of_them},
        "campaigns": [
            {"campaign": name, "alerts": alerts, "customers": customers}
            for name, alerts, customers in report.now.campaigns
        ],
    }
