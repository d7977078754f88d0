"""What was seen, what is known already, and what happens once: If-Match, If-None-Match, Idempotency-Key; and pages of lists."""

import json
from uuid import UUID

import pytest

from coordwatch.alerts.once import KEPT_FOR
from coordwatch.ports import DeadLetter, Effects
from tests.api.build import an_api, an_event
from tests.build import NOW

KEY = {"Idempotency-Key": "7b7c2b0e-one"}


@pytest.fixture(params=["memory", "sqlite"])
def api(request, tmp_path):
    api = an_api(filled=True, database=None if request.param == "memory" else tmp_path / "api.db")
    yield api
    api.store.close()


def an_open_alert(api) -> str:
    return api.client.get("/v1/alerts", params={"status": "open"}).json()["items"][0]["id"]


def act(api, alert: str, action: str, headers=None, **body):
    return api.client.post(f"/v1/alerts/{alert}/{action}", json=body, headers=headers or {})


def test_an_alert_carries_the_tag_that_what_is_done_to_it_needs(api):
    alert = an_open_alert(api)
    shown = api.client.get(f"/v1/alerts/{alert}")
    tag = shown.headers["etag"]
    again = api.client.get(f"/v1/alerts/{alert}", headers={"If-None-Match": f'"x", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    done = act(api, alert, "acknowledge", {"If-Match": tag})
    assert (done.status_code, done.json()["version"]) == (200, 2)
    late = act(api, alert, "resolve", {"If-Match": tag})
    assert (late.status_code, late.json()["version"]) == (412, 2)
    assert late.headers["content-type"] == "application/problem+json"
    assert api.client.get(f"/v1/alerts/{alert}", headers={"If-None-Match": tag}).status_code == 200
    newer = api.client.get(f"/v1/alerts/{alert}").headers["etag"]
    assert act(api, alert, "resolve", {"If-Match": f"{tag}, {newer}"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, {}, 428),
        ({}, {"version": 1}, 200),
        ({"If-Match": "*"}, {}, 200),
        ({"If-Match": "*"}, {"version": 7}, 412),
        ({"If-Match": '"1"'}, {}, 412),
        ({"If-Match": 'W/"1.0123456789abcdef"'}, {}, 412),
        ({"If-Match": '"1.0123456789abcdef"'}, {"version": 2}, 412),
        ({"If-Match": '"1.0123456789abcdef"'}, {}, 200),
        ({"Idempotency-Key": "with blanks"}, {"version": 1}, 400),
    ],
)
def test_whoever_acts_says_what_they_saw(api, headers, body, status):
    answer = act(api, an_open_alert(api), "acknowledge", headers, **body)
    assert answer.status_code == status, answer.text


def test_an_order_under_a_key_is_done_once_and_answered_the_same_again(api):
    alert = an_open_alert(api)
    first = act(api, alert, "acknowledge", KEY, version=1, note="mine")
    again = act(api, alert, "acknowledge", KEY, version=1, note="mine")
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert len(api.client.get(f"/v1/alerts/{alert}").json()["audit"]) == 2
    for other in (
        act(api, alert, "acknowledge", KEY, version=1),
        act(api, alert, "resolve", KEY, version=1, note="mine"),
    ):
        assert (other.status_code, "make a new one" in other.json()["detail"]) == (409, True)
    api.clock.move_to(NOW + KEPT_FOR + 1)
    assert act(api, alert, "resolve", {"Idempotency-Key": "another"}, version=2).status_code == 200
    assert act(api, alert, "acknowledge", KEY, version=1, note="mine").status_code == 409


def test_events_under_a_key_are_answered_the_same_again(api):
    body = json.dumps([an_event("1"), an_event("2")]).encode()
    first = api.client.post("/v1/events", content=body, headers=KEY)
    again = api.client.post("/v1/events", content=body, headers=KEY)
    assert [one["status"] for one in first.json()["items"]] == ["applied", "applied"]
    assert (again.status_code, again.json()) == (200, first.json())
    assert api.client.post("/v1/events", content=body + b" ", headers=KEY).status_code == 409
    assert api.events(body).json()["items"][0]["status"] == "duplicate"


def test_forgetting_somebody_forgets_the_answers_about_them(api):
    alert = an_open_alert(api)
    assert act(api, alert, "acknowledge", KEY, version=1).status_code == 200
    api.store.commit(Effects(forgotten=["customer-05"]), NOW)
    assert act(api, alert, "acknowledge", KEY, version=1).status_code != 200


def test_every_list_that_grows_is_read_page_by_page(api):
    letters = [DeadLetter(str(UUID(int=n)), "http", "map", "not_json", "?", None, NOW - n // 2, b"{") for n in range(7)]
    api.store.commit(Effects(dead_letters=letters), NOW)
    for path, name in (("/v1/alerts", "id"), ("/v1/dead-letters", "id"), ("/v1/customers", "key")):
        whole = api.client.get(path, params={"limit": 1000}).json()
        assert whole["next"] is None
        cursor, found = "", []
        while cursor is not None:
            page = api.client.get(path, params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
            found += page["items"]
            cursor = page["next"]
        assert found == whole["items"]
        assert len({one[name] for one in found}) == len(found) > 3
        wrong = api.client.get(path, params={"cursor": "WyJuZXdlc3QiLDFlOTksImEiXQ=="})
        assert (wrong.status_code, "without one" in wrong.json()["detail"]) == (400, True)
