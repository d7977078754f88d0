"""Statements 14 to 18: states."""

import pytest

from tests.statements.scene import Judge, acts, evidence, on, told

STATE = """
when: {promo: {event: sent}}
while:
  complaint:
    opened: {event: case, where: kind == "complaint"}
    closed: {event: status, where: 'status in ["solved", "closed"]'}
    same: case
"""


def opened(time: str, shift: int = 0, /, **words: object) -> dict[str, object]:
    return on("case", time, shift, **{"case": "K1", "kind": "complaint", **words})


def solved(time: str, shift: int = 0, /, **words: object) -> dict[str, object]:
    return on("status", time, shift, **{"case": "K1", "status": "solved", **words})


def test_rule_14_same_pairs_a_closing_with_its_opening(judge: Judge) -> None:
    assert len(told(judge, STATE, [opened("0h"), solved("1h", case="K2"), on("sent", "2h")])) == 1
    assert told(judge, STATE, [opened("0h"), solved("1h"), on("sent", "2h")]) == []


def test_rule_14_same_on_the_state_does_not_tie_it_to_the_act(judge: Judge) -> None:
    assert len(told(judge, STATE, [opened("0h"), on("sent", "2h", case="K9")])) == 1
    tied = STATE.replace('kind == "complaint"}', 'kind == "complaint", same: case}')
    assert told(judge, tied, [opened("0h"), on("sent", "2h", case="K9")]) == []
    assert told(judge, tied, [opened("0h"), on("sent", "2h")]) == []
    assert len(told(judge, tied, [opened("0h"), on("sent", "2h", case=["K9", "K1"])])) == 1


def test_rule_14_without_same_there_is_one_state_a_customer(judge: Judge) -> None:
    rule = STATE.replace("    same: case\n", "")
    assert told(judge, rule, [opened("0h", case="K1"), solved("1h", case="K2"), on("sent", "2h")]) == []
    assert len(told(judge, rule, [opened("0h"), solved("1h", who="C2"), on("sent", "2h")])) == 1


def test_rule_14_every_single_value_of_a_list_is_a_key_of_its_own(judge: Judge) -> None:
    assert len(told(judge, STATE, [opened("0h", case=["K1", "K2"]), solved("1h"), on("sent", "2h")])) == 1
    events = [opened("0h", case=["K1", "K2"]), solved("1h"), solved("1h", case="K2"), on("sent", "2h")]
    assert told(judge, STATE, events) == []


def test_rule_15_further_openings_extend_the_episode_and_the_first_closing_ends_it(judge: Judge) -> None:
    events = [opened("0h", id="first"), opened("1h", id="second"), on("sent", "2h")]
    assert [evidence(one) for one in told(judge, STATE, events)] == [[("complaint", "first")]]
    assert told(judge, STATE, [opened("0h"), opened("1h"), solved("90m"), on("sent", "2h")]) == []


def test_rule_15_a_later_closing_changes_nothing(judge: Judge) -> None:
    rule = STATE + "    linger: 1h\n"
    events = [opened("0h"), solved("1h"), solved("110m"), on("sent", "2h")]
    assert told(judge, rule, events) == [], "the linger runs from the closing that ended the episode"


def test_rule_15_an_opening_after_the_end_begins_a_new_episode(judge: Judge) -> None:
    events = [opened("0h", id="first"), solved("1h"), opened("2h", id="second"), on("sent", "3h")]
    assert [evidence(one) for one in told(judge, STATE, events)] == [[("complaint", "second")]]


def test_rule_15_reopened_opens_only_what_was_open_before(judge: Judge) -> None:
    rule = STATE.replace(
        "    same: case\n", '    reopened: {event: status, where: status == "reopened"}\n    same: case\n'
    )
    again = solved("2h", status="reopened", id="again")
    assert [evidence(one) for one in told(judge, rule, [opened("0h"), solved("1h"), again, on("sent", "3h")])] == [
        [("complaint", "again")]
    ]
    assert told(judge, rule, [again, on("sent", "3h")]) == []
    assert told(judge, rule, [opened("0h", case="K2"), solved("1h", case="K2"), again, on("sent", "3h")]) == []
    assert told(judge, rule, [again, opened("150m"), solved("160m"), on("sent", "3h")]) == []


def test_rule_15_a_reopening_at_the_instant_of_its_opening_counts(judge: Judge) -> None:
    rule = STATE.replace(
        "    same: case\n",
        '    reopened: {event: status, where: status == "reopened"}\n    at_most: 1h\n    same: case\n',
    )
    events = [opened("0h", id="k"), solved("0h", status="reopened", id="again"), on("sent", "30m")]
    assert [evidence(one) for one in told(judge, rule, events)] == [[("complaint", "k")]]


@pytest.mark.parametrize("ids", [("a", "z"), ("z", "a")])
def test_rule_16_at_one_instant_openings_come_first_and_closings_last(judge: Judge, ids: tuple[str, str]) -> None:
    rule = STATE + "    linger: 1h\n"
    events = [opened("1h", id=ids[0]), solved("1h", id=ids[1])]
    assert told(judge, STATE, [*events, on("sent", "1h")]) == []
    assert len(told(judge, rule, [*events, on("sent", "90m")])) == 1, "it was open for that instant and lingers"
    again = [opened("0h", id="first"), opened("1h", id=ids[0]), solved("1h", id=ids[1]), on("sent", "2h")]
    assert told(judge, STATE, again) == []


def test_rule_16_a_closing_waits_for_an_opening_that_is_late(judge: Judge) -> None:
    events = [solved("1h", seen=1), on("sent", "2h", seen=2), opened("0h", seen=3)]
    assert told(judge, STATE, events) == []
    assert len(told(judge, STATE, events[1:])) == 1


@pytest.mark.parametrize(("shift", "expected"), [(-1, []), (0, []), (1, ["promo"])])
def test_rule_17_linger_is_open_at_its_far_end(judge: Judge, shift: int, expected: list[str]) -> None:
    rule = STATE + "    linger: 1h\n"
    events = [opened("0h"), solved("1h", shift), on("sent", "2h", id="promo")]
    assert acts(told(judge, rule, events)) == expected


@pytest.mark.parametrize(("shift", "count"), [(-1, 0), (0, 0), (1, 1)])
def test_rule_17_without_linger_a_closing_at_the_act_has_closed_it(judge: Judge, shift: int, count: int) -> None:
    assert len(told(judge, STATE, [opened("0h"), solved("2h", shift), on("sent", "2h")])) == count


@pytest.mark.parametrize(("shift", "count"), [(-1, 1), (0, 1), (1, 0)])
def test_rule_17_grace_an_opening_exactly_that_old_is_not_too_fresh(judge: Judge, shift: int, count: int) -> None:
    rule = STATE + "    grace: 10m\n"
    assert len(told(judge, rule, [opened("0h", shift), on("sent", "10m")])) == count


def test_rule_17_grace_counts_from_the_opening_that_began_the_episode(judge: Judge) -> None:
    rule = STATE + "    grace: 10m\n"
    assert len(told(judge, rule, [opened("0h"), opened("55m"), on("sent", "1h")])) == 1
    assert told(judge, rule, [opened("0h"), solved("50m"), opened("55m"), on("sent", "1h")]) == []


def test_rule_17_grace_holds_for_a_lingering_episode_too(judge: Judge) -> None:
    rule = STATE + "    grace: 10m\n    linger: 1h\n"
    assert told(judge, rule, [opened("0h"), solved("1m"), on("sent", "5m")]) == []
    assert len(told(judge, rule, [opened("0h"), solved("1m"), on("sent", "15m")])) == 1


@pytest.mark.parametrize(("shift", "count"), [(-1, 0), (0, 0), (1, 1)])
def test_rule_18_a_state_ends_at_most_so_long_after_its_last_opening(judge: Judge, shift: int, count: int) -> None:
    rule = STATE + "    at_most: 3h\n"
    assert len(told(judge, rule, [opened("0h", shift), on("sent", "3h")])) == count
    assert len(told(judge, rule, [opened("-2h"), opened("0h", shift), on("sent", "3h")])) == count


def test_rule_18_after_that_a_closing_changes_nothing_and_nothing_lingers(judge: Judge) -> None:
    rule = STATE + "    at_most: 1h\n    linger: 3h\n"
    assert told(judge, rule, [opened("0h"), on("sent", "2h")]) == []
    assert told(judge, rule, [opened("0h"), solved("61m"), on("sent", "2h")]) == []
    assert len(told(judge, rule, [opened("0h"), solved("59m"), on("sent", "2h")])) == 1


def test_rule_18_the_default_is_180_days_and_forever_is_a_word(judge: Judge) -> None:
    assert told(judge, STATE, [opened("-180d"), on("sent", "0h")]) == []
    assert len(told(judge, STATE, [opened("-180d", 1), on("sent", "0h")])) == 1
    assert len(told(judge, STATE + "    at_most: forever\n", [opened("-900d"), on("sent", "0h")])) == 1
