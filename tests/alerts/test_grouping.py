"""Laws of grouping: the order says nothing, every alert is in one incident, and what is together stays so."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.alerts.grouping import BURST, BURST_WITHIN, QUIET, Clue, clue_of, home_of, place
from coordwatch.alerts.say import face_of
from coordwatch.events.times import HOUR, MINUTE
from tests.alerts.places import PlainBook, naive
from tests.alerts.test_lifecycle import an_alert
from tests.build import NOW, PROMO, STOCK, a_promo, a_sold_out


def a_clue(name: int, home: int, at: int, rule: int = 0) -> Clue:
    moment = NOW // BURST_WITHIN * BURST_WITHIN + at
    return Clue(f"a{name:03d}", f"campaign|{home}", moment, (f"rule|{rule}|{moment // BURST_WITHIN}",))


# Few causes over a few days, so that they touch, chain and burst.
TIMES = [0, MINUTE, HOUR, QUIET - 1, QUIET, QUIET + 1, 2 * QUIET, 4 * QUIET]
rows = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(TIMES), st.integers(0, 1)), max_size=20)
bursts = st.integers(0, 13).flatmap(
    lambda many: st.tuples(st.sampled_from(TIMES), st.integers(0, 1)).map(
        lambda when: [(home, when[0], when[1]) for home in range(many)]
    )
)
several = st.tuples(rows, bursts).map(
    lambda both: [a_clue(n, home, at, rule) for n, (home, at, rule) in enumerate([*both[0], *both[1]])]
)


@settings(max_examples=150)
@given(several, st.randoms(use_true_random=False), st.integers(1, 7))
def test_the_order_and_the_portions_in_which_alerts_come_say_nothing(clues, chance, portion):
    mixed = list(clues)
    chance.shuffle(mixed)
    book = PlainBook()
    for start in range(0, len(mixed), portion):
        place(book, mixed[start : start + portion])
    assert book.together() == naive(clues)
    every = [alert for part in book.together() for alert in part]
    assert sorted(every) == [one.alert for one in clues]


@settings(max_examples=60)
@given(several, several)
def test_what_is_together_stays_together_whatever_comes(first, then):
    book = PlainBook()
    place(book, first)
    before = book.together()
    place(book, [replace(one, alert=f"b{one.alert}") for one in then])
    assert all(any(part <= later for later in book.together()) for part in before)


@settings(max_examples=60)
@given(several, several)
def test_what_a_person_split_nothing_joins_again(first, then):
    book = PlainBook()
    place(book, first)
    for incident, held in list(book.members.items()):
        if len(held) > 1:
            name = min(held)
            book.members[f"split {incident}"] = {name: held.pop(name)}
            book.parted.add(f"split {incident}")
    parted = {incident: set(book.members[incident]) for incident in book.parted}
    place(book, [replace(one, alert=f"b{one.alert}") for one in then])
    assert book.parted <= book.members.keys()
    for incident, alerts in parted.items():
        came = book.members[incident].keys() - alerts
        assert alerts <= book.members[incident].keys()
        assert all(one.startswith("b") for one in came)
    every = [alert for part in book.together() for alert in part]
    assert len(every) == len(set(every)) == len(first) + len(then)


def test_ten_causes_of_one_rule_at_once_are_one_incident_and_nine_are_nine():
    clues = [a_clue(n, n, n * MINUTE) for n in range(BURST)]
    book = PlainBook()
    place(book, clues[:-1])
    assert len(book.together()) == BURST - 1
    assert len(place(book, clues[-1:])) == 1
    assert len(book.together()) == 1


def test_an_incident_that_is_over_takes_no_new_alerts_and_comes_back_with_its_own():
    book = PlainBook()
    first = a_clue(1, 1, 0)
    place(book, [first])
    book.over.add("incident a001")
    place(book, [a_clue(2, 1, MINUTE)])
    assert len(book.together()) == 2
    place(book, [first])
    assert book.together() == {frozenset({"a001", "a002"})}


def test_what_a_person_split_comes_back_by_itself():
    book = PlainBook()
    first, second = a_clue(1, 1, 0), a_clue(2, 1, 0)
    place(book, [first])
    book.over.add("incident a001")
    book.parted.add("incident a001")
    place(book, [second])
    assert place(book, [first]) == {"incident a001"}
    assert len(book.together()) == 2


@pytest.mark.parametrize(
    ("key", "home"),
    [
        ("some-rule|campaign|Spring | sale", "campaign|Spring | sale"),
        ("some-rule|carrier|Parcels", "carrier|Parcels"),
        ("some-rule|tools|Journeys|Deskflow", "some-rule|tools|Journeys|Deskflow"),
    ],
)
def test_a_campaign_is_one_cause_whatever_the_rule_and_tools_are_one_for_a_rule(key, home):
    assert home_of(key) == home


def test_the_clue_of_an_alert_names_its_campaign_its_rule_and_its_tool():
    bucket = NOW // BURST_WITHIN
    clue = clue_of(replace(an_alert(), face=face_of(PROMO, a_promo("c", NOW))))
    assert (clue.home, clue.at) == ("campaign|Spring sale", NOW)
    assert clue.marks == (f"rule|{PROMO.id}|{bucket}", f"tool|Journeys|{bucket}")
    other = clue_of(replace(an_alert(), rule=STOCK.id, face=face_of(STOCK, a_sold_out("c", NOW))))
    assert other.home == "campaign|Boots"
