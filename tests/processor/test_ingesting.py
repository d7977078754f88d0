"""The stage `ingest`: what becomes of a record, what is told of it, and that no cut or crash changes that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coordwatch.codec import decode_json, pack, unpack
from coordwatch.errors import PermanentError
from coordwatch.events.event import Event
from coordwatch.events.times import HOUR, MINUTE, SECOND, format_time
from coordwatch.events.wire import decode_event
from coordwatch.processor.letters import again, read_letter
from coordwatch.processor.marks import mark_of
from coordwatch.processor.outcomes import Reach
from coordwatch.processor.stage import Output, Place
from tests.processor.ingest import (
    BACK,
    CRM,
    CRM_SOURCE,
    GRAPH,
    MAIL,
    MAIL_SOURCE,
    NOW,
    TOPICS,
    TRUSTED,
    Line,
    Process,
    Shore,
    canonical,
    filed,
    kind_of,
    mail,
    run,
    site,
    slice_of,
    source,
    stock,
)


def reasons(shore: Shore) -> list[str]:
    letters = [read_letter(one.value, one.headers) for one in shore.on(TOPICS.dead_letters)]
    return [one.refusal.reason for one in letters if one is not None]


def test_an_event_goes_to_its_customer_with_digests_in_place_of_what_names_a_person() -> None:
    shore = run(site(MAIL_SOURCE), {MAIL: [mail({})]})
    (one,) = shore.on(TOPICS.events)
    assert kind_of(one) is None
    assert filed(one).customer == "C-1"
    assert filed(one).event.subject is None
    assert b"mina@example.com" not in (one.value or b"")
    assert shore.tallies()["sendgrid.events/1"] == {"in": 1, "passed": 1, "unknown_category": 1}
    assert shore.whose() == {"whose.resolved.sendgrid": 1}


def test_a_stamped_subject_is_kept_beside_the_customer() -> None:
    shore = run(site(CRM_SOURCE), {CRM: [canonical("1", subject="C-9")]})
    (one,) = shore.on(TOPICS.events)
    assert filed(one).customer == filed(one).event.subject == "C-9"
    assert decode_json(one.value or b"")["stampedsubject"] == "C-9"


def test_in_graph_mode_an_event_goes_to_its_anchor() -> None:
    shore = run(site(MAIL_SOURCE, CRM_SOURCE, identity=GRAPH), {MAIL: [mail({})], CRM: [canonical("1")]})
    assert [kind_of(one) for one in shore.on(TOPICS.identity)] == [b"place", b"place"]
    assert shore.on(TOPICS.events) == []
    plain, said = unpack(shore.on(TOPICS.identity)[0].value or b"")
    assert (Event(*plain).id, said) == ("e0", None)
    assert {one.topic for one in shore.marks()} == {TOPICS.identity}


def test_a_fact_goes_to_everybody_and_to_its_customer_when_it_names_one() -> None:
    shore = run(site(CRM_SOURCE), {CRM: [stock("1"), stock("2", subject="C-9")]})
    facts = shore.on(TOPICS.facts)
    assert [one.key for one in facts] == [f"inventory.level.changed\x1f/crm\x1f{n}".encode() for n in "12"]
    first = decode_event(facts[0].value or b"")
    assert isinstance(first, Event)
    assert (first.id, first.data["available"]) == ("1", 0)
    assert [filed(one).event.id for one in shore.on(TOPICS.events)] == ["2"]
    assert shore.tallies()["crm.events/0"] == {"in": 2, "passed": 2, "facts": 1}


@pytest.mark.parametrize("identity", [TRUSTED, GRAPH])
def test_an_event_of_nobody_is_counted(identity: Any) -> None:
    nobody = canonical("1", data={"kind": "complaint"})
    shore = run(site(CRM_SOURCE, identity=identity), {CRM: [nobody]})
    assert shore.on(TOPICS.events) == shore.on(TOPICS.identity) == []
    assert shore.tallies()["crm.events/0"] == {"in": 1, "dropped": 1, "dropped.no_customer": 1}
    assert shore.whose() == {"whose.unidentified.": 1}


def test_what_cannot_be_used_is_a_letter_with_its_original_bytes_and_headers() -> None:
    bad = Line(b'{"no', (("content-type", b"application/json"), ("x", None)), b"k", NOW - MINUTE)
    shore = run(site(MAIL_SOURCE), {MAIL: [mail({}), bad, mail({"event": "delivered"}, {"event": "teleported"})]})
    first, second = shore.on(TOPICS.dead_letters)
    letter = read_letter(first.value, first.headers)
    assert letter is not None
    assert (letter.origin.place, letter.origin.offset, letter.origin.input) == (MAIL, 1, "sendgrid")
    assert (letter.origin.value, letter.origin.headers) == (bad.value, bad.headers)
    assert (letter.origin.key, letter.origin.timestamp) == (b"k", NOW - MINUTE)
    assert (letter.refusal.stage, letter.refusal.reason) == ("decode", "not_json")
    assert reasons(shore) == ["not_json", "not_recognised"]
    assert second.value is not None
    assert shore.tallies()["sendgrid.events/1"] == {
        "in": 4,
        "passed": 1,
        "unknown_category": 1,
        "dead_lettered": 2,
        "dead_lettered.decode.not_json": 1,
        "dead_lettered.map.not_recognised": 1,
        "dropped": 1,
        "dropped.already_reported": 1,
    }


def test_an_empty_record_of_canonical_events_is_a_letter_and_a_tombstone_of_a_tool_is_left_aside() -> None:
    shore = run(site(CRM_SOURCE, MAIL_SOURCE), {CRM: [Line(None)], MAIL: [Line(None)]})
    (one,) = shore.on(TOPICS.dead_letters)
    assert one.value is None
    assert reasons(shore) == ["empty"]
    assert shore.tallies()["sendgrid.events/1"]["dropped.tombstone"] == 1


def test_an_event_nested_too_deeply_to_be_written_is_a_letter_and_no_crash() -> None:
    deep: Any = "x"
    for _ in range(600):
        deep = [deep]
    line = Line(encode_canonical_by_hand(deep))
    shore = run(site(CRM_SOURCE), {CRM: [line, canonical("2", subject="C-9")]})
    assert len(reasons(shore)) == 1
    assert [filed(one).event.id for one in shore.on(TOPICS.events)] == ["2"]
    shore.check_the_books()


def encode_canonical_by_hand(deep: Any) -> bytes:
    text = repr(deep).replace("'", '"')
    basics = f'"specversion":"1.0","source":"/crm","id":"1","type":"service.case.opened","time":"{format_time(NOW)}"'
    return f'{{{basics},"subject":"C-1","data":{{"kind":"complaint","extra":{text}}}}}'.encode()


def test_headers_and_the_time_of_the_log_reach_the_mapping() -> None:
    headers = tuple(
        (f"ce_{name}", value.encode())
        for name, value in {
            "specversion": "1.0",
            "id": "7",
            "source": "/crm",
            "type": "org.coordwatch.service.case.opened",
            "subject": "C-9",
        }.items()
    )
    line = Line(b'{"case": "K1", "kind": "complaint"}', headers, None, NOW - MINUTE)
    shore = run(site(source("crm.events", "cloudevents")), {CRM: [line]})
    event = filed(shore.on(TOPICS.events)[0]).event
    assert (event.id, event.time, event.observed_at) == ("7", NOW - MINUTE, NOW - MINUTE)
    assert event.data["time_basis"] == "broker"


def test_a_time_in_the_future_is_moved_to_when_the_log_took_it_and_moves_no_progress() -> None:
    ahead = canonical("1", at=NOW + 24 * HOUR, recordedtime=format_time(NOW - MINUTE), subject="C-9")
    shore = run(site(CRM_SOURCE), {CRM: [canonical("0", subject="C-9"), ahead]})
    assert [filed(one).event.time for one in shore.on(TOPICS.events)] == [NOW - HOUR, NOW - MINUTE]
    process = Process(site(MAIL_SOURCE), Shore(), [MAIL])
    process.take(MAIL, [mail({}), mail({"timestamp": (NOW + 4 * MINUTE) // SECOND})], 2)
    assert reach(process.give(), MAIL).through == NOW - HOUR


def reach(outputs: list[Output], place: Place) -> Reach:
    marks = [mark_of(one.value or b"") for one in outputs if kind_of(one) == b"mark"]
    return marks[-1].progress[place.topic.split(".", 1)[0]][str(place)]


def test_every_partition_of_the_next_topic_hears_behind_the_events_how_far_the_sources_are_read() -> None:
    process = Process(site(source("crm.events", disorder=MINUTE)), Shore(), [CRM])
    process.take(CRM, [canonical("1", subject="C-1"), canonical("2", at=NOW - MINUTE, subject="C-2")], 2)
    outputs = process.give()
    marks = [one for one in outputs if kind_of(one) == b"mark"]
    assert outputs[-len(marks) :] == marks
    assert [(one.topic, one.key, one.partition) for one in marks] == [(TOPICS.events, None, n) for n in range(3)]
    mark = mark_of(marks[0].value or b"")
    assert (mark.by, mark.of) == ("", 1)
    assert reach(outputs, CRM) == Reach(NOW - 2 * MINUTE, NOW, -(2**62))


def test_time_alone_is_told_at_most_once_a_second() -> None:
    process = Process(site(CRM_SOURCE), Shore(), [CRM])
    process.stage.caught_up(CRM, NOW)
    assert reach(process.give(NOW), CRM) == Reach(NOW - MINUTE, -(2**62), NOW)
    process.stage.caught_up(CRM, NOW + SECOND // 2)
    assert not process.stage.pending
    assert process.give(NOW + SECOND // 2) == []
    process.stage.tick(NOW + SECOND)
    assert process.stage.pending
    assert reach(process.give(NOW + SECOND), CRM).read_to_end_at == NOW + SECOND // 2
    process.stage.tick(NOW + HOUR)
    assert not process.stage.pending, "nothing moved since"


def test_records_are_told_at_once_however_lately_time_was() -> None:
    process = Process(site(CRM_SOURCE), Shore(), [CRM])
    process.stage.caught_up(CRM, NOW)
    process.give(NOW)
    process.take(CRM, [canonical("1", subject="C-1")], 1, NOW + 1)
    assert process.stage.pending
    assert reach(process.give(NOW + 1), CRM).heard_at == NOW


def test_a_source_that_is_silent_too_long_is_not_proven_by_being_read_to_its_end() -> None:
    process = Process(site(source("crm.events", dark_after=HOUR)), Shore(), [CRM])
    process.take(CRM, [canonical("1", at=NOW, subject="C-1")], 1)
    process.stage.caught_up(CRM, NOW + HOUR)
    process.stage.caught_up(CRM, NOW + 2 * HOUR)
    assert reach(process.give(NOW + 2 * HOUR), CRM) == Reach(NOW + HOUR - MINUTE, NOW, NOW + 2 * HOUR)


def test_a_source_was_heard_when_its_log_took_a_record_and_not_when_we_read_it() -> None:
    process = Process(site(source("crm.events", dark_after=HOUR)), Shore(), [CRM])
    before = replace(canonical("1", at=NOW - 3 * HOUR, subject="C-1"), timestamp=NOW - 3 * HOUR)
    process.take(CRM, [before], 1)
    process.stage.caught_up(CRM, NOW)
    assert reach(process.give(), CRM) == Reach(NOW - 3 * HOUR, NOW - 3 * HOUR, NOW)
    process.take(CRM, [before, replace(before, timestamp=NOW + HOUR), replace(before, timestamp=-1)], 2)
    assert reach(process.give(), CRM).heard_at == NOW, "no log is ahead of the present"


def test_progress_and_tallies_stand_on_the_ledger() -> None:
    shore = run(site(CRM_SOURCE), {CRM: [canonical("1", subject="C-1")]})
    ledger = shore.compacted(TOPICS.ledger)
    assert ledger[b"tally/ingest/crm.events%2F0/passed"] == b"1"
    assert decode_json(ledger[b"progress/crm/crm.events/0"]) == [NOW - HOUR, NOW, -(2**62)]


def test_what_was_taken_before_is_skipped_and_not_counted() -> None:
    log = [canonical(str(n), subject="C-1") for n in range(4)]
    shore = run(site(CRM_SOURCE), {CRM: log[:3]})
    process = Process(site(CRM_SOURCE), shore, [CRM])
    assert process.stage.assign(CRM, shore.compacted(TOPICS.ingest_state)) == 3
    assert process.stage.take(slice_of(CRM, log), NOW) == 4
    shore.given += process.stage.give(NOW)
    assert [filed(one).event.id for one in shore.on(TOPICS.events)] == ["0", "1", "2", "3"]
    assert shore.tallies()["crm.events/0"]["in"] == 4


def test_a_partition_that_is_gone_takes_what_was_not_given_with_it() -> None:
    process = Process(site(CRM_SOURCE, MAIL_SOURCE), Shore(), [CRM, MAIL])
    process.take(CRM, [canonical("1", subject="C-1")], 1)
    process.take(MAIL, [mail({})], 1)
    process.stage.revoke([CRM])
    assert [filed(one).customer for one in process.give() if one.topic == TOPICS.events and one.key] == ["C-1"]
    assert list(process.shore.tallies()) == ["sendgrid.events/1"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (pack({"version": 2}), "crm.events/0 was written by version 2, this program reads 1"),
        (b"\xff", "crm.events/0 cannot be read"),
        (pack([1]), "crm.events/0 cannot be read"),
    ],
)
def test_state_of_another_program_is_refused(row: bytes, words: str) -> None:
    process = Process(site(CRM_SOURCE), Shore(), [])
    with pytest.raises(PermanentError, match=words):
        process.stage.assign(CRM, {b"crm.events/0": row})


def test_two_inputs_on_one_topic_are_refused() -> None:
    with pytest.raises(PermanentError, match=r"two inputs read the topic 'crm\.events'"):
        Process(site(CRM_SOURCE, CRM_SOURCE), Shore(), [])


# ---- sent round again


def test_a_letter_sent_round_again_is_mapped_as_where_it_came_from() -> None:
    headers = (("x-shop", b"1"),)
    lines = [mail({}, headers=headers, key=b"k", timestamp=NOW - MINUTE), Line(b"{")]
    before = run(site(MAIL_SOURCE), {MAIL: lines})
    origin = read_letter(*letter_parts(before))
    assert origin is not None
    fixed = origin.origin.__class__(MAIL, 0, NOW - MINUTE, lines[0].value, b"k", headers, "sendgrid")
    sent = again(TOPICS.replayed, origin.__class__(origin.id, fixed, origin.refusal))
    line = Line(sent.value, sent.headers, sent.key, NOW + HOUR)
    shore = run(site(MAIL_SOURCE), {BACK: [line, line]})
    assert shore.on(TOPICS.events) == before.on(TOPICS.events) * 2
    assert shore.marks() == []
    assert shore.tallies()[str(BACK)]["passed"] == 2


def letter_parts(shore: Shore) -> tuple[bytes | None, Any]:
    (one,) = shore.on(TOPICS.dead_letters)
    return one.value, one.headers


def test_a_letter_that_fails_again_is_the_same_letter() -> None:
    first = run(site(MAIL_SOURCE), {MAIL: [Line(b"{", (("a", b"b"),), b"k")]})
    letter = read_letter(*letter_parts(first))
    assert letter is not None
    sent = again(TOPICS.replayed, letter)
    second = run(site(MAIL_SOURCE), {BACK: [Line(sent.value, sent.headers, sent.key)]})
    assert second.on(TOPICS.dead_letters) == first.on(TOPICS.dead_letters)


def test_letters_sent_round_again_never_stop_their_partition() -> None:
    first = run(site(MAIL_SOURCE), {MAIL: [Line(b"{")]})
    letter = read_letter(*letter_parts(first))
    assert letter is not None
    sent = again(TOPICS.replayed, letter)
    shore = run(site(MAIL_SOURCE), {BACK: [Line(sent.value, sent.headers, sent.key)] * 300})
    assert shore.tallies()[str(BACK)]["dead_lettered"] == 300


def test_what_a_later_stage_could_not_use_is_canonical_when_it_comes_again() -> None:
    first = run(site(MAIL_SOURCE), {MAIL: [Line(b"{")]})
    letter = read_letter(*letter_parts(first))
    assert letter is not None
    line = canonical("5", subject="C-1")
    late = letter.origin.__class__(Place(TOPICS.identity, 2), 5, NOW, line.value)
    sent = again(TOPICS.replayed, letter.__class__("x", late, letter.refusal))
    shore = run(site(MAIL_SOURCE), {BACK: [Line(sent.value, sent.headers)]})
    assert [filed(one).event.id for one in shore.on(TOPICS.events)] == ["5"]


@pytest.mark.parametrize("headers", [None, (), (("cw-topic", b"sendgrid.events"),), (("cw-topic", None),)])
def test_a_record_that_does_not_say_where_it_stood_is_a_letter(headers: Any) -> None:
    shore = run(site(MAIL_SOURCE), {BACK: [Line(b'{"a": 1}', headers)]})
    assert reasons(shore) == ["no_mapping"]
