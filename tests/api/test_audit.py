"""/v1/audit: who did what, page by page, with seals that anybody can check."""

import pytest

from coordwatch.audit.chain import Head
from tests.api.build import an_api


@pytest.fixture(scope="module")
def api():
    return an_api(filled=True)


def get(api, path: str, status: int = 200, **query):
    answer = api.client.get(path, params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_whole_trail_comes_page_by_page_newest_first(api):
    found, cursor = [], None
    while True:
        page = get(api, "/v1/audit", limit=7, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    numbers = [item["number"] for item in found]
    assert numbers == list(range(len(numbers), 0, -1))
    assert page["head"] == get(api, "/v1/audit/head") == {"number": len(numbers), "seal": found[0]["seal"]}
    assert str(Head(len(numbers), found[0]["seal"])) == str(api.store.trail().head())


def test_it_is_asked_by_who_what_and_when(api):
    (item,) = get(api, "/v1/audit", actor="ben@ops.test", kind="alert.resolve")["items"]
    assert (item["facts"]["before"], item["facts"]["after"]) == ("open", "resolved")
    assert [one["kind"] for one in get(api, "/v1/audit", subject=item["subject"])["items"]] == [
        "alert.resolve",
        "alert.raise",
    ]
    assert len(get(api, "/v1/audit", kind="alert", since=item["at"])["items"]) == 2
    assert item not in get(api, "/v1/audit", until=item["at"])["items"]
    assert get(api, "/v1/audit", kind="silence")["items"] == []


def test_a_wrong_question_is_refused_with_its_field(api):
    assert "since" in get(api, "/v1/audit", 400, since="yesterday")["detail"]
    assert get(api, "/v1/audit", 400, cursor="abc")["errors"][0]["field"] == "cursor"
    assert get(api, "/v1/audit", 422, limit=0)["status"] == 422
