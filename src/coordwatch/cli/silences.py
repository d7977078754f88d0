"""`coordwatch silences`: list, make and end silences from the command line, with the matchers of amtool.

What enters: a database, matchers, times.
What leaves: text for a terminal, JSON Lines for anything else; exit 2 when it cannot be done.
The next room: the store.
"""

import argparse
import sys
from dataclasses import fields

from coordwatch.adapters.sql.silences import SqlSilences
from coordwatch.alerts.matchers import matchers_text, parse_all
from coordwatch.alerts.silence import Draft, Silence, SilenceState
from coordwatch.alerts.words import time_words
from coordwatch.cli.at_the_store import add_where, add_who, instant, json_line, opened, who
from coordwatch.clock import SystemClock
from coordwatch.errors import CoordwatchError, PermanentError

OK, BAD_INPUT = 0, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|add|expire")
    listing = verbs.add_parser("list", help="silences, those that are active first")
    listing.add_argument("--state", choices=[one.value for one in SilenceState], help="only those")
    adding = verbs.add_parser("add", help="tell nobody of some alerts for a while")
    adding.add_argument("matchers", nargs="+", metavar="MATCHER", help="such as severity=low or 'tool=~\"Jour.*\"'")
    adding.add_argument("--for", dest="ends", required=True, metavar="2h|TIME", help="how long, or until when")
    adding.add_argument("--from", dest="starts", metavar="1h|TIME", help="when it begins (default: now)")
    adding.add_argument("--comment", required=True, metavar="TEXT", help="why: whoever is on call next will ask")
    expiring = verbs.add_parser("expire", help="end a silence now")
    expiring.add_argument("silence", metavar="SILENCE", help="the silence's id")
    for one in (adding, expiring):
        add_who(one)
    for sub in verbs.choices.values():
        add_where(sub)


def run(args: argparse.Namespace) -> int:
    """List, make or end."""
    try:
        with opened(args) as store:
            found = _carry_out(args, store.silences())
    except (CoordwatchError, ValueError) as error:
        print(f"coordwatch silences: {error}", file=sys.stderr)
        return BAD_INPUT
    now = SystemClock().now()
    for one in found:
        print(_line(one, now) if args.json or not sys.stdout.isatty() else _text(one, now))
    return OK


def _carry_out(args: argparse.Namespace, desk: SqlSilences) -> list[Silence]:
    now = SystemClock().now()
    if args.verb == "list":
        return [one for one in desk.silences(now) if args.state in (None, one.state(now).value)]
    if args.verb == "add":
        starts = now if args.starts is None else instant(args.starts, now)
        draft = Draft(parse_all(args.matchers), starts, instant(args.ends, starts), args.comment)
        return [desk.create(draft, who(args), now)]
    ended = desk.expire(args.silence, who(args), now, args.version)
    if ended is None:
        raise PermanentError(f"there is no silence '{args.silence[:80]}': 'coordwatch silences list' shows them")
    return [ended]


def _line(silence: Silence, now: int) -> str:
    plain = {one.name: getattr(silence, one.name) for one in fields(silence)}
    return json_line(plain | {"matchers": matchers_text(silence.matchers), "state": silence.state(now).value})


def _text(silence: Silence, now: int) -> str:
    until = f"{time_words(silence.starts_at)} to {time_words(silence.ends_at)}"
    what = matchers_text(silence.matchers)
    return f"{silence.id}  {silence.state(now):<8} {until}  {what}  {silence.created_by}: {silence.comment}"
