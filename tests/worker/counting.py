"""A small stage for the runtimes' own tests: it counts records by key, and says so at every tenth.

Run as a process it is a worker: `python -m tests.worker.counting BOOTSTRAP PREFIX SLOT [--runtime plain] [--do WHAT]`.
What it may be told to do are the hazards that the runtimes guard against.
"""

import argparse
import logging
import sys
import threading
from collections.abc import Mapping, Sequence

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.clock import SystemClock
from coordwatch.errors import PermanentError
from coordwatch.processor.stage import Output, Place, Slice
from coordwatch.worker.clients import StageClients
from coordwatch.worker.driver import Driver, Policy
from coordwatch.worker.faust_app import StageApp
from coordwatch.worker.faust_runtime import FaustRuntime
from coordwatch.worker.plain import PlainLoop, PlainRuntime
from coordwatch.worker.service import WorkerService

FENCE, TICKS = b"\0fence", b"\0ticks"
SECOND = 1_000_000
PACES = {"slow": 0.0003, "heavy": 0.01}  # seconds a record
LARGE = b"%d" % 7**4000  # 3,381 digits that no codec makes small


class Counting:
    """Counts by key; `hazard` is what goes wrong, at the records whose value says so."""

    role = "counting"
    broadcast = None

    def __init__(self, prefix: str, hazard: str = "") -> None:
        self.inputs = (f"{prefix}.in",)
        self.changelog, self._out = f"{prefix}.state", f"{prefix}.out"
        self.hazard = hazard
        self.parts: dict[Place, dict[bytes, int]] = {}
        self._fences: dict[Place, int] = {}
        self._dirty: dict[Place, set[bytes]] = {}
        self._outs: dict[Place, list[Output]] = {}
        self._stopped: dict[Place, str] = {}
        self.pause = threading.Event()

    @property
    def stopped(self) -> Mapping[Place, str]:
        return self._stopped

    @property
    def pending(self) -> bool:
        return any(self._dirty.values()) or any(self._outs.values())

    def state_partition(self, place: Place) -> int:
        return place.partition

    def assign(self, place: Place, rows: Mapping[bytes, bytes]) -> int | None:
        if any(not value.isdigit() for value in rows.values()):
            raise PermanentError("a row of a newer version: upgrade this program")
        self.parts[place] = {key: int(value) for key, value in rows.items()}
        self._dirty[place], self._outs[place] = set(), []
        fence = self.parts[place].pop(FENCE, None)
        if fence is not None:
            self._fences[place] = fence
        return fence

    def revoke(self, places: Sequence[Place]) -> None:
        for place in places:
            for table in (self.parts, self._dirty, self._outs, self._fences, self._stopped):
                table.pop(place, None)

    def take(self, records: Slice, now: int) -> int:
        for index, (key, value) in enumerate(zip(records.keys, records.values, strict=True)):
            if self.hazard and value == b"now":
                if self.hazard == "stop":
                    self._stopped[records.place] = f"{records.place} stopped at offset {records.offsets[index]}"
                    self._fences[records.place] = records.offsets[index]
                    return index
                self._go_wrong()
            self._count(records.place, key or b"")
        self._fences[records.place] = records.offsets[-1] + 1
        if self.hazard in PACES:
            self.pause.wait(len(records) * PACES[self.hazard])
        return len(records)

    def _go_wrong(self) -> None:
        if self.hazard == "raise":
            raise ValueError("this record cannot be counted")
        if self.hazard == "hang":
            print("hangs", flush=True)
            self.pause.wait(3600)

    def _count(self, place: Place, key: bytes) -> None:
        counts = self.parts[place]
        count = counts[key] = counts.get(key, 0) + 1
        self._dirty[place].add(key)
        if count % 10 == 0:
            self._outs[place].append(Output(self._out, key, b"%d" % count, place.partition))

    def hear(self, records: Slice, now: int) -> None:
        """There is nothing to hear."""

    def caught_up(self, place: Place, now: int) -> None:
        """Counts do not depend on it."""

    def tick(self, now: int) -> None:
        if self.hazard != "tick":
            return
        for place, counts in self.parts.items():
            ticks = counts[TICKS] = counts.get(TICKS, 0) + 1
            self._dirty[place].add(TICKS)
            self._outs[place].append(Output(self._out, TICKS, b"%d" % ticks, place.partition))

    def give(self, now: int) -> Sequence[Output]:
        outputs: list[Output] = []
        for place, counts in self.parts.items():
            if not self._dirty[place] and not self._outs[place]:
                continue
            outputs += self._outs[place]
            for key in self._dirty[place]:
                value = LARGE if self.hazard == "large" and key == b"large" else b"%d" % counts[key]
                outputs.append(Output(self.changelog, key, value, place.partition))
            if place in self._fences:
                outputs.append(Output(self.changelog, FENCE, b"%d" % self._fences[place], place.partition))
            self._outs[place], self._dirty[place] = [], set()
        return outputs


def driver_of(
    bootstrap: str, prefix: str, slot: str, stage: Counting, policy: Policy, transactions: bool = True, session: int = 6
) -> tuple[Driver, StageClients]:
    """A driver of a counting stage on a real broker."""
    access = KafkaAccess(bootstrap, session_timeout=session * SECOND)
    clients = StageClients(access, f"{prefix}.counting", None, slot)
    return Driver(stage, clients.way(transactions=transactions), clients, SystemClock(), policy), clients


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("prefix")
    parser.add_argument("slot")
    parser.add_argument("--runtime", default="faust")
    parser.add_argument("--do", default="")
    parser.add_argument("--stall", type=float, default=60.0)
    parser.add_argument("--session", type=int, default=6)
    parser.add_argument("--accept-loss", action="store_true")
    parser.add_argument("--in-turn", action="store_true")
    args = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    policy = Policy(args.stall, args.accept_loss)
    driver, clients = driver_of(
        args.bootstrap, args.prefix, args.slot, Counting(args.prefix, args.do), policy, not args.in_turn, args.session
    )
    connection = clients.connection(SECOND // 4)
    if args.runtime == "plain":
        running = PlainRuntime([PlainLoop(driver, clients, connection.group, connection.commit_every)])
    else:
        running = FaustRuntime([driver], lambda one: StageApp(one, clients, connection))
    return WorkerService(running, [driver]).run(started=lambda: print("started: counting", flush=True))


if __name__ == "__main__":
    sys.exit(main())
