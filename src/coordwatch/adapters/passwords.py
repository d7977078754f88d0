"""Passwords: kept by argon2id, checked in the same time whoever asks, and refused when they are among the first that are tried.

What enters: passwords.
What leaves: what is kept of them, yes or no, and why one is too weak.
The next room: the gate, which decides with it.
"""

import threading
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

# One check takes 64 MB: more than a few at once would let whoever tries names use up the memory.
_AT_ONCE = 2
_SCORED = 72
_GOOD_ENOUGH = 3
_COMMON = frozenset(FREQUENCY_LISTS["passwords"])


class Argon2Passwords:
    """The Passwords of the gate. Takes: `hasher`, by default with the effort that RFC 9106 asks for."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._at_once = threading.BoundedSemaphore(_AT_ONCE)
        self._nobody = self._hasher.hash("the password of nobody")

    def hash(self, password: str) -> str:
        with self._at_once:
            return self._hasher.hash(_plain(password))

    def verify(self, kept: str | None, password: str) -> bool:
        with self._at_once:
            try:
                self._hasher.verify(kept or self._nobody, _plain(password))
            except (VerificationError, InvalidHashError):
                return False
        return kept is not None

    def outdated(self, kept: str) -> bool:
        return self._hasher.check_needs_rehash(kept)

    def weakness(self, password: str, about: Iterable[str]) -> str | None:
        if password.lower() in _COMMON:
            return "it is among the thirty thousand that are tried first"
        found = zxcvbn(password[:_SCORED], user_inputs=list(about), max_length=_SCORED)
        if found["score"] >= _GOOD_ENOUGH:
            return None
        hints = [found["feedback"]["warning"], *found["feedback"]["suggestions"]]
        return " ".join(hint for hint in hints if hint) or "it is made of words that are tried soon"


def _plain(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
