"""Who may come in."""

import base64

import pytest

from coordwatch.adapters.pages.sign_in import BarePages
from tests.api.build import an_api

TOKEN = "correct-horse-battery"


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8484", "localhost:1", "[::1]:8484", "LOCALHOST"])
def test_without_a_token_local_names_are_let_in(host):
    assert an_api().client.get("/v1/alerts", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1", "[::1].evil.example"])
def test_a_name_that_points_here_from_outside_is_refused(host):
    answer = an_api().client.get("/v1/alerts", headers={"Host": host})
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://127.0.0.1:8484"}, 400),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[broken"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 400),
        ({}, 400),
    ],
)
def test_another_page_cannot_post(headers, status):
    assert an_api().client.post("/v1/events", content=b"", headers=headers).status_code == status


def test_another_page_may_still_read_nothing_it_could_not_read_before():
    assert (
        an_api()
        .client.get("/v1/alerts", headers={"Origin": "https://evil.example"})
        .headers.get("access-control-allow-origin")
        is None
    )


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (basic("ada", TOKEN), 200),
        (basic("", TOKEN), 200),
        ("", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Token {TOKEN}", 401),
        ("Basic %%%", 401),
        ("Basic /////w==", 401),
        (basic("ada", "wrong"), 401),
    ],
)
def test_with_a_token_only_who_knows_it_is_let_in(authorization, status):
    client = an_api(token=TOKEN).client
    answer = client.get("/v1/alerts", headers={"Authorization": authorization, "Host": "watch.example"})
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert TOKEN not in answer.text


def test_health_needs_no_token():
    assert an_api(token=TOKEN).client.get("/livez", headers={"Host": "probe"}).status_code == 200
    assert an_api(token=TOKEN).client.get("/metrics", headers={"Host": "probe"}).status_code == 401


def test_who_acts_is_the_name_beside_the_token():
    api = an_api(filled=True, token=TOKEN)
    headers = {"Authorization": basic("ada@ops.test", TOKEN)}
    alert = api.client.get("/v1/alerts", params={"status": "open"}, headers=headers).json()["items"][0]
    api.client.post(f"/v1/alerts/{alert['id']}/resolve", json={"actor": "somebody else", "version": 1}, headers=headers)
    shown = api.client.get(f"/v1/alerts/{alert['id']}", headers=headers).json()
    assert shown["audit"][-1]["actor"] == "ada@ops.test"


@pytest.mark.parametrize(("length", "status"), [("ten", 400), ("-1", 400), ("1" * 40, 413)])
def test_a_length_that_lies_is_refused(length, status):
    assert an_api().client.post("/v1/events", content=b"{}", headers={"Content-Length": length}).status_code == status


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "10"}])
def test_more_than_a_request_may_bring_is_not_read_whatever_its_length_says(headers):
    given = []

    async def pieces():
        for _ in range(100):
            given.append(b" " * 500)
            yield given[-1]

    answer = an_api(body_max=2000).client.post("/v1/events", content=pieces(), headers=headers)
    assert (answer.status_code, len(given)) == (413, 5)


def test_an_address_that_leads_nowhere_is_a_page_for_a_browser_and_a_problem_for_a_program():
    api = an_api(turn_away=BarePages().turn_away)
    typed = api.client.get("/alert/mistyped", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (typed.status_code, typed.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no page at this address." in typed.text
    assert "mistyped" not in typed.text
    for path, accept in (("/alert/mistyped", "*/*"), ("/v1/mistyped", "text/html")):
        asked = api.client.get(path, headers={"Accept": accept})
        assert (asked.status_code, asked.headers["content-type"]) == (404, "application/problem+json")
