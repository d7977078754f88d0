"""Answers: who stands behind an identifier or an event, and the rules by which neighbours are asked for it.

What enters: the answers of neighbours, by class and rank. What leaves: one Answer, the same in whatever order they come.
The next rooms: `resolve`, which has all nodes at hand, and `hops`, where each node knows its neighbours by what they told.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid5

from coordwatch.identity.identifier import IdClass, Kind, Rank
from coordwatch.identity.policy import SUBJECT

STAMPED = SUBJECT + ":"
PERSONS = tuple(id_class for id_class in IdClass if id_class is not IdClass.REF)
_NAMESPACE = UUID("b7c1f0f4-4a8e-5d0b-8a53-3f6f2f4f7d21")
_SURE_HOPS = 2


class QuarantineReason(StrEnum):
    """Why an identifier has no customer although it has neighbours; the values are metric label values."""

    SHARED = "shared"
    FAN_OUT = "fan_out"


class Confidence(StrEnum):
    """How sure the customer of an event is: by a declared id, by a contact point or tool, or by a cookie."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Answer(NamedTuple):
    """The customer of an identifier by its root, None without; `hops` to it; `layer` is how many of them were refs.

    `kind` is that of the root: it says how strong the customer is.
    """

    root: str | None
    hops: int = 0
    layer: int = 0
    reason: QuarantineReason | None = None
    kind: Kind | None = None


UNKNOWN = Answer(None)
SHARED = Answer(None, reason=QuarantineReason.SHARED)
FAN_OUT = Answer(None, reason=QuarantineReason.FAN_OUT)

Near = Iterable[tuple[Rank, Answer]]
"""What neighbours answered, each with its own rank; one that knows nobody may be left out."""


def customer_key(root: str) -> str:
    """Give the customer key of a root: its own text if somebody stamped it, else one derived from its digest."""
    return root[len(STAMPED) :] if root.startswith(STAMPED) else f"cust_{uuid5(_NAMESPACE, root).hex}"


def confidence_of(answer: Answer) -> Confidence:
    """Say how sure an event's answer is."""
    id_class = IdClass.WEAK if answer.kind is None else answer.kind.rank.id_class
    if id_class is IdClass.WEAK:
        return Confidence.LOW
    sure = id_class is IdClass.PRIMARY and answer.hops <= _SURE_HOPS
    return Confidence.HIGH if sure else Confidence.MEDIUM


def least_sure(answers: Iterable[Answer]) -> str:
    """Say how sure it is that events are one customer's, by the least sure of their answers; empty when none has one."""
    found = {confidence_of(answer) for answer in answers if answer.root is not None}
    return next((one.value for one in reversed(Confidence) if one in found), "")


def moves(old: Answer, new: Answer) -> bool:
    """Say whether events that rested on one answer may belong to another customer under the other."""
    return (old.root, old.layer) != (new.root, new.layer)


def of_stamped(answer: Answer) -> Answer:
    """Give the customer of an event that somebody stamped, from the answer of the stamp alone."""
    return answer._replace(hops=answer.hops + 1)


def of_event(people: Mapping[IdClass, Near], refs: Iterable[Answer], ref_hops: int) -> Answer:
    """Give the customer of an event, as a ref seen with just what it names would have."""
    found = ask_people(people)
    return ask_refs(refs, ref_hops + 1) if found is None else found


def ask_people(people: Mapping[IdClass, Near]) -> Answer | None:
    """Ask the neighbours, the highest class first; None when nobody knows."""
    for id_class in PERSONS:
        near = people.get(id_class)
        if near:
            found = agree(near)
            if found is not None:
                return found
    return None


def agree(near: Near) -> Answer | None:
    """Give what the neighbours of one class agree on, SHARED when they do not, None when none of them knows."""
    by_kind: dict[Rank, Answer] = {}
    for rank, answer in near:
        if answer.root is None:
            continue
        known = by_kind.get(rank)
        if known is None or (known.root == answer.root and answer.hops < known.hops):
            by_kind[rank] = answer
        elif known.root != answer.root:
            return SHARED
    if not by_kind:
        return None
    if len(by_kind) > 1:
        return _strongest(list(by_kind.values()))
    only = next(iter(by_kind.values()))
    return Answer(only.root, only.hops + 1, kind=only.kind)


def _strongest(answers: list[Answer]) -> Answer:
    """Choose between the kinds of one class: an address outweighs a phone number nobody tied to a customer."""
    strengths = {answer.root: answer.kind.strength for answer in answers if answer.kind is not None}
    best = min(strengths.values())
    roots = {root for root, strength in strengths.items() if strength == best}
    if len(roots) > 1:
        return SHARED
    root = roots.pop()
    chosen = [answer for answer in answers if answer.root == root]
    return Answer(root, 1 + min(answer.hops for answer in chosen), kind=chosen[0].kind)


def ask_refs(refs: Iterable[Answer], hops: int) -> Answer:
    """Ask the refs that are nearest to a person, up to `hops` away."""
    nearest: dict[str, Answer] = {}
    layer = hops - 1
    for answer in refs:
        if answer.root is None or answer.layer > layer:
            continue
        if answer.layer < layer:
            nearest.clear()
            layer = answer.layer
        known = nearest.get(answer.root)
        if known is None or answer.hops < known.hops:
            nearest[answer.root] = answer
    if not nearest:
        return UNKNOWN
    if len(nearest) > 1:
        return SHARED
    (only,) = nearest.values()
    return Answer(only.root, only.hops + 1, layer + 1, kind=only.kind)
