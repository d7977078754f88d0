"""Recovery and memory: how long a worker takes to have its customers back, and what a million of them weigh.

    python -m bench.recovery [--customers 1000000]

A state of about 2 KB, as the detect stage writes it for a customer with some history, is written once a customer to the
changelog of a real broker; then a worker is started, and its own words and its memory are read.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import psutil

from bench import workload
from bench.kafka import KEY, PARTITIONS, SETTINGS
from bench.twenty import twenty
from coordwatch.adapters.files import load_rules
from coordwatch.adapters.kafka.partitioner import partition_of
from coordwatch.codec import decode_json, encode_json
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.processor.detecting import Detecting, DetectSettings
from coordwatch.processor.stage import Place, Slice
from coordwatch.processor.topics import Topics as Names
from tests.services.consume import Sent, produce
from tests.services.kafka import Cluster
from tests.services.kafka_options import Options
from tests.services.topics import Topics

PREFIX = "recovery"
STATE_BYTES = 2_000
NOW = (workload.START + 40 * 86_400) * 1_000_000
_RESTORED = re.compile(r"detect: (\d+) rows restored in ([0-9.]+) s")


def state_of_one(rules: str) -> bytes:
    """The row of one customer, grown event by event to its size."""
    names, place = Names(PREFIX, PARTITIONS), Place(f"{PREFIX}.events", 0)
    settings = DetectSettings(names, IdentityPolicy(mode=IdentityMode.TRUSTED_ID), lateness=3650 * 86_400_000_000)
    stage = Detecting(load_rules([Path(path.strip()) for path in rules.split(",")]).specs, settings, [])
    stage.assign(place, {})
    row = b""
    for number, line in enumerate(islice(workload.lines(500, 1, 0), 500)):
        value = encode_json(decode_json(line) | {"subject": "C"})
        stage.take(Slice(place, [number], [b"C"], [value], [None], [NOW]), NOW)
        rows = {output.key: output.value for output in stage.give(NOW) if output.topic == names.detect_state}
        row = rows.get(b"customer/C") or row
        if len(row) >= STATE_BYTES:
            break
    return row


def main() -> None:
    """Write, start, read, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="coordwatch-recovery-") as temporary:
        folder = Path(temporary)
        row = state_of_one(twenty(folder))
        with Cluster(Options(), folder / "kafka") as cluster:
            Topics(cluster.bootstrap, "shop").create("source", PARTITIONS)
            settings = folder / "worker.yaml"
            settings.write_text(
                SETTINGS.format(
                    bootstrap=cluster.bootstrap,
                    prefix=PREFIX,
                    partitions=PARTITIONS,
                    folder=folder,
                    rules=twenty(folder),
                    source="shop.source",
                )
            )
            empty, _, _ = started(settings, folder / "empty.log")
            write(cluster.bootstrap, arguments.customers, row)
            full, rows, seconds = started(settings, folder / "full.log")
    weight = (full - empty) / arguments.customers
    print(f"{arguments.customers:,} customers of {len(row):,} bytes: {rows:,} rows restored in {seconds:.1f} s")
    print(f"{rows / max(seconds, 0.1):,.0f} rows a second; a worker without customers has {empty / 1e6:,.0f} MB")
    print(f"{weight:,.0f} bytes of memory a customer: {weight:,.0f} MB a million customers")


def write(bootstrap: str, customers: int, row: bytes) -> None:
    """One row a customer, where its events would lie."""
    topic = f"{PREFIX}.detect-state"
    for start in range(0, customers, 50_000):
        keys = [f"cust-{number:08d}" for number in range(start, min(customers, start + 50_000))]
        records = [
            Sent(row, b"customer/" + key.encode(), partition=partition_of(key.encode(), PARTITIONS)) for key in keys
        ]
        produce({"bootstrap.servers": bootstrap, "compression.type": "lz4"}, topic, records)
        print(f"\r{start + len(keys):,} states written", end="", file=sys.stderr)
    print(file=sys.stderr)


def started(settings: Path, log: Path) -> tuple[int, int, float]:
    """A worker until it has restored. Gives: its memory, the rows, the seconds by its own log."""
    environment = {**os.environ, "COORDWATCH_IDENTITY__KEY": KEY}
    command = [sys.executable, "-m", "coordwatch", "worker", "--config", str(settings), "--role", "detect"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        try:
            give_up_at = time.monotonic() + 600
            while time.monotonic() < give_up_at:
                found = _RESTORED.search(log.read_text(errors="replace"))
                if found is not None:
                    time.sleep(3)
                    memory = psutil.Process(process.pid).memory_info().rss
                    return memory, int(found[1]), float(found[2])
                time.sleep(0.2)
            raise SystemExit(f"nothing was restored:\n{log.read_text(errors='replace')[-2000:]}")
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
