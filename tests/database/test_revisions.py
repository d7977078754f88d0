"""The tables of every revision: made, taken over, brought up, refused; the same on SQLite and PostgreSQL."""

import sqlite3
import threading
import warnings
from importlib import resources

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from coordwatch.adapters.sql.engines import Manner, open_engine
from coordwatch.adapters.sql.migrating import REVISION, REVISIONS, migrate
from coordwatch.adapters.sql.read import standing_on
from coordwatch.adapters.sql.schema import metadata
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.errors import PermanentError
from coordwatch.ports import Books
from tests.build import CARDS, NOW, a_promo, fill, raised
from tests.database.old import take_out_what_is_newer


def engine_on(place):
    return open_engine(place, Manner(durable=False), writes=True)


def shape_of(connection) -> dict[str, object]:
    """Everything that can be told of the tables: columns with types, keys, indexes."""
    looking = inspect(connection)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # how an index is ordered is told by some databases only
        return {
            name: (
                [(one["name"], str(one["type"]), one["nullable"]) for one in looking.get_columns(name)],
                looking.get_pk_constraint(name)["constrained_columns"],
                sorted((str(one["name"]), tuple(map(str, one["column_names"]))) for one in looking.get_indexes(name)),
            )
            for name in looking.get_table_names()
            if name != "alembic_version"
        }


def before_revisions(path, cards=CARDS) -> None:
    """A file as the program before revisions left it, with a busy day in it."""
    store = SqlStore(path, cards)
    fill(store)
    store.close()
    with sqlite3.connect(path) as raw:
        take_out_what_is_newer(raw)
        raw.execute("UPDATE meta SET value = '2'")
    raw.close()


def seen(store):
    return store.alerts({}, 100, None), store.tallies(), store.positions(), store.rule_counts()


def test_the_revisions_are_those_that_the_program_knows_one_after_the_other():
    config = Config()
    config.set_main_option("script_location", str(resources.files("coordwatch.adapters.sql") / "migrations"))
    found = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_last_revision_makes_what_the_program_writes(new_place, kind):
    shapes = []
    for make in (migrate, metadata.create_all):
        engine = engine_on(new_place(kind))
        with engine.begin() as connection:
            make(connection)
            shapes.append(shape_of(connection))
        engine.dispose()
    assert shapes[0] == shapes[1]


def test_a_file_of_before_revisions_is_taken_over_without_loss(tmp_path):
    path = tmp_path / "old.db"
    before_revisions(path)
    assert str(standing_on(path)) == "schema 2"
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alerts SET note = 'ours' WHERE status = 'open'")
    raw.close()
    store = SqlStore(path, CARDS)
    fresh = SqlStore(tmp_path / "new.db", CARDS)
    fill(fresh)
    assert [row.id for row in seen(store)[0][0]] == [row.id for row in seen(fresh)[0][0]]
    assert seen(store)[1:] == seen(fresh)[1:]
    assert {row.note for row in store.alerts({"status": "open"}, 100, None)[0]} == {"ours"}
    with store._read() as one, fresh._read() as other:
        assert shape_of(one) == shape_of(other)
    store.close()
    fresh.close()
    assert standing_on(path).revision == REVISION


def test_what_a_newer_program_wrote_is_refused_and_left_as_it_is(place):
    store = SqlStore(place, CARDS)
    with store._write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    for _ in range(2):
        with pytest.raises(PermanentError, match=r"revision 9999.*newer coordwatch.*copy from before the upgrade"):
            SqlStore(place, CARDS)


def test_a_database_of_something_else_is_refused(place):
    engine = engine_on(place)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE recipes (name TEXT)"))
    engine.dispose()
    with pytest.raises(PermanentError, match="holds something else"):
        SqlStore(place, CARDS)
    looking = open_engine(place, Manner(), writes=False)
    with looking.connect() as connection:
        assert inspect(connection).get_table_names() == ["recipes"]
    looking.dispose()


def test_several_that_start_at_once_make_the_tables_once(new_place):
    place = new_place("postgres")
    failed, stores, ready = [], [], threading.Barrier(4)

    def start() -> None:
        ready.wait()
        try:
            stores.append(SqlStore(place, CARDS, durable=False))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for number, store in enumerate(stores):
        store.keep(a_book(number), NOW)
        with store._read() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [REVISION]
    assert stores[0].alert_totals()["open"] == 4
    for store in stores:
        store.close()


def a_book(number: int) -> Books:
    return Books(changes=[raised(a_promo(f"c{number}", NOW))])
