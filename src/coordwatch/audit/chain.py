"""The chain: each link hashes its deed and the seal of the link before it.

What enters: deeds behind the newest link; links read back, heads that were noted elsewhere.
What leaves: links to be stored; the first one that is broken, and how.
The next room: a store, which keeps links in the transaction of what they speak of.

A seal is the SHA-256, in hexadecimal, of the JSON array [number, at, actor, kind, subject, facts, seal before] in UTF-8 without
blanks, `facts` being the text of their JSON with sorted names. Before the first stands GENESIS. Anybody can check it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from coordwatch.alerts.alert import ENGINE
from coordwatch.audit.deed import Deed, DeedKind, Fact, plain_text
from coordwatch.codec import decode_json, encode_json
from coordwatch.events.times import format_time

SEAL_MIN = 16
GENESIS = sha256(b"coordwatch audit trail, version 1").hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain goes: the number and the seal of its newest link."""

    number: int = 0
    seal: str = GENESIS

    def __str__(self) -> str:
        return f"{self.number}:{self.seal}"


GENESIS_HEAD = Head()


@dataclass(frozen=True, slots=True)
class Link:
    """One deed in its place; `facts` is the text that was hashed. Units: `at` in microseconds since 1970 UTC."""

    number: int
    at: int
    actor: str
    kind: str
    subject: str
    facts: str
    seal: str

    def sealed_behind(self, before: str) -> str:
        """The seal that it must have behind a link with this seal."""
        parts = [self.number, self.at, self.actor, self.kind, self.subject, self.facts, before]
        return sha256(encode_json([plain_text(one) if isinstance(one, str) else one for one in parts])).hexdigest()


class Flaw(StrEnum):
    """How a chain is broken."""

    CHANGED = "changed"
    MISSING = "missing"
    CUT = "cut"
    REPLACED = "replaced"
    PAST = "past"
    """The chain is whole, and something stands elsewhere than it says: it was changed past the trail."""


@dataclass(frozen=True, slots=True)
class Break:
    """The first link that is not as it was written, and what that means."""

    number: int
    flaw: Flaw
    words: str


def chained(head: Head, deeds: Iterable[Deed]) -> list[Link]:
    """The links of deeds behind the newest one."""
    links: list[Link] = []
    for deed in deeds:
        facts = encode_json(dict(deed.facts), sort=True).decode()
        bare = Link(head.number + 1, deed.at, deed.actor, deed.kind.value, deed.subject, facts, "")
        links.append(replace(bare, seal=bare.sealed_behind(head.seal)))
        head = Head(links[-1].number, links[-1].seal)
    return links


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check: how far the chain goes, and where it breaks first, if it does."""

    head: Head
    broken: Break | None = None


def pruned(through: Head, before: int, now: int) -> Deed:
    """The deed that stands for the links that were pruned: the last of them with its seal. Units: microseconds since 1970 UTC."""
    facts: dict[str, Fact] = {"through": through.number, "seal": through.seal, "before": format_time(before)}
    return Deed(now, ENGINE, DeedKind.AUDIT_PRUNE, "", facts)


def check(links: Iterable[Link], noted: Sequence[Head] = (), base: Head = GENESIS_HEAD) -> Checked:
    """Whether a chain is whole, from its first link, and holds every head that was noted elsewhere.

    Takes: links in the order of their numbers; `base`, the last one that was pruned, of which a later link must tell. A head
           before it cannot be looked for any more
    """
    wanted: dict[int, list[str]] = {}
    for one in noted:
        if one.number >= base.number:
            wanted.setdefault(one.number, []).append(one.seal)
    head, told = base, base.number == 0
    if any(not base.seal.startswith(seal) for seal in wanted.pop(base.number, []) if base.number):
        return Checked(base, Break(base.number, Flaw.REPLACED, "the last entry that was pruned was noted otherwise"))
    for link in links:
        broken = _broken(link, head) or _replaced(link, wanted.pop(link.number, []))
        if broken is not None:
            return Checked(head, broken)
        head, told = Head(link.number, link.seal), told or _tells_of(link, base)
    lost = [number for number in wanted if number > head.number]
    if lost:
        words = f"the trail ends at {head.number}, and {max(lost)} was noted elsewhere: its end was cut off"
        return Checked(head, Break(head.number + 1, Flaw.CUT, words))
    if not told:
        words = f"the trail begins behind {base.number}, and no entry tells that those before were pruned"
        return Checked(head, Break(1, Flaw.MISSING, words))
    return Checked(head)


def _tells_of(link: Link, base: Head) -> bool:
    if link.kind != DeedKind.AUDIT_PRUNE.value:
        return False
    facts = decode_json(link.facts)
    return bool(facts.get("through") == base.number and facts.get("seal") == base.seal)


def _broken(link: Link, head: Head) -> Break | None:
    if link.number != head.number + 1:
        words = f"behind {head.number} comes {link.number}: what stood between was deleted or moved"
        return Break(head.number + 1, Flaw.MISSING, words)
    if link.seal != link.sealed_behind(head.seal):
        words = f"entry {link.number} does not fit its seal: it was changed or moved, or the one before it was changed and sealed anew"
        return Break(link.number, Flaw.CHANGED, words)
    return None


def _replaced(link: Link, seals: Iterable[str]) -> Break | None:
    for seal in seals:
        if not link.seal.startswith(seal):
            words = (
                f"entry {link.number} has another seal than was noted elsewhere: it, or one before it, was written anew"
            )
            return Break(link.number, Flaw.REPLACED, words)
    return None


def heads_in(text: str) -> Iterator[Head]:
    """The heads in a text: one a line as `NUMBER:SEAL`, after anything that stands before the last blank.

    Raises: ValueError for a line that holds none
    """
    for line in text.splitlines():
        words = line.split()
        if words:
            yield head_of(words[-1])


def head_of(text: str) -> Head:
    """The head in `NUMBER:SEAL`; of the seal at least SEAL_MIN characters: of fewer somebody could make another one.

    Raises: ValueError
    """
    number, colon, seal = text.strip().partition(":")
    if not colon or not number.isascii() or not number.isdecimal() or not SEAL_MIN <= len(seal) <= 64:
        raise ValueError(
            f"'{text[:80]}' is no head of an audit trail, such as 1042:9f86d081884c7d65: of a seal at least {SEAL_MIN} digits count"
        )
    if any(one not in "0123456789abcdef" for one in seal):
        raise ValueError(f"'{text[:80]}' is no head of an audit trail: a seal is hexadecimal in small letters")
    return Head(int(number), seal)
