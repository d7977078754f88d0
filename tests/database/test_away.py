"""A PostgreSQL that goes away, is full, or lets nobody in: said with the next move, nothing lost, nothing doubled."""

import json
import threading
from dataclasses import replace

import pytest

from coordwatch.adapters.sql.database import read_database
from coordwatch.adapters.sql.read import standing_on
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import cards_of
from coordwatch.clock import ManualClock
from coordwatch.context.progress import SourceProgress
from coordwatch.embedded.runtime import Feeds, Runtime
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.events.taxonomy import TYPES
from coordwatch.notify.decide import NotifyPolicy
from coordwatch.ports import Effects
from coordwatch.processor import CANONICAL, Input, Processor, ProcessorSettings
from coordwatch.processor.telling import Telling
from coordwatch.sources.record import Record
from tests.api.build import an_api, an_event
from tests.build import CARDS, NOW, a_promo, raised
from tests.embedded.test_runtime import SPECS, a_conflict
from tests.services.postgres import SECRET_USER
from tests.services.waiting import wait_until


class House:
    """The one writer on a real database, in a thread as in earnest."""

    def __init__(self, place) -> None:
        cards = cards_of(SPECS)
        self.store = SqlStore(place, cards, wait=2, alone=True)
        sources = [SourceProgress("http", frozenset(TYPES))]
        processor = Processor(SPECS, self.store, ProcessorSettings(), sources=sources)
        telling = Telling(cards, lambda told: None, NotifyPolicy(), lambda now: None)
        self.runtime = Runtime(processor, self.store, ManualClock(NOW), Feeds((), ["http"]), telling)
        self._thread = threading.Thread(target=self.runtime.run)
        self._thread.start()

    def post(self, *events):
        records = [Input(Record(json.dumps(one).encode()), CANONICAL, "http") for one in events]
        return [one.status.value for one in self.runtime.post(records).result(120)]

    def stop(self) -> None:
        self.runtime.stop()
        self._thread.join()
        self.store.close()


def test_the_one_writer_outlives_a_database_that_is_away_and_loses_nothing(private_postgres):
    house = House(read_database(private_postgres.new_database()))
    try:
        complaint, promo = a_conflict()
        assert house.post(complaint) == ["applied"]
        private_postgres.kill()
        for _ in range(3):
            with pytest.raises(TemporaryError):
                house.post(promo)
        wait_until(house.runtime.trouble, "the trouble to be told")
        assert "nothing can be written" in house.runtime.trouble()
        private_postgres.start()
        wait_until(lambda: house.runtime.trouble() is None, "the writer to go on")
        assert house.post(promo, complaint) == ["applied", "duplicate"]
        assert house.store.tallies()["applied"] == 2
        (row,) = house.store.alerts({}, 10, None)[0]
        assert (row.rule, row.count) == ("promo-during-open-complaint", 1)
    finally:
        house.stop()
    assert house.runtime.failure is None


def test_readers_and_orders_answer_503_while_it_is_away_and_go_on_without_a_restart(private_postgres):
    api = an_api(filled=True, database=read_database(private_postgres.new_database()))
    alert = api.client.get("/v1/alerts", params={"status": "open"}).json()["items"][0]["id"]
    private_postgres.kill()
    for answer in (
        api.client.get("/v1/alerts"),
        api.client.get("/readyz"),
        api.client.post(f"/v1/alerts/{alert}/acknowledge", json={"version": 1}, headers={"Idempotency-Key": "k"}),
        api.client.post("/v1/events", content=json.dumps(an_event("1")).encode()),
    ):
        assert (answer.status_code, "cannot be reached" in answer.json()["detail"]) == (503, True), answer.text
        assert int(answer.headers["retry-after"]) >= 1
    private_postgres.start()
    done = api.client.post(f"/v1/alerts/{alert}/acknowledge", json={"version": 1}, headers={"Idempotency-Key": "k"})
    assert (done.status_code, done.json()["version"]) == (200, 2)
    assert api.client.get("/readyz").status_code == 200
    api.store.close()


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        ("53100", TemporaryError, "disk of the database is full"),
        ("53300", TemporaryError, "takes no more connections"),
        ("40001", TemporaryError, "begin again"),
        ("25006", TemporaryError, "replica"),
        ("58030", TemporaryError, "look at its log"),
        ("42501", PermanentError, "needs CREATE"),
        ("XX001", PermanentError, "restore a copy"),
        ("22012", PermanentError, "the database refused"),
    ],
)
def test_what_the_server_says_is_told_with_the_next_move(new_place, state, kind, words):
    """The server itself raises what it would raise: a disk cannot be filled in a test of seconds."""
    store = SqlStore(new_place("postgres"), CARDS, durable=False)
    with store._write() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'as it would be' USING ERRCODE = '{state}'; END $$"
        )
        connection.exec_driver_sql("CREATE TRIGGER refuse BEFORE INSERT ON audit EXECUTE FUNCTION refuse()")
    with pytest.raises(kind, match=words):
        store.commit(Effects(values={"k": b"v"}, changes=[raised(a_promo("c", NOW))]), NOW)
    assert (store.load(["k"]), store.alerts({}, 9, None)[0]) == ({}, [])
    store.close()


def test_who_is_not_let_in_is_told_how_and_no_secret_is_repeated(private_postgres):
    wrong = replace(read_database(private_postgres.url(user=SECRET_USER)), password="hunter2hunter2")
    for place, words in (
        (wrong, "COORDWATCH_DATABASE_PASSWORD"),
        (replace(wrong, password=None), "COORDWATCH_DATABASE_PASSWORD"),
        (read_database(private_postgres.url("nothing")), "CREATE DATABASE makes one"),
    ):
        with pytest.raises(PermanentError, match=words) as refused:
            standing_on(place)
        assert "hunter2" not in f"{refused.value}{place}{place!r}"
    private_postgres.kill()
    with pytest.raises(TemporaryError, match="cannot be reached"):
        standing_on(wrong)
