"""Identity tokens: believed only when the provider signed them, for us, for this sign-in, and just now.

What enters: a token, the provider's keys, what was asked for.
What leaves: its claims, or a NotProvenError.
The next room: `provider`, which makes an Identity of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact

from coordwatch.access.provider import NotProvenError

# None that signs with a secret both sides know, and never `none`.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_TYPES = (None, "JWT", "jwt")
_OLD_MAX = 600
_SUBJECT_MAX = 255
_SECOND = 1_000_000
Keys = Callable[[bool], KeySet]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a token must be: whose, for whom, for which sign-in. Units: `skew` in seconds."""

    issuer: str
    audience: str
    nonce: str
    skew: int


def claims_of(token: str, keys: Keys, asked: Asked, now: int) -> dict[str, Any]:
    """The claims of a token that proves something. Takes: `keys`, asked again where the key is not among them.

    Units:  `now` in microseconds since 1970 UTC
    Raises: NotProvenError; TemporaryError of the keys
    """
    try:
        header = extract_compact(token.encode("ascii")).headers()
        if header.get("typ") not in _TYPES:
            raise NotProvenError("the token is of another type than an identity token")
        try:
            found = jwt.decode(token, keys(False), algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            found = jwt.decode(token, keys(True), algorithms=ALGORITHMS)
        _registry(asked, now).validate(found.claims)
    except (JoseError, ValueError, TypeError, KeyError, UnicodeError) as error:
        raise NotProvenError(f"the token proves nothing ({type(error).__name__}: {error})") from None
    claims = dict(found.claims)
    _further(claims, asked, now)
    return claims


def _registry(asked: Asked, now: int) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        now=now // _SECOND,
        leeway=asked.skew,
        iss={"essential": True, "value": asked.issuer},
        aud={"essential": True, "value": asked.audience},
        nonce={"essential": True, "value": asked.nonce},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )


def _further(claims: dict[str, Any], asked: Asked, now: int) -> None:
    """What the library leaves to whoever asks."""
    audience, party = claims["aud"], claims.get("azp")
    if isinstance(audience, list) and len(audience) > 1 and party != asked.audience:
        raise NotProvenError("the token is for several, and does not say that we asked for it")
    if party is not None and party != asked.audience:
        raise NotProvenError("somebody else asked for this token")
    subject, issued = claims["sub"], claims["iat"]
    if not 0 < len(subject) <= _SUBJECT_MAX:
        raise NotProvenError("the token names nobody")
    if not isinstance(issued, int | float) or now // _SECOND - issued > _OLD_MAX + asked.skew:
        raise NotProvenError("the token was not made for this sign-in: it is old")
