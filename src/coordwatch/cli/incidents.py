"""`coordwatch incidents`: list, show and act on incidents from the command line, and take the customers to repair along.

What enters: a database, filters, orders.
What leaves: text for a terminal, JSON Lines or CSV for anything else; exit 2 when it cannot be done.
The next room: the store.
"""

import argparse
import sys
from dataclasses import asdict

from coordwatch.adapters.csv_rows import csv_lines
from coordwatch.adapters.sql.incidents import SqlIncidents
from coordwatch.alerts.incident import IncidentAction, IncidentOrder
from coordwatch.alerts.repair import RepairLine, RepairState
from coordwatch.alerts.words import time_words
from coordwatch.cli.at_the_store import add_where, add_who, json_line, opened, who
from coordwatch.clock import SystemClock
from coordwatch.errors import CoordwatchError, PermanentError
from coordwatch.events.times import format_time
from coordwatch.ports import INCIDENT_FILTERS, IncidentRow, IncidentView, RepairOrder

OK, BAD_INPUT = 0, 2
_ACTIONS = {
    "ack": (IncidentAction.ACKNOWLEDGE, "somebody is looking at it: its alerts are acknowledged too"),
    "resolve": (IncidentAction.RESOLVE, "it is dealt with, and with it all of its alerts"),
    "reopen": (IncidentAction.REOPEN, "it is open again, and with it what was done along with it"),
    "undo": (IncidentAction.UNDO, "take back what the last person did"),
    "note": (IncidentAction.NOTE, "write something down"),
}
_COLUMNS = ("customer", "state", "what happened", "what to do", "when", "rule", "alert", "by", "decided", "note")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    verbs = parser.add_subparsers(
        dest="verb", required=True, metavar="list|show|ack|resolve|reopen|undo|note|repairs|repair"
    )
    listing = verbs.add_parser("list", help="incidents, newest first")
    for name in (*INCIDENT_FILTERS, "sort"):
        listing.add_argument(f"--{name}", metavar=name.upper())
    listing.add_argument("--limit", type=int, default=50, metavar="N", help="how many (default 50)")
    listing.add_argument("--cursor", metavar="CURSOR", help="where the last list ended")
    show = verbs.add_parser("show", help="one incident with its likely causes and its history")
    repairs = verbs.add_parser("repairs", help="the customers to repair: what happened, what to do, what was decided")
    repairs.add_argument("--csv", action="store_true", help="as CSV, for a spreadsheet")
    repairs.add_argument("--actor", metavar="NAME", help="who takes the list (default: the user of this machine)")
    repair = verbs.add_parser("repair", help="say that customers are repaired, or need nothing")
    repair.add_argument("--state", choices=[one.value for one in RepairState], default="repaired")
    acting = [verbs.add_parser(verb, help=words) for verb, (_, words) in _ACTIONS.items()]
    for one in (show, repairs, repair, *acting):
        one.add_argument("incident", metavar="INCIDENT", help="the incident's id")
    repair.add_argument("customers", nargs="+", metavar="CUSTOMER", help="their keys")
    for one in (repair, *acting):
        one.add_argument("--note", default="", metavar="TEXT", help="why, for the history")
        add_who(one)
    for sub in verbs.choices.values():
        add_where(sub)


def run(args: argparse.Namespace) -> int:
    """List, show or act."""
    try:
        with opened(args) as store:
            _carry_out(args, store.incidents())
    except (CoordwatchError, ValueError) as error:
        print(f"coordwatch incidents: {error}", file=sys.stderr)
        return BAD_INPUT
    return OK


def _carry_out(args: argparse.Namespace, desk: SqlIncidents) -> None:
    as_json = args.json or not sys.stdout.isatty()
    if args.verb == "list":
        filters = {name: value for name in (*INCIDENT_FILTERS, "sort") if (value := getattr(args, name)) is not None}
        rows, following = desk.incidents(filters, args.limit, args.cursor)
        for row in rows:
            print(json_line(asdict(row)) if as_json else _row_text(row))
        if following is not None:
            print(f"more: --cursor {following}", file=sys.stderr)
    elif args.verb == "show":
        view = desk.incident(args.incident)
        if view is None:
            raise _nothing(args.incident)
        print(json_line(asdict(view)) if as_json else _view_text(view))
    elif args.verb == "repairs":
        _repairs(args, desk, as_json=as_json)
    elif args.verb == "repair":
        order = RepairOrder(RepairState(args.state), who(args), SystemClock().now(), args.note, None, args.version)
        lines = desk.repair(args.incident, args.customers, order)
        if lines is None:
            raise _nothing(args.incident)
        for line in lines:
            print(json_line(asdict(line)) if as_json else _line_text(line))
    else:
        action = _ACTIONS[args.verb][0]
        after = desk.act(args.incident, IncidentOrder(action, who(args), SystemClock().now(), args.version, args.note))
        if after is None:
            raise _nothing(args.incident)
        print(json_line(asdict(after)) if as_json else _row_text(after))


def _repairs(args: argparse.Namespace, desk: SqlIncidents, *, as_json: bool) -> None:
    found = desk.all_repairs(args.incident, who(args), SystemClock().now())
    if found is None:
        raise _nothing(args.incident)
    if args.csv:
        for text in csv_lines(_COLUMNS, map(_cells, found)):
            sys.stdout.write(text)
        return
    for line in found:
        print(json_line(asdict(line)) if as_json else _line_text(line))


def _cells(line: RepairLine) -> list[object]:
    decided = "" if line.at is None else format_time(line.at)
    when = format_time(line.happened_at)
    return [
        line.customer, line.state, line.what, line.to_do, when, line.rule, line.alert, line.by, decided, line.note,
    ]  # fmt: skip


def _nothing(incident: str) -> PermanentError:
    return PermanentError(f"there is no incident '{incident[:80]}': 'coordwatch incidents list' shows them")


def _row_text(row: IncidentRow) -> str:
    taken = f" by {row.taken_by}" if row.taken_by else ""
    return f"{row.id}  {time_words(row.last_at)}  {row.severity:<8}  {row.status}{taken}  {row.title}"


def _line_text(line: RepairLine) -> str:
    by = f" by {line.by}" if line.by else ""
    return f"{line.customer}  {line.state}{by}  {line.what}"


def _view_text(view: IncidentView) -> str:
    row = view.row
    lines = [
        row.title,
        "",
        f"  status     {row.status}{f' by {row.taken_by}' if row.taken_by else ''}, version {row.version}",
        f"  alerts     {row.alerts}, {row.live} not over; worst {row.severity}",
        f"  customers  {row.customers}, {row.to_repair} to repair",
        "",
        *(f"  {one.score:>3}  {one.name}: {one.evidence}" for one in view.causes),
        "",
        *(f"  {time_words(one.at)}  {one.actor:<12} {one.action}  {one.note}" for one in view.audit),
    ]
    return "\n".join(lines)
