"""Keyed digests: what is stored in place of an identifier, and the mask that a person may see.

What enters: normalised identifiers and the site's key. What leaves: text such as `3f0a:9c…`, equal for equal
identifiers and meaningless without the key. The next room: `reading` turns a whole Event into digests.
"""

import hashlib

from coordwatch.identity.identifier import Identifier

_KEY_MAX = 64
EMAIL = "email"
EMAIL_HASHES = ("email_md5", "email_sha1")


class Digester:
    """Digests identifiers under one key; the key's id stands before each digest, so that a changed key is seen.

    Takes:  `key` of 1 to 64 bytes; `key_id` without a colon (by default derived from the key)
    Raises: ValueError for another key or id
    """

    __slots__ = ("_keyed", "_scoped", "key_id")

    def __init__(self, key: bytes, key_id: str | None = None) -> None:
        if not 0 < len(key) <= _KEY_MAX:
            raise ValueError(f"the identity key has {len(key)} bytes; give 1 to {_KEY_MAX}")
        self.key_id = hashlib.blake2b(key, digest_size=2, person=b"key id").hexdigest() if key_id is None else key_id
        if not self.key_id or ":" in self.key_id or self.key_id == "subject":
            raise ValueError(f"{self.key_id!r} cannot be the id of a key; use letters and digits")
        self._keyed = hashlib.blake2b(key=key, digest_size=16)
        self._scoped: dict[tuple[str, str], hashlib.blake2b] = {}

    def digest(self, identifier: Identifier) -> str:
        """Give the digest of a normalised identifier; every written form of one e-mail address but md5 and sha1 is one."""
        return self._digest(_unhashed(identifier))

    def aliases(self, identifier: Identifier) -> tuple[str, ...]:
        """Give the digests under which a tool that hashes addresses with md5 or sha1 knows the same e-mail address."""
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


def mask(identifier: Identifier) -> str:
    """Give what a person may see of an identifier: `a***@example.com`, `+33***12`, `ab***`."""
    value = identifier.value
    if identifier.type == EMAIL and "@" in value:
        local, _, domain = value.rpartition("@")
        return f"{local[:1]}***@{domain}"
    if identifier.type == "phone":
        return f"{value[:3]}***{value[-2:]}" if len(value) > 7 else "***"
    return f"{value[:2]}***" if len(value) > 4 else "***"
