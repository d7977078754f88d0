"""The stage `identity` as a runtime sees it: what goes where, what is kept, what cannot be read, what time does."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from coordwatch.codec import decode_json, pack, unpack
from coordwatch.engine.ledger import Reach
from coordwatch.errors import PermanentError
from coordwatch.events.event import Event, event_with
from coordwatch.events.filed import Filed, decode_filed, filed_from
from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND
from coordwatch.events.wire import decode_event
from coordwatch.identity.answers import customer_key
from coordwatch.identity.hops.routing import PLACE, Router
from coordwatch.identity.hops.rows import row_key
from coordwatch.identity.identity import Identity
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.processor.letters import read_letter
from coordwatch.processor.marks import Mark, mark_of, mark_records
from coordwatch.processor.outcomes import TallyLine, alias_of, amount_of, line_of
from coordwatch.processor.resolving import Resolving, ResolvingSettings
from coordwatch.processor.stage import KIND, Output, Place, Slice, Stage
from coordwatch.processor.topics import Topics
from tests.identity.build import event
from tests.identity.whose import accounts
from tests.processor.town import Town

TOPICS = Topics("t", 3)
SETTINGS = ResolvingSettings(TOPICS, IdentityPolicy(), HOUR)
PLACE_0, PLACE_1 = Place(TOPICS.identity, 0), Place(TOPICS.identity, 1)
ROUTER, READS = Router(SETTINGS.identity), Identity()
ANN = "email:ann@example.com"
NOW = 30 * DAY


def key(text: str) -> str:
    found = READS.digest(text)
    assert found is not None
    return customer_key(found)


def placed(*events: Event, said: Sequence[Any] | None = None) -> list[Output]:
    kind = ((KIND, PLACE.encode()),)
    return [
        Output(TOPICS.identity, (ROUTER.route(one).anchor or "").encode(), ROUTER.place(one, said), None, kind)
        for one in events
    ]


def slice_of(place: Place, records: Sequence[Output], start: int = 0) -> Slice:
    found = Slice(place)
    for offset, one in enumerate(records, start):
        found.offsets.append(offset)
        found.keys.append(one.key)
        found.values.append(one.value)
        found.headers.append(one.headers)
        found.timestamps.append(NOW)
    return found


def stage_with(*places: Place) -> Resolving:
    stage = Resolving(SETTINGS)
    for place in places:
        assert stage.assign(place, {}) is None
    return stage


def given(stage: Resolving, topic: str, now: int = NOW) -> list[Output]:
    return [one for one in stage.give(now) if one.topic == topic]


def kind_of(output: Output) -> str | None:
    value = dict(output.headers).get(KIND)
    return None if value is None else value.decode()


def tallies(outputs: Sequence[Output]) -> dict[str, int]:
    found = {}
    for one in outputs:
        if one.topic == TOPICS.ledger:
            line = line_of(one.key or b"")
            assert isinstance(line, TallyLine)
            assert (line.stage, line.place) == ("identity", str(PLACE_0))
            found[line.name] = amount_of(one.value or b"")
    return accounts(found)


def test_it_is_a_stage() -> None:
    stage: Stage = stage_with(PLACE_0)
    assert ("identity", ("t.identity",), "t.identity-state", None) == (
        stage.role, stage.inputs, stage.changelog, stage.broadcast,
    )  # fmt: skip
    assert (1, False, {}) == (stage.state_partition(PLACE_1), stage.pending, stage.stopped)


def test_an_event_goes_out_under_its_customer_and_only_rows_and_marks_name_a_partition() -> None:
    stage = stage_with(PLACE_0)
    one = event(1, "customer_id:C1", ANN, order="O1", subject="Customer 1")
    assert 1 == stage.take(slice_of(PLACE_0, placed(one)), NOW)
    assert stage.pending
    outputs = stage.give(NOW)
    assert (False, []) == (stage.pending, list(stage.give(NOW)))
    (filed,) = (one for one in outputs if one.topic == TOPICS.events)
    assert (b"Customer 1", None, None) == (filed.key, filed.partition, kind_of(filed))
    found = decode_filed(filed.value or b"")
    assert Filed("Customer 1", READS.pseudonymous(one)) == found
    assert b"ann@" not in (filed.value or b"")
    hops = [one for one in outputs if one.topic == TOPICS.identity]
    assert {"meet"} == {kind_of(one) for one in hops}
    assert {None} == {one.partition for one in hops}
    assert {0} == {one.partition for one in outputs if one.topic == TOPICS.identity_state}
    assert {"in": 1, "passed": 1} == tallies(outputs)


def test_who_became_another_is_said_once_and_the_events_are_asked_for() -> None:
    town = Town(SETTINGS.identity, 3, random.Random(0))
    for one in (event(1, ANN, order="O1"), event(2, "customer_id:C1", ANN)):
        town.bring(one)
        town.settle()
    assert {key(ANN): key("customer_id:C1")} == {old.decode(): alias_of(value) for old, value in town.aliases.items()}
    assert (1, 1) == (town.messages["events.reask"], town.messages["events.move"])
    assert {key("customer_id:C1")} == set(town.filed().values())


def test_reask_and_move_say_what_detect_needs() -> None:
    stage = stage_with(PLACE_0)
    one, two = event(1, ANN, order="O1"), event(2, "customer_id:C1", ANN)
    records = placed(one)
    stage.take(slice_of(PLACE_0, records), NOW)
    stage.give(NOW)
    records += placed(two)
    stage.take(slice_of(PLACE_0, records[1:], 1), NOW)
    (meet,) = [one for one in given(stage, TOPICS.identity) if kind_of(one) == "meet" and one.key == records[0].key]
    stage.take(slice_of(PLACE_0, [meet], 2), NOW)
    (reask,) = given(stage, TOPICS.events)
    assert (key(ANN), "reask") == ((reask.key or b"").decode(), kind_of(reask))
    assert {"anchor": READS.digest(ANN), "about": None} == decode_json(reask.value or b"")
    said = [["some-rule", "open", 7, "r1", [["step", "s", "i"]], "tool", None]]
    stage.take(slice_of(PLACE_0, placed(event_with(READS.pseudonymous(one), subject=None), said=said), 3), NOW)
    outputs = stage.give(NOW)
    (move,) = (one for one in outputs if one.topic == TOPICS.events)
    plain = decode_json(move.value or b"")
    assert (key("customer_id:C1"), "move", said) == ((move.key or b"").decode(), kind_of(move), plain["said"])
    assert Filed(key("customer_id:C1"), READS.pseudonymous(one)) == filed_from(plain["event"])
    assert {"returned": 1} == tallies(outputs), "it passed long ago, and is no new event"


def test_what_waited_too_long_is_a_dead_letter_that_can_be_sent_round_again() -> None:
    stage = stage_with(PLACE_0)
    one = event(1, order="O1", tool="desk")
    records = placed(one)
    stage.take(slice_of(PLACE_0, records), MINUTE)
    assert {"in": 1, "parked": 1} == tallies(stage.give(MINUTE))
    stage.tick(MINUTE + DAY + HOUR - 1)
    assert [] == list(stage.give(MINUTE)), "lateness counts"
    stage.tick(MINUTE + DAY + HOUR)
    assert stage.pending
    outputs = stage.give(MINUTE)
    (record,) = (one for one in outputs if one.topic == TOPICS.dead_letters)
    letter = read_letter(record.value, record.headers)
    assert letter is not None
    assert ("identity", "identity_unresolved", "identity_unresolved: no_owner") == letter.refusal[:3]
    assert (TOPICS.identity, "test") == (letter.origin.place.topic, letter.origin.input)
    assert READS.pseudonymous(one) == decode_event(letter.origin.value or b"")
    counted = {"parked": 0, "dead_lettered": 1, "dead_lettered.identity.identity_unresolved": 1}
    assert counted == tallies(outputs)
    assert [] == [one for one in outputs if one.topic == TOPICS.events], "it never had a customer"


@pytest.mark.parametrize("said", [[["some-rule", "open", 7, "r1", [], "", None]], []])
def test_an_event_that_is_given_up_is_taken_back_where_it_was_judged_and_counted(said: list[Any]) -> None:
    stage = stage_with(PLACE_0)
    stage.take(slice_of(PLACE_0, placed(event(1, order="O1"), said=said)), NOW)
    stage.tick(NOW)
    (lost,) = given(stage, TOPICS.events)
    plain = decode_json(lost.value or b"")
    assert ("lost", said, "e1") == (kind_of(lost), plain["said"], plain["event"]["id"])


@pytest.mark.parametrize(
    ("kind", "key_of", "value"),
    [
        ("meet", b"none:x", b"\xc1"),
        ("shout", b"none:x", b"\x90"),
        (None, b"none:x", b"{}"),
        ("place", None, b"\x90"),
        ("told", b"\xff", pack(["a", 1, [None, 0, 0, None]])),
        ("mark", None, b"{}"),
        ("levels", None, b"\x90"),
        ("levels", None, pack([7, [[], [], []]])),
    ],
)
def test_what_cannot_be_read_is_a_dead_letter_and_everything_goes_on(
    kind: str | None, key_of: bytes | None, value: bytes
) -> None:
    stage = stage_with(PLACE_0)
    headers = () if kind is None else ((KIND, kind.encode()),)
    bad = Output(TOPICS.identity, key_of, value, None, headers)
    assert 2 == stage.take(slice_of(PLACE_0, [bad, *placed(event(1, ANN))]), NOW)
    outputs = stage.give(NOW)
    (record,) = (one for one in outputs if one.topic == TOPICS.dead_letters)
    letter = read_letter(record.value, record.headers)
    assert letter is not None
    assert (value, PLACE_0, 0, "message") == (
        letter.origin.value, letter.origin.place, letter.origin.offset, letter.refusal.reason,
    )  # fmt: skip
    assert {"in": 2, "passed": 1, "dead_lettered": 1, "dead_lettered.identity.message": 1} == tallies(outputs)


# ---- rows


def rows_of(outputs: Sequence[Output]) -> dict[bytes, bytes]:
    return {
        one.key or b"": one.value for one in outputs if one.topic == TOPICS.identity_state and one.value is not None
    }


def test_what_lies_below_the_fence_was_taken_before() -> None:
    stage, records = stage_with(PLACE_0), placed(event(1, ANN), event(2, ANN), event(3, ANN))
    stage.take(slice_of(PLACE_0, records[:2]), NOW)
    again = Resolving(SETTINGS)
    assert 2 == again.assign(PLACE_0, rows_of(stage.give(NOW)))
    assert 3 == again.take(slice_of(PLACE_0, records), NOW)
    outputs = again.give(NOW)
    assert 1 == len([one for one in outputs if one.topic == TOPICS.events])
    assert {"in": 3, "passed": 3} == tallies(outputs), "amounts stand, and go on from what was kept"


def test_rows_of_a_newer_program_are_refused() -> None:
    stage = stage_with(PLACE_0)
    stage.take(slice_of(PLACE_0, placed(event(1, ANN))), NOW)
    rows = rows_of(stage.give(NOW))
    for name in rows:
        newer = {**rows, name: pack([9, *unpack(rows[name])[1:]])}
        with pytest.raises(PermanentError, match=r"version 9.*upgrade it"):
            Resolving(SETTINGS).assign(PLACE_0, newer)


def test_a_partition_that_is_gone_is_forgotten_with_what_was_not_given() -> None:
    stage = stage_with(PLACE_0, PLACE_1)
    stage.take(slice_of(PLACE_0, placed(event(1, ANN))), NOW)
    stage.revoke([PLACE_0])
    assert (False, []) == (stage.pending, list(stage.give(NOW)))


def test_a_ref_out_of_use_is_forgotten_some_time_after_a_message_sooner() -> None:
    stage = stage_with(PLACE_0)
    records = placed(event(1, message="M1"), event(1, order="O1"), event(2, ANN))
    stage.take(slice_of(PLACE_0, records), NOW)
    stage.tick(NOW)
    assert 2 == len(given(stage, TOPICS.dead_letters)), "what waited there is given up first"
    for later, (record, forgotten) in ((181, (records[0], 1)), (402, (records[1], 2))):
        stage.tick(later * DAY)
        outputs = stage.give(NOW)
        gone = [unpack(one.key or b"") for one in outputs if one.topic == TOPICS.identity_state and one.value is None]
        assert [["n", (record.key or b"").decode()]] == gone
        assert {"forgotten": forgotten} == tallies(outputs)


# ---- marks


def mark(nth: int) -> Output:
    return mark_records(TOPICS.identity, 1, Mark({"shop": {"shop.events/0": Reach(nth, nth, nth)}}))[0]


def test_levels_are_said_to_all_once_a_second_and_marks_follow_the_slowest() -> None:
    stage = stage_with(PLACE_0)
    start = 0

    def take(records: Sequence[Output], now: int) -> list[Output]:
        nonlocal start
        stage.take(slice_of(PLACE_0, records, start), now)
        start += len(records)
        return [one for one in stage.give(now) if kind_of(one) in ("levels", "mark")]

    first = take([mark(5)], NOW)
    assert [("levels", 0), ("levels", 1), ("levels", 2)] == [(kind_of(one), one.partition) for one in first]
    assert [] == take([mark(6)], NOW + SECOND - 1), "within a second nothing is said again"
    assert not stage.pending
    stage.tick(NOW + SECOND)
    assert stage.pending
    later = [one for one in stage.give(NOW + SECOND) if kind_of(one) == "levels"]
    own = [one for one in (*first, *later) if one.partition == 0]
    others = [
        Output(TOPICS.identity, None, pack([by, [[["shop", "shop.events/0", nth, nth, nth]]] * 3]), 0, first[0].headers)
        for by, nth in ((1, 6), (2, 4))
    ]
    said = take([*own, others[0]], NOW + 3 * SECOND)
    assert [] == said, "one has said nothing yet"
    said = take([others[1]], NOW + 5 * SECOND)
    assert {"levels"} == {kind_of(one) for one in said}, "it has not said its own levels 1 and 2 yet"
    for second in (7, 9):
        said = take([one for one in said if one.partition == 0 and kind_of(one) == "levels"], NOW + second * SECOND)
    marks = [one for one in said if kind_of(one) == "mark"]
    assert [0, 1, 2] == [one.partition for one in marks]
    assert {TOPICS.events} == {one.topic for one in marks}
    told = mark_of(marks[0].value or b"")
    assert Mark({"shop": {"shop.events/0": Reach(4, 4, 4)}}, "0", 3) == told


def test_levels_stand_behind_everything_that_was_sent_before_them() -> None:
    stage = stage_with(PLACE_0)
    stage.take(slice_of(PLACE_0, [*placed(event(1, ANN, order="O1")), mark(1)]), NOW)
    kinds = [kind_of(one) for one in stage.give(NOW) if one.topic == TOPICS.identity]
    assert ["levels"] * 3 == kinds[-3:]
    assert "meet" in kinds[:-3]


def test_what_was_said_of_progress_is_kept_and_said_once_more_by_a_new_owner() -> None:
    stage = stage_with(PLACE_0)
    stage.take(slice_of(PLACE_0, [mark(5)]), NOW)
    rows = rows_of(stage.give(NOW))
    assert row_key("l", "") in rows
    again = Resolving(SETTINGS)
    again.assign(PLACE_0, rows)
    again.tick(NOW)
    assert again.pending
    assert ["levels"] * 3 == [kind_of(one) for one in given(again, TOPICS.identity)]
    assert not again.pending


def test_an_event_from_a_source_that_is_not_marked_proves_nothing() -> None:
    town = Town(SETTINGS.identity, 3, random.Random(0))
    for number in range(5):
        town.bring(event(number, ANN), part=number % 2)
    town.mark(0)
    town.settle()
    assert {(3, 0)} == {(one.claimed("p/0"), one.claimed("p/1")) for one in town.journals}


def test_one_process_may_hold_several_partitions() -> None:
    stage = stage_with(PLACE_0, PLACE_1)
    one, two = placed(event(1, ANN)), placed(event(2, "customer_id:C1"))
    stage.take(slice_of(PLACE_0, one), NOW)
    stage.take(slice_of(PLACE_1, two), NOW)
    outputs = stage.give(NOW)
    assert {0, 1} == {one.partition for one in outputs if one.topic == TOPICS.identity_state}
    assert 2 == len([one for one in outputs if one.topic == TOPICS.events])
