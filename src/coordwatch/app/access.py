"""The door put together: who may come in, how they sign in, and what is written down of it.

What enters: settings, a store.
What leaves: a Door for the API, and the sign-in pages beside it; without a way to sign in, a Door as the settings say.
The next rooms: `one_process` and `worker_side`, and the commands `users` and `tokens`.
"""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from coordwatch.access.gate import Gate, Why
from coordwatch.access.keeping import Keeping
from coordwatch.access.principal import Principal, Way
from coordwatch.access.provider import Provider
from coordwatch.adapters.egress import Egress
from coordwatch.adapters.http_api.guard import Door, TurnAway
from coordwatch.adapters.oidc.provider import OidcClient, OidcProvider
from coordwatch.adapters.pages.sign_in import BarePages, SignInContext, sign_in_router
from coordwatch.adapters.passwords import Argon2Passwords
from coordwatch.adapters.posting import Poster
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.app.pace import Guesses, Pace
from coordwatch.clock import Clock, SystemClock
from coordwatch.errors import TemporaryError
from coordwatch.settings import Settings

_SECRET_BYTES = 32
_STAFF_FOR = 60_000_000
GUESSES_A_PEER = 60


@dataclass(frozen=True, slots=True)
class Entrance:
    """The door, the pages beside it, and how these turn somebody away."""

    door: Door
    turn_away: TurnAway
    beside: Sequence[Any] = ()


def entrance_of(settings: Settings, store: SqlStore, signed: frozenset[str], address: str) -> Entrance:
    """Put the door of a site together. Takes: `address`, where it answers, for a site that has no public address.

    Raises: PermanentError when the provider of the settings cannot be used
    """
    token = None if settings.token is None else settings.token.get_secret_value()
    public = (settings.public_url or "").rstrip("/")
    wall, proxies = SystemClock(), settings.access.own_proxies
    door = Door(token, signed=signed, public=public, proxies=proxies, guesses=Guesses(GUESSES_A_PEER, wall))
    if not settings.access.signs_in:
        return Entrance(door, BarePages().turn_away)
    gate = gate_of(settings, store)
    door = replace(door, keeper=AtTheDoor(gate, wall, Pace(settings.access.calls)))
    provider = _provider(settings, public or address)
    context = SignInContext(gate, wall, settings.access.accounts, provider)
    return Entrance(door, BarePages().turn_away, [sign_in_router(context)])


def gate_of(settings: Settings, store: SqlStore) -> Gate:
    """The gate of a site."""
    return Gate(store.accounts(), Argon2Passwords(), store.trail(), _secret, settings.access.admin_needs_second_factor)


def keeping_of(store: SqlStore, actor: str) -> Keeping:
    """What changes accounts and tokens."""
    return Keeping(store.accounts(), Argon2Passwords(), store.trail(), _secret, actor)


def _secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


def _provider(settings: Settings, site: str) -> Provider | None:
    """The provider of the settings; what is asked of it goes through the egress guard, as every message does."""
    oidc = settings.access.oidc
    if oidc is None:
        return None
    wall = SystemClock()
    client = OidcClient(
        issuer=oidc.issuer,
        client_id=oidc.client_id,
        redirect=f"{site}/sign-in/callback",
        roles=oidc.roles,
        secret=None if settings.oidc_secret is None else settings.oidc_secret.get_secret_value().strip(),
        label=oidc.label,
        scopes=oidc.scopes,
        groups_claim=oidc.groups_claim,
        name_claim=oidc.name_claim,
        second_factor=frozenset(oidc.second_factor),
        skew=oidc.skew // 1_000_000,
    )
    return OidcProvider(client, Poster(Egress(settings.egress.networks), wall, settings.egress.ca))


class KnowsNobody:
    """The Keeper of a process without a database: only the token of the settings opens it."""

    def by_session(self, cookie: str) -> Principal | None:
        return None

    def watching(self, cookie: str) -> Principal | None:
        return None

    def by_token(self, secret: str) -> Principal | None:
        return None

    def pace(self, who: Principal) -> float:
        return 0.0

    def unmasked(self, who: Principal, why: Why, route: str) -> Principal:
        return who

    def staff(self) -> frozenset[str]:
        return frozenset()


def lone_door(settings: Settings) -> Door:
    """The door of a process without a database: whether it lives, for everybody; its metrics for whoever knows the token."""
    token = None if settings.token is None else settings.token.get_secret_value()
    return Door(
        token,
        keeper=KnowsNobody() if settings.access.signs_in else None,
        public=(settings.public_url or "").rstrip("/"),
        proxies=settings.access.own_proxies,
        guesses=Guesses(GUESSES_A_PEER, SystemClock()),
    )


@dataclass(slots=True)
class AtTheDoor:
    """The Keeper of the door: the gate, by the clock of the wall."""

    gate: Gate
    clock: Clock
    calls: Pace
    _known: tuple[int, frozenset[str]] = field(default=(0, frozenset()))

    def by_session(self, cookie: str) -> Principal | None:
        return self.gate.by_session(cookie, self.clock.now())

    def watching(self, cookie: str) -> Principal | None:
        return self.gate.watching(cookie, self.clock.now())

    def by_token(self, secret: str) -> Principal | None:
        return self.gate.by_token(secret, self.clock.now())

    def pace(self, who: Principal) -> float:
        if who.way is not Way.API_TOKEN:
            return 0.0
        return self.calls.wait(who.session, self.clock.now()) / 1_000_000

    def unmasked(self, who: Principal, why: Why, route: str) -> Principal:
        return self.gate.unmasked_by(who, why, route, self.clock.now())

    def staff(self) -> frozenset[str]:
        now = self.clock.now()
        if now - self._known[0] > _STAFF_FOR:
            # While the database is away, those of before are spared.
            with suppress(TemporaryError):
                self._known = now, frozenset(user.name for user in self.gate.store.users())
        return self._known[1]
