"""What a provider says of itself: where a browser goes, where codes become tokens, and by which keys tokens are signed.

What enters: the issuer of the settings.
What leaves: its addresses and keys, asked for behind the egress guard, kept for an hour.
The next room: `provider`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from coordwatch.adapters.posting import Poster, Reply
from coordwatch.clock import Clock
from coordwatch.codec import NotJson, decode_json
from coordwatch.errors import PermanentError, TemporaryError

_KEPT_FOR = 3600 * 1_000_000
_KEYS_AGAIN_AFTER = 30 * 1_000_000
_KINDS = frozenset({"RSA", "EC", "OKP"})
_OK = 200


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a provider is asked what."""

    authorization: str
    token: str
    keys: str
    by_body: bool


class Discovery:
    """Asks one provider about itself. Takes: `clock`, by which what it said grows old."""

    def __init__(self, issuer: str, poster: Poster, clock: Clock) -> None:
        self._issuer, self._poster, self._clock = issuer, poster, clock
        self._lock = threading.Lock()
        self._addresses: tuple[int, Addresses] | None = None
        self._keys: tuple[int, KeySet] | None = None

    def addresses(self) -> Addresses:
        """Where it is asked. Raises: TemporaryError, PermanentError."""
        with self._lock:
            now = self._clock.now()
            if self._addresses is None or now - self._addresses[0] > _KEPT_FOR:
                url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                self._addresses = now, self._read(self._json(url))
            return self._addresses[1]

    def keys(self, *, again: bool = False) -> KeySet:
        """The keys it signs with. Takes: `again`, for a key that was not among them: they are asked for anew, but not often."""
        where = self.addresses().keys
        with self._lock:
            now = self._clock.now()
            old = self._keys is None or now - self._keys[0] > (_KEYS_AGAIN_AFTER if again else _KEPT_FOR)
            if self._keys is None or old:
                self._keys = now, self._key_set(self._json(where))
            return self._keys[1]

    def _read(self, found: dict[str, Any]) -> Addresses:
        if found.get("issuer") != self._issuer:
            raise PermanentError(f"the provider calls itself '{str(found.get('issuer'))[:200]}', not '{self._issuer}'")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        urls = [found.get(name) for name in names]
        for name, url in zip(names, urls, strict=True):
            if not isinstance(url, str) or urlsplit(url).scheme != urlsplit(self._issuer).scheme:
                raise PermanentError(f"the provider {self._issuer} names no usable {name}")
        methods = found.get("code_challenge_methods_supported")
        if isinstance(methods, list) and "S256" not in methods:
            raise PermanentError(
                f"the provider {self._issuer} does not know PKCE (S256), without which nobody signs in"
            )
        known = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        by_body = "client_secret_basic" not in known and "client_secret_post" in known
        authorization, token, keys = cast("tuple[str, str, str]", tuple(urls))
        return Addresses(authorization, token, keys, by_body)

    def _key_set(self, found: dict[str, Any]) -> KeySet:
        """Only keys that sign and whose other half nobody but the provider has."""
        keys = [one for one in found.get("keys") or () if isinstance(one, dict) and one.get("kty") in _KINDS]
        usable = [one for one in keys if one.get("use", "sig") == "sig"]
        if not usable:
            raise TemporaryError(f"the provider {self._issuer} shows no keys that tokens are signed with")
        try:
            return KeySet.import_key_set(cast("KeySetSerialization", {"keys": usable}))
        except (JoseError, ValueError) as error:
            raise TemporaryError(f"the keys of the provider {self._issuer} cannot be read ({error})") from None

    def _json(self, url: str) -> dict[str, Any]:
        return answer_of(url, lambda: self._poster.get(url, {"Accept": "application/json"}))


def answer_of(url: str, ask: Callable[[], Reply]) -> dict[str, Any]:
    """The JSON object that an address answers. Raises: TemporaryError for everything else."""
    reply = ask()
    try:
        found = decode_json(reply.body)
    except NotJson:
        found = None
    if reply.status != _OK or not isinstance(found, dict):
        raise TemporaryError(f"{url} answered {reply.status}, and not as a provider of identities does")
    return found
