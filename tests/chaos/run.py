"""One chaos run: records flow, faults happen, and at the end everything stands as if none had.

`python -m tests.chaos --seed S --faults N [--runtime plain]` makes a long one on a cluster of its own; `make chaos` runs it.
"""

import random
import threading
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from coordwatch.codec import decode_json
from coordwatch.processor.detecting.rows import PLACE, unpack_row
from tests.chaos.faults import Chaos, Plan
from tests.chaos.site import PARTITIONS, SOURCE_PARTITIONS, Site
from tests.chaos.states import of_workers, undisturbed
from tests.chaos.workload import workload
from tests.services.consume import read_topic
from tests.services.kafka import Cluster
from tests.services.topics import Topics
from tests.services.waiting import wait_until

BATCH = 250
PATIENCE = 400.0


@dataclass(frozen=True, slots=True)
class Run:
    """What a run was, in numbers."""

    events: int
    garbage: int
    faults: Counter[str]
    exits: Counter[int]
    detections: int
    changes: int

    def __str__(self) -> str:
        done = ", ".join(f"{count} {name}" for name, count in sorted(self.faults.items()))
        ended = ", ".join(f"{count} with {code}" for code, count in sorted(self.exits.items())) or "none by itself"
        return (
            f"{self.events} events and {self.garbage} garbage records; {done}; workers ended: {ended}; "
            f"{self.detections} detections stand, {self.changes} changes, 0 wrong, 0 lost, 0 repeated"
        )


def chaos(cluster: Cluster, folder: Path, seed: int, plan: Plan, events: int, runtime: str = "faust") -> Run:
    """Make one run, and hold everything that stands at its end against `replay` and against itself."""
    rng = random.Random(seed)
    site = Site(Topics(cluster.bootstrap, f"chaos-{seed}"), folder, len(cluster.nodes), runtime)
    try:
        site.worker("w0", "ingest", "detect", "alerts")
        site.worker("w1", "ingest", "detect")
        sender = threading.Thread(target=_send, args=(site, seed, events), daemon=True)

        def running() -> bool:
            site.supervise()
            return all("started: " in worker.said for worker in site.workers)

        wait_until(running, "two workers", 120)
        sender.start()
        doing = Chaos(site, cluster, rng)
        for fault in plan.faults(rng):
            doing.do(fault)
        sender.join()
        return settle(site, doing.done)
    finally:
        site.close()


def _send(site: Site, seed: int, events: int) -> None:
    """At an even pace, so that there is always something on its way."""
    pause = threading.Event()
    records = workload(seed, events, PARTITIONS)
    while batch := list(islice(records, BATCH)):
        site.send(batch)
        pause.wait(0.12)


def settle(site: Site, faults: Counter[str]) -> Run:
    """Wait until everything is through, then check it."""

    def through() -> bool:
        site.supervise()
        return site.through()

    # A long run leaves much to catch up with: patience ends where nothing moves any more.
    wait_until(through, f"all {len(site.events)} events through both stages", PATIENCE, site.taken)
    expected = site.expected()

    def equal() -> bool:
        site.supervise()
        return site.standing() == expected

    wait_until(equal, "the detections that replay finds", PATIENCE)
    check_accounts(site)
    check_letters(site)
    changes = check_changes(site)
    check_fences(site)
    check_contexts(site)

    def begun() -> bool:
        site.supervise()
        return all(worker.started for worker in site.workers)

    wait_until(begun, "both workers once more", PATIENCE)
    exits = Counter(code for worker in site.workers for code in worker.codes)
    # A worker that starts while every write is refused says so (2), and is started again.
    assert set(exits) <= ({2, 75} if faults["produce refused"] else {75}), _last_words(site, exits)
    for worker in site.workers:
        assert worker.stop() == 0
    return Run(len(site.events), len(site.garbage), faults, exits, len(expected), changes)


def _last_words(site: Site, exits: Counter[int]) -> str:
    said = [line for worker in site.workers for line in worker.said.splitlines() if "exit " in line]
    return "\n".join([f"a worker ended with {exits}", *said])


def check_accounts(site: Site) -> None:
    """The accounting identity, for each partition of each stage, and between them."""
    ingest, detect = site.tallies("ingest"), site.tallies("detect")
    for place, one in ingest.items():
        assert one["in"] == one["passed"] + one["dropped"] + one["dead_lettered"], (place, one)
    for place, one in detect.items():
        assert one["in"] == one["applied"] + one["duplicate"] + one["dropped"] + one["dead_lettered"], (place, one)
    assert site.total("ingest", "in") == len(site.events) + len(site.garbage)
    assert site.total("ingest", "dead_lettered") == len(site.garbage)
    assert site.total("ingest", "passed") == site.total("detect", "in") == len(site.events)
    assert len([place for place in ingest if ".source/" in place]) == SOURCE_PARTITIONS


def check_letters(site: Site) -> None:
    """Every garbage record is a dead letter, once, byte by byte."""
    letters = Counter(letter.value for letter in read_topic(site.bootstrap, f"{site.prefix}.dead-letters"))
    assert letters == Counter(site.garbage)


def check_changes(site: Site) -> int:
    """Nobody who reads what was committed sees a detection raised while it stands, or taken back while it does not."""
    stands: dict[bytes | None, bool] = {}
    seen: set[bytes | None] = set()
    changes = read_topic(site.bootstrap, f"{site.prefix}.detections")
    for change in changes:
        name, kind = change.header("cw-id"), decode_json(change.value or b"")["kind"]
        assert stands.get(name, False) is not (kind == "raised"), f"{kind} twice: {name!r}"
        stands[name] = kind != "retracted"
        assert (name, change.value) not in seen or kind in ("raised", "retracted")
        seen.add((name, change.value))  # type: ignore[arg-type]
    return len(changes)


def check_contexts(site: Site) -> None:
    """The context of every customer is that of a stage to which nothing ever happened."""
    expected = undisturbed(site)
    found = of_workers(site, set(expected))
    wrong = [customer for customer, context in expected.items() if found[customer] != context]
    assert [] == wrong, f"{len(wrong)} of {len(expected)} contexts are wrong, {wrong[0]} among them"


def check_fences(site: Site) -> None:
    """The changelog never goes back: no fence falls, and no customer who is there is deleted."""
    fences: dict[tuple[int, bytes | None], int] = {}
    for row in read_topic(site.bootstrap, f"{site.prefix}.detect-state"):
        assert row.key is not None
        assert not (row.value is None and row.key.startswith(b"customer/")), f"a tombstone over {row.key!r}"
        if row.key == PLACE:
            fence, _ = unpack_row(PLACE, row.value or b"")
            fence = fence or 0
            assert fence >= fences.get((row.partition, row.key), 0), f"partition {row.partition} went back"
            fences[row.partition, row.key] = fence
    assert len(fences) == PARTITIONS
