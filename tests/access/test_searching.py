"""Searching where personal data is masked: what cannot be seen cannot be guessed part by part either."""

from dataclasses import replace

import pytest

from coordwatch.access.accounts import SESSION_COOKIE
from coordwatch.access.masking import found_in
from coordwatch.access.roles import Permission
from coordwatch.adapters.pages.router import pages_router
from coordwatch.adapters.seen import alerts_seen, incidents_seen
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.events.times import HOUR
from coordwatch.ports import Effects
from tests.access.whole import OUR_PAGE, Known
from tests.api.build import an_api
from tests.build import CARDS, NOW, a_promo, raised
from tests.pages.sample_data import sample

PARTS = ["ann@", "nn@exa", "example.com", "@", "5550100", "+1555", "ann@example.co", "ANN@EX"]
WHOLE = ["ann@example.com", "Ann@Example.com", "+15550100123", "a•••", "•••23"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = SqlStore(tmp_path_factory.mktemp("searched") / "searched.db", CARDS, durable=False)
    acts = [a_promo("ann@example.com", NOW - HOUR, case="+15550100123")]
    acts += [a_promo(f"bob{n:04}@example.org", NOW - HOUR - n, case=f"K-{n}") for n in range(1, 600)]
    made.commit(Effects(changes=[raised(one) for one in acts]), NOW)
    return made


def rows(store, q, hidden=True, limit=50, cursor=None):
    return alerts_seen(store, ({"q": q}, limit, cursor), hidden=hidden)


@pytest.mark.parametrize("q", PARTS)
def test_a_part_of_what_is_masked_finds_nothing_and_says_nothing(store, q):
    assert rows(store, q) == ([], None)
    assert rows(store, q, hidden=False)[0], "it is there"


@pytest.mark.parametrize("q", WHOLE)
def test_what_is_seen_or_known_as_a_whole_is_found(store, q):
    assert "ann@example.com" in {row.customer for row in rows(store, q, limit=5000)[0]}


def test_pages_of_what_is_found_are_whole_and_come_to_an_end(store):
    seen, cursor = [], None
    while True:
        page, cursor = rows(store, "promo", limit=250, cursor=cursor)
        seen += [row.id for row in page]
        if cursor is None:
            break
        assert len(page) == 250
    everything = store.alerts({"q": "promo"}, 1000, None)
    assert seen == [row.id for row in everything[0]]
    assert (len(seen), len(set(seen))) == (600, 600)


@pytest.fixture(scope="module")
def api(store):
    """API and pages over it, for everybody who is known."""
    context = replace(sample().context, reader=store, silences=store.silences())
    return an_api(accounts=Known(), beside=[pages_router(context)], over=store)


MINE = {"Cookie": f"{SESSION_COOKIE}=session-of-operator", **OUR_PAGE}


@pytest.mark.parametrize("path", ["/v1/alerts", "/", "/search"])
def test_in_api_and_pages_nobody_who_sees_masks_finds_by_a_part(api, path):
    shown = [api.client.get(path, params={"q": q}, headers=MINE) for q in ("nn@exa", "a•••")]
    assert [one.status_code for one in shown] == [200, 200]
    assert "•••" not in shown[0].text
    assert "•••" in shown[1].text.replace("q=a•••", "")


def test_who_may_unmask_and_says_why_finds_by_a_part(store):
    class Both(Known):
        def by_token(self, secret):
            both = frozenset({Permission.READ, Permission.UNMASK})
            return replace(super().by_token("token-to-unmask"), permissions=both)

    api = an_api(accounts=Both(), over=store)
    headers = {"Authorization": "Bearer x", "X-Unmask": "repair"}
    assert api.client.get("/v1/alerts", params={"q": "nn@exa"}, headers=headers).json()["items"]


def test_incidents_are_searched_as_they_are_seen():
    class Desk:
        def incidents(self, filters, limit, cursor):
            assert filters == {"q": "nn@exa", "status": "open"}
            return [an_incident], None

    an_incident = type("Incident", (), {"title": "promo", "note": "call ann@example.com"})()
    page = ({"q": "nn@exa", "status": "open"}, 5, None)
    assert incidents_seen(Desk(), page, hidden=True) == ([], None)
    assert incidents_seen(Desk(), page, hidden=False) == ([an_incident], None)


def test_what_stands_beside_what_is_masked_is_found():
    text = "Promo to ann@example.com while K-1 was open"
    assert found_in(text, "promo to a")
    assert found_in(text, "k-1 was")
    assert not found_in(text, "example.com while")


@pytest.mark.parametrize(
    ("matchers", "counted"),
    [('customer=~"ann@.*"', False), ('customer="ann@example.com"', True), ('customer=~"a•••"', True)],
)
def test_a_silence_that_is_tried_out_tells_no_part_of_a_name(api, matchers, counted):
    page = api.client.get("/silences/new", params={"matchers": matchers}, headers=MINE).text
    assert ("a•••" in page.partition('id="h-preview"')[2]) is counted
