"""The whole application, API and pages, behind a door whose keeper knows one person of each role and one token of each scope.

What enters: nothing. What leaves: an application, and everybody who may ask it something.
The next room: the sweeps.
"""

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.types import ASGIApp

from coordwatch.access.principal import Principal, Way
from coordwatch.access.roles import ROLES, Permission, Role
from coordwatch.adapters.http_api.who import SESSION_COOKIE
from coordwatch.adapters.pages.router import pages_router
from tests.api.build import an_api
from tests.pages.sample_data import sample

PEOPLE = {f"session-of-{role.value}": Principal(role.value, ROLES[role], Way.SESSION, role) for role in Role}
TOKENS = {
    f"token-to-{one.value}": Principal(f"token {one.value}", frozenset({one}), Way.API_TOKEN) for one in Permission
}
OUR_PAGE = {"Origin": "http://127.0.0.1:8484", "Sec-Fetch-Site": "same-origin"}


class Known:
    """A keeper that knows those."""

    def by_session(self, cookie: str) -> Principal | None:
        return PEOPLE.get(cookie)

    def by_token(self, secret: str) -> Principal | None:
        return TOKENS.get(secret)

    def pace(self, who: Principal) -> float:
        return 0.0


def askers() -> Mapping[str, tuple[Mapping[str, str], Principal | None]]:
    """Everybody who may ask, by name: the headers that they send, and who they are."""
    people = {name: ({"Cookie": f"{SESSION_COOKIE}={name}", **OUR_PAGE}, who) for name, who in PEOPLE.items()}
    tokens = {name: ({"Authorization": f"Bearer {name}"}, who) for name, who in TOKENS.items()}
    wrong = {
        "nobody": {},
        "wrong session": {"Cookie": f"{SESSION_COOKIE}=made-up", **OUR_PAGE},
        "wrong token": {"Authorization": "Bearer made-up"},
        "wrong scheme": {"Authorization": "Digest token-to-admin"},
    }
    return {**{name: (headers, None) for name, headers in wrong.items()}, **people, **tokens}


@cache
def whole_application() -> ASGIApp:
    """API and pages over invented alerts."""
    database = Path(tempfile.mkdtemp()) / "whole.db"
    api = an_api(filled=True, accounts=Known(), beside=[pages_router(sample().context)], database=database)
    assert api.application is not None
    return api.application
