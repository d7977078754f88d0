"""Requests of people that the one writer carries out, and the receipts it gives: as rows of the store.

What enters: who is to be forgotten or let back, or which two are not one. What leaves: rows, and what was done, in plain data.
The next room: `erasing`, which does it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any, Protocol

from coordwatch.audit.deed import Deed, DeedKind, Fact
from coordwatch.codec import pack, unpack
from coordwatch.ports import DeadLetter, Store


class PersonStore(Store, Protocol):
    """A store out of which a person can be taken, down to the bytes."""

    def expire(self, alerts: int, letters: int) -> None:
        """Delete closed alerts that were last seen, and dead letters that were put aside, before these instants."""
        ...

    def letters(self) -> Iterable[DeadLetter]:
        """Every dead letter."""
        ...

    def compact(self) -> None:
        """Write the whole store anew, so that nothing is left of what was deleted or replaced."""
        ...

    def names_left(self) -> Iterable[str]:
        """Every customer key and every digest that stands anywhere in what the store has written, as its bytes say."""
        ...


REQUESTS, RECEIPTS, KEPT = "requests/", "receipts/", "kept/"


class RequestKind(StrEnum):
    """What is asked for: to forget a person, to let one back who was forgotten, to keep two identifiers apart."""

    FORGET = "forget"
    LIFT = "lift"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `who` are customer keys or identifiers such as `email:ann@example.com`. Units: microseconds."""

    id: str
    kind: RequestKind
    who: tuple[str, ...]
    by: str
    at: int

    def row(self) -> tuple[str, bytes]:
        """The row under which it waits."""
        return f"{REQUESTS}{self.id}", pack([self.kind.value, list(self.who), self.by, self.at])


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done. It names nobody: `reference` is another digest of who it was, the same for the same request.

    `erased` counts what is gone, by what it was, `moved` what a split moved; `left` are names that were still found when it was last checked, and
    `verified_at` when none was. Units: microseconds since 1970 UTC
    """

    id: str
    kind: RequestKind
    by: str
    asked_at: int
    done_at: int
    reference: str = ""
    erased: Mapping[str, int] = field(default_factory=dict)
    moved: Mapping[str, int] = field(default_factory=dict)
    left: int = 0
    checked_at: int | None = None
    verified_at: int | None = None
    problem: str = ""

    def row(self) -> tuple[str, bytes]:
        """The row under which it is kept."""
        return f"{RECEIPTS}{self.id}", pack(self.plain())

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self) | {"kind": self.kind.value, "erased": dict(self.erased), "moved": dict(self.moved)}

    def checked(self, left: int, now: int) -> "Receipt":
        """The same after a look at everything that is stored."""
        return replace(self, left=left, checked_at=now, verified_at=None if left else now)


def request_of(key: str, value: bytes) -> Request:
    """The request of a row."""
    kind, who, by, at = unpack(value)
    return Request(key.removeprefix(REQUESTS), RequestKind(kind), tuple(who), by, at)


def receipt_of(value: bytes) -> Receipt:
    """The receipt of a row."""
    plain = unpack(value)
    return Receipt(**plain | {"kind": RequestKind(plain["kind"])})


_DEEDS = {
    RequestKind.FORGET: DeedKind.PERSON_FORGET,
    RequestKind.LIFT: DeedKind.PERSON_LIFT,
    RequestKind.SPLIT: DeedKind.PERSON_SPLIT,
}


def deed_of(receipt: Receipt) -> Deed:
    """What the audit trail says of a request: who asked, and a name of whom it was about from which nothing leads back."""
    facts: dict[str, Fact] = {"request": receipt.id, "done": not receipt.problem}
    if receipt.erased:
        facts["erased"] = sum(receipt.erased.values())
    return Deed(receipt.done_at, receipt.by, _DEEDS[receipt.kind], receipt.reference, facts)


def waiting_of(receipts: Iterable[Receipt]) -> list[Receipt]:
    """The receipts of people who were forgotten, as long as something may be left of them."""
    return [one for one in receipts if one.kind is RequestKind.FORGET and one.verified_at is None and not one.problem]


def request_id(*parts: str) -> str:
    """An id that says nothing of what it was made of, the same each time."""
    return sha256("\x1f".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:24]
