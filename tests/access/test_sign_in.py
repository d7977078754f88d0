"""Signing in and out over HTTP: cookies, headers, where a form may come from, and where nobody is sent."""

import asyncio
import html
import re
from http.cookies import SimpleCookie

import pytest

from coordwatch.access.accounts import HOUR, MINUTE, SESSION_COOKIE
from coordwatch.access.gate import Why
from coordwatch.access.roles import Permission, Role
from coordwatch.errors import TemporaryError
from tests.access.conftest import site_of
from tests.access.people import PASSWORD
from tests.access.whole import OUR_PAGE
from tests.api.build import Client, an_api


def sign_in(lived, name="operator", password=PASSWORD, headers=OUR_PAGE, **fields):
    return lived.client.post("/sign-in", data={"name": name, "password": password, **fields}, headers=headers)


def cookie_of(answer):
    return SimpleCookie(answer.headers.get_list("set-cookie")[0])[SESSION_COOKIE].value


def session(lived, name="operator"):
    return {"Cookie": f"{SESSION_COOKIE}={cookie_of(sign_in(lived, name))}", **OUR_PAGE}


def test_a_person_signs_in_sees_acts_under_their_name_and_signs_out(lived):
    turned = lived.client.get("/alerts/some?x=1")
    assert (turned.status_code, turned.headers["location"]) == (303, "/sign-in?back=%2Falerts%2Fsome%3Fx%3D1")
    answer = sign_in(lived, back="/rules")
    assert (answer.status_code, answer.headers["location"]) == (303, "/rules")
    mine = session(lived)
    page = lived.client.get("/rules", headers=mine)
    assert "operator" in page.text
    assert "Sign out" in page.text
    alert = lived.client.get("/v1/alerts", params={"status": "open"}, headers=mine).json()["items"][0]
    done = lived.client.post(
        f"/v1/alerts/{alert['id']}/resolve", json={"actor": "somebody else", "version": 1}, headers=mine
    )
    assert done.status_code == 200
    shown = lived.client.get(f"/v1/alerts/{alert['id']}", headers=mine).json()
    assert shown["audit"][-1]["actor"] == "operator"
    out = lived.client.post("/sign-out", headers=mine)
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert out.headers["clear-site-data"] == '"cache", "storage"'
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert lived.client.get("/rules", headers=mine).headers["location"] == "/sign-in?back=%2Frules"
    assert lived.client.get("/v1/rules", headers=mine).status_code == 401


def test_the_cookie_belongs_to_this_host_alone_and_to_no_script(lived):
    cookies = sign_in(lived).headers.get_list("set-cookie")
    for cookie, name in zip(cookies, ("__host-coordwatch=", "__host-coordwatch-device="), strict=True):
        flags = [part.strip().lower() for part in cookie.split(";")]
        assert flags[0].startswith(name)
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= set(flags)
        assert not any(flag.startswith("domain") for flag in flags)
        assert len(flags[0].partition("=")[2]) >= 30


def test_a_session_that_was_made_up_is_no_session(lived):
    for value in ("", "x", "a" * 5000, "%00", '"quoted"', "secret-0001"):
        assert lived.client.get("/v1/alerts", headers={"Cookie": f"{SESSION_COOKIE}={value}"}).status_code == 401


def test_signing_in_again_ends_the_session_of_before(lived):
    first = session(lived)
    sign_in(lived, headers=first)
    assert lived.client.get("/v1/alerts", headers=first).status_code == 401


def test_a_wrong_name_and_a_wrong_password_look_the_same(lived):
    answers = [sign_in(lived, "operator", "wrong"), sign_in(lived, "nobody", "wrong"), sign_in(lived, "", "")]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert "set-cookie" not in answers[0].headers
    assert "wrong" not in answers[0].text


def test_too_many_tries_are_told_how_long_to_wait(lived):
    answers = [sign_in(lived, "operator", f"guess {n}") for n in range(12)]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429] * 2
    assert answers[-1].headers["retry-after"] == "60"


def test_a_browser_that_was_let_in_before_is_not_shut_out_by_strangers(lived):
    device = sign_in(lived).headers.get_list("set-cookie")[1].partition(";")[0]
    elsewhere = {**OUR_PAGE, "X-Forwarded-For": "203.0.113.9"}
    assert lived.client.post("/sign-in", data={"name": "operator", "password": PASSWORD}, headers=OUR_PAGE).is_redirect
    for n in range(70):
        sign_in(lived, "operator", f"guess {n}")
    assert sign_in(lived).status_code == 429, "who guesses from the same address is counted with it"
    assert sign_in(lived, headers=elsewhere).status_code == 429, "nobody is believed who is no proxy of ours"
    assert sign_in(lived, headers={**OUR_PAGE, "Cookie": device}).status_code == 303


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
        "",
        "x",
    ],
)
def test_nobody_is_sent_to_another_site(lived, back):
    assert sign_in(lived, back=back).headers["location"] == "/"
    page = lived.client.get("/sign-in", params={"back": back})
    assert re.search(r'name="back" value="([^"]*)"', page.text)[1] == "/"


def test_everybody_comes_back_to_where_they_were_whatever_its_letters(lived):
    asked = "/customers/%E2%82%AC%20%C3%BC"
    form = lived.client.get(lived.client.get(asked).headers["location"])
    back = html.unescape(re.search(r'name="back" value="([^"]*)"', form.text)[1])
    assert sign_in(lived, back=back).headers["location"] == asked
    assert sign_in(lived, back="/\u20ac?a=b&c=%25#d").headers["location"] == "/%E2%82%AC?a=b&c=%25#d"


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/unmask", "/alerts", "/look"])
def test_a_form_of_another_site_is_refused(lived, path):
    mine = session(lived, "privacy")
    for strange in (
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
    ):
        headers = {"Cookie": mine["Cookie"], **strange}
        answer = lived.client.post(path, data={"name": "operator", "password": PASSWORD, "why": "law"}, headers=headers)
        assert answer.status_code == 403
    assert lived.client.get("/v1/alerts", headers=mine).status_code == 200, "nobody was signed out"


def test_behind_a_proxy_the_address_of_the_site_is_its_own_page(house, tmp_path):
    api = an_api(accounts=house.door, public="https://coordwatch.example.com/")
    _, secret = house.keeping.make_token("x", frozenset({Permission.INGEST}), HOUR, house.now)
    for origin, status in (("https://coordwatch.example.com", 400), ("https://other.example.com", 403)):
        headers = {"Origin": origin, "Host": "10.0.0.7:8484", "Authorization": f"Bearer {secret}"}
        assert api.client.post("/v1/events", content=b"", headers=headers).status_code == status


def test_whoever_is_turned_away_stands_in_the_log_by_route_and_without_the_address(lived, caplog):
    lived.client.get("/customers/ann%40example.com")
    lived.client.get("/v1/audit?actor=ann%40example.com", headers=session(lived, "viewer"))
    said = [one.getMessage() for one in caplog.records if one.name == "coordwatch.access"]
    assert said == [
        "turned away (401): GET /customers/{key:path}, nobody", "turned away (403): GET /v1/audit, viewer"
    ]  # fmt: skip


def test_whoever_may_not_is_told_what_is_missing(lived):
    page = lived.client.post("/alerts/some", data={"verb": "resolve"}, headers=session(lived, "viewer"))
    assert page.status_code == 403
    assert "the permission &#39;act&#39;, which the role viewer does not have" in page.text
    answer = lived.client.get("/v1/audit", headers=session(lived, "viewer"))
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")


def test_a_part_of_a_page_is_not_replaced_by_the_sign_in(lived):
    answer = lived.client.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")


def test_a_program_comes_in_by_its_token_and_does_no_more_than_it_may(lived):
    _, secret = lived.house.keeping.make_token("reader", frozenset({Permission.READ}), HOUR, lived.house.now)
    headers = {"Authorization": f"Bearer {secret}"}
    assert lived.client.get("/v1/alerts", headers=headers).status_code == 200
    assert lived.client.post("/v1/events", content=b"{}", headers=headers).status_code == 403
    assert lived.client.get("/metrics", headers=headers).status_code == 403
    answers = [lived.client.get("/v1/alerts", headers=headers) for _ in range(6)]
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    lived.house.later(HOUR)
    assert lived.client.get("/v1/alerts", headers=headers).status_code == 401
    assert secret not in answers[-1].text


def test_the_token_of_the_settings_opens_everything_also_where_people_sign_in(house):
    api = an_api(accounts=house.door, token="correct-horse-battery")
    assert api.client.get("/v1/audit", headers={"Authorization": "Bearer correct-horse-battery"}).status_code == 200
    assert api.client.get("/v1/audit", headers={"Authorization": "Bearer correct-horse"}).status_code == 401


def test_while_the_database_is_away_the_process_says_that_it_lives_and_lets_nobody_in(lived):
    mine = session(lived)
    lived.house.store.close()
    lived.house.door.gate.store._read = lived.house.door.gate.store._write = _away
    assert lived.client.get("/livez", headers=mine).status_code == 200
    answer = lived.client.get("/v1/alerts", headers=mine)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


def _away():
    raise TemporaryError("the database does not answer", retry_after=2.0)


def test_no_browser_keeps_a_page_that_shows_personal_data(lived):
    mine = session(lived, "privacy")
    before = lived.client.get("/customers", headers=mine)
    assert before.headers["cache-control"] == "private, no-cache"
    assert lived.client.post("/unmask", data={"why": "law"}, headers=mine).status_code == 303
    shown = lived.client.get("/customers", headers=mine)
    assert shown.headers["cache-control"] == "no-store"
    hidden = {**mine, "If-None-Match": shown.headers["etag"]}
    lived.client.post("/unmask", data={"again": "masked"}, headers=mine)
    assert lived.client.get("/customers", headers=hidden).status_code == 200, "what was shown is not taken for what is"


@pytest.mark.parametrize("deed", ["signs out", "is shut out", "hides again", "loses the role", "was in for half a day"])
def test_a_stream_that_stands_open_ends_when_what_it_was_opened_with_does(house, tmp_path, deed):
    """A browser opens it anew by itself, and gets what may be seen by then."""
    lived = site_of(house, tmp_path / "house.db", keep_alive=0.01)
    secret = cookie_of(sign_in(lived, "privacy"))
    house.gate.unmask(secret, Why.REPAIR, house.now)
    deeds = {
        "signs out": lambda: house.gate.sign_out(secret, house.now),
        "is shut out": lambda: house.keeping.disable("privacy", house.now, disabled=True),
        "hides again": lambda: house.later(15 * MINUTE),
        "loses the role": lambda: house.keeping.change_role("privacy", Role.VIEWER, house.now),
        "was in for half a day": lambda: house.later(12 * HOUR),
    }

    assert b"retry" in opened(lived, {"Cookie": f"{SESSION_COOKIE}={secret}"}, deeds[deed])


def test_a_stream_of_a_program_ends_when_its_token_is_revoked(house, tmp_path):
    lived = site_of(house, tmp_path / "house.db", keep_alive=0.01)
    token, secret = house.keeping.make_token("watcher", frozenset({Permission.READ}), HOUR, house.now)
    opened(lived, {"Authorization": f"Bearer {secret}"}, lambda: house.keeping.revoke(token.id, house.now))


def test_an_open_stream_is_no_click(lived):
    house = lived.house
    secret = cookie_of(sign_in(lived))
    house.later(29 * MINUTE)
    assert house.gate.watching(secret, house.now) is not None
    house.later(MINUTE)
    assert house.gate.watching(secret, house.now) is not None, "a board on the wall goes on"
    assert house.gate.by_session(secret, house.now) is None


def opened(lived, headers, deed):
    """Everything of a stream: once it stands open something is done, after which it has an end."""
    ended = []

    async def until_its_end(scope, receive, send):
        async def heard(message):
            await send(message)
            if message.get("body", b"").startswith(b"retry"):
                deed()

        await asyncio.wait_for(lived.application(scope, receive, heard), 60)
        ended.append(True)

    answer = Client(until_its_end).get("/v1/stream", headers=headers)
    assert (answer.status_code, ended) == (200, [True])
    return answer.content
