"""What a request of a tool is, what proves it, and why it proves nothing.

What enters: headers and the raw body, untouched. What leaves: a Proof, or a reason that is a metric label value.
The next rooms: `recipes` and `schemes`, which check.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256


class Doubt(StrEnum):
    """Why a request is not believed; the values are metric label values."""

    NO_SIGNATURE = "no_signature"
    MALFORMED = "malformed"
    WRONG_SIGNATURE = "wrong_signature"
    STALE = "stale"
    FROM_THE_FUTURE = "from_the_future"
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it came: header names in lower case, the body byte for byte."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """That somebody who knows the secret sent this; `name` is the same whenever the very same thing is sent again.

    Units: `at`, what the sender signed as its time, in microseconds since 1970 UTC, None when it signs none
    """

    name: bytes | None = None
    at: int | None = None


class DoubtError(Exception):
    """Carries the reason from deep inside a check to the door; it holds nothing of the request."""

    def __init__(self, doubt: Doubt, detail: str) -> None:
        super().__init__(detail)
        self.doubt, self.detail = doubt, detail


def header_of(sent: Sent, name: str) -> str:
    """Give a header that must be there.

    Raises: DoubtError
    """
    value = sent.headers.get(name.lower(), "")
    if not value:
        raise DoubtError(Doubt.NO_SIGNATURE, f"the header {name} is missing: is the check the one of this tool?")
    return value


def decoded(text: str, encoding: str, name: str) -> bytes:
    """Give the bytes of a signature that is written in hexadecimal digits or in base64.

    Raises: DoubtError
    """
    try:
        return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise DoubtError(Doubt.MALFORMED, f"{name} is not {encoding}") from None


def mac(secret: bytes, message: bytes, algorithm: str = "sha256") -> bytes:
    """The keyed hash of a message."""
    return hmac.digest(secret, message, algorithm)


def any_equal(given: Iterable[bytes], expected: Iterable[bytes]) -> bool:
    """Whether one of those given is one of those expected; how long it takes says nothing about which, or how much of it."""
    wanted = tuple(expected)
    found = False
    for one in given:
        for other in wanted:
            found |= hmac.compare_digest(one, other)
    return found


def fingerprint(*parts: bytes) -> bytes:
    """A name for what was sent, of which nothing can be read back."""
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def wrong() -> DoubtError:
    """What is said of every signature that does not fit; it never says what would have fitted."""
    return DoubtError(
        Doubt.WRONG_SIGNATURE,
        "the signature does not fit: it was made with another secret, or something between changed the body",
    )
