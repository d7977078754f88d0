"""`coordwatch serve`: the one-process runtime on your own events.

What enters: a settings file.
What leaves: a running service, until it is told to end; exit 0, 2 for settings that cannot be used, 70 or 75 on failure.
The next room: `app`, which puts the service together.
"""

import argparse
import logging
import sys
from pathlib import Path

from coordwatch.app import build
from coordwatch.embedded.service import TRY_AGAIN
from coordwatch.errors import CoordwatchError, DocumentError, TemporaryError
from coordwatch.settings import for_serve, read_settings

BAD_INPUT = 2
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings file (YAML)")
    parser.add_argument("--quiet", action="store_true", help="log warnings and errors only")


def run(args: argparse.Namespace) -> int:
    """Serve until a signal or a failure."""
    logging.basicConfig(
        stream=sys.stderr, format=_LOG_FORMAT, level=logging.WARNING if args.quiet else logging.INFO, force=True
    )
    try:
        settings = for_serve(read_settings(args.config))
        service = build(settings)
    except DocumentError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return BAD_INPUT
    except CoordwatchError as error:
        print(f"coordwatch serve: {error}", file=sys.stderr)
        return TRY_AGAIN if isinstance(error, TemporaryError) else BAD_INPUT
    return service.run(started=lambda: print(f"coordwatch serves {service.address}", file=sys.stderr, flush=True))
