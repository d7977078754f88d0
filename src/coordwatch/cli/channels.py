"""`coordwatch channels`: list how channels stand, send one test message, try again what was refused.

What enters: a settings file. What leaves: text for a terminal, JSON Lines for anything else; exit 1 when a channel did not
take the test message, 2 when it cannot be done. The next room: `app.channels`.
"""

import argparse
import getpass
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coordwatch.alerts.words import time_words
from coordwatch.app.channels import posts_of
from coordwatch.app.databases import open_store
from coordwatch.cli.routing import explain_way
from coordwatch.clock import SystemClock
from coordwatch.codec import encode_json
from coordwatch.errors import CoordwatchError, PermanentError
from coordwatch.events.times import MINUTE
from coordwatch.events.words import duration_words
from coordwatch.notify.delivery import Outcome
from coordwatch.notify.message import canary
from coordwatch.notify.outbox import Work
from coordwatch.settings import Settings, read_settings

OK, NOT_TAKEN, BAD_INPUT = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|test|retry|route")
    verbs.add_parser("list", help="every channel, what waits there and what it last said")
    testing = verbs.add_parser("test", help="send one test message and print the answer")
    retrying = verbs.add_parser(
        "retry", help="send again what a channel refused for good, once the mistake is corrected"
    )
    way = verbs.add_parser("route", help="say which way an alert goes, and why")
    way.add_argument("--alert", metavar="ID", help="an alert that is there")
    way.add_argument(
        "labels",
        nargs="*",
        metavar="LABEL=VALUE",
        help="or one that is made up, such as severity=critical owner=fulfilment",
    )
    way.add_argument("--at", metavar="TIME", help="as if it were then (RFC 3339)")
    way.add_argument("--json", action="store_true", help="JSON also on a terminal")
    for sub in (testing, retrying):
        sub.add_argument("name", metavar="NAME", help="the channel's name in the settings")
    for sub in verbs.choices.values():
        sub.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings file")


def run(args: argparse.Namespace) -> int:
    """List, test or retry."""
    try:
        settings = read_settings(args.config)
        if args.verb == "test":
            return _test(settings, args.name)
        if args.verb == "route":
            return explain_way(args, settings)
        with ExitStack() as closing:
            if isinstance(settings.database, Path) and not settings.database.is_file():
                raise PermanentError(f"there is no database {settings.database}: has coordwatch run with it?")
            sending = open_store(settings, {}, closing).sending()
            if args.verb == "retry":
                _known(settings, args.name)
                print(f"{sending.retry(args.name, SystemClock().now(), getpass.getuser())} messages will be sent again")
                return OK
            for view in sending.views():
                print(_line(asdict(view)))
        return OK
    except (CoordwatchError, ValueError) as error:
        print(f"coordwatch channels: {error}", file=sys.stderr)
        return BAD_INPUT


def _known(settings: Settings, name: str) -> None:
    names = [one.name for one in settings.channels]
    if name not in names:
        raise PermanentError(f"no channel is called '{name[:48]}'; the settings name: {', '.join(names) or 'none'}")


def _test(settings: Settings, name: str) -> int:
    _known(settings, name)
    clock = SystemClock()
    post = next(one for one in posts_of(settings, clock) if one.channel.name == name)
    now = clock.now()
    work = Work(canary(name, now), 0, 1, False, None, now + MINUTE, now)
    (answer,) = post.receiver.deliver([work])
    print(f"{name}: {answer.outcome.value}: {answer.words}")
    return OK if answer.outcome is Outcome.DELIVERED else NOT_TAKEN


def _line(view: dict[str, Any]) -> str:
    if not sys.stdout.isatty():
        return encode_json(view).decode()
    now = SystemClock().now()
    parts = [f"{view['name']:<20}"]
    oldest = f", the oldest for {duration_words(now - view['oldest'])}" if view["oldest"] else ""
    parts.append(f"{view['waiting']} waiting{oldest}; {view['refused']} refused")
    if view["delivered_at"]:
        parts.append(f"last told {time_words(view['delivered_at'])}")
    if view["answer"]:
        parts.append(view["answer"])
    return "; ".join(parts)
