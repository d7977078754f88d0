"""A time axis with breaks: order is kept, neighbours stay apart, long gaps are cut."""

from hypothesis import given
from hypothesis import strategies as st

from coordwatch.adapters.pages.scale import scale_of
from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND

INSTANTS = st.lists(st.integers(0, 400 * DAY), min_size=1, max_size=40)


@given(INSTANTS)
def test_later_stands_further_right(instants: list[int]) -> None:
    """Whatever the gaps: the order of instants is the order of places, inside the room."""
    scale = scale_of(instants, 100, 900)
    places = [scale.place(at) for at in sorted(set(instants))]
    assert places == sorted(places)
    assert len(places) == len(set(places))
    assert 99.9 <= places[0]
    assert places[-1] <= 900.1


@given(INSTANTS, st.integers(-DAY, 500 * DAY))
def test_every_instant_has_a_place(instants: list[int], at: int) -> None:
    """Before the first and after the last it is the end of the axis."""
    assert 99.9 <= scale_of(instants, 100, 900).place(at) <= 900.1


def test_a_gap_that_dwarfs_the_others_is_cut() -> None:
    """Twelve days between two short stories: both stay readable, and the cut gap is named."""
    scale = scale_of([0, 10 * MINUTE, 20 * MINUTE, 12 * DAY, 12 * DAY + 15 * MINUTE], 0, 800)
    assert {2} == scale.cuts
    assert scale.place(20 * MINUTE) - scale.place(0) > 150
    assert scale.place(12 * DAY + 15 * MINUTE) - scale.place(12 * DAY) > 80


def test_short_gaps_are_never_cut() -> None:
    """Two hours after a minute is no long gap; the minute still gets a visible width."""
    scale = scale_of([0, MINUTE, 2 * HOUR], 0, 800)
    assert frozenset() == scale.cuts
    assert scale.place(MINUTE) - scale.place(0) >= 20


def test_one_gap_alone_is_the_picture() -> None:
    """With two instants there is nothing that the gap could dwarf."""
    assert frozenset() == scale_of([0, 90 * DAY], 0, 800).cuts


def test_many_instants_share_a_small_room() -> None:
    """Two hundred seconds in three hundred pixels: none leaves the room."""
    scale = scale_of([second * SECOND for second in range(200)], 0, 300)
    assert 300 - 1e-6 <= scale.place(199 * SECOND) <= 300 + 1e-6
