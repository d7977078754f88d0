"""The benchmark: one command, every figure as a ratio within one run.

    python -m bench.run [--events N] [--rounds N] [--keep FOLDER]

Each row is a process of its own; the seconds are its CPU time, the best of the rounds, the rounds of all rows taken in
turn so that a machine that slows down slows every row. `replay` also has to be right: what it prints for the ordered
stream, for the late one and with two jobs must be the same bytes where the history is the same.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench import many, workload

PYTHON = sys.executable
COORDWATCH = str(Path(PYTHON).with_name("coordwatch"))
FIVE = str(Path(__file__).parent / "five.yaml")


@dataclass
class Row:
    """One command: how long it took at best, and how much memory it needed. Units: seconds, megabytes."""

    name: str
    command: list[str]
    events: int
    cpu: float = float("inf")
    wall: float = float("inf")
    memory: float = 0.0
    digest: str = ""
    lines: int = 0
    seen: list[float] = field(default_factory=list)

    def measure(self) -> None:
        """Run once."""
        start = time.perf_counter()
        process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{self.name}: exit {process.returncode}\n{process.stderr.read().decode()}")  # type: ignore[union-attr]
        self.seen.append(usage.ru_utime + usage.ru_stime)
        self.cpu = min(self.cpu, self.seen[-1])
        self.wall = min(self.wall, time.perf_counter() - start)
        self.memory = max(self.memory, usage.ru_maxrss / 1024)
        self.digest = hashlib.sha256(output).hexdigest()[:12]
        self.lines = output.count(b"\n")


def replay(name: str, rules: str, file: Path, events: int, *options: str) -> Row:
    """A row that replays a file."""
    return Row(name, [COORDWATCH, "replay", str(file), *options, "--rules", rules], events)


def write(file: Path, events: int, customers: int, late: int, share: float) -> Path:
    """Write a workload once."""
    if not file.exists():
        with file.open("wb", buffering=1 << 20) as out:
            out.writelines(workload.lines(events, customers, late, share=share))
    return file


def rows_for(folder: Path, events: int) -> dict[str, Row]:
    """Every row of the benchmark."""
    ordered = write(folder / "ordered.jsonl", events, events // 10, 300, 0.02)
    late = write(folder / "late.jsonl", events, events // 10, 6 * 3600, 0.05)
    crowd = write(folder / "crowd.jsonl", events, events, 300, 0.02)
    village = write(folder / "village.jsonl", events, events // 100, 300, 0.02)
    tiny = write(folder / "tiny.jsonl", 2000, 20, 300, 0.02)
    rules = folder / "many.yaml"
    rules.write_text(many.rules(200))
    return {
        "orjson": Row("decode the JSON, orjson", [PYTHON, "-m", "bench.decode", "orjson", str(ordered)], events),
        "msgspec": Row("decode the JSON, msgspec", [PYTHON, "-m", "bench.decode", "msgspec", str(ordered)], events),
        "hand": Row("the loop written by hand", [PYTHON, "-m", "bench.by_hand", str(ordered)], events),
        "replay": replay("replay, five rules", FIVE, ordered, events),
        "jobs": replay("replay, --jobs 2", FIVE, ordered, events, "--jobs", "2"),
        "late": replay("replay, events hours late", FIVE, late, events),
        "many": replay("replay, 200 rules", str(rules), ordered, events),
        "village": replay(f"replay, {events // 100:,} customers", FIVE, village, events),
        "crowd": replay(f"replay, {events:,} customers", FIVE, crowd, events),
        "start": replay("replay, 2,000 events", FIVE, tiny, 2000),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="where the workload lies, to be used again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="coordwatch-bench-") as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"writing {arguments.events:,} events", file=sys.stderr)
        rows = rows_for(folder, arguments.events)
        for number in range(arguments.rounds):
            for row in rows.values():
                print(f"round {number + 1}: {row.name}", file=sys.stderr)
                row.measure()
    report(rows)


def report(rows: dict[str, Row]) -> None:
    """Print the rows and the ratios that matter."""
    print(f"{'':34} {'CPU s':>7} {'events/s of CPU':>16} {'wall s':>7} {'MB':>5}")
    for row in rows.values():
        print(f"{row.name:34} {row.cpu:7.2f} {row.events / row.cpu:16,.0f} {row.wall:7.2f} {row.memory:5.0f}")
    hand, base = rows["hand"], rows["replay"]
    print()
    for text, ratio, goal in (
        ("replay against the loop by hand, speed", hand.cpu / base.cpu, "0.8, aim 1.3"),
        ("two jobs against one, by the clock", base.wall / rows["jobs"].wall, "1.6"),
        ("late stream against the ordered one, speed", base.cpu / rows["late"].cpu, "0.7"),
        ("200 rules against five, cost", rows["many"].cpu / base.cpu, "at most 1.3"),
        ("a hundred times the customers, cost", rows["crowd"].cpu / rows["village"].cpu, "printed"),
    ):
        print(f"{text:44} {ratio:5.2f}   (goal {goal})")
    print(f"{'start to first detection, by the clock':44} {rows['start'].wall:5.2f} s (goal 0.5 s)")
    print(f"{'same output with one job and with two':44} {'yes' if base.digest == rows['jobs'].digest else 'NO'}")
    print(
        f"{base.lines:,} detections; peak memory {base.memory:.0f} MB with five rules, {rows['many'].memory:.0f} MB with 200"
    )


if __name__ == "__main__":
    main()
