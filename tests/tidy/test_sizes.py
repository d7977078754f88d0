"""Small functions, few parameters, short modules: a ratchet, not a law."""

from tests.tidy.ratchet import LIMITS, LIST, Oversize, grown, lowered, measure, read, shrunk

BIG = Oversize("function", "src/coordwatch/example.py:walk")


def test_nothing_grows_beyond_its_limit_or_its_listed_number() -> None:
    assert [] == grown(measure(), read(LIST.read_text(encoding="utf-8")))


def test_the_list_follows_the_code_down() -> None:
    assert [] == shrunk(measure(), read(LIST.read_text(encoding="utf-8")))


def test_the_list_names_only_what_is_over_a_limit() -> None:
    listed = read(LIST.read_text(encoding="utf-8"))
    assert [] == [f"{key.place}: {number}" for key, number in listed.items() if number <= LIMITS[key.kind]]


def test_the_ratchet_sees_growth_and_never_raises_a_number() -> None:
    assert grown({BIG: 61}, {BIG: 60}) == [f"{BIG.place}: 61 lines, listed with 60: split it by what it does"]
    assert grown({BIG: 51}, {}) == [f"{BIG.place}: 51 lines, the habit is 50: split it by what it does"]
    assert lowered({BIG: 61}, {BIG: 60}) == {BIG: 60}


def test_the_ratchet_clicks_when_code_shrinks() -> None:
    assert len(shrunk({BIG: 55}, {BIG: 60})) == 1
    assert len(shrunk({}, {BIG: 60})) == 1
    assert lowered({BIG: 55}, {BIG: 60}) == {BIG: 55}
    assert lowered({}, {BIG: 60}) == {}
