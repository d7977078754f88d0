"""Messages between nodes: what one says to another, as plain data for the wire.

What enters: a message. What leaves: its bytes, with the kind beside them for the header `cw-kind`, and back. The key of a
message is the digest of the node it is for. The next room: `rows`, what a node keeps of what it was told.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from coordwatch.codec import pack, unpack
from coordwatch.events.event import Event
from coordwatch.identity.answers import UNKNOWN, Answer, QuarantineReason
from coordwatch.identity.digest import EMAIL_HASHES
from coordwatch.identity.identifier import Kind

KindOf = Callable[[str, str], Kind]

TELLS = 1
WANTS = 2
FORM = 4


class HopKind(StrEnum):
    """What a message between nodes is about."""

    PLACE = "place"
    MEET = "meet"
    TOLD = "told"
    LINK = "link"
    FOLLOW = "follow"
    LEND = "lend"
    GONE = "gone"
    APART = "apart"
    FORGET = "forget"


class BadHop(ValueError):
    """A message that this program cannot read; the message of the error says what is wrong with it."""


class Other(NamedTuple):
    """Another node, as somebody speaks of it: its answer of that version, 0 when it is not said.

    `flags`: TELLS, it will tell the receiver of each change of its answer; WANTS, it wants to be told of each change of
    the receiver's answer, of which it has version `given`; FORM, the receiver is another form of it.
    """

    digest: str
    kind: Kind
    version: int = 0
    answer: Answer = UNKNOWN
    flags: int = 0
    given: int = 0


class Lent(NamedTuple):
    """What a member of a group knows, for its leader: who stands above it and answered, and which persons stand below."""

    above: tuple[Other, ...] = ()
    below: tuple[tuple[str, Kind], ...] = ()


class Place(NamedTuple):
    """An event for its anchor. `said` is what was said of its act, None the first time."""

    event: Event
    said: Sequence[Any] | None = None


class Meet(NamedTuple):
    """These were named in one event with the receiver; `forms` are other digests of the receiver's e-mail address.

    Units: `seen` in microseconds since 1970 UTC, when that event happened; 0 when there is none
    """

    kind: Kind
    others: tuple[Other, ...]
    seen: int = 0
    forms: tuple[str, ...] = ()


class Told(NamedTuple):
    """The answer of another node, of a version that only grows."""

    sender: str
    version: int
    answer: Answer


class Link(NamedTuple):
    """The receiver and another node are one: the one that stands behind in the order of leaders follows."""

    kind: Kind
    other: Other


class Follow(NamedTuple):
    """A node follows the receiver, whose answer it has in the version `given`, and lends it what it knows."""

    kind: Kind
    child: str
    given: int
    lent: Lent


class Lend(NamedTuple):
    """More that a follower learned."""

    lent: Lent


class Gone(NamedTuple):
    """A ref was forgotten. Units: `seen` in microseconds since 1970 UTC, the latest event that named it as far as it knew."""

    sender: str
    seen: int


class Apart(NamedTuple):
    """A person says that the receiver and another node are not one, whatever was and will be seen."""

    kind: Kind
    other: str
    other_kind: Kind


class Forget(NamedTuple):
    """A customer is forgotten, and `sender` is one of theirs; without a customer it is gone.

    Without either: the receiver is forgotten, whoever it is.
    """

    customer: str | None = None
    sender: str | None = None


Message = Place | Meet | Told | Link | Follow | Lend | Gone | Apart | Forget


class Hop(NamedTuple):
    """A message on its way to a node."""

    to: str
    message: Message


def answer_to_plain(answer: Answer) -> list[Any]:
    """Write an answer as plain data."""
    root, hops, layer, reason, kind = answer
    return [root, hops, layer, reason] if kind is None else [root, hops, layer, reason, kind.type, kind.namespace]


def answer_from(plain: Sequence[Any], kind_of: KindOf) -> Answer:
    """Read what `answer_to_plain` wrote."""
    root, hops, layer, reason, *kind = plain
    return Answer(root, hops, layer, reason and QuarantineReason(reason), kind_of(*kind) if kind else None)


def event_to_row(event: Event) -> list[Any]:
    """Write an event as plain data."""
    return [event.source, event.id, event.type, event.time, event.observed_at, event.subject, dict(event.data)]


def encode(message: Message) -> tuple[HopKind, bytes]:
    """Give the kind and the bytes of a message."""
    match message:
        case Place(event, said):
            return HopKind.PLACE, pack([event_to_row(event), said])
        case Meet(kind, others, seen, forms):
            return HopKind.MEET, pack([kind.type, kind.namespace, [_other(one) for one in others], seen, forms])
        case Told(sender, version, answer):
            return HopKind.TOLD, pack([sender, version, answer_to_plain(answer)])
        case Link(kind, other):
            return HopKind.LINK, pack([kind.type, kind.namespace, _other(other)])
        case Follow(kind, child, given, lent):
            return HopKind.FOLLOW, pack([kind.type, kind.namespace, child, given, *_lent(lent)])
        case Lend(lent):
            return HopKind.LEND, pack(_lent(lent))
        case Gone(sender, seen):
            return HopKind.GONE, pack([sender, seen])
        case Apart(kind, other, other_kind):
            return HopKind.APART, pack([kind.type, kind.namespace, other, other_kind.type, other_kind.namespace])
        case Forget(customer, sender):
            return HopKind.FORGET, pack([customer, sender])


def decode(kind: str, value: bytes, kind_of: KindOf) -> Message:
    """Read a message.

    Raises: BadHop
    """
    try:
        return _decode(HopKind(kind), unpack(value), kind_of)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise BadHop(f"no message of the kind '{kind[:40]}': {type(error).__name__}: {error}") from None


def _decode(kind: HopKind, plain: Any, kind_of: KindOf) -> Message:
    match kind:
        case HopKind.PLACE:
            event, said = plain
            return Place(Event(*event), said)
        case HopKind.MEET:
            name, namespace, others, seen, forms = plain
            return Meet(
                kind_of(name, namespace), tuple(_other_from(one, kind_of) for one in others), seen, tuple(forms)
            )
        case HopKind.TOLD:
            sender, version, answer = plain
            return Told(sender, version, answer_from(answer, kind_of))
        case HopKind.LINK:
            name, namespace, other = plain
            return Link(kind_of(name, namespace), _other_from(other, kind_of))
        case HopKind.FOLLOW:
            name, namespace, child, given, above, below = plain
            return Follow(kind_of(name, namespace), child, given, _lent_from(above, below, kind_of))
        case HopKind.LEND:
            above, below = plain
            return Lend(_lent_from(above, below, kind_of))
        case HopKind.GONE:
            sender, seen = plain
            return Gone(sender, seen)
        case HopKind.APART:
            name, namespace, other_digest, *other_kind = plain
            return Apart(kind_of(name, namespace), other_digest, kind_of(*other_kind))
        case HopKind.FORGET:
            customer, sender = plain
            return Forget(customer, sender)


def _other(other: Other) -> list[Any]:
    """Write another node; most are only named, and end after their kind."""
    digest, kind, version, answer, flags, given = other
    plain: list[Any] = [digest, kind.type, kind.namespace]
    if flags or version:
        plain += [flags, given, version]
    if version:
        plain.append(answer_to_plain(answer))
    return plain


def _other_from(plain: Sequence[Any], kind_of: KindOf) -> Other:
    digest, name, namespace, *more = plain
    if not more:
        return Other(digest, kind_of(name, namespace))
    flags, given, version, *answer = more
    return Other(
        digest,
        kind_of(name, namespace),
        version,
        answer_from(answer[0], kind_of) if answer else UNKNOWN,
        flags,
        given,
    )


def _lent(lent: Lent) -> list[Any]:
    below = [[digest, kind.type, kind.namespace] for digest, kind in lent.below]
    return [[_other(one) for one in lent.above], below]


def _lent_from(above: Sequence[Any], below: Sequence[Any], kind_of: KindOf) -> Lent:
    return Lent(
        tuple(_other_from(one, kind_of) for one in above),
        tuple((digest, kind_of(name, namespace)) for digest, name, namespace in below),
    )


def looks_like_a_form(digest: str, type_name: str, leader: Sequence[str] | None) -> str | None:
    """Guess whose form a node is that an earlier program wrote, which did not say it."""
    if leader is None:
        return None
    is_form = type_name in EMAIL_HASHES or leader[0].partition(":")[0] != digest.partition(":")[0]
    return leader[0] if is_form else None
