"""How long a new alert takes into a browser that is open: from the commit that keeps it to the line that says so on the screen.

    python -m bench.live [--alerts 60] [--database sqlite|postgres] [--elsewhere]

`coordwatch serve` and a real Chromium, both as people run them. Alerts are raised over the API, one after the other, at moments
that have nothing to do with when the server looks. With `--elsewhere` another process writes them into the same PostgreSQL, as
a worker does: pages then only hear of them by looking.
"""

import argparse
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from coordwatch.adapters.sql.database import read_database
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.clock import SystemClock
from coordwatch.events.times import HOUR, MINUTE, format_time
from coordwatch.ports import Books
from tests.api.build import an_event
from tests.build import CARDS, a_promo, raised
from tests.pages.serving import CHROMIUM_ARGUMENTS
from tests.services.postgres import Postgres

COORDWATCH = str(Path(sys.executable).with_name("coordwatch"))
# Notes, on the clock of this machine, when the line changes; a tab that is drawn shows it within the next frame.
WATCH = """() => {
  window.shown = [];
  const line = document.querySelector(".fresh .show");
  new MutationObserver(() => window.shown.push([parseInt(line.textContent), Date.now()]))
    .observe(line, {childList: true, characterData: true, subtree: true});
}"""


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--alerts", type=int, default=60)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--elsewhere", action="store_true", help="another process writes the alerts (PostgreSQL)")
    args = parser.parse_args()
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        uses_postgres = args.elsewhere or args.database == "postgres"
        place = running.enter_context(Postgres()).new_database() if uses_postgres else str(folder / "bench.db")
        address = running.enter_context(serving(folder, place))
        if args.elsewhere:
            store = SqlStore(read_database(place), CARDS)
            running.callback(store.close)
            write = partial(kept, store)
        else:
            client = running.enter_context(httpx.Client(base_url=address, timeout=30))
            write = partial(posted, client)
        took = measured(running, address, write, args.alerts)
    way = "written by another process" if args.elsewhere else "raised over the API"
    took.sort()
    middle, p95 = statistics.median(took), took[round(0.95 * (len(took) - 1))]
    kind = "PostgreSQL" if uses_postgres else "SQLite"
    print(f"{len(took)} alerts {way}, {kind}: commit to visible in an open tab")
    print(f"  p50 {middle:.0f} ms, p95 {p95:.0f} ms, longest {took[-1]:.0f} ms   (asked for: 1,000 ms)")


@contextmanager
def serving(folder: Path, place: str) -> Iterator[str]:
    """`coordwatch serve` on a free port, for as long as the block lasts."""
    config = folder / "coordwatch.yaml"
    key = "identity: {key: a-key-of-this-benchmark-alone}"
    config.write_text(f"bind: 127.0.0.1:0\ninputs: [{{kind: http}}]\ndatabase: {place}\n{key}\n")
    log = folder / "log"
    with log.open("wb") as out:
        server = subprocess.Popen([COORDWATCH, "serve", "--config", str(config)], stdout=out, stderr=out)
    try:
        found = None
        while found is None:
            if server.poll() is not None:
                raise SystemExit(f"serve ended:\n{log.read_text()}")
            time.sleep(0.1)
            found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        yield found[0]
    finally:
        server.terminate()
        server.wait(30)


def posted(client: httpx.Client, number: int) -> float:
    """Raise an alert by two events; gives when they were answered, which is when they are committed."""
    now, who = SystemClock().now(), f"c{number}"
    events = [
        an_event(f"O-{number}", at=format_time(now - HOUR), subject=who, case=f"K-{number}"),
        an_event(
            f"M-{number}", "marketing.message.sent", format_time(now - MINUTE), subject=who, message=f"M-{number}",
            channel="email", category="promotional", campaign="Sale",
        ),
    ]  # fmt: skip
    client.post("/v1/events", json=events).raise_for_status()
    return time.time()


def kept(store: SqlStore, number: int) -> float:
    """Write an alert as another process does; gives when it was committed."""
    now = SystemClock().now()
    store.keep(Books(changes=[raised(a_promo(f"e{number}", now - MINUTE, case=f"E-{number}"))]), now)
    return time.time()


def measured(running: ExitStack, address: str, write: Callable[[int], float], count: int) -> list[float]:
    """Milliseconds from each commit to the change on the screen."""
    play = running.enter_context(sync_playwright())
    path = shutil.which("chromium") or "/usr/bin/chromium"
    browser = play.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
    running.callback(browser.close)
    page: Page = browser.new_page()
    page.goto(address)
    page.evaluate(WATCH)
    chance = random.Random(1)
    committed = []
    for number in range(count):
        committed.append(write(number))
        page.wait_for_timeout(1000 * chance.uniform(0.05, 0.6))
    page.wait_for_function(f"window.shown.length && window.shown.at(-1)[0] >= {count}", timeout=30_000)
    shown: list[tuple[int, float]] = page.evaluate("window.shown")
    return [max(next(at for many, at in shown if many > n) - 1000 * when, 0.0) for n, when in enumerate(committed)]


if __name__ == "__main__":
    main()
