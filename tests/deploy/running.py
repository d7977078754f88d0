"""Running coordwatches for Prometheus to read: each with something in every metric that its runtime can know.

Enters: a folder. Leaves: an address, until the block ends, and a way to make it go on, so that counters grow while they are
read. To try the board on another runtime, write one more of these and name it in `conftest.KINDS`.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

import coordwatch
from coordwatch.clock import SystemClock
from coordwatch.events.times import DAY, format_time
from tests.services.processes import LOOPBACK, Tied, free_port
from tests.services.waiting import wait_until

PATIENCE = 120.0
CATALOGUE = Path(coordwatch.__file__).parent / "simulator" / "catalogue.yaml"
# What no mapping can use, so that there are dead letters.
RUBBISH = """\
{"topic": "sendgrid.events", "value": "no event of SendGrid"}
{"topic": "shopify.webhooks", "headers": {"X-Shopify-Topic": "orders/create"}, "value": {"id": 1}}
"""


@dataclass(frozen=True, slots=True)
class Running:
    """One process, or several that Prometheus reads under one job; `go_on` gives it the rest and waits until it is taken."""

    targets: tuple[str, ...]
    go_on: Callable[[], None]
    token: str | None = None

    def metrics(self, target: str) -> str:
        """The text of /metrics."""
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        answer = httpx.get(f"http://{target}/metrics", headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.text

    def exported(self) -> frozenset[str]:
        """The names of all metrics that have a value now."""
        lines = [line for target in self.targets for line in self.metrics(target).splitlines()]
        return frozenset(line.partition("{")[0].partition(" ")[0] for line in lines if line and line[0] != "#")


@contextmanager
def embedded(folder: Path) -> Iterator[Running]:
    """`coordwatch serve` on four days of an invented shop, just past; the second half, and some rubbish, when it goes on."""
    lines = history(customers=60, days=4)
    half = len(lines) // 2
    taken = folder / "shop.ndjson"
    taken.write_text("".join(lines[:half]), encoding="utf-8")
    port = free_port()
    (folder / "coordwatch.yaml").write_text(
        f"database: coordwatch.db\ndurable: false\nbind: {LOOPBACK}:{port}\nsources: {{catalogue: {CATALOGUE}}}\n"
        f"inputs: [{{kind: file, name: shop, path: {taken.name}, publishing_delay: 30m, dark_after: 1d}}]\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "coordwatch", "serve", "--quiet", "--config", str(folder / "coordwatch.yaml")]
    process = Tied(command, folder / "serve.log")

    def go_on() -> None:
        with taken.open("a", encoding="utf-8") as file:
            file.writelines([*lines[half:], RUBBISH])
        wait_until(lambda: _has_read_rubbish(running, process), "a file that is read to its end", PATIENCE)

    running = Running((f"{LOOPBACK}:{port}",), go_on)
    try:
        wait_until(lambda: _judges(running, process), "the first acts", PATIENCE)
        yield running
    finally:
        process.stop()


def history(*, customers: int, days: int) -> list[str]:
    """What an invented shop's tools published in the last days, one record a line."""
    start = format_time(SystemClock().now() - days * DAY)
    command = [sys.executable, "-m", "coordwatch", "simulate", "--shape", "vendor", "--seed", "1", "--start", start]
    command += ["--customers", str(customers), "--days", str(days)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return shown.splitlines(keepends=True)


def _judges(running: Running, process: Tied) -> bool:
    return "coordwatch_acts_total{" in _said(running, process)


def _has_read_rubbish(running: Running, process: Tied) -> bool:
    """Whether the last line, an order without a time, has become a dead letter."""
    return 'stage="map"' in _said(running, process)


def _said(running: Running, process: Tied) -> str:
    """The metrics, nothing while nobody answers."""
    assert process.running, process.said()
    try:
        return running.metrics(running.targets[0])
    except httpx.TransportError:
        return ""
