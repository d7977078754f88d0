"""Posting events: one answer a record, whatever was sent."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.adapters.http_api import bodies
from coordwatch.adapters.http_api.bodies import split_array, split_body
from coordwatch.adapters.http_api.guard import BODY_MAX
from tests.api.build import an_api, an_event

PARTS = ("applied", "duplicate", "dropped", "parked", "dead_lettered")


def statuses(answer) -> list[str]:
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [item["index"] for item in items] == list(range(len(items)))
    return [item["status"] for item in items]


def lines(*events) -> bytes:
    return b"\n".join(json.dumps(event).encode() for event in events)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (lines(an_event("1"), an_event("2")), "application/x-ndjson"),
        (
            b"\n\n" + lines(an_event("1")) + b"\r\n\n" + lines(an_event("2")) + b"\n",
            "application/x-ndjson; charset=utf-8",
        ),
        (lines(an_event("1"), an_event("2")), "application/x-www-form-urlencoded"),
        (json.dumps([an_event("1"), an_event("2")]).encode(), "application/json"),
        (json.dumps([an_event("1"), an_event("2")], indent=4).encode(), "application/cloudevents-batch+json"),
        (b"\xef\xbb\xbf" + json.dumps([an_event("1"), an_event("2")]).encode(), ""),
    ],
)
def test_every_way_to_send_two_events(body, content_type):
    api = an_api()
    assert statuses(api.events(body, content_type)) == ["applied", "applied"]
    assert statuses(api.events(body, content_type)) == ["duplicate", "duplicate"]
    assert api.store.tallies()["in"] == 4


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps(an_event("1")).encode(), "application/json"),
        (json.dumps(an_event("1"), indent=2).encode(), "application/json"),
        (json.dumps(an_event("1"), indent=2).encode(), "application/cloudevents+json; charset=utf-8"),
    ],
)
def test_every_way_to_send_one_event(body, content_type):
    assert statuses(an_api().events(body, content_type)) == ["applied"]


def test_a_bad_record_spoils_only_itself_and_is_kept_as_it_came():
    api = an_api()
    body = (
        b"[" + lines(an_event("1")) + b',  {"id": \xff} , "text",{"specversion":"1.0"},' + lines(an_event("2")) + b"]"
    )
    answer = api.events(body)
    assert statuses(answer) == ["applied", "dead_lettered", "dead_lettered", "dead_lettered", "applied"]
    reasons = [item["reason"] for item in answer.json()["items"]]
    assert reasons == [None, "not_json", "not_an_object", "missing_attribute", None]
    assert {letter.original for letter in api.store.dead_letters(9)} == {
        b'{"id": \xff}',
        b'"text"',
        b'{"specversion":"1.0"}',
    }
    letters = api.client.get("/v1/dead-letters").json()["items"]
    assert {letter["original"] for letter in letters} >= {"InRleHQi"}


def test_a_truncated_array_is_one_dead_letter_with_all_its_bytes():
    api = an_api()
    body = json.dumps([an_event("1"), an_event("2")]).encode()[:-30]
    assert statuses(api.events(body)) == ["dead_lettered"]
    assert [letter.original for letter in api.store.dead_letters(9)] == [body]


def test_a_tools_own_payload_goes_through_its_mapping():
    api = an_api()
    payload = [
        {"email": "kim@example.com", "timestamp": 1772440000, "event": "processed", "sg_event_id": "a1", "sg_message_id": "m1",
         "category": ["newsletter"]},
        {"email": "kim@example.com", "timestamp": 1772440060, "event": "open", "sg_event_id": "a2", "sg_message_id": "m1"},
    ]  # fmt: skip
    answer = api.events(json.dumps(payload).encode(), source="sendgrid")
    assert [(item["status"], item["events"]) for item in answer.json()["items"]] == [("applied", 2)]
    unknown = api.events(b"{}", source="pigeon")
    assert (unknown.status_code, "one of: canonical" in unknown.json()["detail"]) == (400, True)


def test_a_binary_cloudevent_carries_its_attributes_in_headers():
    api = an_api()
    event = an_event("1")
    headers = {f"ce-{name}": event[name] for name in ("id", "source", "type", "time", "subject", "specversion")}
    answer = api.client.post(
        "/v1/events",
        content=json.dumps(event["data"]).encode(),
        headers={**headers, "Content-Type": "application/json"},
    )
    assert statuses(answer) == ["applied"]


@pytest.mark.parametrize("body", [b"", b" \n ", b"\xef\xbb\xbf"])
def test_an_empty_body_is_refused(body):
    assert an_api().events(body).status_code == 400


def test_ten_megabytes_and_one_byte_are_too_large():
    api = an_api()
    answer = api.events(b" " * (BODY_MAX + 1))
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")

    async def endless():
        for _ in range(12):
            yield b" " * (1024 * 1024)

    streamed = api.client.post("/v1/events", content=endless())
    assert streamed.status_code == 413
    assert api.store.tallies() == {}


def test_ten_megabytes_of_one_text_are_a_dead_letter_with_its_bytes():
    api = an_api()
    body = b'{"specversion": "1.0", "data": "' + b"x" * (BODY_MAX - 100) + b'"}'
    assert statuses(api.events(body)) == ["dead_lettered"]
    assert api.store.dead_letters(1)[0].original == body


def test_too_many_records_are_refused_before_any_is_taken():
    api = an_api()
    assert api.events(b"1\n" * (bodies.RECORDS_MAX + 1), "application/x-ndjson").status_code == 413
    assert api.events(b"[" + b"1," * bodies.RECORDS_MAX + b"1]").status_code == 413
    assert api.store.tallies() == {}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 100_000,
        b'["' + b'\\"' * 1_000_000,
        b'"' * 1_000_001,
        b'[{"id":' + b"9" * 100_000 + b"}]",
        b"[1,]",
        b"[,]",
        b"[]",
        b"[[]]]",
        b"NaN",
        b'{"specversion":"1.0","id":"1","source":"s","type":"service.case.opened","time":"0001-01-01T00:00:00Z"}',
        b'{"specversion":"1.0","id":"1","source":"s","type":"service.case.opened","time":"9999-12-31T23:59:59Z","subject":"c","data":{"case":"K","kind":"complaint"}}',
        b'{"specversion":"1.0","id":"\\ud800","source":"s","type":"service.case.opened","time":"2026-01-01T00:00:00Z"}',
        b'{"specversion":"1.0","id":"a\\u0000b","source":"s","type":"service.case.opened","time":"2026-01-01T00:00:00Z","subject":"c\\u0000","data":{"case":"K","kind":"complaint"}}',
        b"\x00\x01\x02",
        b"\xff\xfe[\x00]\x00",
    ],
)  # fmt: skip
def test_hostile_bodies_get_an_answer_and_the_books_balance(body, tmp_path):
    api = an_api(database=tmp_path / "hostile.db")
    answer = api.events(body)
    assert answer.status_code in (200, 413)
    tallies = api.store.tallies()
    assert tallies.get("in", 0) == sum(tallies.get(part, 0) for part in PARTS)
    if answer.status_code == 200:
        assert bool(answer.json()["items"]) == (body != b"[]")
    assert {letter.original for letter in api.store.dead_letters(9)} <= set(split_body(body, ""))
    api.store.close()


SHARED = an_api()


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.text(alphabet='[]{},:"\\ ae1.\n', max_size=80).map(str.encode))
def test_any_bytes_get_an_answer(body):
    answer = SHARED.events(body, "")
    assert answer.status_code in (200, 400)
    tallies = SHARED.store.tallies()
    assert tallies.get("in", 0) == sum(tallies.get(part, 0) for part in PARTS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=6), st.sampled_from([None, 0, 3]))
def test_an_array_is_split_into_the_texts_of_its_elements(values, indent):
    elements = split_array(json.dumps(values, indent=indent).encode())
    assert elements is not None
    assert [json.loads(element) for element in elements] == values


@given(st.text(alphabet='[]{},"\\a ', max_size=40).map(str.encode))
def test_what_is_split_is_an_array_or_nothing(text):
    body = b"[" + text
    try:
        values = json.loads(body)
    except ValueError:
        return
    elements = split_array(body)
    assert elements is not None
    assert [json.loads(element) for element in elements] == values


def test_the_longest_strings_are_split_in_linear_time():
    assert split_array(b'["' + b'\\"' * 3_000_000) is None
    assert split_body(b'["' + b'\\"' * 3_000_000, "") == [b'["' + b'\\"' * 3_000_000]


def test_without_an_input_for_posts_the_answer_says_how_to_get_one():
    answer = an_api(posts=False).events(b"{}")
    assert (answer.status_code, "kind: http" in answer.json()["detail"]) == (404, True)
