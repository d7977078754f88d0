"""One sign-in by a provider: the browser goes there with a question, comes back with a code, and the code becomes an Identity.

What enters: where somebody wants to go; what the browser brought back.
What leaves: the provider's address with a question that only this browser can have asked; then who it is.
The next room: the sign-in page.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote_plus, urlencode

from coordwatch.access.gate import Identity, role_of
from coordwatch.access.provider import Begun, NotProvenError, Vouched
from coordwatch.access.roles import Role
from coordwatch.adapters.oidc.discovery import Discovery, answer_of
from coordwatch.adapters.oidc.identity_tokens import Asked, claims_of
from coordwatch.adapters.posting import Poster
from coordwatch.codec import NotJson, decode_json, encode_json

_NAME_MAX, _GROUPS_MAX, _KEEPSAKE_MAX, _BACK_MAX = 80, 500, 3000, 1000


@dataclass(frozen=True, slots=True)
class OidcClient:
    """What we are at a provider, and what its groups are here. Units: `skew` in seconds."""

    issuer: str
    client_id: str
    redirect: str
    roles: Mapping[str, Role]
    secret: str | None = field(default=None, repr=False)
    label: str = "your company account"
    scopes: tuple[str, ...] = ("openid", "profile")
    groups_claim: str = "groups"
    name_claim: str = "preferred_username"
    second_factor: frozenset[str] = frozenset()
    skew: int = 60


class OidcProvider:
    """The Provider of a site."""

    def __init__(self, client: OidcClient, poster: Poster) -> None:
        self._client, self._poster = client, poster
        self._discovery = Discovery(client.issuer, poster, poster.clock)

    @property
    def label(self) -> str:
        """What people call it."""
        return self._client.label

    def begin(self, back: str) -> Begun:
        """Begin a sign-in."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        question = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect,
            "scope": " ".join(self._client.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _unpadded(sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        where = self._discovery.addresses().authorization
        kept = encode_json([state, nonce, verifier, back if len(back) <= _BACK_MAX else "/"])
        return Begun(f"{where}{'&' if '?' in where else '?'}{urlencode(question)}", _unpadded(kept))

    def finish(self, keepsake: str, answer: Mapping[str, str], now: int) -> Vouched:
        """Check what the browser brought back."""
        state, nonce, verifier, back = _kept(keepsake)
        if not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
            raise NotProvenError("this browser did not begin this sign-in")
        if answer.get("iss", self._client.issuer) != self._client.issuer:
            raise NotProvenError("the answer is another provider's")
        if "error" in answer:
            raise NotProvenError(f"the provider said no: {answer['error'][:80]!r}")
        code = answer.get("code", "")
        if not code:
            raise NotProvenError("the provider sent no code")
        token = self._exchanged(code, verifier).get("id_token")
        if not isinstance(token, str):
            raise NotProvenError("the provider gave no identity token for the code")
        asked = Asked(self._client.issuer, self._client.client_id, nonce, self._client.skew)
        return Vouched(
            self._identity(claims_of(token, lambda again: self._discovery.keys(again=again), asked, now)), back
        )

    def _exchanged(self, code: str, verifier: str) -> dict[str, Any]:
        client, where = self._client, self._discovery.addresses()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect,
            "client_id": client.client_id,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if client.secret is not None and where.by_body:
            form["client_secret"] = client.secret
        elif client.secret is not None:
            login = f"{quote_plus(client.client_id)}:{quote_plus(client.secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        reply = self._poster.post(where.token, urlencode(form).encode(), headers)
        if 400 <= reply.status < 500:
            raise NotProvenError(f"the provider does not take the code ({reply.status})")
        return answer_of(where.token, lambda: reply)

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        client = self._client
        name = next((found for claim in (client.name_claim, "email", "sub") if (found := _text(claims.get(claim)))), "")
        proofs = {*_texts(claims.get("amr")), *_texts(claims.get("acr"))}
        role = role_of(client.roles, frozenset(_texts(claims.get(client.groups_claim))))
        return Identity(client.issuer, claims["sub"], name[:_NAME_MAX], role, bool(proofs & client.second_factor))


def _kept(keepsake: str) -> tuple[str, str, str, str]:
    """What this browser has kept since it began; without it any page could send it here with somebody else's code."""
    try:
        found = decode_json(
            base64.urlsafe_b64decode(keepsake.encode("ascii") + b"==") if len(keepsake) < _KEEPSAKE_MAX else b""
        )
        state, nonce, verifier, back = found
    except (NotJson, ValueError, TypeError):
        raise NotProvenError("this browser did not begin this sign-in, or it began too long ago") from None
    if not all(isinstance(one, str) and one for one in (state, nonce, verifier, back)):
        raise NotProvenError("this browser did not begin this sign-in")
    return state, nonce, verifier, back


def _unpadded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _text(value: Any) -> str:
    return "".join(one for one in value if one.isprintable()).strip() if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value[:_GROUPS_MAX] if isinstance(one, str)] if isinstance(value, list) else []
