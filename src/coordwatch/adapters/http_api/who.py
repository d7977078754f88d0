"""Who asks: the name beside the site's token, the owner of an API token, or whoever a session belongs to.

What enters: the headers of a request.
What leaves: a Principal; None for whoever has shown nothing that is known here.
The next room: `guard`.
"""

import base64
import binascii
import hmac
from typing import Protocol

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from coordwatch.access.accounts import SESSION_COOKIE
from coordwatch.access.gate import Why
from coordwatch.access.principal import LOCAL, Principal, Way
from coordwatch.access.roles import EVERYTHING

_NAME_MAX = 80


class Keeper(Protocol):
    """Who knows sessions and API tokens."""

    def by_session(self, cookie: str) -> Principal | None:
        """Whose session this is. Raises: TemporaryError."""
        ...

    def watching(self, cookie: str) -> Principal | None:
        """Whose session this is, asked for a stream that stands open. Raises: TemporaryError."""
        ...

    def by_token(self, secret: str) -> Principal | None:
        """Whose token this is. Raises: TemporaryError."""
        ...

    def pace(self, who: Principal) -> float:
        """How many seconds somebody has to wait; 0 for whoever may go on."""
        ...

    def unmasked(self, who: Principal, why: Why, route: str) -> Principal:
        """The same, to whom personal data is shown in this request, if they may; written down. Raises: TemporaryError."""
        ...

    def staff(self) -> frozenset[str]:
        """The names of those who sign in here, which are not masked."""
        ...


class Guesses(Protocol):
    """What counts the secrets that were shown from an address and are none."""

    def take(self, peer: str) -> float:
        """Count one; how many seconds to wait when there were too many, else 0."""
        ...

    def give_back(self, peer: str) -> None:
        """It was none: the secret was right."""
        ...


def who_asks(headers: Headers, token: str | None, keeper: Keeper | None, *, watching: bool = False) -> Principal | None:
    """Find out who asks. Takes: `token`, the one of the settings; `keeper`, where people sign in; `watching`, for an open stream.

    Raises: TemporaryError when the database of sessions does not answer
    """
    if token is None and keeper is None:
        return LOCAL
    shown = _shown(headers.get("authorization", ""))
    if shown is not None:
        name, secret = shown
        if token is not None and hmac.compare_digest(secret.encode("utf-8", "surrogateescape"), token.encode("utf-8")):
            return Principal(name, EVERYTHING, Way.SITE_TOKEN, unmasked=True)
        return None if keeper is None else keeper.by_token(secret)
    cookie = cookie_parser(headers.get("cookie", "")).get(SESSION_COOKIE) if keeper is not None else None
    if not cookie or keeper is None:
        return None
    return keeper.watching(cookie) if watching else keeper.by_session(cookie)


def _shown(authorization: str) -> tuple[str, str] | None:
    """The name and the secret of an Authorization header; None when there is no such header."""
    if not authorization:
        return None
    scheme, _, value = authorization.partition(" ")
    name, given = "api", value.strip()
    if scheme.lower() == "basic":
        try:
            name, _, given = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
    elif scheme.lower() != "bearer":
        return "", ""
    return (name or "api")[:_NAME_MAX], given
