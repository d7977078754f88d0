"""Traces: whether the bytes of a dead letter name somebody.

What enters: bytes that nobody could read as an event, or that found no customer. What leaves: whether any text in them is an
identifier of a person who is looked for. The next room: `erasing`.
"""

import re
from collections.abc import Callable, Iterator, Set
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_plus

from coordwatch.codec import NotJson, decode_json
from coordwatch.identity.identifier import IdClass
from coordwatch.identity.identity import Identity

_WORD = re.compile(r"[^\s\"'<>{}\[\],;=&|\\\x00-\x1f]{2,254}")
_DIGEST = re.compile(r"[A-Za-z0-9]{1,16}:[0-9a-f]{32}")
_NAME = re.compile(rb"cust_[0-9a-f]{32}|[A-Za-z0-9]{1,16}:[0-9a-f]{32}")
_MOST = 5_000
_REF_SHORTEST = 5
"""A shorter number of an order may stand anywhere in a dead letter without being one."""


class Traces:
    """Looks for people. `theirs` says of a digest or a customer key that it is one of theirs, `kinds` of which types those are."""

    def __init__(self, identity: Identity, theirs: Callable[[str], bool], kinds: Set[tuple[str, str]]) -> None:
        self._identity, self._theirs = identity, theirs
        self._kinds = [identity.kind(*one) for one in kinds]

    def in_bytes(self, original: bytes) -> bool:
        """Whether some bytes name one of them."""
        words, theirs = candidates(original), self._theirs
        if any(map(theirs, words)):
            return True
        for kind in self._kinds:
            shortest = _REF_SHORTEST if kind.rank.id_class is IdClass.REF else 2
            for word in words:
                digest = self._identity.digest_as(kind, word) if len(word) >= shortest else None
                if digest is not None and theirs(digest):
                    return True
        return False


def names_in(held: bytes) -> Iterator[str]:
    """Every customer key we made, and every digest, in some bytes; one that is glued to what stands before it too."""
    for found in _NAME.finditer(held):
        name = found.group().decode("ascii")
        yield name
        key, colon, digest = name.partition(":")
        if colon:
            yield from (f"{key[start:]}:{digest}" for start in range(1, len(key)))


def candidates(original: bytes) -> set[str]:
    """Every text that could be an identifier: the values of JSON, and the words of anything."""
    found: set[str] = set()
    text = original.decode("utf-8", "replace")
    with suppress(NotJson):
        found.update(_leaves(decode_json(original), 0))
    for written in {text, unquote_plus(text)}:
        found.update(_WORD.findall(written))
        found.update(_DIGEST.findall(written))
    return set(list(found)[:_MOST]) if len(found) > _MOST else found


def _leaves(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        if depth < 8 and value[:1] in ("{", "["):
            try:
                yield from _leaves(decode_json(value.encode("utf-8", "replace")), depth + 1)
            except NotJson:
                return
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one, depth)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one, depth)
