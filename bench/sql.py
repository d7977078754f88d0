"""The store under load, on SQLite and on PostgreSQL: what a worker writes a minute, and how long a page takes over many alerts.

    python -m bench.sql [--alerts 100000] [--detections 10000] [--database sqlite|postgres]

A PostgreSQL of its own is started from a package; it waits for the disk as one in earnest does. Pages are made whole, by the
application itself, from the database to the last tag; the time of the network is not in it. On a busy machine look at the own
work: the processor time of this process, whatever else runs.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

from coordwatch.adapters.alert_rows import card_columns, flat
from coordwatch.adapters.files import load_rules
from coordwatch.adapters.pages.router import PagesContext, pages_router
from coordwatch.adapters.rule_texts import rule_texts
from coordwatch.adapters.sql.database import Database, read_database
from coordwatch.adapters.sql.schema import alerts, audit, detections
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.alert import Alert
from coordwatch.alerts.fold import fold
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.alerts.plain import detection_to_plain
from coordwatch.clock import ManualClock
from coordwatch.codec import encode_json
from coordwatch.events.times import MINUTE, SECOND
from coordwatch.ports import Books
from tests.build import CARDS, NOW, a_cancellation, a_loop, a_promo, raised
from tests.services.postgres import QUICK, Postgres

BATCH = 200  # detections a commit, as a worker writes them at this rate within a second or two
STATUSES = [AlertStatus.OPEN] * 5 + [AlertStatus.ACKNOWLEDGED, AlertStatus.RESOLVED, AlertStatus.SNOOZED]
VIEWS = {
    "inbox": "/",
    "inbox, everything by severity": "/?status=all&sort=severity",
    "inbox, one tool": "/?tool=Journeys&range=7d",
    "inbox, oldest first": "/?sort=oldest",
    "inbox, most repeated": "/?status=all&sort=count",
    "inbox, longest gap": "/?sort=gap",
    "inbox, a word": "/?q=K-77",
    "inbox, of nobody": "/?customer=nobody",
}
ROUNDS = 15


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--detections", type=int, default=10_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"))
    args = parser.parse_args()
    for kind in (args.database,) if args.database else ("sqlite", "postgres"):
        with ExitStack() as running, tempfile.TemporaryDirectory() as folder:
            place = running.enter_context(database(kind, Path(folder)))
            store = SqlStore(place, CARDS)
            running.callback(store.close)
            print(f"\n{kind}")
            rate, own = written(store, args.detections)
            words = f"{rate * 60:,.0f} a minute (own work alone {own * 60:,.0f})"
            print(f"  {'detections, one worker':<32} {words}   (asked for: 10,000)")
            fill(store, args.alerts)
            read(store, args.alerts)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[Database]:
    """A new database that waits for its disk."""
    if kind == "sqlite":
        yield folder / "bench.db"
        return
    QUICK.update({"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"})
    with Postgres() as server:
        yield read_database(server.new_database())


def written(store: SqlStore, count: int) -> tuple[float, float]:
    """Give how many detections a second become alerts, in commits of a worker; by the clock, and by own work."""
    began, worked = time.perf_counter(), time.process_time()
    for start in range(0, count, BATCH):
        found = [
            raised(a_promo(f"c{n}", NOW - n * SECOND, case=f"W-{n}")) for n in range(start, min(start + BATCH, count))
        ]
        before = None if not start else str(start)
        store.keep(Books(changes=found, positions={"detections/0": (before, str(start + BATCH))}), NOW)
    return count / (time.perf_counter() - began), count / (time.process_time() - worked)


def fill(store: SqlStore, count: int) -> None:
    """Make it so many alerts, with detections and histories, by the rows that the store itself writes."""
    models = [_model(make) for make in (a_promo, a_cancellation, a_loop)]
    left = count - sum(store.alert_totals().get(status.value, 0) for status in AlertStatus)
    for start in range(0, max(left, 0), 5_000):
        numbers = range(start, min(start + 5_000, left))
        with store._write() as connection:
            rows = [_rows(models[n % 3], n) for n in numbers]
            connection.execute(detections.insert(), [row[1] for row in rows])
            connection.execute(alerts.insert(), [row[0] for row in rows])
            connection.execute(audit.insert(), [row[2] for row in rows])
    with store._write() as connection:
        connection.exec_driver_sql("ANALYZE")


def _model(make: Callable[..., object]) -> tuple[Alert, object]:
    detection = make("c", NOW)

    class Book:
        saved: Alert

        def filed(self, _one: str) -> None:
            return None

        def file(self, _filed: object) -> None:
            return None

        def newest_standing(self, _alert: str) -> object:
            return detection

        def alert(self, _alert: str) -> None:
            return None

        def nearest_alert(self, *_key: object) -> None:
            return None

        def save(self, alert: Alert, _entry: object) -> None:
            self.saved = alert

    book = Book()
    fold(book, raised(detection), CARDS, NOW)  # type: ignore[arg-type]
    return book.saved, detection


def _rows(model: tuple[Alert, object], n: int) -> Sequence[Mapping[str, object]]:
    alert, detection = model
    status, at, customer = STATUSES[n % len(STATUSES)], NOW - n * MINUTE // 4, f"customer-{n % 30_000:05d}"
    row = flat(alert) | card_columns(CARDS[alert.rule])
    row |= {"id": f"alert-{n:07d}", "key": f'["{customer}","K-{n}"]', "status": status.value, "customer": customer}
    row |= {
        "at": at,
        "first_at": at,
        "last_at": at,
        "raised_at": at,
        "count": 1 + n % 7,
        "gap": (n * 7919) % (90 * MINUTE),
    }
    row |= {"sentence": row["sentence"].replace("K-1042", f"K-{n}"), "incident": f"incident-{n % 2000}"}
    row |= {"note": "", "notice": "new", "snooze_until": NOW * 2 if status is AlertStatus.SNOOZED else None}
    plain = detection_to_plain(detection) | {"status": "open", "customer": customer}  # type: ignore[arg-type]
    filed = {"id": f"detection-{n:07d}", "rule": row["rule"], "customer": customer, "alert": row["id"], "at": at}
    entry = {"alert": row["id"], "at": at, "actor": "coordwatch", "action": "raise", "note": ""}
    return row, filed | {"status": "open", "body": encode_json(plain)}, entry


def read(store: SqlStore, count: int) -> None:
    """Print how long whole pages take."""
    specs = load_rules().specs
    context = PagesContext(
        reader=store,
        desk=store,
        rules={spec.id: spec for spec in specs},
        sentences={spec.id: spec.title for spec in specs},
        rule_texts=rule_texts(specs),
        customer=lambda key: None,
        explain=lambda *asked: (),
        sources=list,
        shelf=store.shelf(),
        clock=ManualClock(NOW),
    )
    app = FastAPI()
    app.include_router(pages_router(context))
    (row,) = store.alerts({"rule": "bot-loop"}, 1, None)[0]
    _, cursor = store.alerts({"status": "open"}, 50, None)
    views = {**VIEWS, "inbox, the second page": f"/?after={cursor}", "alert": f"/alerts/{row.id}"}
    asyncio.run(_timed(app, views, count))


async def _timed(app: FastAPI, views: Mapping[str, str], count: int) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for name, path in views.items():
            await client.get(path)  # the first one reads templates
            times, size, spent = [], 0, time.process_time()
            for _ in range(ROUNDS):
                began = time.perf_counter()
                answer = await client.get(path)
                times.append(1000 * (time.perf_counter() - began))
                assert answer.status_code == 200, (path, answer.status_code)
                size = len(answer.content)
            worked = 1000 * (time.process_time() - spent) / ROUNDS
            p95 = sorted(times)[round(0.95 * (ROUNDS - 1))]
            bound = 150 if name == "alert" else 300
            middle = statistics.median(times)
            words = f"median {middle:>5.0f} ms, p95 {p95:>5.0f} ms (own work {worked:>4.0f} ms), {size // 1000:>3} KB"
            print(f"  {name:<32} {words}   (asked for: {bound} ms over {count:,} alerts)")


if __name__ == "__main__":
    main()
