"""Several processes on one PostgreSQL: nobody writes over anybody, and of two people one wins.

Each store here has connections of its own, which is all that a database knows of a process.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.alert import Order, VersionConflict
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.ports import Books, DeadLetter, Effects
from tests.build import CARDS, NOW, PROMO, a_promo, raised

PEOPLE = ("ada@ops.test", "bo@ops.test")


@pytest.fixture
def two(new_place):
    """Two processes on one database."""
    place = new_place("postgres")
    cards = {**CARDS, PROMO.id: replace(PROMO, once_per=("campaign",))}
    stores = [SqlStore(place, cards, durable=False) for _ in range(2)]
    yield stores
    for store in stores:
        store.close()


def at_once(*jobs: Callable[[], object]) -> list[object]:
    """What becomes of jobs that begin in the same moment: what they give, or what they raise."""
    ready, found = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(index: int) -> None:
        ready.wait()
        try:
            found[index] = jobs[index]()
        except Exception as error:
            found[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_of_two_people_who_acknowledge_at_once_one_wins_and_the_other_is_told(two):
    for number in range(12):
        two[0].commit(Effects(changes=[raised(a_promo("c", NOW + number, campaign=f"Sale {number}"))]), NOW)
    ids = [row.id for row in two[1].alerts({}, 100, None)[0]]
    assert len(ids) == 12
    for alert in ids:
        orders = [Order(AlertAction.ACKNOWLEDGE, who, NOW, version=1) for who in PEOPLE]
        done = at_once(*(partial(store.act, alert, order) for store, order in zip(two, orders, strict=True)))
        won = [index for index, one in enumerate(done) if not isinstance(one, Exception)]
        assert len(won) == 1, done
        told = done[1 - won[0]]
        assert isinstance(told, VersionConflict)
        assert told.version == 2
        view = two[0].alert(alert)
        assert [entry.actor for entry in view.audit[1:]] == [PEOPLE[won[0]]]
        assert (view.row.status, view.row.version) == ("acknowledged", 2)


def test_two_workers_that_find_one_conflict_at_once_make_one_alert_of_it(two):
    for number in range(10):
        campaign = f"Sale {number}"
        found = [
            Books(
                changes=[raised(a_promo(f"c{side}", NOW + side, campaign=campaign))],
                positions={f"t/{side}": (_held(number), str(number))},
            )
            for side in range(2)
        ]
        done = at_once(*(partial(store.keep, books, NOW) for store, books in zip(two, found, strict=True)))
        assert done == [None, None]
        (row,) = two[0].alerts({"campaign": campaign}, 10, None)[0]
        assert (row.count, row.version) == (2, 1)
    assert two[1].positions() == {"t/0": "9", "t/1": "9"}


def _held(number: int) -> str | None:
    return str(number - 1) if number else None


def test_of_two_workers_that_think_a_partition_theirs_one_writes(two):
    for number in range(10):
        letters = [DeadLetter(f"{number}-{side}", "t", "s", "r", "", None, NOW, b"") for side in range(2)]
        books = [Books(dead_letters=[letter], positions={"t/0": (_held(number), str(number))}) for letter in letters]
        done = at_once(*(partial(store.keep, one, NOW) for store, one in zip(two, books, strict=True)))
        refused = [one for one in done if one is not None]
        assert len(refused) == 1
        assert isinstance(refused[0], TemporaryError)
        assert len(two[0].dead_letters(100)) == number + 1


def test_what_sleeps_is_woken_by_one(two):
    two[0].commit(Effects(changes=[raised(a_promo("c", NOW))]), NOW)
    (row,) = two[0].alerts({}, 10, None)[0]
    two[0].act(row.id, Order(AlertAction.SNOOZE, "ada@ops.test", NOW, until=NOW + 1))
    woken = at_once(*(partial(store.wake_snoozed, NOW + 2) for store in two))
    assert sorted(len(one) for one in woken) == [0, 1]
    assert [entry.action for entry in two[1].alert(row.id).audit] == ["raise", "snooze", "wake"]


def test_who_keeps_all_state_is_alone_for_as_long_as_it_lives(new_place):
    place = new_place("postgres")
    first = SqlStore(place, CARDS, durable=False, alone=True)
    with pytest.raises(PermanentError, match="another coordwatch is running on postgresql://"):
        SqlStore(place, CARDS, wait=0.2, alone=True)
    beside = SqlStore(place, CARDS, durable=False)
    beside.commit(Effects(positions={"f": "1"}), NOW)
    first.close()
    SqlStore(place, CARDS, wait=5, alone=True).close()
    beside.close()


def test_a_text_may_hold_what_a_database_dislikes(place):
    store = SqlStore(place, CARDS, durable=False)
    odd = ["a\x00b", "\ue000n", "\ue000", "\ue000e\x00", "ż", "Z", "a", "\U0001f600"]
    store.commit(
        Effects(values={f"customer/{one}": one.encode() for one in odd}, deadlines=dict.fromkeys(odd, NOW)), NOW
    )
    assert {key for key, _ in store.scan("customer/")} == {f"customer/{one}" for one in odd}
    assert store.load([f"customer/{one}" for one in odd]) == {f"customer/{one}": one.encode() for one in odd}
    plain = [one for one in odd if "\x00" not in one and "\ue000" not in one]
    assert [key for key in store.due(NOW, 100) if key in plain] == sorted(plain)
    store.close()
