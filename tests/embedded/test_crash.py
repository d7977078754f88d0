"""Kill -9 at any moment and start again: nothing lost, nothing doubled (law 8)."""

import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from coordwatch.adapters.files import load_rules
from coordwatch.adapters.memory import MemoryStore
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import cards_of
from coordwatch.clock import SystemClock
from coordwatch.context.progress import SourceProgress
from coordwatch.engine.replay import replay_events
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY
from coordwatch.events.wire import encode_event
from coordwatch.processor import CANONICAL, Input, Processor, ProcessorSettings
from coordwatch.simulator.config import SimulationConfig
from coordwatch.simulator.run import simulate
from coordwatch.sources.record import Record

KILLS = 8
LATENESS = 3650 * DAY
BATCH = 40
PATIENCE = 180.0
Row = tuple[str, str, str, str, str]


class Server:
    """`coordwatch serve` as a process of its own, started again whenever it was killed."""

    def __init__(self, config: Path) -> None:
        self._command = [sys.executable, "-m", "coordwatch", "serve", "--config", str(config), "--quiet"]
        self._process: subprocess.Popen[str] | None = None
        self.starts = 0
        self.address = ""

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        said = self._process.stderr.readline()
        assert "coordwatch serves http://127.0.0.1:" in said, said + self._process.stderr.read()
        self.address = said.split()[-1]
        self.starts += 1

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(120)
        assert self._process.stderr is not None
        left = self._process.stderr.read()
        self._process.stderr.close()
        assert left == "", left
        return code

    def post(self, batch: list[bytes]) -> list[str]:
        """What became of each event; raises TransportError when the server died before it answered."""
        answer = httpx.post(
            f"{self.address}/v1/events",
            content=b"\n".join(batch),
            headers={"Content-Type": "application/x-ndjson"},
            timeout=PATIENCE,
        )
        assert answer.status_code == 200, answer.text
        return [item["status"] for item in answer.json()["items"]]


@contextmanager
def killed_after(server: Server, seconds: float) -> Iterator[None]:
    """Kill the server so long after the beginning of what happens inside, or at its end."""
    done = threading.Event()

    def kill() -> None:
        done.wait(seconds)
        server.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        killer.join()


def waits_for(condition: Callable[[], bool]) -> bool:
    """Ask again and again, for as long as patience lasts."""
    pause = threading.Event()
    return any(condition() or pause.wait(0.1) for _ in range(int(PATIENCE * 10)))


def a_history(seed: int) -> list[Event]:
    """Some days of a shop, in the order in which its log took them: late, doubled and out of order."""
    simulation = simulate(SimulationConfig(customers=60, days=4, seed=seed))
    return [event for record in simulation for event in record.events]


def rows_of_replay(events: list[Event], until: int) -> list[Row]:
    found = replay_events(load_rules().specs, events, until)
    return sorted(
        (row["rule"], row["customer"], row["act"]["source"], row["act"]["id"], row["status"]) for row in found
    )


def rows_of(store: SqlStore) -> list[Row]:
    return sorted(
        (row["rule"], row["customer"], row["act"]["source"], row["act"]["id"], row["status"])
        for row in store.standing_detections()
    )


@pytest.mark.parametrize("seed", [11])
def test_kill_nine_at_any_moment_loses_nothing_and_doubles_nothing(tmp_path, seed):
    rng = random.Random(seed)
    events = a_history(seed)
    lines = [encode_event(event) for event in events]
    half = len(lines) // 2
    by_file, by_post = lines[:half], lines[half:]
    rng.shuffle(by_post)
    inbox, config, database = tmp_path / "inbox.ndjson", tmp_path / "serve.yaml", tmp_path / "serve.db"
    inbox.write_bytes(b"")
    config.write_text(
        "bind: 127.0.0.1:0\ndatabase: serve.db\nlateness: 3650d\n"
        "inputs:\n  - {kind: file, name: inbox, path: inbox.ndjson, source: canonical}\n  - {kind: http}\n"
    )
    server = Server(config)
    server.start()
    answered: Counter[str] = Counter()
    batches = [by_post[start : start + BATCH] for start in range(0, len(by_post), BATCH)]
    written = 0
    kill_at = sorted(rng.sample(range(len(batches)), KILLS))
    for index, batch in enumerate(batches):
        until = half * (index + 1) // len(batches)
        with inbox.open("ab") as out:
            out.write(b"".join(line + b"\n" for line in by_file[written:until]))
        written = until
        if index in kill_at:
            with killed_after(server, rng.choice([0.0, 0.01, 0.03, 0.1, 0.3])), suppress(httpx.TransportError):
                server.post(batch)  # answered or not, the sender sends it again
            server.start()
        answered.update(server.post(batch))
    assert waits_for(lambda: position_of(database) == inbox.stat().st_size)
    expected, ledger = rows_of_replay(events, SystemClock().now()), undisturbed(lines)
    assert len(expected) > 20
    # Deadlines are walked in portions, and what stands may be right before the last one of them.
    assert waits_for(lambda: look(database) == (expected, ledger))
    assert server.stop() == 0
    check_the_books(database, expected, ledger)
    assert set(answered) <= {"applied", "duplicate"}
    assert server.starts == KILLS + 1


Ledger = list[tuple[str, int, int, int, int]]


def undisturbed(lines: list[bytes]) -> Ledger:
    """What the ledger says when nothing goes wrong."""
    specs, now = load_rules().specs, SystemClock().now()
    store = MemoryStore(cards_of(specs))
    sources = [SourceProgress("http", frozenset(TYPES))]
    processor = Processor(specs, store, ProcessorSettings(lateness=LATENESS), sources=sources)
    processor.handle([Input(Record(line), CANONICAL, "http") for line in lines], now)
    processor.caught_up("http", now)
    while processor.tick(now):
        pass
    return ledger_of(store)


def ledger_of(store: MemoryStore | SqlStore) -> Ledger:
    return [(one.rule, one.acts, one.detections, one.in_flight, one.made_good) for one in store.rule_counts()]


def check_the_books(database: Path, expected: list[Row], ledger: Ledger) -> None:
    store = SqlStore(database, {})
    try:
        assert rows_of(store) == expected
        tallies = store.tallies()
        parts = ("applied", "duplicate", "dropped", "parked", "dead_lettered")
        assert tallies["in"] == sum(tallies.get(part, 0) for part in parts)
        assert ledger_of(store) == ledger
        alerts, _ = store.alerts({}, 1000, None)
        assert sum(alert.count for alert in alerts) == len(expected)
        for alert in alerts:
            audit = [entry.action for entry in store.alert(alert.id).audit]
            assert audit.count("raise") == 1
    finally:
        store.close()


def position_of(database: Path) -> int:
    with suppress(sqlite3.OperationalError):
        raw = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            row = raw.execute("SELECT position FROM positions WHERE input = 'inbox'").fetchone()
            return int(row[0].split(":")[0]) if row else 0
        finally:
            raw.close()
    return 0


def look(database: Path) -> tuple[list[Row], Ledger]:
    store = SqlStore(database, {})
    try:
        return rows_of(store), ledger_of(store)
    finally:
        store.close()


def test_a_database_is_served_by_one_process_only(tmp_path):
    config = tmp_path / "serve.yaml"
    config.write_text("bind: 127.0.0.1:0\ninputs: [{kind: http}]\n")
    server = Server(config)
    server.start()
    second = subprocess.run(
        [sys.executable, "-m", "coordwatch", "serve", "--config", str(config)],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert second.returncode == 2
    assert "is running on" in second.stderr
    assert server.stop() == 0


def test_a_dead_server_is_an_error_the_sender_can_see(tmp_path):
    config = tmp_path / "serve.yaml"
    config.write_text("bind: 127.0.0.1:0\ninputs: [{kind: http}]\n")
    server = Server(config)
    server.start()
    server.kill()
    with pytest.raises(httpx.TransportError):
        server.post([b"{}"])
