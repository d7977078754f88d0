"""`coordwatch simulate`: a seed in, the records of a shop out, one JSON a line, and the truth about them beside it.

`coordwatch simulate score` holds detections against that truth. What leaves `--shape vendor` is what `map` reads, what
leaves `--shape canonical` is what `replay` reads.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

from coordwatch.codec import NotJson, decode_json, encode_json
from coordwatch.events.times import format_time, parse_time
from coordwatch.events.wire import encode_event
from coordwatch.simulator.config import START, SimulationConfig
from coordwatch.simulator.labels import Label, label_from_plain, label_to_plain
from coordwatch.simulator.post import SimRecord
from coordwatch.simulator.run import simulate
from coordwatch.simulator.score import Miss, Score, score

OK, FOUND, BAD_INPUT = 0, 1, 2
CUSTOMERS_MAX, DAYS_MAX = 1_000_000, 3_650
_SHOWN_EVERY = 20_000
_SHOWN_AT_MOST = 20


class _Unreadable(Exception):
    """A file that is not what it should be; the message says where."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--customers", type=int, default=200, metavar="N", help="how many customers (default 200)")
    parser.add_argument("--days", type=int, default=7, metavar="D", help="how many days (default 7)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="decides everything that is left to chance")
    parser.add_argument(
        "--start", default=format_time(START), metavar="TIME", help=f"the first instant (default {format_time(START)})"
    )
    parser.add_argument(
        "--shape",
        choices=("canonical", "vendor"),
        default="canonical",
        help="canonical events with their customer, or what the tools publish (default canonical)",
    )
    parser.add_argument("--labels", type=Path, metavar="FILE", help="write the truth about every act there")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead of standard output")
    modes = parser.add_subparsers(dest="mode", metavar="score", required=False)
    scoring = modes.add_parser("score", help="hold detections against the labels of a simulation")
    scoring.add_argument("--labels", dest="truth", required=True, metavar="FILE", help="what --labels wrote")
    scoring.add_argument("detections", metavar="DETECTIONS", help="what `replay` printed, '-' for standard input")
    scoring.add_argument("--json", action="store_true", help="one JSON a rule instead of a table")


def run(args: argparse.Namespace) -> int:
    """Simulate, or score; the exit code of a score is 1 when something was missed or invented."""
    try:
        return _score(args) if args.mode == "score" else _simulate(args)
    except BrokenPipeError:
        raise  # the reader has gone; `main` knows what to do
    except (_Unreadable, OSError, ValueError) as error:
        print(f"coordwatch simulate: {error}", file=sys.stderr)
        return BAD_INPUT


def _simulate(args: argparse.Namespace) -> int:
    if not 1 <= args.customers <= CUSTOMERS_MAX:
        raise ValueError(f"--customers: a number from 1 to {CUSTOMERS_MAX:,}")
    if not 1 <= args.days <= DAYS_MAX:
        raise ValueError(f"--days: a number from 1 to {DAYS_MAX:,}")
    try:
        start = parse_time(args.start)
    except ValueError as error:
        raise ValueError(f"--start: {error}") from None
    simulation = simulate(SimulationConfig(args.customers, args.days, args.seed, start))
    write = _write_vendor if args.shape == "vendor" else _write_canonical
    with args.out.open("wb") if args.out else nullcontext(sys.stdout.buffer) as out:
        for number, record in enumerate(simulation):
            write(out, record)
            if number % _SHOWN_EVERY == 0:
                _show_progress(simulation.config, record)
        out.flush()
    if args.labels:
        with args.labels.open("wb") as file:
            for label in simulation.labels:
                file.write(encode_json(label_to_plain(label)) + b"\n")
    return OK


def _write_canonical(out: IO[bytes], record: SimRecord) -> None:
    for event in record.events:
        out.write(encode_event(event) + b"\n")


def _write_vendor(out: IO[bytes], record: SimRecord) -> None:
    raw = record.record
    plain = {
        "topic": raw.topic,
        "timestamp": format_time(raw.timestamp or 0),
        "headers": dict(raw.headers),
        "value": decode_json(raw.value or b"null"),
    }
    out.write(encode_json(plain) + b"\n")


def _show_progress(config: SimulationConfig, record: SimRecord) -> None:
    if sys.stderr.isatty():
        share = ((record.record.timestamp or config.start) - config.start) / (config.end - config.start)
        print(f"\rsimulated {min(share, 1):.0%} of {config.days} days", end="", file=sys.stderr, flush=True)


def _score(args: argparse.Namespace) -> int:
    labels = [_label(plain, place) for place, plain in _lines(args.truth)]
    detections = [_detection(plain, place) for place, plain in _lines(args.detections)]
    scores = score(labels, (one for one in detections if "change" not in one))
    for one in scores:
        print(encode_json(_score_to_plain(one)).decode() if args.json else _in_words(one))
    if not args.json:
        print("\n".join(_verdict(scores)))
    return OK if all(one.is_perfect for one in scores) else FOUND


def _lines(name: str) -> Iterator[tuple[str, Any]]:
    with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield f"{name}:{number}", decode_json(line)
            except NotJson as error:
                raise _Unreadable(f"{name}:{number}: not JSON: {error}") from None


def _label(plain: Any, place: str) -> Label:
    try:
        return label_from_plain(plain, parse_time(plain["at"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _Unreadable(f"{place}: no label ({error}); give what `simulate --labels` wrote") from None


def _detection(plain: Any, place: str) -> Mapping[str, Any]:
    try:
        _ = (plain["rule"], plain["at"], plain["act"]["source"], plain["act"]["id"])
    except (KeyError, TypeError) as error:
        raise _Unreadable(f"{place}: no detection ({error}); give what `replay` printed") from None
    known: Mapping[str, Any] = plain
    return known


def _score_to_plain(one: Score) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "precision": one.precision,
        "recall": one.recall,
        "right": one.right,
        "invented": [_miss_to_plain(miss) for miss in one.invented],
        "missed": [_miss_to_plain(miss) for miss in one.missed],
        "unpublished": [_miss_to_plain(miss) for miss in one.unpublished],
        "hard_negatives": {name: {"acts": acts, "raised": raised} for name, (acts, raised) in one.hard.items()},
    }


def _miss_to_plain(miss: Miss) -> dict[str, Any]:
    _, source, act = miss.act
    return {"act": {"source": source, "id": act}, "why": miss.reason}


def _in_words(one: Score) -> str:
    hard = ", ".join(f"{name} {acts - raised} of {acts}" for name, (acts, raised) in sorted(one.hard.items()))
    line = (
        f"{one.rule:<32} precision {_share(one.precision)}  recall {_share(one.recall)}  "
        f"{one.right:>6} found, {len(one.missed)} missed, {len(one.invented)} invented"
    )
    lines = [f"{line}; left alone: {hard}" if hard else line]
    lines += _explained("missed", one.missed)
    lines += _explained("invented", one.invented)
    lines += _counted("not in the logs", one.unpublished)
    return "\n".join(lines)


def _explained(word: str, misses: Sequence[Miss]) -> list[str]:
    lines = [f"    {word}: {source} {act}: {one.reason}" for one in misses for _, source, act in [one.act]]
    rest = len(lines) - _SHOWN_AT_MOST
    return [*lines[:_SHOWN_AT_MOST], f"    {word}: {rest} more; --json explains every one"] if rest > 0 else lines


def _counted(word: str, misses: Iterable[Miss]) -> list[str]:
    """Say once what the logs cannot show, however often it happened; `--json` names every act."""
    counts: Counter[str] = Counter()
    for one in misses:
        raised = "raised" if one.detection is not None else "not raised"
        counts[f"{raised}, {one.label.because if one.label else 'unknown'}"] += 1
    return [f"    {word}: {count} x {reason}" for reason, count in sorted(counts.items())]


def _share(value: float | None) -> str:
    return "  -  " if value is None else f"{value:.3f}"


def _verdict(scores: list[Score]) -> Iterator[str]:
    if not scores:
        yield "Nothing to score: no label and no detection."
        return
    wrong = [one.rule for one in scores if not one.is_perfect]
    yield f"Not perfect: {', '.join(wrong)}." if wrong else "Everything that the logs can show was found, nothing else."
