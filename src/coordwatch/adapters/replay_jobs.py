"""Replay on several cores: each job reads a share of the files, and judges a share of the customers.

Files enter; rows leave. Facts change hands once between reading and judging, because a customer's events lie all over
the files. Order of arrival is kept: the facts of an earlier share come before those of a later one.
"""

import gc
import multiprocessing
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any
from zlib import crc32

from coordwatch.adapters.event_files import Part, pieces, split
from coordwatch.context.fact import Fact
from coordwatch.engine.gather import BadLine, NeedsIdentity, ReplayCounts
from coordwatch.engine.replay import Replay
from coordwatch.errors import PermanentError
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.spec import RuleSpec


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to: the rows, the bad lines of each file, the counts, and the clock."""

    rows: list[dict[str, Any]]
    bad: list[tuple[str, BadLine]]
    counts: ReplayCounts
    clock: int


def read_share(replay: Replay, parts: Sequence[Part]) -> list[tuple[str, BadLine]]:
    """Feed files to a replay; bad lines come back with the name of their file, counted from its first line."""
    bad: list[tuple[str, BadLine]] = []
    for part in parts:
        before, known = replay.counts.lines, len(replay.bad)
        for piece in pieces(part):
            replay.feed(piece)
        bad += [(part.name, BadLine(one.line - before, one.rejected)) for one in replay.bad[known:]]
    return bad


def replay_here(specs: Sequence[RuleSpec], parts: Sequence[Part], until: int | None) -> Replayed:
    """Replay files in this process.

    Raises: NeedsIdentity when an event names no customer; PermanentError when a file cannot be read
    """
    replay = Replay(compile_rules(specs), until)
    with _without_collector():
        bad = read_share(replay, parts)
        rows = replay.finish()
    return Replayed(rows, bad, replay.counts, replay.clock)


def replay_in_jobs(specs: Sequence[RuleSpec], parts: Sequence[Part], until: int | None, jobs: int) -> Replayed:
    """Replay files in several processes.

    Raises: as `replay_here`
    """
    context: Any = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
    lines = [context.Pipe() for _ in range(jobs)]
    processes = [
        context.Process(target=_job, args=(child, list(specs), share, (until, jobs)), daemon=True)
        for (_, child), share in zip(lines, split(parts, jobs), strict=True)
    ]
    for process in processes:
        process.start()
    try:
        return _conduct([line for line, _ in lines])
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
            process.join()


def _conduct(lines: Sequence[Connection]) -> Replayed:
    """Gather every job's shards, hand each job its own with the common clock, and merge the rows."""
    read = [_answer(line) for line in lines]
    bad = [one for answer in read for one in answer["bad"]]
    clock = max(answer["clock"] for answer in read)
    for number, line in enumerate(lines):
        line.send_bytes(pickle.dumps({
            "shards": [answer["shards"][number] for answer in read],
            "broadcasts": [fact for answer in read for fact in answer["broadcasts"]],
            "clock": clock,
        }))  # fmt: skip
    counts = ReplayCounts()
    found: list[tuple[Any, dict[str, Any]]] = []
    for line in lines:
        answer = _answer(line)
        found += answer["rows"]
        for name in ReplayCounts.__slots__:
            setattr(counts, name, getattr(counts, name) + getattr(answer["counts"], name))
    found.sort(key=lambda one: one[0])
    return Replayed([row for _, row in found], bad, counts, clock)


def _answer(line: Connection) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = pickle.loads(line.recv_bytes())  # noqa: S301 - our own process at the other end
    except EOFError:
        raise PermanentError("a replay process ended early; try again with --jobs 1") from None
    error = answer.get("error")
    if error is not None:
        raise error
    return answer


def _job(line: Connection, specs: list[RuleSpec], parts: list[Part], how: tuple[int | None, int]) -> None:
    """One job: read a share, hand over the facts of other jobs' customers, judge one's own."""
    gc.disable()
    until, jobs = how
    replay = Replay(compile_rules(specs), until)
    try:
        bad = read_share(replay, parts)
    except (NeedsIdentity, PermanentError) as error:
        line.send_bytes(pickle.dumps({"error": error}))
        return
    shards: list[dict[str, list[Fact | int]]] = [{} for _ in range(jobs)]
    for customer, facts in replay.journals.items():
        shards[crc32(customer.encode("utf-8", "surrogatepass")) % jobs][customer] = facts
    replay.journals = {}
    line.send_bytes(pickle.dumps({
        "shards": [pickle.dumps(shard, protocol=5) for shard in shards], "bad": bad, "clock": replay.clock,
        "broadcasts": replay.broadcasts,
    }))  # fmt: skip
    del shards
    told = pickle.loads(line.recv_bytes())  # noqa: S301 - our own process at the other end
    for shard in told["shards"]:
        for customer, facts in pickle.loads(shard).items():  # noqa: S301 - as above
            replay.journals.setdefault(customer, []).extend(facts)
    replay.broadcasts = told["broadcasts"]
    line.send_bytes(pickle.dumps({"rows": replay.finish_keyed(told["clock"]), "counts": replay.counts}))


class _without_collector:
    """No garbage collection while millions of facts without cycles are made."""

    def __enter__(self) -> None:
        gc.disable()

    def __exit__(self, *_: object) -> None:
        gc.enable()
