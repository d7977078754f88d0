"""`/v1/views`, and dead letters sent round again by `/v1/dead-letters/replay`."""

import pytest

from coordwatch.ports import DeadLetter, Effects, SavedView
from tests.api.build import an_api
from tests.build import NOW

MINE = {"name": "Loud / mine", "query": {"severity": "high", "range": "24h", "status": "open"}, "actor": "ada"}
PLACE = "/v1/views/Loud%20%2F%20mine"


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    one = an_api(filled=True, database=tmp_path_factory.mktemp("views") / "a.db")
    yield one
    one.store.close()


def test_a_view_is_kept_shown_changed_and_removed_as_it_was_seen(api):
    key = {"Idempotency-Key": "k-1"}
    made, again = (api.client.post("/v1/views", json=MINE, headers=key) for _ in range(2))
    assert (made.status_code, made.json()) == (201, again.json())
    assert made.json()["query"] == {"severity": "high", "range": "24h"}, "what is so anyway is left out"
    assert made.json()["address"] == "/?severity=high&range=24h"
    assert api.client.post("/v1/views", json=MINE).status_code == 409
    shown = api.client.get(PLACE)
    tag = {"If-Match": shown.headers["ETag"]}
    assert shown.json() == made.json()
    assert api.client.get("/v1/views").json()["items"] == [made.json()]
    assert api.client.get(PLACE, headers={"If-None-Match": tag["If-Match"]}).status_code == 304
    body = {"query": {"sort": "gap"}, "actor": "eve"}
    assert api.client.request("PUT", PLACE, json=body).status_code == 428
    assert api.client.request("PUT", PLACE, json=body, headers=tag).json()["query"] == {"sort": "gap"}
    late = api.client.request("PUT", PLACE, json=body, headers=tag)
    assert (late.status_code, "eve has changed it" in late.json()["detail"]) == (412, True)
    assert api.client.request("DELETE", PLACE, headers=tag).status_code == 412
    assert api.client.request("DELETE", PLACE, headers={"If-Match": "*"}).status_code == 204
    assert api.client.request("DELETE", PLACE, headers={"If-Match": "*"}).status_code == 404
    assert api.client.get("/v1/views").json() == {"items": []}
    deeds = [link.kind for link in api.store.trail().links() if link.kind.startswith("view")]
    assert deeds == ["view.save", "view.save", "view.remove"]


def test_a_view_that_would_show_more_than_was_asked_for_is_refused(api):
    for query in ({"severity": "loud"}, {"colour": "red"}, {"range": "5y"}, {"since": "1"}):
        refused = api.client.post("/v1/views", json={"name": "x", "query": query})
        assert (refused.status_code, "the inbox knows nothing like" in refused.json()["detail"]) == (422, True)
    assert api.client.post("/v1/views", json={"name": "Worst first", "query": {}}).status_code == 409
    for number in range(50):
        api.store.shelf().keep_view(SavedView(f"{number}", {}, "ada", NOW))
    assert "remove one first" in api.client.post("/v1/views", json=MINE).json()["detail"]


def test_dead_letters_are_sent_round_again_once(api):
    good = b'{"specversion":"1.0","id":"E-9","source":"/deskflow","type":"org.coordwatch.service.case.opened",'
    good += b'"time":"2026-03-02T10:00:00Z","subject":"customer-90","data":{"case":"K-9","kind":"complaint"}}'
    letters = [
        DeadLetter(name, "http", "map", "missing_time", "", None, NOW, body)
        for name, body in (("good", good), ("bad", b"{}"))
    ]
    api.store.commit(Effects(dead_letters=letters), NOW)
    asked = {
        "json": {"letters": ["good", "bad", "none", "good"], "actor": "ada"},
        "headers": {"Idempotency-Key": "k-2"},
    }
    first, second = (api.client.post("/v1/dead-letters/replay", **asked).json() for _ in range(2))
    assert first == second
    assert (first["sent"], first["missing"]) == (2, ["none"])
    assert first["said"] == "1 of 2 could be used now; 1 could not, and stands here as before."
    assert "good" not in [one["id"] for one in api.client.get("/v1/dead-letters").json()["items"]]
    assert api.client.post("/v1/dead-letters/replay", json={"letters": ["good"]}).status_code == 404
    (replayed,) = [link for link in api.store.trail().links() if link.kind == "letter.replay"]
    assert replayed.actor == "ada"
