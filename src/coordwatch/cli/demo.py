"""`coordwatch demo`: the simulator, the engine, a database in a temporary folder, the pages; one command.

What enters: a port, a speed, perhaps how long.
What leaves: pages at the printed address while it runs; a summary of one screen when it ends.
The next room: `app`, which puts it together as any other service.
"""

import argparse
import logging
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from coordwatch.app import build
from coordwatch.embedded.service import TRY_AGAIN, Service
from coordwatch.errors import CoordwatchError, TemporaryError
from coordwatch.events.times import SECOND, parse_duration
from coordwatch.events.words import duration_words, number_words
from coordwatch.ports import AlertReader, RuleCounts
from coordwatch.settings import Settings, SimulatorInput, SourcesSettings

BAD_INPUT = 2
_SPEED_MAX = 100_000.0
_RESULTS = ("applied", "duplicate", "dropped", "parked", "dead_lettered")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--port", type=int, default=8484, metavar="PORT", help="where the pages are (default 8484)")
    parser.add_argument("--for", dest="length", metavar="60s", help="end after this long, with a summary")
    parser.add_argument(
        "--speed",
        type=float,
        default=600.0,
        metavar="N",
        help="how much faster than the wall the shop runs (default 600)",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="keep the database there and go on with it next time"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="decides everything that is left to chance")
    parser.add_argument("--customers", type=int, default=60, metavar="N", help="how many customers (default 60)")


def run(args: argparse.Namespace) -> int:
    """Run the demo until it is interrupted, or for as long as asked."""
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(message)s", level=logging.WARNING, force=True)
    try:
        seconds = None if args.length is None else parse_duration(args.length) / SECOND
    except ValueError as error:
        return _refuse(f"--for: {error}")
    if not 0 <= args.port <= 65535 or not 0 < args.speed <= _SPEED_MAX or not 1 <= args.customers <= 100_000:
        return _refuse(f"--port is 0 to 65535, --speed up to {_SPEED_MAX:,.0f}, --customers 1 to 100 000")
    with ExitStack() as ending:
        try:
            folder = args.data or Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="coordwatch-demo-")))
            folder.mkdir(parents=True, exist_ok=True)
            service = build(_settings(args, folder))
        except (CoordwatchError, OSError) as error:
            return _refuse(str(error), TRY_AGAIN if isinstance(error, TemporaryError) else BAD_INPUT)
        print(f"coordwatch demo: {service.address}  (Ctrl-C ends it)", flush=True)
        began = service.clock.now()
        return service.run(
            seconds,
            started=lambda: _open(service.address, args),
            ended=lambda: _summary(service, service.clock.now() - began, args.data),
        )


def _settings(args: argparse.Namespace, folder: Path) -> Settings:
    simulator = SimulatorInput(kind="simulator", seed=args.seed, customers=args.customers, speed=args.speed)
    return Settings(
        database=folder / "demo.db",
        durable=False,
        bind=f"127.0.0.1:{args.port}",
        token=None,
        rules=(),
        sources=SourcesSettings(),
        inputs=(simulator,),
    )


def _open(address: str, args: argparse.Namespace) -> None:
    if not args.no_browser and sys.stdout.isatty():
        webbrowser.open(address)


def _summary(service: Service, passed: int, data: Path | None) -> None:
    """What happened, on one screen."""
    reader = service.reader
    print(f"\n{duration_words(passed)} of the shop's time have passed.\n")
    print("\n".join(_table(reader.rule_counts())))
    print("\n" + _accounts(reader))
    print(f"The database is kept in {data}." if data else "The database was temporary; --data FOLDER keeps one.")


def _table(counts: Sequence[RuleCounts]) -> list[str]:
    width = max((len(one.rule) for one in counts), default=4)
    lines = [f"{'rule':<{width}}  {'acts':>8}  {'conflicts':>9}  {'rate':>7}  {'made good':>9}  {'retracted':>9}"]
    for one in sorted(counts, key=lambda one: (-one.detections, one.rule)):
        rate = f"{100 * one.detections / one.acts:.1f} %" if one.acts else "-"
        numbers = (one.acts, one.detections)
        lines.append(
            f"{one.rule:<{width}}  {number_words(numbers[0]):>8}  {number_words(numbers[1]):>9}  {rate:>7}"
            f"  {one.made_good:>9}  {one.retracted:>9}"
        )
    return lines


def _accounts(reader: AlertReader) -> str:
    tallies, totals = reader.tallies(), reader.alert_totals()
    parts = " + ".join(f"{number_words(tallies.get(name, 0))} {name.replace('_', '-')}" for name in _RESULTS)
    alerts = ", ".join(
        f"{totals[status]} {status}" for status in ("open", "resolved", "retracted") if totals.get(status)
    )
    return f"{number_words(tallies.get('in', 0))} events = {parts}.\nAlerts: {alerts or 'none'}."


def _refuse(message: str, code: int = BAD_INPUT) -> int:
    print(f"coordwatch demo: {message}", file=sys.stderr)
    return code
