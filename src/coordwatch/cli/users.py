"""`coordwatch users`: local accounts, from the machine where the database is; beside a running service or without one.

What enters: names, roles, a password from the terminal or from standard input, never from an argument.
What leaves: changed accounts, each change written down in the audit trail; exit 2 when it cannot be done.
The next room: `access.keeping`.
"""

import argparse
import getpass
import sys
from contextlib import ExitStack
from pathlib import Path

from coordwatch.access.accounts import User
from coordwatch.access.keeping import Keeping
from coordwatch.access.roles import Role
from coordwatch.app.access import keeping_of
from coordwatch.app.databases import open_store
from coordwatch.clock import SystemClock
from coordwatch.codec import encode_json
from coordwatch.errors import CoordwatchError, PermanentError
from coordwatch.events.times import format_time
from coordwatch.settings import read_settings

OK, BAD_INPUT = 0, 2
_HELP = {
    "add": "make a local account; the password is asked for, or read from standard input",
    "list": "every account, also those that came by a provider",
    "passwd": "change a password, and sign the account out everywhere",
    "role": "give an account another role; it holds from the next request on",
    "disable": "shut an account out, and end its sessions",
    "enable": "let it in again",
    "sign-out": "end every session of an account",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="|".join(_HELP))
    for verb, words in _HELP.items():
        sub = verbs.add_parser(verb, help=words, description=f"{words.capitalize()}.")
        if verb != "list":
            sub.add_argument("name", metavar="NAME", help="the name to sign in with, or the account's id")
        if verb in ("add", "role"):
            sub.add_argument(
                "--role", required=verb == "role", default="viewer", choices=[one.value for one in Role],
                help="what the person may do (default viewer)",
            )  # fmt: skip
        if verb in ("passwd", "role", "disable", "enable"):
            sub.add_argument(
                "--if-version", type=int, metavar="N", help="only if it still has the version that the list showed"
            )
        sub.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings file (YAML)")
        sub.add_argument("--json", action="store_true", help="JSON Lines also on a terminal")


def run(args: argparse.Namespace) -> int:
    """Do one thing to one account, or list them."""
    try:
        with ExitStack() as undo:
            keeping = keeping_of(open_store(read_settings(args.config), {}, undo), keyboard())
            print(_done(args, keeping, SystemClock().now()))
    except CoordwatchError as error:
        print(f"coordwatch users: {error}", file=sys.stderr)
        return BAD_INPUT
    return OK


def _done(args: argparse.Namespace, keeping: Keeping, now: int) -> str:
    match args.verb:
        case "list":
            return "\n".join(_lines(keeping, as_json=args.json or not sys.stdout.isatty()))
        case "add":
            user = keeping.add(args.name, Role(args.role), _password(), now)
            return f"{user.name} may sign in, as {user.role.value}"
        case "passwd":
            return f"the password of {args.name} is changed; {_ended(keeping.passwd(args.name, _password(), now, args.if_version))}"
        case "role":
            user = keeping.change_role(args.name, Role(args.role), now, args.if_version)
            return f"{args.name} is {user.role.value} from now on"
        case "sign-out":
            return f"{args.name}: {_ended(keeping.end_sessions(args.name, now))}"
    ended = keeping.disable(args.name, now, disabled=args.verb == "disable", seen=args.if_version)
    return f"{args.name} is shut out; {_ended(ended)}" if args.verb == "disable" else f"{args.name} may sign in again"


def _ended(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'} ended"


def _lines(keeping: Keeping, *, as_json: bool) -> list[str]:
    users = keeping.store.users()
    if as_json:
        return [encode_json(_plain(user)).decode() for user in users]
    width = max((len(user.name) for user in users), default=4)
    return [
        f"{user.name:<{width}}  {user.role.value:<8}  {'disabled' if user.disabled else 'enabled':<8}  "
        f"{user.issuer or 'by password'}  signed in {_when(user.signed_in_at)}  version {user.version}"
        for user in users
    ] or ["nobody has an account yet: coordwatch users add NAME --role admin --config FILE"]


def _plain(user: User) -> dict[str, str | int | bool | None]:
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role.value,
        "disabled": user.disabled,
        "provider": user.issuer or None,
        "made_at": format_time(user.made_at),
        "signed_in_at": None if user.signed_in_at is None else format_time(user.signed_in_at),
        "version": user.version,
    }


def _when(at: int | None) -> str:
    return "never" if at is None else format_time(at)


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password, 15 characters or more: ")
    if getpass.getpass("Once more: ") != first:
        raise PermanentError("the two are not the same: nothing was done")
    return first


def keyboard() -> str:
    """Who is at the keyboard, for the audit trail."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"
