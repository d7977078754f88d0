"""`coordwatch worker`: the distributed runtime beside a Kafka, until it is asked to end.

What enters: a settings file, the roles that this process plays.
What leaves: an exit code for the supervisor: 0 asked to end, 2 refused to start, 70 a person must act, 75 start again.
The next room: `app.worker`, which puts it together.
"""

import argparse
import logging
import sys
from pathlib import Path

from coordwatch.app.worker import Role, WorkerOptions, build_worker
from coordwatch.cli.heap import collect_seldom
from coordwatch.errors import TemporaryError
from coordwatch.events.times import SECOND, parse_duration
from coordwatch.settings import read_settings
from coordwatch.worker.driver import Policy
from coordwatch.worker.exits import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings file")
    parser.add_argument(
        "--role",
        action="append",
        choices=[role.value for role in Role],
        help="what this process does; may be repeated (default: everything)",
    )
    parser.add_argument(
        "--runtime",
        choices=["faust", "plain"],
        default="faust",
        help="faust, or a plain loop over the same topics; stop all workers of one before starting the other",
    )
    parser.add_argument(
        "--stall", default="60s", metavar="60s", help="end when nothing moves for so long although there is work"
    )
    parser.add_argument(
        "--accept-loss", action="store_true", help="go on where retention deleted records before they were read"
    )
    parser.add_argument("--quiet", action="store_true", help="warnings and errors only")


def run(args: argparse.Namespace) -> int:
    """Run until a signal, and say with the exit code whether to start again."""
    level = logging.WARNING if args.quiet else logging.INFO
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s", level=level)
    for chatty in ("aiokafka", "faust", "coordwatch.worker.transport", "coordwatch.worker.faust_app"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("mode").setLevel(logging.ERROR)  # a commit that takes longer than its interval is no news
    try:
        policy = Policy(parse_duration(args.stall) / SECOND, args.accept_loss)
    except ValueError as error:
        print(f"coordwatch worker: --stall: {error}", file=sys.stderr)
        return ExitCode.REFUSED
    roles = frozenset(map(Role, args.role)) if args.role else frozenset(Role)
    try:
        service = build_worker(read_settings(args.config), WorkerOptions(roles, args.runtime == "plain", policy))
    except TemporaryError as error:
        print(f"coordwatch worker: {error}", file=sys.stderr)
        return ExitCode.AGAIN
    what = ", ".join(sorted(roles))
    collect_seldom()
    return service.run(started=lambda: logging.getLogger("coordwatch.worker").info("started: %s", what))
