"""A record in, an exact account out."""

from typing import Any

import pytest

from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND, parse_time
from coordwatch.sources.decode import RECORD_MAX
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.pieces import PIECES_MAX
from coordwatch.sources.record import MapResult, Record
from tests.sources.build import AT, BASICS, LINKED, mapped, mapping, payload, simple

AT_US = parse_time(AT)
DAYS = "[{path: at, format: iso}, {path: at, format: date, zone: Europe/Paris}, {path: at, format: epoch_days}]"


def reasons(result: MapResult) -> list[str]:
    return [str(one.reason) for one in result.rejected]


@pytest.mark.parametrize(
    ("value", "reason", "stage"),
    [
        (b"", "empty", "decode"),
        (b" \n\t", "empty", "decode"),
        (b"\xef\xbb\xbf", "empty", "decode"),
        (b"{", "not_json", "decode"),
        (b'{"id": 1', "not_json", "decode"),
        (b"\xff\xfe\x00", "not_json", "decode"),
        (b'{"id": NaN}', "not_json", "decode"),
        (b'{"id": Infinity}', "not_json", "decode"),
        (b'"\\ud800"', "not_json", "decode"),
        (b"[" * 5000 + b"]" * 5000, "not_json", "decode"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "not_json", "decode"),
        (b"\0\0\0\0\x2a\x02Hello", "binary_schema", "decode"),
        (b"{" + b" " * RECORD_MAX + b"}", "too_large", "decode"),
        (b"null", "not_an_object", "split"),
        (b"7", "not_an_object", "split"),
        (b'"text"', "not_an_object", "split"),
        (b"true", "not_an_object", "split"),
        (b"[[]]", "not_an_object", "split"),
        (b"{}", "missing_id", "map"),
    ],
)
def test_bytes_that_are_no_event_are_refused_where_they_fail(value: bytes, reason: str, stage: str) -> None:
    result = mapped(simple(), value)
    assert [(reason, stage)] == [(str(one.reason), str(one.stage)) for one in result.rejected]
    assert (1, 0, ()) == (result.pieces, result.applied, result.events)


def test_a_null_value_is_a_tombstone_and_no_mistake() -> None:
    result = simple().map_record(Record(None))
    assert (("tombstone",), 1) == (result.dropped, result.pieces)


def test_json_behind_the_head_of_a_schema_registry_is_read() -> None:
    assert (
        1
        == mapped(
            simple(), b"\0\0\0\0\x07" + b'{"id": "1", "at": "' + AT.encode() + b'", "email": "a@example.com"}'
        ).applied
    )


def test_a_list_is_a_batch_whatever_the_mapping_says() -> None:
    result = mapped(simple(), [payload(id="1"), payload(id="2"), 5, payload(id=None)])
    assert (4, 2, ["1", "2"]) == (result.pieces, result.applied, [event.id for event in result.events])
    assert [("not_an_object", 2), ("missing_id", 3)] == [(str(one.reason), one.piece) for one in result.rejected]


def test_a_batch_may_stand_in_a_field_and_an_empty_one_is_counted() -> None:
    mapper = simple("split: [records, data.events]")
    assert 2 == mapped(mapper, {"records": [payload(id="1"), payload(id="2")]}).applied
    assert 1 == mapped(mapper, {"data": {"events": [payload()]}}).applied
    assert ("empty_batch",) == mapped(mapper, {"records": []}).dropped
    assert 1 == mapped(mapper, payload()).applied, "without such a field the whole is the event"


def test_a_batch_without_end_is_refused_whole() -> None:
    result = mapped(simple(), b"[" + b"0," * PIECES_MAX + b"0]")
    assert (["too_many"], 1) == (reasons(result), result.pieces)


def test_two_events_of_a_record_under_one_id_are_not_lost_in_silence() -> None:
    result = mapped(simple(), [payload(), payload(), payload(email="noor@example.com")])
    assert (2, ["duplicate_id"]) == (result.applied, reasons(result))


def test_a_piece_gives_all_of_its_events_or_none() -> None:
    emit = """
    emit: [{event: customer.identifiers.linked}]
    also: {profile: {event: customer.profile.changed, constant: {system: tool, field: email}, set: {value_hash: code}}}
    """
    mapper = simple(emit=emit)
    assert ["1", "1/profile"] == [event.id for event in mapped(mapper, payload(code="h")).events]
    result = mapped(mapper, payload(code={"no": "text"}))
    assert ((), ["wrong_kind"]) == (result.events, reasons(result))


def test_the_first_emission_that_fits_is_the_event_and_also_adds_to_it() -> None:
    emit = """
    emit:
      - {event: customer.status.changed, when: {kind: risky}, constant: {status: fraud_hold}}
      - {event: customer.status.changed, when: {kind: [risky, soft]}, constant: {status: vulnerable}}
    also:
      linked: {event: customer.identifiers.linked, when: {link: true}}
    """
    mapper = simple(emit=emit)
    assert ["fraud_hold"] == [event.data.get("status") for event in mapped(mapper, payload(kind="risky")).events]
    assert ["vulnerable"] == [event.data.get("status") for event in mapped(mapper, payload(kind="soft")).events]
    assert ["1/linked"] == [event.id for event in mapped(mapper, payload(link=True)).events]
    assert ["not_recognised"] == reasons(mapped(mapper, payload(kind="other")))


def test_what_a_mapping_leaves_aside_is_counted_with_its_reason() -> None:
    mapper = simple("drop_if: [{when: {kind: ping}, reason: housekeeping}, {when: {role: [agent]}, reason: staff}]")
    result = mapped(mapper, [payload(id="1", kind="ping"), payload(id="2", role="agent"), payload(id="3")])
    assert (("housekeeping", "staff"), 1, 3) == (result.dropped, result.applied, result.pieces)


@pytest.mark.parametrize(
    "nothing", ["null", "undefined", "None", "NaN", "[object Object]", "0", 0, " ", "\0", "\u200b"]
)
def test_what_stands_for_nothing_names_nothing(nothing: Any) -> None:
    """Under such an id one event would be taken for the repeat of another, and a ref would tie strangers together."""
    (rejection,) = mapped(simple(), payload(id=nothing)).rejected
    assert ("missing_id", "id") == (rejection.reason, rejection.path)
    mapper = simple('refs: {order: order, case: {template: "hd:{case}"}, item: "items[*]"}')
    found = mapped(mapper, payload(order=nothing, case=nothing, items=["A", nothing])).events[0].data
    assert ("A", None) == (found["item"], found.get("order"))
    assert found.get("case") in (None, "hd:0"), "a 0 among others may be a number"


def test_time_is_the_payloads_unless_it_is_unreadable_or_lies_in_the_future() -> None:
    mapper = simple("")
    seen = AT_US + MINUTE
    cases = {
        AT: (AT_US, "event"),
        "2026-01-31T09:35:59Z": (AT_US + 5 * MINUTE + 59 * SECOND, "event"),
        "2026-01-31T09:36:00Z": (AT_US + 6 * MINUTE, "event"),
        "2026-01-31T09:36:00.000001Z": (seen, "clamped"),
        "2099-01-01T00:00:00Z": (seen, "clamped"),
        "yesterday": (seen, "broker"),
        "0001-01-01T00:00:00Z": (seen, "broker"),
        "9999-12-31T23:59:59Z": (seen, "broker"),
        None: (seen, "broker"),
        5: (seen, "broker"),
    }
    for written, expected in cases.items():
        (event,) = mapped(mapper, payload(at=written), timestamp=seen).events
        assert (*expected, seen) == (event.time, event.data["time_basis"], event.observed_at), written


def test_a_time_that_names_the_day_only_says_so_and_is_used_after_a_better_one() -> None:
    mapper = Mapper([mapping(BASICS.replace("{path: at, format: iso}", DAYS) + LINKED)])
    midnight = parse_time("2026-01-31T00:00:00Z")
    cases = {AT: (AT_US, "event"), "2026-01-31": (midnight - HOUR, "day"), 20_484: (midnight, "day")}
    for written, expected in cases.items():
        (event,) = mapped(mapper, payload(at=written)).events
        assert expected == (event.time, event.data["time_basis"]), written


def test_without_any_time_there_is_no_event() -> None:
    for written in ("yesterday", None, "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"):
        (rejection,) = mapped(simple(), payload(at=written)).rejected
        assert ("bad_time", "at") == (rejection.reason, rejection.path)
    (event,) = mapped(simple(), payload()).events
    assert event.time == event.observed_at, "a record that says nothing was observed when it happened"


@pytest.mark.parametrize("written", [-1, 0])
def test_a_log_that_wrote_no_time_down_is_not_believed(written: int) -> None:
    (event,) = mapped(simple(), payload(), timestamp=written).events
    assert AT_US == event.observed_at


def test_the_second_time_is_read_when_the_first_is_not_there() -> None:
    mapper = Mapper(
        [
            mapping(
                "id: id\ntime: [{path: a, format: iso}, {path: b, format: epoch_s}]\nidentifiers: [{type: email, path: email}]\n"
                + LINKED
            )
        ]
    )
    (event,) = mapped(mapper, {"id": "1", "email": "a@example.com", "b": 1760011200}).events
    assert parse_time("2025-10-09T12:00:00Z") == event.time


def test_a_time_of_several_places_or_of_a_name_counts_only_where_what_is_asked_holds() -> None:
    text = """
    let:
      spoken: {path: [agent.at, Agent.at], when: {agent.known: true}}
    id: id
    time:
      - {path: [agent.at, Agent.at], format: iso, when: {what: connected}}
      - {path: $let.spoken, format: iso, when: {what: spoken}}
      - {path: at, format: iso}
    identifiers: [{type: email, path: email}]
    emit: [{event: customer.identifiers.linked}]
    """
    mapper = Mapper([mapping(text)])
    agent = {"at": "2026-01-31T08:00:00Z", "known": True}
    begun, over = parse_time("2026-01-31T08:00:00Z"), AT_US
    for what, known, when in (
        ("connected", True, begun),
        ("spoken", True, begun),
        ("spoken", False, over),
        ("ended", True, over),
    ):
        (event,) = mapped(mapper, payload(what=what, agent={**agent, "known": known})).events
        assert when == event.time, f"{what}, {known}"


def test_an_event_of_nobody_is_refused_unless_a_ref_may_find_its_customer() -> None:
    emit = """
    emit:
      - {event: customer.status.changed, constant: {status: churned}, refs: {order: order, item: item}}
    """
    mapper = simple(emit=emit)
    assert 1 == mapped(mapper, payload()).applied
    assert 1 == mapped(mapper, payload(email=None, order="7")).applied
    assert ["no_customer"] == reasons(mapped(mapper, payload(email=" ", item="TENT")))


@pytest.mark.parametrize(
    ("email", "reason"),
    [({"an": "object"}, "wrong_kind"), (True, "wrong_kind"), (1.5, "wrong_kind"), ("x" * 513, "too_long"), ([["x"]], "wrong_kind"),
     ([f"a{number}@example.com" for number in range(101)], "too_many")],
)  # fmt: skip
def test_an_identifier_of_the_wrong_shape_is_refused_with_its_path(email: Any, reason: str) -> None:
    (rejection,) = mapped(simple(), payload(email=email)).rejected
    assert (reason, "email") == (rejection.reason, rejection.path)


def test_identifiers_keep_their_namespace_and_come_once() -> None:
    text = """
    identifiers:
      - {type: email, path: [emails, email]}
      - {type: email, path: email}
      - {type: tool_user, namespace: account, path: user}
      - {type: {path: kind, map: {tel: phone}}, path: value}
    """
    mapper = Mapper([mapping("id: id\ntime: {path: at, format: iso}\n" + text.replace("\n    ", "\n") + LINKED)])
    (event,) = mapped(
        mapper, payload(emails=["mina@example.com", ""], account=7, user=900, kind="tel", value="123")
    ).events
    assert [
        {"type": "email", "value": "mina@example.com"},
        {"type": "tool_user", "value": "900", "namespace": "7"},
        {"type": "phone", "value": "123"},
    ] == event.data["identifiers"]
    (event,) = mapped(mapper, payload(kind="fax", value="123")).events
    assert [{"type": "email", "value": "mina@example.com"}] == event.data["identifiers"]


def test_one_event_for_each_of_those_affected() -> None:
    emit = """
    emit:
      - event: booking.changed
        refs: {booking: flight}
        constant: {status: cancelled_by_company}
        identifiers: []
        fan_out: {path: passengers, identifiers: [{type: customer_id, path: $each.customer}]}
    """
    mapper = simple(emit=emit)
    people = [{"customer": "C-1"}, {"customer": "C-2"}, {"customer": "C-1"}]
    result = mapped(mapper, payload(flight="F7", passengers=people))
    assert (1, 2) == (result.applied, len(result.events))
    assert ["C-1", "C-2"] == [event.data["identifiers"][0]["value"] for event in result.events]
    again = mapped(mapper, payload(flight="F7", passengers=people[::-1]))
    assert {event.id for event in result.events} == {event.id for event in again.events}, "ids do not hang on the order"
    assert ["missing_field"] == reasons(mapped(mapper, payload(flight="F7", passengers=[])))
    assert ["no_customer"] == reasons(mapped(mapper, payload(flight="F7", passengers=[{"customer": "C-1"}, {}])))


def test_one_event_for_each_element_and_each_of_those_affected() -> None:
    emit = """
    emit:
      - event: customer.consent.changed
        constant: {status: granted}
        set: {scope: {template: "email:list:{$each}"}}
        identifiers: []
        for_each: lists
        fan_out: {path: people, identifiers: [{type: email, path: $each}]}
    """
    people = ["mina@example.com", "olu@example.com"]
    result = mapped(simple(emit=emit), payload(lists=[3, 42], people=people))
    assert [
        ("email:list:3", "mina@example.com"),
        ("email:list:3", "olu@example.com"),
        ("email:list:42", "mina@example.com"),
        ("email:list:42", "olu@example.com"),
    ] == [(event.data["scope"], event.data["identifiers"][0]["value"]) for event in result.events]
    assert 4 == len({event.id for event in result.events})


def test_what_a_mapping_does_not_know_is_refused_by_its_word_and_by_nothing_that_could_be_a_person() -> None:
    emit = """
    emit:
      - {event: customer.status.changed, constant: {status: churned}, when: {topic: {ends_with: .left}}}
      - {event: customer.status.changed, constant: {status: reactivated}, when: {topic: [member.back, member.again], loud: true}}
    """
    mapper = simple(emit=emit)
    told = {}
    for topic in ("member.beamed", None, "mina@example.com", "+1-555-0100", "x" * 200, {"a": 1}):
        (refused,) = mapped(mapper, payload(topic=topic)).rejected
        told[str(topic)[:20]] = refused.detail.partition(" has no event for ")[2].partition(";")[0]
    assert {
        "member.beamed": "topic 'member.beamed'",
        "None": "it: nothing stands at 'topic'",
        "mina@example.com": "it",
        "+1-555-0100": "it",
        "x" * 20: "it",
        "{'a': 1}": "it",
    } == told
    named = simple("let: {topic: {path: kind, lower: true}}", emit.replace("topic:", "$let.topic:"))
    (refused,) = mapped(named, payload(kind="Member.Beamed")).rejected
    assert "has no event for 'member.beamed'; if it is meant to be ignored" in refused.detail


def test_topic_header_and_field_choose_among_mappings() -> None:
    def one(name: str, match: str) -> Any:
        text = f"match: {match}\ntool: {{name: {name}}}\n" + BASICS + LINKED
        return mapping(text)

    mapper = Mapper(
        [
            one("by-topic", '{topic: "shop.*"}'),
            one("by-header", "{header: {X-Kind: a}}"),
            one("by-field", "{field: {kind: [b, c]}}"),
        ]
    )

    def chosen(record: Record) -> list[str | None]:
        return [event.tool for event in mapper.map_record(record).events]

    body = b'{"id": "1", "at": "2026-01-31T09:30:00Z", "email": "a@example.com", "kind": "%s"}'
    assert ["by-topic"] == chosen(Record(body % b"b", "shop.eu"))
    assert ["by-header"] == chosen(Record(body % b"b", "other", headers=[("x-kind", b"a")]))
    assert ["by-field"] == chosen(Record(body % b"b", "other"))
    assert ["by-field"] == chosen(Record(b"[" + body % b"c" + b"]", "other")), "a batch is known by its first"
    lost = mapper.map_record(Record(body % b"z", "other"))
    assert (["no_mapping"], 1) == (reasons(lost), lost.pieces)
    assert "mappings: tool" in lost.rejected[0].detail


def test_a_name_that_no_mapping_has_is_refused_and_not_guessed() -> None:
    assert ["no_mapping"] == reasons(simple().map_record(Record(b"{}"), "somebody-else"))


def test_a_missing_value_and_an_unknown_one_are_told_apart() -> None:
    emit = """
    let: {kind: {path: about.kind, map: {broken: complaint}}}
    emit: [{event: service.case.opened, refs: {case: ticket}, set: {kind: $let.kind}}]
    """
    mapper = simple(emit=emit)
    (missing,) = mapped(mapper, payload(ticket="1")).rejected
    assert ("missing_field", "about.kind") == (missing.reason, missing.path)
    (unknown,) = mapped(mapper, payload(ticket="1", about={"kind": "odd"})).rejected
    assert ("unknown_value", "about.kind", True) == (unknown.reason, unknown.path, "'odd'" in unknown.detail)


def test_free_text_does_not_fit_into_a_field() -> None:
    emit = "emit: [{event: customer.identifiers.linked, set: {reason: words}}]"
    (rejection,) = mapped(simple(emit=emit), payload(words="x" * 513)).rejected
    assert ("too_long", "validate", "words") == (rejection.reason, rejection.stage, rejection.path)


def test_a_promise_falls_due_after_the_event_not_after_its_arrival() -> None:
    emit = """
    emit:
      - {event: service.commitment.made, refs: {commitment: id}, constant: {kind: callback}, set: {due_at: {after_event: {value: 1d}}}}
    """
    (event,) = mapped(simple(emit=emit), payload(), timestamp=AT_US + DAY).events
    assert "2026-02-01T09:30:00Z" == event.data["due_at"]


def test_an_instance_names_itself_in_the_source() -> None:
    mapper = simple("tool: {name: The Tool, instance: eu, team: care}")
    (event,) = mapped(mapper, payload()).events
    assert "tool/eu" == event.source
    assert {"name": "The Tool", "family": "crm", "instance": "eu", "team": "care"} == event.data["tool"]


EACH = """
emit:
  - event: customer.profile.changed
    constant: {system: crm}
    for_each: {path: changes, when: {$each.value: {present: true}}}
    set: {field: $each.name, value_hash: {path: $each.value, hash: true}}
"""


def test_each_entry_of_an_object_is_an_event_whose_id_does_not_hang_on_the_order() -> None:
    mapper = simple(emit=EACH)
    result = mapped(mapper, payload(changes={"phone": "1", "city": None, "name": "Mina"}))
    assert [("1/phone", "phone"), ("1/name", "name")] == [(event.id, event.data["field"]) for event in result.events]
    assert 1 == result.applied
    again = mapped(mapper, payload(changes={"name": "Mina", "phone": "1"}))
    assert {event.id for event in result.events} == {event.id for event in again.events}


def test_each_element_of_a_list_is_an_event_known_by_itself_or_by_a_digest() -> None:
    emit = EACH.replace("$each.name", "{value: x}").replace("{$each.value: {present: true}}", "{$each: {not: skip}}")
    emit = emit.replace("path: $each.value", "path: $each")
    result = mapped(simple(emit=emit), payload(changes=["a", "skip", {"b": 1}, {"b": 1}, "c" * 100]))
    assert ["1/a"] == [event.id for event in result.events if len(event.id) == 3]
    assert 3 == len({event.id for event in result.events}) == len(result.events)


def test_no_element_is_no_event_and_too_many_are_refused() -> None:
    mapper = simple(emit=EACH)
    assert ["not_recognised"] == reasons(mapped(mapper, payload(changes={})))
    assert ["not_recognised"] == reasons(mapped(mapper, payload(changes="phone")))
    many = {str(number): 1 for number in range(1001)}
    assert ["too_many"] == reasons(mapped(mapper, payload(changes=many)))


def test_what_stands_behind_the_last_mark() -> None:
    emit = "emit: [{event: service.case.updated, refs: {case: {path: link, after_last: /}}}]"
    (event,) = mapped(simple(emit=emit), payload(link="gid://shop/Case/17")).events
    assert "17" == event.data["case"]


def test_a_place_inside_a_named_value_is_told_as_the_payload_has_it() -> None:
    text = "let: {ticket: {first_of: [event.ticket, ticket]}}"
    emit = """
    emit:
      - event: service.case.status_changed
        refs: {case: $let.ticket.id}
        set: {status: {path: $let.ticket.status, map: {done: solved}}}
    """
    mapper = simple(text, emit)
    (event,) = mapped(mapper, payload(event={"ticket": {"id": 7, "status": "done"}})).events
    assert ("7", "solved") == (event.data["case"], event.data["status"])
    (rejection,) = mapped(mapper, payload(event={"ticket": {"id": 7, "status": "lost"}})).rejected
    assert ("unknown_value", "event.ticket.status") == (rejection.reason, rejection.path)


def test_two_tellings_of_one_happening_are_one_event_and_the_first_stays() -> None:
    emit = """
    emit: [{event: customer.identifiers.linked}]
    also:
      handoff:
        event: bot.handoff.completed
        id: {template: "handoff:{talk}"}
        refs: {conversation: talk}
    """
    mapper = simple(emit=emit)
    (_, alone) = mapped(mapper, payload(talk="t")).events
    assert "handoff:t" == alone.id
    batch = mapped(mapper, [payload(id="1", talk="t"), payload(id="2", talk="t", at="2026-01-31T10:30:00Z")])
    assert ["1", "handoff:t", "2"] == [event.id for event in batch.events]
    assert (2, ()) == (batch.applied, batch.rejected)


def test_a_link_without_an_identifier_links_nobody_whatever_refs_it_has() -> None:
    emit = "emit: [{event: customer.identifiers.linked, refs: {case: ticket}}]"
    assert ["no_customer"] == reasons(mapped(simple(emit=emit), payload(ticket="1", email="")))
