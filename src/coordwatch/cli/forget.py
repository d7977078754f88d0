"""`coordwatch forget`: a person is forgotten, everywhere; what still comes about them is left aside.

What enters: settings, customer keys or identifiers such as `email:ann@example.com`.
What leaves: a receipt that names nobody, in words on a terminal and as JSON for anything else; exit 0 when nothing is left, 1 when something was still found, 2 when nobody is known.
The next room: `app`, which has it done.
"""

import argparse
import getpass
import sys
from pathlib import Path
from uuid import uuid4

from coordwatch.alerts.words import time_words
from coordwatch.app.at_rest import at_rest, carried_out
from coordwatch.cli.extras import needing_kafka
from coordwatch.clock import SystemClock
from coordwatch.codec import encode_json
from coordwatch.errors import PermanentError
from coordwatch.events.times import format_time
from coordwatch.processor.requests import Receipt, Request, RequestKind
from coordwatch.settings import Settings, read_settings

OK, FOUND, BAD_INPUT = 0, 1, 2
_DONE = {RequestKind.FORGET: "forgotten", RequestKind.LIFT: "let back", RequestKind.SPLIT: "kept apart"}
_INSTANTS = ("asked_at", "done_at", "checked_at", "verified_at")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "customers",
        nargs="*",
        metavar="CUSTOMER",
        help="a customer key, or an identifier such as email:ann@example.com",
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings file")
    parser.add_argument(
        "--lift", action="store_true", help="let somebody back who was forgotten: what comes about them is taken again"
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="beside a Kafka: delete dead letters of those who were forgotten, look at everything that is kept",
    )
    parser.add_argument("--receipts", action="store_true", help="only print the receipts of everything asked so far")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, also on a terminal")
    parser.add_argument("--by", metavar="NAME", help="who asks (default: the user of this machine)")
    parser.add_argument(
        "--wait", type=float, default=60.0, metavar="S", help="how long to wait for the service (default 60)"
    )


def run(args: argparse.Namespace) -> int:
    """Forget, or let back, and print the receipt."""
    if (args.receipts or args.verify) == bool(args.customers):
        print("coordwatch forget: name customers, or ask for --receipts or --verify", file=sys.stderr)
        return BAD_INPUT
    settings = read_settings(args.config)
    if settings.kafka_inputs:
        return _over_kafka(args, settings)
    shown = line_of if args.json or not sys.stdout.isatty() else words_of
    if args.receipts or args.verify:
        with at_rest(settings) as (processor, _):
            for receipt in processor.receipts():
                print(shown(receipt))
        return OK
    receipt = carried_out(settings, _request(args), args.wait)
    if receipt.problem:
        raise PermanentError(receipt.problem)
    print(shown(receipt))
    return FOUND if receipt.left else OK


def _request(args: argparse.Namespace) -> Request:
    kind = RequestKind.LIFT if args.lift else RequestKind.FORGET
    return Request(uuid4().hex, kind, tuple(args.customers), args.by or getpass.getuser(), SystemClock().now())


def _over_kafka(args: argparse.Namespace, settings: Settings) -> int:
    """Ask the workers, or look at what they keep."""
    people = needing_kafka("app.over_kafka").over_kafka(settings)
    if args.customers:
        print(line_of(people.ask(_request(args))))
        return OK
    receipts = people.verify(SystemClock().now()) if args.verify else people.receipts()
    for receipt in receipts:
        print(line_of(receipt))
    return FOUND if any(one.left for one in receipts) else OK


def words_of(receipt: Receipt) -> str:
    """A receipt for a person who reads it on a terminal."""
    tail = f"receipt {receipt.id}, reference {receipt.reference}"
    if receipt.problem:
        return f"{time_words(receipt.done_at)}  not done for {receipt.by}: {receipt.problem}; {tail}"
    gone = (
        ", ".join(f"{what} {count:,}" for what, count in {**receipt.erased, **receipt.moved}.items())
        or "nothing was kept"
    )
    if receipt.kind is RequestKind.LIFT:
        found = "what comes about them is taken again"
    elif receipt.verified_at is not None:
        found = f"nothing is left, looked for at {time_words(receipt.verified_at)}"
    else:
        found = "not looked for yet" if receipt.checked_at is None else f"{receipt.left:,} names were still found"
    return f"{time_words(receipt.done_at)}  {_DONE[receipt.kind]} by {receipt.by}: {gone}; {found}; {tail}"


def line_of(receipt: Receipt) -> str:
    """A receipt as one line of JSON, with times that a person can read."""
    plain = receipt.plain()
    for name in _INSTANTS:
        plain[name] = None if plain[name] is None else format_time(plain[name])
    return encode_json(plain).decode()
