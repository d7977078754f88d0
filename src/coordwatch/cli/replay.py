"""`coordwatch replay`: canonical events in any order in, the detections that stand at the end out, one JSON a line.

Files, standard input or ranges of topics enter; rows, and bad lines on standard error, leave. The work is done in `engine/replay.py`.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any

from coordwatch.adapters.event_files import History, Part, pieces, temporary_folder
from coordwatch.adapters.files import load_rules
from coordwatch.adapters.replay_jobs import Replayed, as_lines, replay_here, replay_in_jobs
from coordwatch.cli import histories
from coordwatch.codec import encode_json
from coordwatch.engine.gather import BadLine, NeedsIdentity
from coordwatch.engine.replay import Replay
from coordwatch.engine.trail import trail_rows
from coordwatch.errors import CoordwatchError, DocumentError
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import parse_time
from coordwatch.events.wire import Rejected, decode_event
from coordwatch.identity.identity import resolve_all
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.spec import RuleSpec

OK, BAD_INPUT = 0, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    histories.add_arguments(parser)
    parser.add_argument(
        "--rules", nargs="+", type=Path, metavar="PATH", help="rule files or folders instead of the shipped packs"
    )
    parser.add_argument("--until", metavar="TIME", help="move the clock to this time, e.g. 2026-01-31T09:30:00Z")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead of standard output")
    parser.add_argument(
        "--trail", action="store_true", help="also what was raised and retracted on the way, marked with 'change'"
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="how many processes share the work (default 1)"
    )


def run(args: argparse.Namespace) -> int:
    """Replay, print, and say with the exit code whether every line could be used."""
    if histories.nothing_named(args):
        return _refuse("which events? Name the files before --rules, '-' for standard input, or --kafka TOPIC@FROM..TO")
    try:
        until = None if args.until is None else parse_time(args.until)
    except ValueError as error:
        return _refuse(f"--until: {error}")
    if not 1 <= args.jobs <= 64:
        return _refuse("--jobs: a number from 1 to 64")
    try:
        site = histories.site_of(args)
        rules = load_rules(args.rules or site.rules)
        if rules.problems:
            raise DocumentError(rules.problems)
        how = How(until, args.jobs, args.trail, site.identity)
        with temporary_folder() as folder:
            history = histories.history_of(args, site, Path(folder))
            replayed, trail = replay(rules.specs, history, how)
            with args.out.open("wb") if args.out else nullcontext(sys.stdout.buffer) as out:
                count = _write(out, chain((encode_json(row) for row in trail), replayed.rows))
    except DocumentError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        raise  # whoever read us has seen enough: no mistake
    except (CoordwatchError, OSError) as error:
        return _refuse(str(error))
    report(replayed, history)
    _summarise(replayed, count)
    return BAD_INPUT if replayed.bad or history.refused else OK


@dataclass(frozen=True, slots=True)
class How:
    """How a history is judged; `counting` counts each rule's acts. Units: `until` in microseconds since 1970 UTC."""

    until: int | None = None
    jobs: int = 1
    trail: bool = False
    identity: IdentityPolicy | None = None
    counting: bool = False


def replay(specs: Sequence[RuleSpec], history: History, how: How) -> tuple[Replayed, Iterable[dict[str, Any]]]:
    """Replay in the quickest way that the history allows.

    Gives: what stands, and the rows of the trail when it was asked for
    """
    if how.trail:
        replayed, resolved = replay_resolved(specs, history, how)
        return replayed, trail_rows(specs, resolved, how.until)
    try:
        if how.jobs > 1:
            return replay_in_jobs(specs, history.parts, how.until, how.jobs, counting=how.counting), ()
        return replay_here(specs, history.parts, how.until, counting=how.counting), ()
    except NeedsIdentity:
        return replay_resolved(specs, history, how)[0], ()


def replay_resolved(
    specs: Sequence[RuleSpec], history: History, how: How
) -> tuple[Replayed, list[tuple[Event, str | None]]]:
    """Replay a history in which events may name no customer: the identity stage sees all of it first."""
    until = how.until
    replay = Replay(compile_rules(specs), until, counting=how.counting)
    bad: list[tuple[str, BadLine]] = []
    events = [event for event in _events(history.parts, replay, bad) if until is None or event.time <= until]
    customers = [event.subject for event in events] if history.filed else resolve_all(events, how.identity)
    resolved = list(zip(events, customers, strict=True))
    for event, customer in resolved:
        if customer is None and not TYPES[event.type].broadcast:
            replay.counts.no_customer += 1
            replay.latest = max(replay.latest, event.time)
        else:
            replay.add(event, customer)
    return Replayed(as_lines(replay), bad, replay.counts, replay.clock), resolved


def _events(parts: Sequence[Part], replay: Replay, bad: list[tuple[str, BadLine]]) -> Iterator[Event]:
    for part in parts:
        number = 0
        for piece in pieces(part):
            for line in piece.split(b"\n"):
                number += 1
                if not line.strip():
                    continue
                event = decode_event(line)
                if isinstance(event, Rejected):
                    bad.append((part.name, BadLine(number, event)))
                    continue
                replay.counts.events += 1
                yield event
            number -= piece.endswith(b"\n")
        replay.counts.lines += number


def _write(out: IO[bytes], rows: Iterable[bytes]) -> int:
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the last number is the answer
        out.write(row + b"\n")
    out.flush()
    return count


def report(replayed: Replayed, history: History) -> None:
    """Bad lines as JSON on standard error."""
    for name, one in replayed.bad:
        rejected = one.rejected
        why = {"reason": rejected.reason.value, "detail": rejected.detail, "path": rejected.path}
        print(encode_json(history.place(name, one.line) | why).decode(), file=sys.stderr)


def _summarise(replayed: Replayed, count: int) -> None:
    """A summary for a person when one is looking."""
    if sys.stderr.isatty():
        counts = replayed.counts
        print(
            f"{counts.events:,} events, {count:,} lines written, {counts.duplicates:,} duplicates, "
            f"{counts.later:,} later than the clock, {len(replayed.bad):,} bad lines",
            file=sys.stderr,
        )


def _refuse(message: str) -> int:
    print(f"coordwatch replay: {message}", file=sys.stderr)
    return BAD_INPUT
