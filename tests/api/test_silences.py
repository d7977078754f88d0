"""`/v1/silences`: made, listed, changed and ended over HTTP."""

import pytest

from tests.api.build import an_api

BODY = {"matchers": ["severity=high", 'tool=~"Jour.*"'], "ends_at": "2h", "comment": "Spring sale is being stopped"}


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    one = an_api(filled=True, database=tmp_path_factory.mktemp("silences") / "a.db")
    yield one
    one.store.close()


def test_a_silence_is_made_shown_changed_and_ended(api):
    made = api.client.post("/v1/silences", json=BODY)
    assert made.status_code == 201
    silence = made.json()
    assert (silence["state"], silence["text"], silence["created_by"]) == (
        "active",
        'severity=high, tool=~"Jour.*"',
        "api",
    )
    assert silence["matchers"][1] == {"name": "tool", "value": "Jour.*", "is_regex": True, "is_equal": True}
    shown = api.client.get(f"/v1/silences/{silence['id']}")
    tag = shown.headers["ETag"]
    assert shown.json() == silence
    assert api.client.get(f"/v1/silences/{silence['id']}", headers={"If-None-Match": tag}).status_code == 304
    address = f"/v1/silences/{silence['id']}"
    assert api.client.request("PUT", address, json=BODY).status_code == 428
    changed = api.client.request("PUT", address, json=BODY | {"ends_at": "5h"}, headers={"If-Match": tag})
    assert changed.json()["version"] == 2
    again = api.client.request("PUT", address, json=BODY, headers={"If-Match": tag})
    assert (again.status_code, again.json()["version"]) == (412, 2)
    assert api.client.post(f"{address}/expire", json={"version": 1}).status_code == 409
    ended = api.client.post(f"{address}/expire", json={"version": 2, "actor": "ben"})
    assert (ended.json()["state"], ended.json()["updated_by"]) == ("expired", "ben")
    assert api.client.post(f"{address}/expire", json={"version": 3}).status_code == 409


def test_the_list_goes_page_by_page_and_by_state(api):
    for hours in (3, 4):
        api.client.post("/v1/silences", json=BODY | {"ends_at": f"{hours}h"})
    first = api.client.get("/v1/silences", params={"limit": 1, "state": "active"}).json()
    rest = api.client.get("/v1/silences", params={"cursor": first["next"], "state": "active"}).json()
    assert [one["ends_at"] for one in (*first["items"], *rest["items"])] == [
        "2026-03-02T15:00:00Z", "2026-03-02T16:00:00Z",
    ]  # fmt: skip
    assert rest["next"] is None
    assert api.client.get("/v1/silences", params={"cursor": "nonsense"}).status_code == 400


def test_the_same_key_makes_one_and_what_cannot_be_is_said(api):
    key = {"Idempotency-Key": "k-1"}
    one, two = (api.client.post("/v1/silences", json=BODY, headers=key).json() for _ in range(2))
    assert one == two
    for wrong, words in [
        ({"matchers": ["colour=red"]}, "no alert has a label 'colour'"),
        ({"matchers": ['tool=~".*"']}, "would silence every alert"),
        ({"ends_at": "soon"}, "neither a duration"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends after it starts"),
        ({"comment": " "}, "say why"),
    ]:
        answer = api.client.post("/v1/silences", json=BODY | wrong)
        assert answer.status_code == 422
        assert words in answer.json()["detail"]
    assert api.client.get("/v1/silences/none").status_code == 404
