"""The headers of every answer of every route, also of errors and files; and what is masked in them."""

import asyncio
import logging
import re
from base64 import b64decode, b64encode
from dataclasses import replace

import pytest

from coordwatch.access.accounts import SESSION_COOKIE
from coordwatch.access.masking import mask_text
from coordwatch.access.roles import Permission, Role
from coordwatch.adapters.pages.router import pages_router
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.embedded.telling import to_log
from coordwatch.events.times import HOUR
from coordwatch.notify.decide import NotifyReason, notification
from coordwatch.ports import DeadLetter, Effects
from tests.access.asking import start_of
from tests.access.test_sweep import address, every_route
from tests.access.whole import OUR_PAGE, Known, whole_application
from tests.api.build import an_api
from tests.build import CARDS, NOW, a_promo, raised
from tests.pages.sample_data import sample

ADMIN = {"Cookie": f"{SESSION_COOKIE}=session-of-admin", **OUR_PAGE}
# Said once more, and not read from the program: what is taken out there must be missed here.
WANTED = {
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip
TYPES = re.compile(
    r"(text/(html|css|javascript|plain|event-stream)|application/openmetrics-text)[^,]*charset=utf-8|application/(problem\+)?json|image/svg\+xml"
)


@pytest.fixture(scope="module")
def starts():
    """The beginning of the answer to everything, for an administrator and for nobody."""

    async def ask():
        found = []
        for method, path, _ in every_route():
            for who in (ADMIN, {}):
                found.append((f"{method} {path}", await start_of(whole_application(), method, address(path), who)))
        found.append(("GET /v1/nowhere", await start_of(whole_application(), "GET", "/v1/nowhere", ADMIN)))
        return found

    return asyncio.run(ask())


def test_every_answer_is_safe_in_a_browser(starts):
    wrong = []
    for route, start in starts:
        policy = start.headers.get("content-security-policy", "")
        wrong += [f"{route}: {name}" for name, value in WANTED.items() if start.headers.get(name) != value]
        if not all(part in policy for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'")):
            wrong.append(f"{route}: {policy}")
        if "unsafe-inline" in policy or "unsafe-eval" in policy or "*" in policy:
            wrong.append(f"{route}: {policy}")
    assert wrong == []
    assert len(starts) > 80


def test_nothing_about_customers_is_kept_by_a_browser_or_a_proxy(starts):
    for route, start in starts:
        kept = start.headers["cache-control"]
        if "/static/" in route or "favicon" in route:
            continue
        assert "no-store" in kept or "no-cache" in kept, route
        assert "public" not in kept, route


def test_every_answer_says_what_it_is_and_in_which_letters(starts):
    for route, start in starts:
        if start.status in (204, 303, 304) or start.headers.get("content-length") == "0":
            continue
        assert TYPES.match(start.headers.get("content-type", "")), f"{route}: {start.headers.get('content-type')}"


def test_where_the_site_is_encrypted_browsers_are_told_to_remember_it():
    said = "max-age=31536000; includeSubDomains"
    assert (
        an_api(token="correct-horse-battery", public="https://coordwatch.example.com")
        .client.get("/livez")
        .headers["strict-transport-security"]
        == said
    )
    assert "strict-transport-security" not in an_api().client.get("/livez").headers


HIDDEN = [
    "ann@example.com", "ann.b+tag@mail.example.co.uk", "ann%40example.com", "+15550100123", "+49 (30) 555-0100-1",
    "ann@bücher.example", "änne@example.com", "анна@пример.example", "ann%40b%C3%BCcher.example", "o&#39;ann@example.com",
    "ann@example。com", "%2B15550100123", "%2b15550100123", "%2B49%2030%205550100", "&#43;15550100123",
]  # fmt: skip
SHOWN = [
    "2026-03-02T10%3A00%3A00%2B10%3A00", "a%20b%20100000000",
    "2026-03-02T10:00:00+10:00", "K-1042", "M6 0 12 6 6 12 0 6Z", "1 322", "cust_0123456789abcdef0123456789abcdef", "a@b", "12+34567890123",
    "deskflow/+1", "order 0049301234567",
]  # fmt: skip


@pytest.mark.parametrize("text", HIDDEN)
def test_addresses_and_numbers_of_people_are_masked_wherever_they_stand(text):
    for around in ("{}", "said {}, then", '"{}"', "<td>{}</td>", "({})."):
        masked = mask_text(around.format(text))
        assert text not in masked
        assert "•••" in masked
        assert masked.startswith(around.partition("{}")[0])


@pytest.mark.parametrize(
    "around", ["phone:{}", "phone%3A{}", "/customers/{}", "/v1/customers/phone%3A{}/x", "tel.{}", "-{}"]
)
def test_a_number_is_masked_behind_whatever_stands_before_it(around):
    for number in ("+15550100123", "%2B15550100123"):
        assert mask_text(around.format(number)) == around.format("•••23")


@pytest.mark.parametrize("text", SHOWN)
def test_what_only_looks_like_it_stays(text):
    assert mask_text(text) == text


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    """API and pages over alerts and dead letters that speak of people by their addresses."""
    store = SqlStore(tmp_path_factory.mktemp("leaky") / "leaky.db", CARDS, durable=False)
    letter = DeadLetter(
        "d-1", "crm", "map", "bad", "no time", None, NOW, b'{"mail": "ann@example.com", "name": "Ann Body"}'
    )
    store.commit(
        Effects(changes=[raised(a_promo("ann@example.com", NOW - HOUR, case="+15550100123"))], dead_letters=[letter]),
        NOW,
    )
    return store


def asked(store, path, who=None, token=None, **headers):
    if who is not None:
        headers |= {"Cookie": f"{SESSION_COOKIE}=session-of-{who}", **OUR_PAGE}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    context = replace(sample().context, reader=store)
    api = an_api(accounts=Known(), beside=[pages_router(context)], over=store)
    answer = api.client.get(path, headers={"Accept-Encoding": "gzip", **headers})
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("path", ["/v1/alerts", "/v1/customers", "/", "/customers", "/v1/dead-letters", "/sources"])
def test_personal_data_is_masked_in_api_and_pages_for_every_role_until_it_is_asked_for(leaky, path):
    for role in Role:
        answer = asked(leaky, path, role.value)
        assert "ann@example.com" not in answer.text
        assert "+15550100123" not in answer.text
        assert "Ann Body" not in answer.text
        assert b64encode(b"Ann Body").decode()[2:-2] not in answer.text
    assert asked(leaky, path, "viewer").headers.get("etag", '-m"').endswith('-m"') or path.startswith("/v1")


def test_a_program_that_may_and_says_why_sees_what_is_there(leaky):
    class Both(Known):
        def by_token(self, secret):
            return replace(
                super().by_token("token-to-unmask"), permissions=frozenset({Permission.READ, Permission.UNMASK})
            )

    api = an_api(accounts=Both(), over=leaky)
    headers = {"Authorization": "Bearer x"}
    assert "ann@example.com" not in api.client.get("/v1/alerts", headers=headers).text
    assert "ann@example.com" in api.client.get("/v1/alerts", headers={**headers, "X-Unmask": "repair"}).text
    letters = api.client.get("/v1/dead-letters", headers={**headers, "X-Unmask": "fault"}).json()["items"]
    assert b"Ann Body" in b64decode(letters[0]["original"])
    refused = api.client.get("/v1/alerts", headers={**headers, "X-Unmask": "curiosity"})
    assert refused.status_code == 400
    assert "asked, repair, fault, law" in refused.json()["detail"]
    assert "ann@example.com" not in asked(leaky, "/v1/alerts", token="token-to-read", **{"X-Unmask": "repair"}).text


def test_an_alert_in_the_log_is_masked(caplog):
    (alert, *_) = an_api(filled=True).store.undecided(1)
    told = notification(alert, CARDS[alert.rule], NotifyReason.NEW)
    with caplog.at_level(logging.INFO):
        to_log(replace(told, sentence=f"{told.sentence} ann@example.com +15550100123"))
    assert "a••• •••23" in caplog.text
    assert "ann@example.com" not in caplog.text
    assert "5550100" not in caplog.text


def test_whoever_works_here_is_not_masked(leaky):
    assert mask_text("ada@ops.example and ann@example.com", {"ada@ops.example"}) == "ada@ops.example and a•••"
