"""An Identifier names a customer, or a thing that one customer owns; its class says how much it is trusted.

What enters: the words of `data.identifiers` and the refs of an Event. What leaves: typed identifiers and their kinds.
The next room: `normalise` makes equal things equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple

TYPE_ALIASES: Mapping[str, str] = {
    "customer": "customer_id", "e-mail": "email", "mail": "email", "email_address": "email",
    "phone_number": "phone", "mobile": "phone", "msisdn": "phone", "anonymous": "anonymous_id",
    "device": "device_id", "cookie_id": "cookie", "session_id": "session", "email_hash": "hashed_email",
}  # fmt: skip


class IdClass(IntEnum):
    """How far an identifier is trusted; one resolves only through others of a higher class, which is a lower number.

    A ref is the lower half of the weak class: it has one owner, and never is a customer by itself.
    """

    PRIMARY = 0
    CONTACT = 1
    TOOL = 2
    WEAK = 3
    REF = 4


class UnusableReason(StrEnum):
    """Why a value cannot identify anybody; the values are metric label values.

    `nobody` is a type that many customers share (a campaign, an item); `foreign_key` a digest under another key.
    """

    EMPTY = "empty"
    BLOCKED = "blocked"
    FUNCTIONAL_MAILBOX = "functional_mailbox"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    MALFORMED = "malformed"
    NOBODY = "nobody"
    FOREIGN_KEY = "foreign_key"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Unusable:
    """An identifier that was left aside, by type and reason; the value is not repeated."""

    type: str
    reason: UnusableReason


@dataclass(frozen=True, slots=True)
class Identifier:
    """One value in the clear, scoped by its type and namespace."""

    type: str
    namespace: str
    value: str


class Rank(NamedTuple):
    """The strict order of kinds: less is more trusted. Identifiers of equal rank never resolve each other."""

    id_class: IdClass
    order: int
    family: str
    namespace: str


class Kind(NamedTuple):
    """The type and namespace that many identifiers share, and where they stand in the order."""

    type: str
    namespace: str
    rank: Rank

    @property
    def strength(self) -> Rank:
        """Give how strong a customer is that has such an identifier at its root: all primary ones are equal."""
        return _PRIMARY if self.rank.id_class is IdClass.PRIMARY else self.rank


_PRIMARY = Rank(IdClass.PRIMARY, 0, "", "")


def type_word(word: str) -> str:
    """Give the one spelling of a type."""
    word = word.strip().lower()
    return TYPE_ALIASES.get(word, word)


def parse_identifier(text: str) -> Identifier | Unusable:
    """Read `type:value` or `type:namespace:value`."""
    parts = text.split(":", 2)
    if len(parts) == 1:
        return Unusable("", UnusableReason.MALFORMED)
    namespace = parts[1] if len(parts) == 3 else ""
    return Identifier(parts[0], namespace, parts[-1])
