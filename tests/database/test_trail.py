"""The audit trail in a database: written with what it speaks of, and tampering by SQL is noticed; SQLite and PostgreSQL."""

import threading
from contextlib import contextmanager, nullcontext

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.adapters.sql.trail import SqlTrail, write_down
from coordwatch.alerts.alert import Order
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.audit.chain import Flaw, Head, check
from coordwatch.audit.deed import Deed, DeedKind
from coordwatch.audit.trail import Asked
from coordwatch.events.times import SECOND
from coordwatch.ports import Effects
from tests.build import CARDS, NOW, a_promo, fill, raised


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store(request, tmp_path_factory):
    """A database with a busy day in it; no test leaves anything behind."""
    if request.param == "postgres":
        place = request.getfixturevalue("postgres_module")
    else:
        place = tmp_path_factory.mktemp("trail") / "a.db"
    made = SqlStore(place, CARDS, durable=False)
    fill(made)
    yield made
    made.close()


@contextmanager
def undone(store):
    """A writing transaction that leaves no trace."""
    with store._writing.connect() as connection:
        transaction = connection.begin()
        try:
            yield connection
        finally:
            transaction.rollback()


def after(store, *statements: str, noted=()):
    """What a check says after somebody with every right on the database ran these; it is undone afterwards."""
    with undone(store) as connection:
        for statement in unguarded(connection):
            connection.execute(text(statement))
        for statement in statements:
            assert connection.execute(text(statement)).rowcount != 0
        here = SqlTrail(store._write, lambda: nullcontext(connection))
        return check(here.links(), noted).broken


def unguarded(connection):
    if connection.dialect.name == "postgresql":
        return ["DROP TRIGGER trail_stays ON trail"]
    return ["DROP TRIGGER trail_stays_update", "DROP TRIGGER trail_stays_delete"]


def test_it_is_whole_and_says_what_was_done(store):
    trail = store.trail()
    checked = check(trail.links())
    assert checked.broken is None
    assert checked.head == trail.head()
    links = list(trail.links())
    assert len(links) > 20
    people = [(link.actor, link.kind) for link in links if link.actor != "coordwatch"]
    assert people == [
        ("ada@ops.test", "alert.acknowledge"),
        ("ada@ops.test", "alert.snooze"),
        ("ben@ops.test", "alert.resolve"),
        ("ben@ops.test", "alert.verdict"),
    ]
    assert not any("customer-" in f"{link.subject} {link.facts}" for link in links)


TAMPERING = {
    "an actor": (["UPDATE trail SET actor = 'somebody' WHERE number = 7"], 7, Flaw.CHANGED),
    "an instant": (["UPDATE trail SET at = at + 1 WHERE number = 1"], 1, Flaw.CHANGED),
    "a fact": (["UPDATE trail SET facts = '{}' WHERE number = 9"], 9, Flaw.CHANGED),
    "a subject": (["UPDATE trail SET subject = 'other' WHERE number = 9"], 9, Flaw.CHANGED),
    "a kind": (["UPDATE trail SET kind = 'alert.wake' WHERE number = 9"], 9, Flaw.CHANGED),
    "a seal": (["UPDATE trail SET seal = 'none' WHERE number = 9"], 9, Flaw.CHANGED),
    "one deleted": (["DELETE FROM trail WHERE number = 5"], 5, Flaw.MISSING),
    "the first deleted": (["DELETE FROM trail WHERE number <= 3"], 1, Flaw.MISSING),
    "deleted and closed up": (
        ["DELETE FROM trail WHERE number = 5", "UPDATE trail SET number = -number WHERE number > 5",
         "UPDATE trail SET number = -number - 1 WHERE number < 0"], 5, Flaw.CHANGED,
    ),
    "two that changed places": (
        ["UPDATE trail SET number = -4 WHERE number = 4", "UPDATE trail SET number = 4 WHERE number = 8",
         "UPDATE trail SET number = 8 WHERE number = -4"], 4, Flaw.CHANGED,
    ),
    "one put between": (
        ["INSERT INTO trail SELECT -1, at, actor, kind, subject, facts, seal FROM trail WHERE number = 3"], 1, Flaw.MISSING,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERING)
def test_whoever_changes_rows_by_sql_is_noticed_at_the_first_of_them(store, name):
    statements, number, flaw = TAMPERING[name]
    broken = after(store, *statements)
    assert (broken.number, broken.flaw) == (number, flaw)
    assert check(store.trail().links()).broken is None


def test_an_end_that_was_cut_off_is_noticed_by_a_head_that_was_kept_elsewhere(store):
    head = store.trail().head()
    cut = f"DELETE FROM trail WHERE number > {head.number - 3}"
    assert after(store, cut) is None
    broken = after(store, cut, noted=[head])
    assert (broken.number, broken.flaw) == (head.number - 2, Flaw.CUT)
    broken = after(store, "DELETE FROM trail", noted=[head])
    assert (broken.number, broken.flaw) == (1, Flaw.CUT)


def test_a_trail_that_was_written_anew_is_noticed_by_a_head_that_was_kept_elsewhere(store):
    head = store.trail().head()
    with undone(store) as connection:
        for statement in (*unguarded(connection), "DELETE FROM trail"):
            connection.execute(text(statement))
        write_down(connection, [Deed(NOW, "ada", DeedKind.ALERT_WAKE, str(n)) for n in range(head.number)])
        here = SqlTrail(store._write, lambda: nullcontext(connection))
        assert check(here.links()).broken is None
        broken = check(here.links(), [head]).broken
    assert (broken.number, broken.flaw) == (head.number, Flaw.REPLACED)


@pytest.mark.parametrize("statement", ["UPDATE trail SET actor = 'x'", "DELETE FROM trail", "TRUNCATE trail"])
def test_the_database_itself_refuses_to_change_the_trail(store, statement):
    if statement.startswith("TRUNCATE") and store._writing.dialect.name == "sqlite":
        return  # SQLite has no such word
    with pytest.raises(DBAPIError, match="only ever added to"), store._writing.begin() as connection:
        connection.execute(text(statement))
    assert check(store.trail().links()).broken is None


@pytest.fixture(params=["sqlite", "postgres"])
def pruned(request, new_place):
    """A trail of a hundred entries, one a second, of which the oldest were let go of twice; with every head there was."""
    made = SqlStore(new_place(request.param), CARDS, durable=False)
    trail, heads = made.trail(), []
    for number in range(100):
        trail.add([Deed(NOW + number * SECOND, "ada", DeedKind.VIEW_SAVE, f"view {number}")])
        heads.append(trail.head())
    late = NOW + 200 * SECOND
    assert [trail.prune(NOW + 30 * SECOND, late), trail.prune(NOW + 60 * SECOND, late, 20)] == [30, 20]
    yield made, heads
    made.close()


def test_what_was_pruned_is_told_and_the_rest_is_whole(pruned):
    store, heads = pruned
    trail = store.trail()
    assert trail.base() == heads[49]
    assert check(trail.links(), [heads[10], heads[49], heads[80]], trail.base()).broken is None
    assert [one.number for one in trail.links()] == list(range(51, 103))
    assert trail.page(Asked(kind="audit.prune"), 5)[0].facts.startswith('{"before":"')
    assert trail.prune(NOW + 50 * SECOND, NOW + 300 * SECOND) == 0, "nothing is old enough"
    assert trail.head().number == 102
    trail.prune(NOW + 900 * SECOND, NOW + 950 * SECOND)
    assert [link.kind for link in trail.links()] == ["audit.prune"], "what tells of it is left in any case"
    assert check(trail.links(), [heads[99]], trail.base()).broken is None


def test_nothing_else_is_let_go_of_nor_taken_for_pruned(pruned):
    store, heads = pruned
    base = store.trail().base()
    with pytest.raises(DBAPIError, match="only ever added to"), store._writing.begin() as connection:
        connection.execute(text("DELETE FROM trail WHERE number = 60"))
    wrong = Head(heads[49].number, heads[48].seal)
    assert check(store.trail().links(), [wrong], base).broken.flaw is Flaw.REPLACED
    forged = (
        ("DELETE FROM trail WHERE number <= 70", f"UPDATE trail_base SET number = 70, seal = '{heads[69].seal}'"),
        1,
        70,
    )
    for statements, number, through in (forged, (("DELETE FROM trail WHERE number = 51",), 51, 50)):
        with undone(store) as connection:
            for statement in (*unguarded(connection), *statements):
                connection.execute(text(statement))
            here = SqlTrail(store._write, lambda: nullcontext(connection))
            assert here.base().number == through
            broken = check(here.links(), [heads[80]], here.base()).broken
        assert (broken.number, broken.flaw) == (number, Flaw.MISSING)


def test_what_is_not_written_leaves_no_link(store):
    before = store.trail().head()
    with undone(store) as connection:
        write_down(connection, [Deed(NOW, "ada", DeedKind.VIEW_SAVE, "mine")])
    assert store.trail().head() == before


def test_processes_that_write_at_once_make_one_chain(new_place):
    place = new_place("postgres")
    stores = [SqlStore(place, CARDS, durable=False) for _ in range(3)]

    def write(number: int) -> None:
        for turn in range(8):
            customer = f"c{number}-{turn}"
            stores[number].commit(Effects(changes=[raised(a_promo(customer, NOW, case=customer))]), NOW)
            (row,) = stores[number].alerts({"customer": customer}, 5, None)[0]
            stores[number].act(row.id, Order(AlertAction.ACKNOWLEDGE, f"person {number}", NOW))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    checked = check(stores[0].trail().links())
    assert (checked.broken, checked.head.number) == (None, 48)
    for one in stores:
        one.close()
