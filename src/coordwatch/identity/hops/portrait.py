"""Portrait: what the rows of all partitions say of a few people, in the words in which one process would answer.

What enters: rows of the identity state: the nodes of these people with all that they keep, and every waiting event.
What leaves: who they are, why, and what waits for them; nothing is worked out anew, the nodes' own answers count.
The next room: `processor/holdings.py`, which is asked by a person.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import NamedTuple

from coordwatch.codec import unpack
from coordwatch.events.event import Event
from coordwatch.identity.answers import (
    STAMPED,
    UNKNOWN,
    Answer,
    Confidence,
    QuarantineReason,
    confidence_of,
    customer_key,
    of_event,
    of_stamped,
)
from coordwatch.identity.belonging import Explained, shown
from coordwatch.identity.edges import IdRow, pair
from coordwatch.identity.hops.messages import Other
from coordwatch.identity.hops.rows import ABOVE, BELOW, CHILD, PARKED, SLOTS, Edge, Node, Rows, slot_of
from coordwatch.identity.hops.waiting import waiting_of
from coordwatch.identity.identifier import IdClass, Kind, Rank
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.identity.reading import Reader

_NAMED, _MINTED = 1, 4


class Head(NamedTuple):
    """What the row of a node says at a glance: its customer's root, whether an event named it, whether it was a customer."""

    root: str | None
    named: bool
    minted: bool


def head_of(value: bytes) -> Head:
    """Read the row of a node as far as it takes to know whose it is."""
    _, _, _, _, _, answer, _, _, _, _, flags, *_ = unpack(value)
    return Head(answer[0], bool(flags & _NAMED), bool(flags & _MINTED))


def answer_of(ids: Sequence[str], node_of: Callable[[str], Node | None], policy: IdentityPolicy) -> Answer:
    """Give the answer of an event that names these identifiers, from the answers of their nodes."""
    if ids and ids[0].startswith(STAMPED):
        stamped = node_of(ids[0])
        return of_stamped(UNKNOWN if stamped is None else stamped.answer)
    people: dict[IdClass, list[tuple[Rank, Answer]]] = {}
    refs: list[Answer] = []
    for node in map(node_of, ids):
        if node is None or not node.named:
            continue
        if node.kind.rank.id_class is IdClass.REF:
            refs.append(node.answer)
        else:
            rank = (node.leader_kind or node.kind).rank
            people.setdefault(node.kind.rank.id_class, []).append((rank, node.answer))
    return of_event(people, refs, policy.ref_hops)


class Portrait:
    """A few people, by the rows of their nodes. A row of another version of the program raises UnknownRow."""

    def __init__(self, policy: IdentityPolicy, rows: Iterable[tuple[Sequence[str], bytes]]) -> None:
        self._policy, self._reader = policy, Reader(policy)
        self._rows = Rows(self._reader.kind)
        for key, value in rows:
            if key[0] in SLOTS:
                self._rows.restore(key, value)

    def of_ids(self, ids: Sequence[str]) -> Answer:
        """Give the answer of an event that names these identifiers."""
        return answer_of(ids, self._rows.peek, self._policy)

    def current(self, customer: str) -> str | None:
        """Give the key under which a customer is known now, None for one that is unknown or was divided."""
        for digest in self._rows.digests():
            node = self._rows.peek(digest)
            if node is not None and node.minted and node.answer.root and customer_key(digest) == customer:
                return customer_key(node.answer.root)
        return None

    def belongings(self, customer: str) -> set[str]:
        """Give every identifier and ref of a customer, by digest."""
        found = map(self._rows.peek, self._rows.digests())
        return {
            node.digest for node in found
            if node is not None and node.named and node.answer.root and customer_key(node.answer.root) == customer
        }  # fmt: skip

    def names(self, customer: str) -> set[str]:
        """Give every key under which a customer may ever have been known."""
        return {customer, *map(customer_key, self.belongings(customer))}

    def known(self, digest: str) -> IdRow | None:
        """Give the row of an identifier, None for one that no event named; of a person it is not kept when one did last."""
        node = self._rows.peek(digest)
        if node is None or not node.named:
            return None
        return IdRow(digest, node.kind.type, node.kind.namespace, node.seen)

    def quarantine(self, digest: str) -> QuarantineReason | None:
        """Say why an identifier has no customer although others were seen with it, None when it is not so."""
        return self._answer(digest).reason

    def confidence_of_ids(self, ids: Sequence[str]) -> Confidence | None:
        """Say how sure the customer of an event that named these identifiers is, None while it has none."""
        answer = self.of_ids(ids)
        return None if answer.root is None else confidence_of(answer)

    def waiting_for(self, digests: Set[str]) -> list[Event]:
        """Give the waiting events that name one of these."""
        events = [waiting_of(row).event for _, _, row in self._rows.everywhere(PARKED)]
        found = [one for one in events if not digests.isdisjoint(self._reader.read(one).ids)]
        return sorted(found, key=lambda one: (one.time, one.source, one.id))

    def explain(self, customer: str) -> list[Explained]:
        """Give the edges through which the identifiers of a customer found each other, strongest first.

        Of a group that tools linked, each stands with the one it follows, not with the one that the tool named beside it.
        """
        nodes = {digest: node for digest in self.belongings(customer) if (node := self._rows.peek(digest)) is not None}
        apart: set[tuple[str, str]] = set()
        found: set[tuple[str, str, str]] = set()
        for node in nodes.values():
            if node.form_of in nodes:
                found.add((*pair(node.digest, str(node.form_of)), "same_address"))
            leader = nodes.get(str(node.leader))
            if leader is not None and (leader.form_of or leader.digest) != (node.form_of or node.digest):
                found.add((*pair(node.digest, leader.digest), "linked"))
            for other, edge in self._edges(node):
                both = pair(node.digest, other.digest)
                if edge.apart:
                    apart.add(both)
                elif other.digest in nodes and self._was_seen(node, other, edge):
                    found.add((*both, "seen_together"))

        def place(digest: str) -> tuple[Rank, str]:
            return nodes[digest].kind.rank, digest

        inside = [(*sorted((one, two), key=place), how) for one, two, how in found if (one, two) not in apart]
        inside.sort(key=lambda edge: (place(edge[0]), place(edge[1]), edge[2]))
        name = {digest: shown(node.kind.type, digest) for digest, node in nodes.items()}
        return [Explained(name[one], name[two], how) for one, two, how in inside]

    def _answer(self, digest: str) -> Answer:
        node = self._rows.peek(digest)
        return UNKNOWN if node is None else node.answer

    def _edges(self, node: Node) -> Iterator[tuple[Other, Edge]]:
        for slot in (*ABOVE, BELOW):
            for other, edge in self._rows.edges(node.digest, slot):
                yield Other(other, edge.kind), edge

    def _was_seen(self, node: Node, other: Other, edge: Edge) -> bool:
        """Say whether the two stood in one event: what a follower lent its leader was seen with the follower."""
        if edge.past or edge.seen or not self._was_lent(node, other.digest, other.kind):
            return True
        there = self._rows.peek(other.digest)
        held = self._rows.held(other.digest, slot_of(other.kind, node.kind))
        return node.digest in held and there is not None and not self._was_lent(there, node.digest, node.kind)

    def _was_lent(self, node: Node, other: str, kind: Kind) -> bool:
        """Say whether a follower holds it too; one that is followed itself hands on what it is lent, and keeps nothing."""
        return any(
            other in self._rows.held(one, slot_of(self._kind(one, node), kind)) for one in self._followers(node.digest)
        )

    def _followers(self, digest: str) -> list[str]:
        found = [digest]
        for one in found:
            found += self._rows.held(one, CHILD)
        return found[1:]

    def _kind(self, digest: str, otherwise: Node) -> Kind:
        return (self._rows.peek(digest) or otherwise).kind
