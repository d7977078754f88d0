"""Replay on several cores: each job reads a share of the files, and judges a share of the customers.

Files enter; rows leave. Facts change hands once between reading and judging, because a customer's events lie all over
the files. Order of arrival is kept: the facts of an earlier share come before those of a later one.
"""

import gc
import marshal
import multiprocessing
import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any
from zlib import crc32

from coordwatch.adapters.event_files import Part, pieces, split
from coordwatch.codec import encode_json
from coordwatch.context.fact import Fact
from coordwatch.engine.gather import BadLine, NeedsIdentity, ReplayCounts
from coordwatch.engine.replay import Replay
from coordwatch.errors import PermanentError
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.spec import RuleSpec


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to: the rows as JSON, the bad lines of each file, the counts, and the clock.

    The rows may be made while they are read, and the counts are whole only then.
    """

    rows: Iterable[bytes]
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


def replay_here(
    specs: Sequence[RuleSpec], parts: Sequence[Part], until: int | None, *, counting: bool = False
) -> Replayed:
    """Replay files in this process.

    Takes:  `counting`, whether each rule's acts are counted
    Raises: NeedsIdentity when an event names no customer; PermanentError when a file cannot be read
    """
    replay = Replay(compile_rules(specs), until, counting=counting)
    with _without_collector():
        bad = read_share(replay, parts)
    return Replayed(as_lines(replay), bad, replay.counts, replay.clock)


def as_lines(replay: Replay) -> Iterator[bytes]:
    """The detections that stand, each as JSON, made one at a time."""
    with _without_collector():
        for _, row in replay.finish_keyed(replay.clock):
            yield encode_json(row)


def replay_in_jobs(
    specs: Sequence[RuleSpec], parts: Sequence[Part], until: int | None, jobs: int, *, counting: bool = False
) -> Replayed:
    """Replay files in several processes.

    Takes:  as `replay_here`
    Raises: as `replay_here`
    """
    context: Any = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
    lines = [context.Pipe() for _ in range(jobs)]
    processes = [
        context.Process(target=_job, args=(child, list(specs), share, (until, jobs, number, counting)), daemon=True)
        for number, ((_, child), share) in enumerate(zip(lines, split(parts, jobs), strict=True))
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
    """Gather what every job read, pass each the facts of its customers, and merge the rows."""
    read = [_answer(line) for line in lines]
    clock = max(answer["clock"] for answer in read)
    broadcasts = [fact for answer in read for fact in answer["broadcasts"]]
    for giver, line in enumerate(lines):
        for taker in range(len(lines)):
            if taker != giver:
                lines[taker].send_bytes(line.recv_bytes())
    for line in lines:
        line.send_bytes(pickle.dumps({"broadcasts": broadcasts, "clock": clock}))
    counts = ReplayCounts()
    found: list[tuple[Any, bytes]] = []
    for line in lines:
        answer = _answer(line)
        found += answer["rows"]
        for name in ReplayCounts.__slots__:
            setattr(counts, name, getattr(counts, name) + getattr(answer["counts"], name))
    found.sort(key=lambda one: one[0])
    bad = [one for answer in read for one in answer["bad"]]
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


def _job(line: Connection, specs: list[RuleSpec], parts: list[Part], how: tuple[int | None, int, int, bool]) -> None:
    """One job: read a share, hand over the facts of other jobs' customers, judge one's own."""
    gc.disable()
    until, jobs, number, counting = how
    replay = Replay(compile_rules(specs), until, counting=counting)
    try:
        bad = read_share(replay, parts)
    except (NeedsIdentity, PermanentError) as error:
        line.send_bytes(pickle.dumps({"error": error}))
        return
    line.send_bytes(pickle.dumps({"bad": bad, "clock": replay.clock, "broadcasts": replay.broadcasts}))
    shards = _shards(replay, jobs)
    taken = Thread(target=_give, args=(line, [shard for place, shard in enumerate(shards) if place != number]))
    taken.start()
    others = [line.recv_bytes() for _ in range(jobs - 1)]
    taken.join()
    replay.journals.clear()
    for place in range(jobs):
        shard = shards[number] if place == number else _unpack(others[place - (place > number)])
        for customer, facts in shard.items():
            if customer in replay.journals:
                replay.journals[customer].extend(facts)
            else:
                replay.journals[customer] = facts
    told = pickle.loads(line.recv_bytes())  # noqa: S301 - our own process at the other end
    replay.broadcasts = told["broadcasts"]
    # The encoder's bytes sit in a buffer several times their size: many thousand of them are kept as copies.
    rows = [(key, bytes(memoryview(encode_json(row)))) for key, row in replay.finish_keyed(told["clock"])]
    line.send_bytes(pickle.dumps({"rows": rows, "counts": replay.counts}))


Shard = dict[str, list[Fact | int]]


def _shards(replay: Replay, jobs: int) -> list[Shard]:
    """The customers of each job, told apart by a hash that every process computes alike."""
    shards: list[Shard] = [{} for _ in range(jobs)]
    for customer, facts in replay.journals.items():
        shards[crc32(customer.encode("utf-8", "surrogatepass")) % jobs][customer] = facts
    return shards


def _give(line: Connection, shards: Sequence[Shard]) -> None:
    for shard in shards:
        line.send_bytes(_pack(shard))


def _pack(shard: Shard) -> bytes:
    """Facts as bytes: quickly where they hold plain values only, else with the types they have."""
    try:
        return b"m" + marshal.dumps(shard)
    except ValueError:
        return b"p" + pickle.dumps(shard, protocol=5)


def _unpack(data: bytes) -> Shard:
    shard: Shard = marshal.loads(data[1:]) if data[:1] == b"m" else pickle.loads(data[1:])  # noqa: S301, S302 - from our own process
    return shard


class _without_collector:
    """No garbage collection while millions of facts without cycles are made."""

    def __enter__(self) -> None:
        gc.disable()

    def __exit__(self, *_: object) -> None:
        gc.enable()
