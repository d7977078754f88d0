"""The whole application, API and pages, behind a door whose keeper knows one person of each role and one token of each scope.

What enters: nothing. What leaves: an application, and everybody who may ask it something.
The next room: the sweeps.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from starlette.types import ASGIApp

from coordwatch.access.accounts import SESSION_COOKIE
from coordwatch.access.gate import Gate, Why
from coordwatch.access.principal import Principal, Way
from coordwatch.access.roles import ROLES, Permission, Role
from coordwatch.adapters.pages.router import pages_router
from coordwatch.adapters.pages.sign_in import BarePages, SignInContext, sign_in_router
from coordwatch.audit.deed import Deed
from coordwatch.clock import ManualClock
from tests.api.build import an_api
from tests.build import NOW
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

    def watching(self, cookie: str) -> Principal | None:
        return PEOPLE.get(cookie)

    def by_token(self, secret: str) -> Principal | None:
        return TOKENS.get(secret)

    def pace(self, who: Principal) -> float:
        return 0.0

    def unmasked(self, who: Principal, why: Why, route: str) -> Principal:
        return replace(who, unmasked=who.may(Permission.UNMASK))

    def staff(self) -> frozenset[str]:
        return frozenset({"ada@ops.example"})


class NoAccounts:
    """An AccountStore without accounts."""

    def user(self, user_id: str) -> None:
        return None

    def session(self, digest: str) -> None:
        return None

    def take_tries(self, limits: Mapping[str, int], now: int, window: int) -> int:
        return 0


class NoPasswords:
    """No password is right."""

    def verify(self, kept: str | None, password: str) -> bool:
        return False


class NoTrail:
    """Deeds that nobody reads."""

    def add(self, deeds: Sequence[Deed]) -> None:
        return None


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
    """API, pages and sign-in over invented alerts; nobody has an account, so signing in fails."""
    database = Path(tempfile.mkdtemp()) / "whole.db"
    gate = Gate(NoAccounts(), NoPasswords(), NoTrail(), lambda: "nothing")
    beside = [pages_router(sample().context), sign_in_router(SignInContext(gate, ManualClock(NOW), accounts=True))]
    away = BarePages().turn_away
    api = an_api(filled=True, accounts=Known(), beside=beside, turn_away=away, database=database)
    assert api.application is not None
    return api.application
