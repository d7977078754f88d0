"""Every route of the program is asked by everybody: nobody, every role, every scope of a token, a page of another site."""

import asyncio
import re

import pytest
from fastapi import APIRouter

from coordwatch.access.roles import ROLES, Open, Permission, Role
from coordwatch.access.routes import ROUTES
from coordwatch.errors import PermanentError
from tests.access.asking import start_of
from tests.access.whole import OUR_PAGE, askers, whole_application
from tests.api.build import an_api

SAFE = {"GET", "HEAD", "OPTIONS"}
# Whoever comes to sign in is let in to try, and told 403 when it does not work: test_sign_in looks at these.
ITSELF = {("POST", "/sign-in"), ("GET", "/sign-in/callback")}
FILLED = {"alert_id": "nothing", "action": "acknowledge", "key": "customer-01", "rule_id": "nothing", "name": "nothing"}


def address(path):
    return re.sub(r"\{(\w+)(?::path)?\}", lambda found: FILLED.get(found[1], "nothing"), path)


def refused(who, need):
    """What the table says, read once more by the test itself: 0 for whoever is let in."""
    if need is Open.ANYBODY:
        return 0
    if who is None:
        return 401
    return 0 if need in {Open.SIGNED, Open.SIGNED_IN, *who.permissions} else 403


def every_route():
    return [one for one in whole_application().state.needs.all if one[0] != "HEAD"]


def to_sign_in(start):
    return start.status == 303 and start.headers["location"].startswith("/sign-in")


def statuses(asked):
    """The statuses of many requests, asked one after the other."""

    async def ask():
        starts = [await start_of(whole_application(), *one) for one in with_addresses]
        # A page that turns away sends to the sign-in: the same as 401, said to a person.
        return [
            401 if to_sign_in(start) and path != "/sign-out" else start.status
            for start, (_, path, _) in zip(starts, asked, strict=True)
        ]

    with_addresses = [(method, address(path), headers) for method, path, headers in asked]

    return asyncio.run(ask())


def test_the_table_knows_every_route_and_no_other():
    there = {f"{method} {path}" for method, path, _ in every_route()}
    assert there | {"POST /v1/channels/{name}/slack"} == set(ROUTES)


def test_the_openapi_document_shows_no_route_that_is_not_swept():
    swept = {(method, path.replace(":path", "")) for method, path, _ in every_route()}
    document = whole_application().openapi()
    shown = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert shown
    assert shown <= swept


def test_every_route_lets_in_whom_the_table_says_and_nobody_else():
    asked, expected = [], []
    for method, path, need in every_route():
        if (method, path) in ITSELF:
            continue
        for name, (headers, who) in askers().items():
            asked.append((method, path, headers))
            expected.append((f"{method} {path}", name, refused(who, need)))
    wrong = []
    for status, (route, name, said) in zip(statuses(asked), expected, strict=True):
        is_refused = status if status in (401, 403) else 0
        if is_refused != said:
            wrong.append(f"{route} as {name}: {status} instead of {said or 'in'}")
    assert wrong == []
    assert len(asked) > 400


def test_nothing_can_be_changed_from_another_page_nor_without_saying_from_which():
    headers, _ = askers()["session-of-admin"]
    silent = {"Cookie": headers["Cookie"]}
    ways = [
        {**silent, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {**silent, "Origin": "https://evil.example"},
        {**silent, "Origin": "null"},
        {**silent, "Sec-Fetch-Site": "same-site"},
        silent,
    ]
    changing = [
        (method, path) for method, path, need in every_route() if method not in SAFE and need is not Open.ANYBODY
    ]
    asked = [(method, path, way) for method, path in changing for way in ways]
    assert len(asked) >= 20
    assert [one for one, status in zip(asked, statuses(asked), strict=True) if status != 403] == []
    assert 403 not in statuses(
        [(method, path, {**silent, **OUR_PAGE}) for method, path in changing if path not in ("/v1/events", "/unmask")]
    )


def test_no_route_that_reads_changes_anything():
    """What changes something is a POST: a link, a picture or a robot must not be able to do it."""
    assert {method for method, _, _ in every_route()} <= {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    assert [key for key, need in ROUTES.items() if need is Permission.ACT and key.startswith("GET ")] == []


NOT_FOR_EVERYBODY = {
    Permission.METRICS: {"GET /metrics"},
    Permission.INGEST: {"POST /v1/events"},
    Permission.REPLAY: {"POST /v1/dead-letters/replay", "POST /dead-letters"},
    Permission.AUDIT: {"GET /v1/audit", "GET /v1/audit/head", "GET /audit"},
    Permission.UNMASK: {"POST /unmask"},
    Permission.ADMIN: {"GET /settings"},
    Open.SIGNED_IN: {"POST /look", "POST /sign-out"},
    Open.ANYBODY: {
        "GET /livez", "GET /readyz", "GET /sign-in", "POST /sign-in", "GET /sign-in/provider", "GET /sign-in/callback",
        "GET /static/{name}", "GET /favicon.ico",
    },
}  # fmt: skip


@pytest.mark.parametrize("need", NOT_FOR_EVERYBODY)
def test_what_is_open_or_needs_its_own_permission_is_said_here_once_more(need):
    """The sweep believes the table; this does not."""
    assert {route for route, said in ROUTES.items() if said is need} == NOT_FOR_EVERYBODY[need]


def test_nothing_is_changed_by_whoever_may_only_read():
    changing = {route: need for route, need in ROUTES.items() if route.partition(" ")[0] not in SAFE}
    assert [route for route, need in changing.items() if need in (Permission.READ, Permission.METRICS)] == []
    assert {route for route, need in changing.items() if need is Open.SIGNED} == {
        "POST /v1/sources/{name}", "POST /v1/channels/{name}/slack"
    }  # fmt: skip


@pytest.mark.parametrize(
    "path", ["//v1/alerts", "/v1//alerts", "/v1/alerts/../alerts", "/V1/alerts", "/v1/alerts/", "/nothing"]
)
def test_another_way_to_write_an_address_opens_no_door(path):
    asked = [("GET", path, {}), ("POST", path, {})]
    assert set(statuses(asked)) == {401}


def test_a_route_that_nobody_thought_about_does_not_start():
    router = APIRouter()

    @router.get("/v1/forgotten")
    def forgotten():
        return {}

    with pytest.raises(PermanentError, match="/v1/forgotten has no line"):
        an_api(beside=[router])


def test_a_route_whose_methods_need_different_things_does_not_start():
    router = APIRouter()

    @router.api_route("/alerts/{alert_id}", methods=["GET", "POST"])
    def both():
        return {}

    with pytest.raises(PermanentError, match="make two routes"):
        an_api(beside=[router])


def test_the_roles_grow_only_where_the_table_says():
    assert ROLES[Role.VIEWER] < ROLES[Role.OPERATOR] < ROLES[Role.ADMIN]
    assert [role for role in Role if Permission.UNMASK in ROLES[role]] == [Role.PRIVACY]
    assert [role for role in Role if Permission.ADMIN in ROLES[role]] == [Role.ADMIN]
