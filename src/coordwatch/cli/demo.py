"""`coordwatch demo`: the simulator, the engine, a database in a temporary folder, the pages; one command.

What enters: a port, a speed, perhaps how long, perhaps a Kafka to run beside.
What leaves: pages at the printed address while it runs; a summary of one screen when it ends.
The next room: `app`, which puts it together as any other service.
"""

import argparse
import logging
import secrets
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.app import build
from coordwatch.cli.extras import needing_kafka
from coordwatch.embedded.service import TRY_AGAIN
from coordwatch.errors import CoordwatchError, TemporaryError
from coordwatch.events.times import SECOND, parse_duration
from coordwatch.events.words import duration_words, number_words
from coordwatch.ports import AlertReader, RuleCounts
from coordwatch.settings import Settings, SimulatorInput, demo_settings

BAD_INPUT = 2
_SPEED_MAX = 100_000.0
_RESULTS = ("applied", "duplicate", "dropped", "parked", "dead_lettered")
_UNDER_WAY = "under_way"


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
    parser.add_argument(
        "--kafka",
        metavar="HOST:PORT",
        help="publish to a real Kafka as the shop's tools would, and let a worker read it there",
    )
    parser.add_argument(
        "--prefix", metavar="NAME", help="what the demo's topics begin with (default: a name of this run's own)"
    )
    parser.add_argument("--keep", action="store_true", help="leave the demo's topics on the Kafka when it ends")


def run(args: argparse.Namespace) -> int:
    """Run the demo until it is interrupted, or for as long as asked."""
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(message)s", level=logging.WARNING, force=True)
    try:
        seconds = None if args.length is None else parse_duration(args.length) / SECOND
    except ValueError as error:
        return _refuse(f"--for: {error}")
    if not 0 <= args.port <= 65535 or not 0 < args.speed <= _SPEED_MAX or not 1 <= args.customers <= 100_000:
        return _refuse(f"--port is 0 to 65535, --speed up to {_SPEED_MAX:,.0f}, --customers 1 to 100 000")
    if args.kafka is None and (args.prefix or args.keep):
        return _refuse("--prefix and --keep are about a Kafka: name it with --kafka HOST:PORT")
    with ExitStack() as ending:
        try:
            folder = args.data or Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="coordwatch-demo-")))
            folder.mkdir(parents=True, exist_ok=True)
            if args.kafka is not None:
                return beside_kafka(args, folder, seconds)
            service = build(_settings(args, folder))
        except (CoordwatchError, OSError) as error:
            return _refuse(str(error), TRY_AGAIN if isinstance(error, TemporaryError) else BAD_INPUT)
        print(f"coordwatch demo: {service.address}  (Ctrl-C ends it)", flush=True)
        began = service.clock.now()
        return service.run(
            seconds,
            started=lambda: _open(service.address, args),
            ended=lambda: _summary(service.reader, service.clock.now() - began, args.data),
        )


def beside_kafka(args: argparse.Namespace, folder: Path, seconds: float | None) -> int:
    """Run the demo beside a Kafka, and leave nothing there.

    Raises: CoordwatchError when it cannot begin
    """
    for library in ("aiokafka", "faust", "mode", "coordwatch.kafka"):
        logging.getLogger(library).setLevel(logging.ERROR)
    demo_kafka = needing_kafka("app.demo_kafka")
    name = args.prefix or f"demo-{secrets.token_hex(3)}"
    database = folder / "demo.db"
    bind = f"127.0.0.1:{args.port}"
    wish = demo_kafka.Wish(args.kafka, name, database, bind, args.seed, args.customers, args.speed)
    demo = demo_kafka.build_demo(wish)
    after = "stay" if args.keep else "are removed when it ends"
    print(f"coordwatch demo: {demo.address}  (Ctrl-C ends it)", flush=True)
    print(f"Its topics on {args.kafka} begin with '{name}.' and {after}.", flush=True)
    began, ticking = demo.clock.now(), _end_after(seconds, demo.ending)
    code = demo.service.run(demo.ending, started=lambda: _open(demo.address, args))
    passed = demo.clock.now() - began
    ticking.cancel()
    with closing(SqlStore(database, {})) as store:
        _summary(store, passed, args.data)
    left = [] if args.keep else demo.remove()
    if left:
        print(f"These topics could not be removed: {', '.join(left)}", file=sys.stderr)
    return int(code)


def _end_after(seconds: float | None, ending: threading.Event) -> threading.Timer:
    """A clock that ends the demo; one that was never started where it has no end."""
    ticking = threading.Timer(seconds or 0.0, ending.set)
    ticking.daemon = True
    if seconds is not None:
        ticking.start()
    return ticking


def _settings(args: argparse.Namespace, folder: Path) -> Settings:
    simulator = SimulatorInput(kind="simulator", seed=args.seed, customers=args.customers, speed=args.speed)
    return demo_settings(
        {"database": folder / "demo.db", "durable": False, "bind": f"127.0.0.1:{args.port}", "inputs": (simulator,)}
    )


def _open(address: str, args: argparse.Namespace) -> None:
    if not args.no_browser and sys.stdout.isatty():
        webbrowser.open(address)


def _summary(reader: AlertReader, passed: int, data: Path | None) -> None:
    """What happened, on one screen."""
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
    names = [*_RESULTS, *([_UNDER_WAY] if _UNDER_WAY in tallies else [])]
    parts = " + ".join(f"{number_words(tallies.get(name, 0))} {name.replace('_', '-')}" for name in names)
    alerts = ", ".join(
        f"{totals[status]} {status}" for status in ("open", "resolved", "retracted") if totals.get(status)
    )
    return f"{number_words(tallies.get('in', 0))} events = {parts}.\nAlerts: {alerts or 'none'}."


def _refuse(message: str, code: int = BAD_INPUT) -> int:
    print(f"coordwatch demo: {message}", file=sys.stderr)
    return code
