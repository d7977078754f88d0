"""`coordwatch subject`: everything that is held of one person, as JSON, for the answer to their question.

What enters: settings, a customer key or an identifier such as `email:ann@example.com`.
What leaves: one JSON document; exit 2 when nobody is known by that name.
The next room: `processor/holdings.py`, which gathers it.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from coordwatch.app.at_rest import at_rest
from coordwatch.audit.deed import DeedKind
from coordwatch.cli.extras import needing_kafka
from coordwatch.cli.noting import note_person
from coordwatch.codec import encode_json
from coordwatch.errors import PermanentError
from coordwatch.processor.holdings import files_of, holdings
from coordwatch.settings import Settings, for_serve, read_settings

OK = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="export")
    export = verbs.add_parser("export", help="everything that is held of one person")
    export.add_argument(
        "customer", metavar="CUSTOMER", help="a customer key, or an identifier such as email:ann@example.com"
    )
    export.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings file")
    export.add_argument("--out", type=Path, metavar="FILE", help="write it there (default: standard output)")


def run(args: argparse.Namespace) -> int:
    """Export."""
    settings = read_settings(args.config)
    found = _found(settings, args.customer)
    if found is None:
        raise PermanentError(f"nobody is known by '{args.customer[:60]}': give a customer key, or type:value")
    note_person(settings, DeedKind.PERSON_EXPORT, args.customer)
    text = encode_json(found) + b"\n"
    if args.out is None:
        sys.stdout.buffer.write(text)
    else:
        args.out.write_bytes(text)
    return OK


def _found(settings: Settings, who: str) -> dict[str, Any] | None:
    if settings.kafka_inputs:
        site = needing_kafka("app.over_kafka").over_kafka(settings)
        with needing_kafka("app.kafka_files").kafka_files(site, who) as files:
            return holdings(files, who)
    with at_rest(for_serve(settings)) as (processor, store):
        return holdings(files_of(processor, store), who)
