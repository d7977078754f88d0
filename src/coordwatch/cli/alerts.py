"""`coordwatch alerts`: list, show and act on alerts from the command line, beside a running service or without one.

What enters: a database, filters, orders.
What leaves: text for a terminal, JSON Lines for anything else; exit 2 when it cannot be done.
The next room: the store.
"""

import argparse
import getpass
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.alert import Order
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.alerts.verdict import Verdict
from coordwatch.alerts.waking import Condition, WakeWhen
from coordwatch.alerts.words import time_words
from coordwatch.cli.at_the_store import add_where, database_there
from coordwatch.clock import SystemClock
from coordwatch.codec import encode_json
from coordwatch.errors import CoordwatchError, PermanentError
from coordwatch.events.times import format_time, parse_duration, parse_time
from coordwatch.events.words import duration_words
from coordwatch.ports import ALERT_FILTERS, AlertRow, AlertView
from coordwatch.settings import read_settings

OK, BAD_INPUT = 0, 2
_VERBS = {
    "ack": AlertAction.ACKNOWLEDGE,
    "snooze": AlertAction.SNOOZE,
    "wake": AlertAction.WAKE,
    "resolve": AlertAction.RESOLVE,
    "verdict": AlertAction.VERDICT,
    "reopen": AlertAction.REOPEN,
    "undo": AlertAction.UNDO,
}
_HELP = {
    "ack": "somebody is looking at it",
    "snooze": "say nothing until a time, or until the next detection",
    "wake": "end a snooze",
    "resolve": "it is dealt with",
    "verdict": "say what it was: a conflict, or none and why",
    "reopen": "it is open again",
    "undo": "take back what the last person did",
}
_INSTANTS = frozenset({"at", "first_at", "last_at", "snoozed_until", "time", "observed_at"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    verbs = parser.add_subparsers(
        dest="verb", required=True, metavar="list|show|ack|snooze|wake|resolve|verdict|reopen|undo"
    )
    listing = verbs.add_parser("list", help="alerts, newest first")
    for name in (*ALERT_FILTERS, "sort"):
        listing.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar=name.upper())
    listing.add_argument("--limit", type=int, default=50, metavar="N", help="how many (default 50)")
    listing.add_argument("--cursor", metavar="CURSOR", help="where the last list ended")
    show = verbs.add_parser("show", help="one alert with its detections and its history")
    show.add_argument("alert", metavar="ALERT", help="the alert's id")
    for verb, words in _HELP.items():
        acting = verbs.add_parser(verb, help=words)
        acting.add_argument("alert", metavar="ALERT", help="the alert's id")
        acting.add_argument("--note", default="", metavar="TEXT", help="why, for the history")
        acting.add_argument("--version", type=int, metavar="N", help="only if the alert is still at this version")
        acting.add_argument("--actor", metavar="NAME", help="who does it (default: the user of this machine)")
        if verb == "verdict":
            acting.add_argument(
                "--verdict",
                choices=[one.value for one in Verdict],
                default=Verdict.NOT_A_CONFLICT.value,
                help="what it was",
            )
        if verb == "snooze":
            acting.add_argument(
                "--until", metavar="4h|TIME", help="a duration or a time; without it the next detection"
            )
            acting.add_argument(
                "--when",
                choices=[one.value for one in WakeWhen],
                metavar="WHEN",
                help="or until this has come true, such as case_closed, at --until or in a week at the latest",
            )
            acting.add_argument("--about", metavar="THING", help="which case or order, where the alert names several")
    for sub in verbs.choices.values():
        add_where(sub)


def run(args: argparse.Namespace) -> int:
    """List, show or act."""
    try:
        store = SqlStore(database_there(args.database or read_settings(args.config).database), {})
        try:
            return _carry_out(args, store)
        finally:
            store.close()
    except (CoordwatchError, ValueError) as error:
        print(f"coordwatch alerts: {error}", file=sys.stderr)
        return BAD_INPUT


def _carry_out(args: argparse.Namespace, store: SqlStore) -> int:
    as_json = args.json or not sys.stdout.isatty()
    if args.verb == "list":
        filters = {name: value for name in (*ALERT_FILTERS, "sort") if (value := getattr(args, name)) is not None}
        if "since" in filters and not filters["since"].lstrip("-").isdecimal():
            filters["since"] = str(parse_time(filters["since"]))
        rows, following = store.alerts(filters, args.limit, args.cursor)
        for row in rows:
            print(_line(asdict(row)) if as_json else _row_text(row))
        if following is not None:
            print(f"more: --cursor {following}", file=sys.stderr)
        return OK
    view = store.alert(args.alert)
    if view is None:
        raise PermanentError(f"there is no alert '{args.alert}': 'coordwatch alerts list' shows them")
    if args.verb != "show":
        after = store.act(args.alert, replace(_order(args), when=_when(args, store)))
        assert after is not None, "alerts are never deleted"
        print(_line(asdict(after)) if as_json else f"{view.row.status} -> {after.status}")
        return OK
    print(_line(asdict(view)) if as_json else _view_text(view))
    return OK


def _order(args: argparse.Namespace) -> Order:
    now = SystemClock().now()
    verdict = Verdict(args.verdict) if args.verb == "verdict" else None
    judges = verdict is not None and not verdict.is_wrong
    return Order(
        action=AlertAction.JUDGE if judges else _VERBS[args.verb],
        actor=args.actor or getpass.getuser(),
        now=now,
        version=args.version,
        note=args.note,
        until=_until(getattr(args, "until", None), now),
        verdict=verdict,
    )


def _when(args: argparse.Namespace, store: SqlStore) -> Condition | None:
    wanted = getattr(args, "when", None)
    if wanted is None:
        return None
    can = [one for one in store.conditions(args.alert) if one.when == wanted]
    found = [one for one in can if args.about in (None, one.about)]
    if len(found) == 1:
        return found[0]
    named = ", ".join(one.about for one in can)
    raise PermanentError(
        f"say --about: {named}" if can else f"this alert names nothing of which '{wanted}' could come true"
    )


def _until(text: str | None, now: int) -> int | None:
    if text is None:
        return None
    try:
        return now + parse_duration(text)
    except ValueError:
        return parse_time(text)


def _line(value: Mapping[str, Any]) -> str:
    return encode_json(_readable(value)).decode()


def _readable(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return dict(value) if name == "data" else {key: _readable(one, key) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_readable(one, name) for one in value]
    return format_time(value) if name in _INSTANTS and isinstance(value, int) else value


def _row_text(row: AlertRow) -> str:
    times = f" x{row.count}" if row.count > 1 else ""
    return f"{row.id}  {time_words(row.at)}  {row.severity:<8}  {row.status:<14}  {row.sentence}{times}"


def _view_text(view: AlertView) -> str:
    row = view.row
    known = f" for {duration_words(row.known_for)}" if row.known_for is not None else ""
    lines = [
        row.sentence,
        "",
        f"  rule      {row.rule} ({row.severity}, {row.owner})",
        f"  status    {row.status}, version {row.version}",
        f"  customer  {row.customer}" + (f" and {len(view.also_affected)} others" if view.also_affected else ""),
        f"  tools     {row.act_tool or '?'} against {row.evidence_tool or 'nobody'}: {row.attribution.replace('_', ' ')}{known}",
        f"  when      {time_words(row.at)}, {row.count} standing since {time_words(row.first_at)}",
        "",
    ]
    lines += [f"  {time_words(entry.at)}  {entry.actor:<12} {entry.action}  {entry.note}" for entry in view.audit]
    return "\n".join(lines)
