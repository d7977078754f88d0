"""Tokens: what Faust's member shows to brokers that want OAUTHBEARER, fetched by client credentials and kept until stale.

What enters: a Login with its token endpoint.
What leaves: access tokens; librdkafka fetches its own in the same way.
The next room: `clients`.
"""

import asyncio
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from typing import Any

from aiokafka.abc import AbstractTokenProvider

from coordwatch.adapters.kafka.access import Login

_SECONDS = 10.0
_ANSWER_MAX = 100_000
_USED_FOR = 0.8


class TokenError(Exception):
    """The token endpoint gave no token; the message says what it said, and never the secret."""


class ClientTokens(AbstractTokenProvider):  # type: ignore[misc]
    """Tokens of one client (RFC 6749, section 4.4)."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._token, self._stale_at = "", 0.0

    async def token(self) -> str:
        """A token that is still good. Raises: TokenError."""
        if time.monotonic() >= self._stale_at:
            loop = asyncio.get_running_loop()
            self._token, seconds = await loop.run_in_executor(None, fetch_token, self._login)
            self._stale_at = time.monotonic() + _USED_FOR * seconds
        return self._token


class _NoOtherPlace(urllib.request.HTTPRedirectHandler):
    """The secret goes to the endpoint that the settings name, and to no place that it may point to."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def fetch_token(login: Login) -> tuple[str, float]:
    """Ask the endpoint once. Blocks. Its certificate is held against the authorities of the machine, as librdkafka does.

    Gives:  the token, and for how many seconds it is good
    Raises: TokenError
    """
    wanted = {"grant_type": "client_credentials"} | ({"scope": login.scope} if login.scope else {})
    named = b64encode(f"{login.name}:{login.secret}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310 - the settings take https only, or this machine
        login.token_endpoint,
        urllib.parse.urlencode(wanted).encode(),
        {"Authorization": f"Basic {named}", "Accept": "application/json"},
    )
    try:
        with urllib.request.build_opener(_NoOtherPlace).open(request, timeout=_SECONDS) as answer:
            plain = json.loads(answer.read(_ANSWER_MAX))
        return str(plain["access_token"]), float(plain.get("expires_in", 300))
    except (OSError, ValueError, KeyError, TypeError) as error:
        told = f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
        raise TokenError(f"kafka.security.token_endpoint gave no token ({told})") from None
