"""Keyed digests: what is stored in place of an identifier, under a key that can be changed, and the mask a person may see.

What enters: normalised identifiers and the site's key. What leaves: text such as `3f0a:9c…`, equal for equal
identifiers and meaningless without the key. The next room: `reading` turns a whole Event into digests.
"""

import hashlib
from collections.abc import Sequence

from coordwatch.identity.identifier import Identifier

_KEY_MAX = 64
EMAIL = "email"
EMAIL_HASHES = ("email_md5", "email_sha1")


class Digester:
    """Digests identifiers under one key; the key's id stands before each digest, so that a changed key is seen.

    Takes:  `key` of 1 to 64 bytes; `key_id` without a colon (by default derived from the key); `old`, the keys before this
            one: what they wrote is found again, and nothing new is written under them
    Raises: ValueError for another key or id, or the same id twice
    """

    __slots__ = ("_kept", "_keyed", "_known", "_old", "_scoped", "key_id")

    def __init__(self, key: bytes, key_id: str | None = None, old: Sequence["Digester"] = ()) -> None:
        if not 0 < len(key) <= _KEY_MAX:
            raise ValueError(f"the identity key has {len(key)} bytes; give 1 to {_KEY_MAX}")
        self.key_id = hashlib.blake2b(key, digest_size=2, person=b"key id").hexdigest() if key_id is None else key_id
        if not self.key_id or ":" in self.key_id or self.key_id == "subject":
            raise ValueError(f"{self.key_id!r} cannot be the id of a key; use letters and digits")
        self._keyed = hashlib.blake2b(key=key, digest_size=16)
        self._scoped: dict[tuple[str, str], hashlib.blake2b] = {}
        self._old, self._known = tuple(old), frozenset({self.key_id, *(one.key_id for one in old)})
        if len(self._known) <= len(self._old):
            raise ValueError(f"two identity keys have the id {self.key_id!r}; give each its own")
        self._kept = hashlib.blake2b(key=key, digest_size=16, person=b"kept away")

    def knows(self, digest: str) -> bool:
        """Say whether a digest was written under this key or one before it."""
        return digest.partition(":")[0] in self._known

    @property
    def rotates(self) -> bool:
        """Whether there are keys before this one."""
        return bool(self._old)

    def kept_away(self, name: str) -> str:
        """Give what a forgotten identifier or customer key is remembered by: another digest, from which nothing leads back."""
        state = self._kept.copy()
        state.update(name.encode("utf-8", "surrogatepass"))
        return state.hexdigest()

    def every_kept_away(self, name: str) -> tuple[str, ...]:
        """Give the same under this key and each one before it: a person forgotten then stays so."""
        return (self.kept_away(name), *(old.kept_away(name) for old in self._old))

    def digest(self, identifier: Identifier) -> str:
        """Give the digest of a normalised identifier; every written form of one e-mail address but md5 and sha1 is one."""
        return self._digest(_unhashed(identifier))

    def aliases(self, identifier: Identifier) -> tuple[str, ...]:
        """Give the other digests of the same identifier: those of an address's md5 and sha1, and all under older keys.

        `form_types` gives their types again.
        """
        former = (form for old in self._old for form in (old.digest(identifier), *old.aliases(identifier)))
        return (*self._hashed(identifier), *former)

    def _hashed(self, identifier: Identifier) -> tuple[str, ...]:
        if identifier.type != EMAIL:
            return ()
        address = identifier.value.encode()
        hashes = (
            hashlib.md5(address, usedforsecurity=False).hexdigest(),
            hashlib.sha1(address, usedforsecurity=False).hexdigest(),
        )
        return tuple(
            self._digest(Identifier(name, "", value)) for name, value in zip(EMAIL_HASHES, hashes, strict=True)
        )

    def _digest(self, identifier: Identifier) -> str:
        scope = (identifier.type, identifier.namespace)
        scoped = self._scoped.get(scope)
        if scoped is None:
            scoped = self._scoped[scope] = self._keyed.copy()
            scoped.update(f"{identifier.type}\0{identifier.namespace}\0".encode("utf-8", "surrogatepass"))
        state = scoped.copy()
        state.update(identifier.value.encode())
        return f"{self.key_id}:{state.hexdigest()}"


def _unhashed(identifier: Identifier) -> Identifier:
    """Give the form in which an address and its sha256 are the same text."""
    if identifier.type == EMAIL:
        return Identifier(EMAIL, "", hashlib.sha256(identifier.value.encode()).hexdigest())
    if identifier.type == "email_sha256":
        return Identifier(EMAIL, "", identifier.value)
    return identifier


def form_types(digest: str, type_name: str, forms: Sequence[str]) -> list[str]:
    """Give the types of what `aliases` gave: under each key the identifier itself, which the present one names, then hashes."""
    types: list[str] = []
    key, place = digest.partition(":")[0], 0
    for form in forms:
        of = form.partition(":")[0]
        key, place = (key, place + 1) if of == key else (of, 0)
        types.append(type_name if place == 0 else EMAIL_HASHES[(place - 1) % len(EMAIL_HASHES)])
    return types


def mask(identifier: Identifier) -> str:
    """Give what a person may see of an identifier: `a***@example.com`, `+33***12`, `ab***`."""
    value = identifier.value
    if identifier.type == EMAIL and "@" in value:
        local, _, domain = value.rpartition("@")
        return f"{local[:1]}***@{domain}"
    if identifier.type == "phone":
        return f"{value[:3]}***{value[-2:]}" if len(value) > 7 else "***"
    return f"{value[:2]}***" if len(value) > 4 else "***"
