"""What a worker shows, on a real Kafka: the pages of `serve` with the role alerts, health and metrics without it."""

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson
import pytest
from confluent_kafka.admin import NewPartitions
from prometheus_client.parser import text_string_to_metric_families

from coordwatch.adapters.prometheus import NAMES, WORKER_NAMES
from coordwatch.clock import SystemClock
from coordwatch.events.times import MINUTE, SECOND, format_time
from coordwatch.worker.exits import ExitCode
from tests.api.build import an_event
from tests.embedded.test_runtime import PROMO
from tests.services.consume import Sent, produce
from tests.services.topics import Topics
from tests.services.waiting import wait_until
from tests.worker.house import Worker

KEY = "an identity key of no site at all"
CUSTOMERS = [f"customer-{n:02}" for n in range(6)]
RULE = "promo-during-open-complaint"
PATIENCE = 180.0  # seconds for workers to start and to do their work on a busy machine
SETTINGS = """\
kafka: {{bootstrap: "{bootstrap}", prefix: {prefix}, partitions: 2, replication: 1, session_timeout: 30s, commit_interval: 200ms}}
identity: {{mode: trusted_id}}
database: {name}.db
bind: {bind}
inputs:
  - {{kind: kafka, name: tools, topic: {source}, source: canonical, publishing_delay: 1s}}
"""


class Desk:
    """Workers of one site, each with its address."""

    def __init__(self, topics: Topics, folder: Path) -> None:
        self.topics, self.folder = topics, folder
        self.source = topics.create("tools", 2)
        self.workers: list[Worker] = []
        self.clients: list[httpx.Client] = []

    def worker(self, name: str, *roles: str, bind: str = "127.0.0.1:0") -> httpx.Client:
        """Start a worker and give a client that asks it."""
        settings = self.folder / f"{name}.yaml"
        settings.write_text(
            SETTINGS.format(
                bind=bind,
                bootstrap=self.topics.bootstrap,
                prefix=f"{self.topics.prefix}.cw",
                name=name,
                source=self.source,
            )
        )
        command = [sys.executable, "-m", "coordwatch", "worker", "--config", str(settings), "--runtime", "plain"]
        command += [word for role in roles for word in ("--role", role)]
        worker = Worker(command, self.folder / f"{name}.log", {**os.environ, "COORDWATCH_IDENTITY__KEY": KEY})
        self.workers.append(worker)
        return self.client(worker)

    def client(self, worker: Worker, start: int = 1) -> httpx.Client:
        """A client of a worker that was started so often."""
        self.clients.append(httpx.Client(base_url=self.address(worker, start), timeout=20))
        return self.clients[-1]

    def address(self, worker: Worker, start: int) -> str:
        """Where it answers, once it does; `start` counts how often it was started."""
        found: list[str] = []

        def answers() -> bool:
            assert worker.process.poll() is None, worker.said
            found[:] = re.findall(r"answers at (http://127\.0\.0\.1:\d+)", worker.said)
            return len(found) == start

        wait_until(answers, "the worker answers", PATIENCE)
        return found[-1]

    def send(self) -> None:
        """A complaint and a promotion while it is open, of every customer; and something that is no event."""
        now = SystemClock().now()
        sent = [Sent(b"{", None)]
        for customer in CUSTOMERS:
            opened, acted = format_time(now - 30 * MINUTE), format_time(now - 10 * SECOND)
            case = an_event(f"C-{customer}", at=opened, subject=customer, tool={"name": "Deskflow"})
            promo = an_event(
                f"M-{customer}", "marketing.message.sent", acted, subject=customer, tool={"name": "Journeys"}, **PROMO
            )
            del promo["data"]["case"], promo["data"]["kind"]
            sent += [Sent(orjson.dumps(one), customer.encode()) for one in (case, promo)]
        produce({"bootstrap.servers": self.topics.bootstrap}, self.source, sent)


@pytest.fixture
def desk(topics: Topics, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(topics, tmp_path)
    yield made
    for client in made.clients:
        client.close()
    for worker in made.workers:
        worker.close()


@contextmanager
def said(desk: Desk) -> Iterator[None]:
    """Show what the workers said when something is not as it should be."""
    try:
        yield
    except BaseException:
        for worker in desk.workers:
            print(worker.said[-5000:])
        raise


def alerts(client: httpx.Client) -> list[str]:
    return sorted(one["customer"] for one in client.get("/v1/alerts").json()["items"])


def families(client: httpx.Client) -> dict[str, dict[tuple[str, ...], float]]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        family.name: {
            (sample.name.removeprefix(family.name), *sorted(sample.labels.values())): sample.value
            for sample in family.samples
        }
        for family in text_string_to_metric_families(answer.text)
        if family.name.startswith("coordwatch_")
    }


def all_written(client: httpx.Client) -> bool:
    """Whether what was sent has come through every stage and the books say so: alerts are written before the counts."""
    page, lag = client.get("/sources").text, families(client)["coordwatch_consumer_lag"]
    through = "1 that could not be used and 0 on their way" in page and "not accounted for" not in page
    return f"{2 * len(CUSTOMERS)} applied" in page and through and sum(lag.values()) == 0


def test_a_worker_with_all_roles_shows_what_serve_shows(desk: Desk) -> None:
    with said(desk):
        client = desk.worker("all")
        desk.send()
        wait_until(lambda: alerts(client) == CUSTOMERS, "every alert is there", PATIENCE)
        wait_until(lambda: client.get("/readyz").status_code == 200, "it is ready", PATIENCE)
        row = client.get("/v1/alerts").json()["items"][0]
        for path in ("/", f"/alerts/{row['id']}", "/customers", "/rules", f"/rules/{RULE}", "/tools", "/sources"):
            page = client.get(path)
            assert page.status_code == 200, path
            assert "<h1" in page.text, path
        customer = client.get(f"/v1/customers/{CUSTOMERS[0]}").json()
        assert [fact["type"] for fact in customer["facts"]] == ["service.case.opened", "marketing.message.sent"]
        why = client.get("/v1/explain", params={"rule": RULE, "customer": CUSTOMERS[0]}).json()
        assert why["outcome"] == "open"
        wait_until(lambda: len(client.get("/v1/dead-letters").json()["items"]) == 1, "the letter is there", PATIENCE)
        wait_until(lambda: all_written(client), "the accounts add up", PATIENCE)
        found = families(client)
        assert found.keys() == {name.name for name in (*NAMES, *WORKER_NAMES)}
        assert found["coordwatch_pair_detections"]["", "Deskflow", "Journeys", RULE] == len(CUSTOMERS)
        assert found["coordwatch_state_keys"]["", "detect"] == len(CUSTOMERS)
        assert not {sample for family in found.values() for sample in family if set(sample) & set(CUSTOMERS)}
        assert desk.workers[0].stop() == 0


def test_workers_apart_show_each_what_it_knows(desk: Desk) -> None:
    with said(desk):
        ingest = desk.worker("in", "ingest")
        detect = desk.worker("judge", "detect")
        shown = desk.worker("show", "alerts")
        desk.send()
        wait_until(lambda: alerts(shown) == CUSTOMERS, "every alert is there", PATIENCE)
        for client in (ingest, detect):
            assert client.get("/livez").json() == {"status": "alive"}
            wait_until(lambda client=client: client.get("/readyz").status_code == 200, "it is ready", PATIENCE)
            assert client.get("/").status_code == client.get("/v1/alerts").status_code == 404

        def pairs(of: httpx.Client) -> dict[tuple[str, ...], float]:
            return families(of)["coordwatch_pair_detections"]

        # One counts as it judges, the other reads the counts from the log: alerts may be there before them.
        wait_until(lambda: pairs(detect) == pairs(shown) != {}, "the same counts in both", PATIENCE)
        assert "coordwatch_acts" not in families(detect)
        assert "coordwatch_pair_acts" not in families(ingest)
        # The customer is kept by the worker that judges; it is read from the brokers.
        customer = shown.get(f"/v1/customers/{CUSTOMERS[0]}").json()
        assert [fact["type"] for fact in customer["facts"]] == ["service.case.opened", "marketing.message.sent"]
        assert "facts are kept for the rules" in shown.get(f"/customers/{CUSTOMERS[0]}").text
        why = shown.get("/v1/explain", params={"rule": "promo-local-stock-gone", "customer": CUSTOMERS[0]})
        assert why.status_code == 503
        assert "partition" in why.json()["detail"]


def test_a_second_worker_on_one_machine_answers_elsewhere_unless_people_look_for_pages_there(desk: Desk) -> None:
    with said(desk), socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        client = desk.worker("in", "ingest", bind=bind)
        assert client.get("/livez").json() == {"status": "alive"}
        assert "give each worker a `bind` of its own" in desk.workers[0].said
        with pytest.raises(AssertionError, match="take another port"):
            desk.worker("show", "alerts", bind=bind)
        assert desk.workers[1].process.returncode == 2


def test_a_lost_database_is_written_again_from_the_log(desk: Desk) -> None:
    with said(desk):
        client = desk.worker("all")
        desk.send()
        wait_until(lambda: alerts(client) == CUSTOMERS, "every alert is there", PATIENCE)
        wait_until(lambda: all_written(client), "every count is there", PATIENCE)
        before = client.get("/v1/tools").json()
        assert desk.workers[0].stop() == 0
        for path in desk.folder.glob("all.db*"):
            path.unlink()
        desk.workers[0].start()
        again = desk.client(desk.workers[0], 2)
        wait_until(lambda: alerts(again) == CUSTOMERS, "every alert is there again", PATIENCE)
        wait_until(lambda: again.get("/v1/tools").json() == before, "every count is there again", PATIENCE)


def test_partitions_that_an_input_gains_are_watched_after_a_start(desk: Desk) -> None:
    """How far they are read must be known before an absence is proven."""
    desk.worker("one")
    (worker,) = desk.workers
    more = desk.topics.admin.create_partitions([NewPartitions(desk.source, 3)])[desk.source]
    more.result(30)
    assert worker.ended(PATIENCE) == ExitCode.AGAIN
    assert f"{desk.source} has 3 partitions now and had 2" in worker.said
    worker.start()
    client = desk.client(worker, 2)
    with said(desk):
        wait_until(lambda: client.get("/readyz").status_code == 200, "it is ready", PATIENCE)
        assert worker.process.poll() is None
