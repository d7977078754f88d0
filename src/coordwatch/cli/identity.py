"""`coordwatch identity`: why events are one person's, who is quarantined, two who are not one, and a new key.

What enters: settings, a customer key or an identifier, two identifiers.
What leaves: text for a terminal, JSON for anything else; exit 2 when nobody is known.
The next room: `app`, which asks the identity of the site, or has it changed.
"""

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

from coordwatch.adapters.key_file import key_path, rotate_beside
from coordwatch.app.at_rest import at_rest, carried_out
from coordwatch.cli.extras import needing_kafka
from coordwatch.cli.forget import line_of
from coordwatch.clock import SystemClock
from coordwatch.codec import encode_json
from coordwatch.errors import PermanentError
from coordwatch.identity.digest import mask
from coordwatch.identity.identifier import Identifier, parse_identifier
from coordwatch.processor.holdings import explained, files_of
from coordwatch.processor.requests import Request, RequestKind
from coordwatch.settings import Settings, for_serve, read_settings

OK = 0
_HOW = {"seen_together": "seen together with", "linked": "said to be", "same_address": "another form of"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="explain|split|keys|rotate")
    explain = verbs.add_parser("explain", help="why these events are one person")
    explain.add_argument(
        "customer", metavar="CUSTOMER", help="a customer key, or an identifier such as email:ann@example.com"
    )
    split = verbs.add_parser("split", help="these two identifiers are not one person, whatever was seen")
    split.add_argument("one", metavar="ONE", help="an identifier such as email:ann@example.com")
    split.add_argument(
        "other", metavar="OTHER", help="one that was seen with it, or linked to it, such as phone:+15550100"
    )
    split.add_argument("--by", metavar="NAME", help="who says so (default: the user of this machine)")
    split.add_argument(
        "--wait", type=float, default=60.0, metavar="S", help="how long to wait for the service (default 60)"
    )
    verbs.add_parser("keys", help="how many identifiers are known under which key")
    verbs.add_parser("rotate", help="a new key; what was written under the old one is still found")
    for sub in verbs.choices.values():
        sub.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings file")
        sub.add_argument("--json", action="store_true", help="JSON also on a terminal")


def run(args: argparse.Namespace) -> int:
    """Explain, split, count or rotate."""
    settings = read_settings(args.config)
    if args.verb == "rotate":
        for_serve(settings)
    return {"explain": _explain, "split": _split, "keys": _keys, "rotate": _rotate}[args.verb](args, settings)


def _explain(args: argparse.Namespace, settings: Settings) -> int:
    found = _explained(args.customer, settings)
    if args.json or not sys.stdout.isatty():
        print(encode_json(found).decode())
        return OK
    for one in found:
        print(f"customer {one['customer']}, known with {one['confidence']} confidence" + _asked(args.customer))
        for edge in one["because"]:
            print(f"  {edge['one']:<28} {_HOW[edge['how']]} {edge['other']}")
        for kind, amount in one["identifiers"].items():
            print(f"  {amount:>6,} x {kind}")
    return OK


def _explained(who: str, settings: Settings) -> list[dict[str, Any]]:
    if settings.kafka_inputs:
        site = needing_kafka("app.over_kafka").over_kafka(settings)
        found: list[dict[str, Any]] = needing_kafka("app.kafka_files").why_one(site, who, _masked(who))
        return found
    with at_rest(for_serve(settings)) as (processor, store):
        files = files_of(processor, store)
        return explained(files.people, files.who(who), _masked(who))


def _split(args: argparse.Namespace, settings: Settings) -> int:
    who = (args.one, args.other)
    request = Request(uuid4().hex, RequestKind.SPLIT, who, args.by or getpass.getuser(), SystemClock().now())
    if settings.kafka_inputs:
        receipt = needing_kafka("app.over_kafka").over_kafka(settings).ask(request)
    else:
        receipt = carried_out(settings, request, args.wait)
    if receipt.problem:
        raise PermanentError(receipt.problem)
    print(line_of(receipt))
    return OK


def _keys(args: argparse.Namespace, settings: Settings) -> int:
    if settings.kafka_inputs:
        counted = needing_kafka("app.kafka_files").keys_in_use(needing_kafka("app.over_kafka").over_kafka(settings))
    else:
        with at_rest(for_serve(settings)) as (processor, _):
            counted = processor.identity.keys_in_use()
    print(encode_json(counted).decode())
    return OK


def _rotate(args: argparse.Namespace, settings: Settings) -> int:
    if settings.identity.key is not None:
        raise PermanentError(
            "the key is in the settings: put a new one there, with a 'key_id' that sorts behind, and the one before it under "
            "'old_keys' (docs/data-protection.md)"
        )
    assert isinstance(settings.database, Path), "beside a PostgreSQL the settings ask for a key"
    key = rotate_beside(settings.database)
    print(f"{key_path(settings.database)} has a new key, {key.id}; start the service again to use it", file=sys.stderr)
    return OK


def _asked(who: str) -> str:
    return f", asked for as {_masked(who)}" if ":" in who else ""


def _masked(who: str) -> str:
    """An identifier as a person may see it on a screen."""
    parsed = parse_identifier(who)
    return f"{parsed.type}:{mask(parsed)}" if isinstance(parsed, Identifier) else who[:60]
