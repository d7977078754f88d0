"""The stage by examples: marks, absences, facts that come late, events that go back and come again, state that is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coordwatch.codec import pack, unpack
from coordwatch.context.progress import SourceProgress
from coordwatch.engine.state import UnknownSnapshot
from coordwatch.errors import PermanentError
from coordwatch.events.taxonomy import TYPES
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.processor.detecting import Watched, rows
from coordwatch.processor.letters import read_letter
from coordwatch.processor.topics import Topics
from tests.detecting.cluster import Cluster, Worker
from tests.laws.subject import engine_event
from tests.statements.scene import acts, at, document, on

ONE = Topics("t", 1)
AFTER = "{when: {promo: {event: sent}}, after: {complaint: {event: case, within: 2h}}}"
EXPECT = """
when: {gone: {event: order, where: status == "cancelled"}}
expect: {notice: {event: sent, same: order, within: 30m}}
"""
STOCK = "{when: {promo: {event: sent}}, given: {stock: {event: stock, where: available <= 0}}}"


def cluster(rule: str, **more: Any) -> Cluster:
    return Cluster.of([document(rule)], **{"topics": ONE, **more})


def gone(time: str = "0h", **words: Any) -> dict[str, Any]:
    return on("order", time, order="O1", status="cancelled", **words)


def taken(one: Cluster, now: str = "9h") -> Worker:
    """A worker that has taken everything there is."""
    worker = Worker(one)
    worker.settle(at(now))
    return worker


# ---- events


def test_an_event_that_comes_twice_is_a_duplicate_before_and_after_a_commit() -> None:
    one = cluster(AFTER)
    promo = on("sent", "1h", id="m")
    one.file(promo)
    one.file(promo)
    taken(one)
    one.file(promo)
    taken(one)
    assert one.tallies() == {"in": 3, "applied": 1, "duplicate": 2, "duplicate.duplicate": 2}
    assert one.counts() == {("rule-1", at("1h") // 3_600_000_000, "", "", "acts"): 1}


def test_every_act_is_counted_under_its_hour_and_tool() -> None:
    one = cluster(AFTER)
    for number in range(3):
        one.file(on("sent", "1h", number, tool={"name": "Mailer"}))
    one.file(on("sent", "2h"))
    taken(one)
    hour = at("1h") // 3_600_000_000
    assert one.counts() == {("rule-1", hour, "Mailer", "", "acts"): 3, ("rule-1", hour + 1, "", "", "acts"): 1}


def test_evidence_of_an_earlier_commit_is_found_by_its_key() -> None:
    one = cluster("{when: {promo: {event: sent}}, after: {complaint: {event: case, same: order, within: 2h}}}")
    one.file(on("case", "0h", order="O1"))
    taken(one)
    one.file(on("sent", "30m", order="O2"))
    one.file(on("sent", "1h", id="m", order="O1"))
    taken(one)
    assert acts(one.standing()) == ["m"]


def test_an_expected_event_ends_the_wait_of_an_earlier_commit() -> None:
    one = cluster(EXPECT)
    one.file(gone())
    taken(one)
    one.file(on("sent", "20m", order="O1"))
    taken(one)
    one.mark(at("9h"))
    taken(one)
    assert one.changes == []


def test_an_expected_event_that_comes_after_its_absence_was_told_takes_it_back() -> None:
    one = cluster(EXPECT)
    one.file(gone())
    one.mark(at("9h"))
    taken(one)
    assert len(one.standing()) == 1
    one.file(on("sent", "20m", order="O1"))
    taken(one)
    assert one.standing() == []


def test_events_of_a_type_that_no_rule_names_are_only_counted() -> None:
    one = cluster(AFTER)
    one.file(on("bot", "0h"))
    taken(one)
    assert one.tallies() == {"in": 1, "applied": 1}
    assert not any(key.startswith(rows.CUSTOMER) for key in one.rows[0])


# ---- marks


def test_an_absence_waits_for_the_marks_and_is_told_at_the_first_that_proves_it() -> None:
    one = cluster(EXPECT)
    one.file(gone())
    worker = taken(one)
    assert one.standing() == []
    one.mark(at("30m", -1))
    worker.settle(at("9h"))
    assert one.standing() == []
    one.mark(at("30m"))
    worker.settle(at("9h"))
    assert [found["at"] for found in one.standing()] == [at("30m")]


def test_every_emitter_of_marks_must_have_said_it() -> None:
    one = cluster(EXPECT)
    one.file(gone())
    one.mark(at("2h"), by="0", of=2)
    worker = taken(one)
    assert one.standing() == []
    one.mark(at("10m"), by="1", of=2)
    worker.settle(at("9h"))
    assert one.standing() == [], "the second of the two is behind"
    one.mark(at("1h"), by="1", of=2)
    worker.settle(at("9h"))
    assert len(one.standing()) == 1


def test_every_partition_of_a_source_must_be_read() -> None:
    tools = SourceProgress("tools", frozenset(TYPES), publishing_delay=0)
    one = cluster(EXPECT, watched=(Watched(tools, ("tools/0", "tools/1")),))
    one.file(gone())
    one.mark(at("2h"), place="tools/0")
    worker = taken(one)
    assert one.standing() == []
    one.mark(at("1h"), place="tools/1")
    worker.settle(at("9h"))
    assert len(one.standing()) == 1


def test_what_a_mark_said_is_known_after_a_crash() -> None:
    one = cluster(EXPECT)
    one.mark(at("2h"))
    taken(one)
    one.file(gone())
    taken(one)
    assert len(one.standing()) == 1


def test_absences_of_a_source_that_fell_silent_are_blind() -> None:
    tools = SourceProgress("tools", frozenset(TYPES), publishing_delay=0, dark_after=at("1h") - at("0h"))
    one = cluster(EXPECT, watched=(Watched(tools, ("tools/0",)),))
    one.file(gone("1h"))
    one.mark(at("0h"), at("0h"), at("5h"))
    worker = taken(one)
    assert one.standing() == [], "it was read to its end, but may be broken"
    one.mark(at("0h"), at("5h"), at("5h"))
    worker.settle(at("9h"))
    assert len(one.standing()) == 1


def test_a_mark_that_cannot_be_read_is_a_dead_letter() -> None:
    one = cluster(EXPECT)
    one.send("C1", "mark", {"by": 7})
    taken(one)
    (letter,) = one.letters
    found = read_letter(letter.value, letter.headers)
    assert found is not None
    assert (found.refusal.stage, found.refusal.reason, found.origin.value) == ("detect", "message", b'{"by":7}')


# ---- facts


def test_a_fact_that_comes_after_the_act_is_judged_as_of_the_act() -> None:
    one = cluster(STOCK)
    one.file(on("sent", "1h", id="m"))
    one.file(on("sent", "3h", id="n"))
    worker = taken(one)
    one.file(on("stock", "0h", who=None, available=0))
    worker.settle(at("9h"))
    assert acts(one.standing()) == ["m", "n"]
    one.file(on("stock", "2h", who=None, available=5))
    worker.settle(at("9h"))
    assert acts(one.standing()) == ["m"]


def test_a_fact_that_was_heard_just_before_a_crash_is_judged_after_it() -> None:
    one = cluster(STOCK)
    one.file(on("sent", "1h", id="m"))
    worker = taken(one)
    one.file(on("stock", "0h", who=None, available=0))
    worker.hear(now=at("9h"))
    taken(one)
    assert acts(one.standing()) == ["m"]


def test_old_facts_are_let_go_but_for_the_last_of_each_key_and_nothing_is_retracted() -> None:
    rule = "{when: {promo: {event: sent}}, given: {stock: {event: stock, same: item, where: available <= 0}}}"
    one = cluster(rule, settings={"lateness": at("1h") - at("0h")})
    for hour, item in (("0h", "A"), ("1h", "A"), ("2h", "B")):
        one.file(on("stock", hour, who=None, item=item, available=0, id=f"{item}{hour}"))
    one.file(on("sent", "30m", id="m", item="A"))
    worker = taken(one, "31m")
    worker.settle(at("9h"))
    assert [key for key, value, _ in one.facts if value is None] == [b"inventory.level.changed\x1fcrm\x1fA0h"]
    worker.settle(at("9h"))
    again = taken(one)
    assert acts(one.standing()) == ["m"]
    one.file(on("sent", "9h", id="n", item="A"))
    again.settle(at("9h"))
    assert acts(one.standing()) == ["m", "n"]


# ---- events that go back to identity, and come again


def graph(rule: str = AFTER) -> Cluster:
    return cluster(rule, settings={"identity": IdentityPolicy()})


def anchor_of(event: dict[str, Any]) -> str:
    """The identifier that decides whose an event is."""
    one = graph().stage()._site.router.route(engine_event({**event, "subject": None}))
    assert one.anchor is not None
    return one.anchor


def came_back(one: Cluster) -> list[tuple[str, list[Any]]]:
    """The events that were sent back to identity, with what was said of them."""
    return [(unpack(output.value or b"")[0][1], unpack(output.value or b"")[1]) for output in one.identity]


def test_an_event_that_is_asked_for_goes_back_with_what_was_said_of_it() -> None:
    one = graph()
    promo = on("sent", "1h", id="m", message="M1", who="old")
    one.file(on("case", "0h", id="k", case="K1", who="old"))
    one.file(promo)
    worker = taken(one)
    before = one.counts()
    one.send("old", "reask", {"anchor": anchor_of(promo), "about": None})
    worker.settle(at("9h"))
    ((name, said),) = came_back(one)
    assert (name, said[0][0], said[0][3]) == ("m", "rule-1", "open")
    assert one.identity[0].key == anchor_of(promo).encode()
    assert one.counts() == before, "the act is on its way, and still counted once"
    assert one.tallies() == {"in": 1, "applied": 1}


def test_only_events_that_name_the_identifier_in_question_go_back() -> None:
    one = graph()
    promo = on("sent", "1h", id="m", message="M1", order="O1", who="old")
    one.file(promo)
    worker = taken(one)
    other = anchor_of(on("case", "0h", case="K1"))
    one.send("old", "reask", {"anchor": anchor_of(promo), "about": other})
    worker.settle(at("9h"))
    assert one.identity == []


def moved(said_under: str = "old", to: str = "new") -> tuple[Cluster, Worker, dict[str, Any], list[Any]]:
    """A promotion and the complaint before it, which are both asked for; the complaint has moved already."""
    one = graph()
    promo, case = (
        on("sent", "1h", id="m", message="M1", who=said_under),
        on("case", "0h", id="k", case="K1", who=said_under),
    )
    one.file(case)
    one.file(promo)
    worker = taken(one)
    for event in (promo, case):
        one.send(said_under, "reask", {"anchor": anchor_of(event), "about": None})
    worker.settle(at("9h"))
    said = dict(came_back(one))
    one.move(case, to, said["k"])
    worker.settle(at("9h"))
    return one, worker, promo, said["m"]


def test_an_event_that_moves_takes_its_detection_along_and_is_not_counted_again() -> None:
    one, worker, promo, said = moved()
    before = one.counts()
    one.move(promo, "new", said)
    worker.settle(at("9h"))
    assert [(found["customer"], found["act"]["id"]) for found in one.standing()] == [("new", "m")]
    assert [change.kind for change in one.changes] == ["raised", "amended"]
    assert one.counts() == before
    assert one.tallies() == {"in": 2, "applied": 2}


def test_an_event_that_moves_before_its_evidence_keeps_its_detection_until_the_evidence_comes() -> None:
    one = graph()
    promo, case = on("sent", "1h", id="m", message="M1", who="old"), on("case", "0h", id="k", case="K1", who="old")
    one.file(case)
    one.file(promo)
    worker = taken(one)
    for event in (promo, case):
        one.send("old", "reask", {"anchor": anchor_of(event), "about": None})
    worker.settle(at("9h"))
    said = dict(came_back(one))
    one.move(promo, "new", said["m"])
    worker.settle(at("9h"))
    assert [change.kind for change in one.changes] == ["raised"]
    taken(one)
    one.move(case, "new", said["k"])
    taken(one)
    assert [(found["customer"], found["act"]["id"]) for found in one.standing()] == [("new", "m")]
    assert [change.kind for change in one.changes] == ["raised", "amended"]


def test_an_event_that_came_again_while_it_moved_is_counted_once() -> None:
    one, worker, promo, said = moved()
    before = one.counts()
    one.file({**promo, "subject": "new"})
    worker.settle(at("9h"))
    assert one.counts() != before, "until it is known, it is another act"
    one.move(promo, "new", said)
    worker.settle(at("9h"))
    assert one.counts() == before
    assert acts(one.standing()) == ["m"]
    assert one.tallies() == {"in": 3, "applied": 2, "duplicate": 1, "duplicate.duplicate": 1}


def test_what_stood_of_an_event_that_came_again_is_retracted_where_it_does_not_stand() -> None:
    one, worker, promo, said = moved()
    one.file({**promo, "subject": "alone"})
    worker.settle(at("9h"))
    one.move(promo, "alone", said)
    worker.settle(at("9h"))
    assert one.standing() == []
    assert one.counts("retracted") == {("rule-1", at("1h") // 3_600_000_000, "", "", "acts"): 1}


def test_an_event_that_is_given_up_after_it_had_a_customer_is_as_if_it_had_never_come() -> None:
    one, worker, promo, said = moved()
    one.lose(promo, said)
    worker.settle(at("9h"))
    assert one.standing() == []
    assert [change.kind for change in one.changes] == ["raised", "retracted"]
    assert {name[-1] for name in one.counts()} == {"retracted"}
    assert one.letters == []


# ---- what cannot be used


def test_bytes_that_are_no_event_are_a_dead_letter_with_their_original() -> None:
    one = cluster(AFTER)
    one.events[0].append((b"C1", b"{broken", None))
    one.file(on("sent", "0h"))
    taken(one)
    (letter,) = one.letters
    assert letter.value == b"{broken"
    assert one.tallies() == {
        "in": 2, "applied": 1, "dead_lettered": 1, "dead_lettered.detect.not_json": 1,
    }  # fmt: skip


def test_a_message_of_an_unknown_kind_is_a_dead_letter() -> None:
    one = cluster(AFTER)
    one.send("C1", "question", {})
    taken(one)
    assert one.tallies()["dead_lettered.detect.message"] == 1


def test_records_below_the_fence_are_not_taken_twice() -> None:
    one = cluster(AFTER)
    one.file(on("sent", "0h"))
    taken(one)
    one.offsets.clear()
    worker = Worker(one)
    assert worker.positions == {0: 1}
    worker.positions[0] = 0
    worker.settle(at("9h"))
    assert one.tallies() == {"in": 1, "applied": 1}


# ---- state of another version, and too much of it


def test_a_customer_of_a_newer_version_is_refused_by_digest_when_it_is_touched() -> None:
    one = cluster(AFTER)
    one.file(on("sent", "0h"))
    taken(one)
    key = rows.CUSTOMER + b"C1"
    one.rows[0][key] = one.rows[0][key][:16] + b"\x63" + one.rows[0][key][17:]
    one.file(on("sent", "1h"))
    with pytest.raises(UnknownSnapshot, match=r"customer [0-9a-f]{16} of t.events/0.*version 99") as caught:
        taken(one)
    assert "C1" not in str(caught.value)


def test_a_row_of_a_newer_version_is_refused_with_what_to_do() -> None:
    one = cluster(AFTER)
    one.rows[0][rows.PLACE] = pack([99, 0, 0])
    with pytest.raises(PermanentError, match=r"version 99.*start the newer program again"):
        Worker(one)


def test_a_new_rule_judges_from_where_it_came_and_a_changed_one_supersedes() -> None:
    one = cluster(EXPECT)
    one.file(gone(id="a"))
    one.mark(at("0h"))
    taken(one, "10m")
    one.rules = Cluster.of([document(EXPECT.replace("30m", "20m"))]).rules
    one.mark(at("9h"))
    one.file(gone("8h", id="b"))
    taken(one)
    assert [(found["act"]["id"], found["at"]) for found in one.standing()] == [("b", at("8h20m"))]


def test_a_retired_rule_retracts_when_its_customer_is_touched() -> None:
    one = cluster(AFTER)
    for event in (on("case", "0h"), on("sent", "1h", id="m")):
        one.file(event)
    taken(one)
    other = replace(Cluster.of([document(EXPECT, 2)]).rules[0])
    one.rules = [other]
    one.file(gone())
    taken(one)
    assert [(change.kind, change.reason) for change in one.changes][-1][0] == "retracted"
