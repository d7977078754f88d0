"""`coordwatch tokens`: API tokens for programs: with scopes, with an end, shown once, and ended at once when they must be.

What enters: a name, scopes, how long.
What leaves: the secret, once, on standard output; exit 2 when it cannot be done.
The next room: `access.keeping`.
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from coordwatch.access.accounts import ApiToken
from coordwatch.access.keeping import Keeping
from coordwatch.access.roles import Permission
from coordwatch.app.access import keeping_of
from coordwatch.app.databases import open_store
from coordwatch.cli.users import keyboard
from coordwatch.clock import SystemClock
from coordwatch.codec import encode_json
from coordwatch.errors import CoordwatchError, PermanentError
from coordwatch.events.times import format_time, parse_duration
from coordwatch.settings import read_settings

OK, BAD_INPUT = 0, 2
_HELP = {
    "create": "make a token; its secret is printed this once",
    "list": "every token: what it may do, when it ends, when it was last used",
    "revoke": "end a token at once and for good",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="|".join(_HELP))
    for verb, words in _HELP.items():
        sub = verbs.add_parser(verb, help=words, description=f"{words.capitalize()}.")
        if verb == "create":
            sub.add_argument("name", metavar="NAME", help="what it is for")
            sub.add_argument(
                "--scope", action="append", required=True, choices=[one.value for one in Permission],
                help="what it may do; may be given several times",
            )  # fmt: skip
            sub.add_argument(
                "--for", dest="lasts", default="90d", metavar="90d", help="how long it lasts (default 90d)"
            )
        if verb == "revoke":
            sub.add_argument("id", metavar="ID", help="the token's id, as the list shows it")
        sub.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings file (YAML)")
        sub.add_argument("--json", action="store_true", help="JSON Lines also on a terminal")


def run(args: argparse.Namespace) -> int:
    """Make, list or end tokens."""
    try:
        with ExitStack() as undo:
            keeping = keeping_of(open_store(read_settings(args.config), {}, undo), keyboard())
            return _done(args, keeping, SystemClock().now())
    except CoordwatchError as error:
        print(f"coordwatch tokens: {error}", file=sys.stderr)
        return BAD_INPUT


def _done(args: argparse.Namespace, keeping: Keeping, now: int) -> int:
    as_json = args.json or not sys.stdout.isatty()
    match args.verb:
        case "create":
            scopes = frozenset(Permission(one) for one in args.scope)
            token, secret = keeping.make_token(args.name, scopes, _lasts(args.lasts), now)
            print(secret)
            print(f"token {token.id} ends at {format_time(token.expires_at)}; it is not shown again", file=sys.stderr)
        case "list":
            for token in keeping.store.tokens():
                print(encode_json(_plain(token, now)).decode() if as_json else _line(token, now))
        case "revoke":
            token = keeping.revoke(args.id, now)
            print(f"token {token.id} ({token.name}) is ended")
    return OK


def _lasts(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise PermanentError(f"--for: {error}") from None


def _state(token: ApiToken, now: int) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "good" if token.lives(now) else "over"


def _line(token: ApiToken, now: int) -> str:
    used = "never" if token.used_at is None else format_time(token.used_at)
    scopes = ", ".join(sorted(token.scopes))
    return f"{token.id}  {_state(token, now):<7}  {token.name}: {scopes}; ends {format_time(token.expires_at)}, used {used}"


def _plain(token: ApiToken, now: int) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "state": _state(token, now),
        "scopes": sorted(token.scopes),
        "made_by": token.made_by,
        "made_at": format_time(token.made_at),
        "expires_at": format_time(token.expires_at),
        "used_at": None if token.used_at is None else format_time(token.used_at),
    }
