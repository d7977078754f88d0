"""What only a database can do: outlive the process, refuse a foreign file, be busy."""

import sqlite3
import threading

import pytest

from coordwatch.adapters.sql.read import standing_on
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.engine.ledger import TallyLine
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.ports import Books, Effects
from tests.build import CARDS, NOW, a_promo, fill, raised
from tests.database.old import take_out_what_is_newer


def test_a_store_opened_again_shows_the_same(tmp_path):
    path = tmp_path / "a.db"
    store = SqlStore(path, CARDS)
    fill(store)
    before = store.alerts({}, 100, None), store.tallies(), store.positions(), store.rule_counts()
    store.close()
    again = SqlStore(path, CARDS)
    assert (again.alerts({}, 100, None), again.tallies(), again.positions(), again.rule_counts()) == before
    again.close()


def test_editing_a_rule_shows_at_the_next_start(tmp_path):
    path = tmp_path / "a.db"
    store = SqlStore(path, CARDS)
    fill(store)
    store.close()
    edited = {one: type(card)(one, "New words", card.severity, "new-team") for one, card in CARDS.items()}
    again = SqlStore(path, edited)
    assert {(row.title, row.owner) for row in again.alerts({}, 100, None)[0]} == {("New words", "new-team")}
    again.close()


def test_another_schema_is_refused_with_the_next_move(tmp_path):
    path = tmp_path / "a.db"
    SqlStore(path, CARDS).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE meta SET value = '99'")
    raw.close()
    with pytest.raises(PermanentError, match=r"schema 99.*start with a new file"):
        SqlStore(path, CARDS)


_SCHEMA_1 = """
CREATE TABLE kept AS SELECT name, amount FROM tallies;
DROP TABLE tallies;
CREATE TABLE tallies (name TEXT NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (name));
INSERT INTO tallies SELECT * FROM kept;
DROP TABLE kept;
CREATE TABLE kept AS SELECT rule, hour, act_tool, evidence_tool, kind, amount FROM ledger;
DROP TABLE ledger;
CREATE TABLE ledger (rule TEXT NOT NULL, hour INTEGER NOT NULL, act_tool TEXT NOT NULL, evidence_tool TEXT NOT NULL,
    kind TEXT NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (rule, hour, act_tool, evidence_tool, kind)) WITHOUT ROWID;
INSERT INTO ledger SELECT * FROM kept;
DROP TABLE kept;
DROP TABLE reaches;
DROP TABLE aliases;
UPDATE meta SET value = '1' WHERE name = 'schema';
"""


def test_a_file_of_the_first_schema_is_brought_up_and_goes_on_counting(tmp_path):
    path = tmp_path / "a.db"
    store = SqlStore(path, CARDS)
    fill(store)
    before = store.alerts({}, 100, None), store.tallies(), store.rule_counts(), store.pair_counts()
    store.close()
    with sqlite3.connect(path) as raw:
        take_out_what_is_newer(raw)
        raw.executescript(_SCHEMA_1)
    raw.close()
    assert standing_on(path).schema == "1"
    again = SqlStore(path, CARDS)
    assert (again.alerts({}, 100, None), again.tallies(), again.rule_counts(), again.pair_counts()) == before
    again.commit(Effects(tallies={"in": 3}), NOW)
    again.keep(Books(aliases={"old": "new"}, tallies={TallyLine("ingest", "shop/0", "in"): 4}), NOW)
    assert again.tallies()["in"] == before[1]["in"] + 7
    assert again.customer_now("old") == "new"
    again.close()
    assert (standing_on(path).newest, standing_on(path).schema) == (True, "3")
    SqlStore(path, CARDS).close()


def test_a_database_of_something_else_is_refused(tmp_path):
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE recipes (name TEXT)")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(PermanentError, match="holds something else"):
        SqlStore(path, CARDS)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to look at" * 50])
def test_a_file_that_is_no_database_is_refused(tmp_path, content):
    path = tmp_path / "a.db"
    path.write_bytes(content)
    with pytest.raises(PermanentError, match="not a database"):
        SqlStore(path, CARDS)
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(PermanentError, match="cannot be opened"):
        SqlStore(tmp_path / "none" / "a.db", CARDS)


def test_a_busy_database_is_a_temporary_error_and_nothing_is_half_written(tmp_path):
    path = tmp_path / "a.db"
    store = SqlStore(path, CARDS, wait=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TemporaryError, match="busy"):
        store.commit(Effects(values={"k": b"v"}, changes=[raised(a_promo("c", NOW))]), NOW)
    other.execute("ROLLBACK")
    other.close()
    assert store.load(["k"]) == {}
    store.commit(Effects(values={"k": b"v"}), NOW)
    assert store.load(["k"]) == {"k": b"v"}
    store.close()


def test_a_full_disk_is_a_temporary_error(tmp_path):
    store = SqlStore(tmp_path / "a.db", CARDS)
    with store._writing.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=40")
    with pytest.raises(TemporaryError, match="disk is full"):
        store.commit(Effects(values={"k": bytes(1_000_000)}, positions={"f": "1"}), NOW)
    assert store.positions() == {}
    store.close()


def test_many_threads_write_and_read_without_losing_anything(tmp_path):
    store = SqlStore(tmp_path / "a.db", CARDS, durable=False)

    def write(name: int) -> None:
        for n in range(20):
            store.commit(Effects(tallies={"in": 1}, changes=[raised(a_promo(f"c{name}-{n}", NOW))]), NOW)
            store.alerts({}, 5, None)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.tallies() == {"in": 80}
    assert store.alert_totals()["open"] == 80
    store.close()
