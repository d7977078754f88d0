"""The workers of one test: processes that are killed, paused and started again, and what the topics hold at the end."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.services.consume import Sent, latest, produce, read_topic
from tests.services.topics import Topics
from tests.services.waiting import wait_until
from tests.worker.counting import FENCE, TICKS

PARTITIONS = 4
COMPACT = {"cleanup.policy": "compact"}


class Worker:
    """One worker process, by its slot, in a folder of its own if one is named."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._command, self.log, self._environment, self._folder = list(command), log, environment, folder
        self._out = log.open("ab")
        self.codes: list[int] = []
        self.start()

    def start(self) -> None:
        self._begins_at = self.log.stat().st_size
        self.process = subprocess.Popen(
            self._command, stdout=self._out, stderr=self._out, env=self._environment, cwd=self._folder
        )

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def ended(self, patience: float = 180.0) -> int:
        """Wait for its end by itself."""
        return self.process.wait(patience)

    def stop(self) -> int:
        """Ask it to end, once there is somebody who hears of it and drains."""
        wait_until(lambda: self.started or self.process.poll() is not None, f"the worker to begin:\n{self.log}", 180)
        self.process.terminate()
        return self.process.wait(180)

    def supervise(self) -> None:
        """Start it again when it has ended, as a supervisor does."""
        if self.process.poll() is not None:
            self.codes.append(self.process.returncode)
            self.start()

    @property
    def started(self) -> bool:
        """Whether it has begun since it was started last; before that a signal finds nobody who drains."""
        with self.log.open("rb") as log:
            log.seek(self._begins_at)
            return b"started: " in log.read()

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        self._out.close()


class House:
    """Topics and workers of the counting stage."""

    def __init__(self, topics: Topics, folder: Path, runtime: str = "faust", **state: str) -> None:
        self.bootstrap, self.prefix, self.runtime = topics.bootstrap, topics.prefix, runtime
        self._folder = folder
        self.input = topics.create("in", PARTITIONS)
        self.out = topics.create("out", PARTITIONS)
        self.state = topics.create("state", PARTITIONS, {**COMPACT, **state})
        self.workers: list[Worker] = []
        self.truth: Counter[bytes] = Counter()

    def worker(self, slot: str, *options: str) -> Worker:
        module = [sys.executable, "-m", "tests.worker.counting", self.bootstrap, self.prefix, slot]
        worker = Worker([*module, "--runtime", self.runtime, *options], self._folder / f"{slot}.log")
        self.workers.append(worker)
        return worker

    def send(self, keys: Sequence[bytes], value: bytes = b"x", **more: str) -> None:
        produce({"bootstrap.servers": self.bootstrap, **more}, self.input, [Sent(value, key) for key in keys])
        self.truth.update(keys)

    def counts(self) -> dict[bytes, int]:
        """The state as it stands, by key."""
        table = latest(self.bootstrap, self.state)
        return {key: int(value) for key, value in table.items() if key is not None and key not in (FENCE, TICKS)}

    def settled(self, patience: float = 120.0) -> None:
        """Wait until every record is counted, starting again whoever has ended."""

        def right() -> bool:
            for worker in self.workers:
                worker.supervise()
            return self.counts() == self.truth

        wait_until(right, "every record counted once", patience)

    def check(self) -> None:
        """Every tenth was said once, no count ever went back, no key was deleted."""
        said = Counter((one.key, one.value) for one in read_topic(self.bootstrap, self.out) if one.key != TICKS)
        assert said == {(key, b"%d" % at): 1 for key, total in self.truth.items() for at in range(10, total + 1, 10)}
        seen: dict[bytes | None, int] = {}
        for row in read_topic(self.bootstrap, self.state):
            assert row.value is not None, f"a tombstone over {row.key!r}"
            if row.key not in (FENCE, TICKS):
                assert int(row.value) >= seen.get(row.key, 0), f"{row.key!r} went back"
                seen[row.key] = int(row.value)

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


@contextmanager
def house(topics: Topics, folder: Path, runtime: str = "faust", **state: str) -> Iterator[House]:
    """A house whose workers are gone at the end, whatever happened."""
    built = House(topics, folder, runtime, **state)
    try:
        yield built
    finally:
        built.close()
