"""`coordwatch audit`: who did what; whether the trail is as it was written; all of it as a file.

What enters: a settings file or a database; heads of the trail that were noted elsewhere.
What leaves: text for a terminal, JSON Lines for anything else; exit 1 when the trail is broken, 2 when it cannot be read.
The next room: `adapters/sql`.
"""

import argparse
import getpass
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.adapters.sql.trail import SqlTrail
from coordwatch.alerts.words import time_words
from coordwatch.audit.chain import Break, Flaw, Head, Link, check, head_of, heads_in
from coordwatch.audit.deed import Deed, DeedKind
from coordwatch.audit.of_alerts import Last, status_after
from coordwatch.audit.trail import Asked
from coordwatch.cli.at_the_store import add_where, ago, database_there
from coordwatch.clock import SystemClock
from coordwatch.codec import decode_json, encode_json
from coordwatch.errors import CoordwatchError, PermanentError
from coordwatch.events.times import format_time
from coordwatch.settings import read_settings

OK, BROKEN, BAD_INPUT = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|verify|export")
    listing = verbs.add_parser("list", help="what was done, newest first")
    for name, words in {
        "actor": "only what they did",
        "kind": "only this kind, such as alert.acknowledge, or alert for all of its kinds",
        "subject": "only what was done to this, by its id",
        "since": "only from then on: 2h or a time",
        "until": "only before then: 2h or a time",
    }.items():
        listing.add_argument(f"--{name}", metavar=name.upper(), help=words)
    listing.add_argument("--limit", type=int, default=50, metavar="N", help="how many (default 50)")
    listing.add_argument("--before", type=int, metavar="NUMBER", help="only entries before this number")
    verify = verbs.add_parser("verify", help="whether any entry was changed, deleted, moved or cut off")
    verify.add_argument("--head", action="append", default=[], metavar="NUMBER:SEAL", help="a head that was noted")
    verify.add_argument(
        "--anchor",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a file of heads that was kept elsewhere",
    )
    export = verbs.add_parser("export", help="every entry as JSON Lines, oldest first, each with its seal")
    export.add_argument("--after", type=int, metavar="NUMBER", help="only entries behind this number")
    for sub in verbs.choices.values():
        add_where(sub)


def run(args: argparse.Namespace) -> int:
    """List, verify or export."""
    try:
        store = SqlStore(database_there(args.database or read_settings(args.config).database), {})
        try:
            return {"list": _list, "verify": _verify, "export": _export}[args.verb](args, store.trail())
        finally:
            store.close()
    except (CoordwatchError, ValueError) as error:
        print(f"coordwatch audit: {error}", file=sys.stderr)
        return BAD_INPUT


def _list(args: argparse.Namespace, trail: SqlTrail) -> int:
    asked = Asked(args.actor or "", args.kind or "", args.subject or "", ago(args.since), ago(args.until), args.before)
    as_json = args.json or not sys.stdout.isatty()
    shown = trail.page(asked, args.limit)
    for link in shown:
        print(line_of(link) if as_json else _text(link))
    if len(shown) == args.limit:
        print(f"more: --before {shown[-1].number}", file=sys.stderr)
    return OK


def _verify(args: argparse.Namespace, trail: SqlTrail) -> int:
    last = Last()
    base, noted = trail.base(), list(_noted(args))
    checked = check(last.heard(trail.links()), noted, base)
    older = sum(one.number < base.number for one in noted)
    if base.number:
        lost = f"; heads before it, which can be looked for no more: {older}" if older else ""
        print(f"pruned through {base}{lost}", file=sys.stderr)
    if checked.broken is None:
        checked = replace(checked, broken=_past(trail, last))
    if checked.broken is None:
        print(
            _said(
                args,
                {"head": str(checked.head), "broken": None, "pruned": str(base) if base.number else None},
                f"whole, {checked.head.number - base.number} entries: {checked.head}",
            )
        )
        return OK
    broken = checked.broken
    plain = {"head": str(checked.head), "broken": broken.number, "flaw": broken.flaw.value, "words": broken.words}
    print(_said(args, plain, f"broken at entry {broken.number} ({broken.flaw.value}): {broken.words}"))
    return BROKEN


def _past(trail: SqlTrail, last: Last) -> Break | None:
    """The first alert that stands elsewhere than the trail left it."""
    found = next(trail.astray(last.statuses), None)
    if found is None:
        return None
    alert, status, link = found
    words = f"alert {alert} is {status}, and the trail left it {status_after(link)}: it was changed past the trail"
    return Break(link.number, Flaw.PAST, words)


def _said(args: argparse.Namespace, plain: dict[str, Any], text: str) -> str:
    return encode_json(plain).decode() if args.json else text


def _noted(args: argparse.Namespace) -> Iterator[Head]:
    yield from map(head_of, args.head)
    for path in args.anchor:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise PermanentError(f"{path} cannot be read: {why}") from None
        yield from heads_in(text)


def _export(args: argparse.Namespace, trail: SqlTrail) -> int:
    trail.add([Deed(SystemClock().now(), getpass.getuser(), DeedKind.AUDIT_EXPORT)])
    last = None
    for last in trail.links(args.after):
        print(line_of(last))
    base = trail.base()
    if base.number and args.after is None:
        print(f"begins behind: {base}", file=sys.stderr)
    head = Head() if last is None else Head(last.number, last.seal)
    print(f"head: {head}", file=sys.stderr)
    return OK


def line_of(link: Link) -> str:
    """An entry as one line of JSON; `facts` stays the text that was hashed."""
    return encode_json(asdict(link) | {"at": format_time(link.at), "at_microseconds": link.at}).decode()


def _text(link: Link) -> str:
    facts = " ".join(f"{name}={value}" for name, value in decode_json(link.facts).items())
    return f"{link.number:>7}  {time_words(link.at)}  {link.actor:<20} {link.kind:<18} {link.subject}  {facts}".rstrip()
