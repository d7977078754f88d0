"""Rows: what the nodes of one partition keep, as small keys and values, and the same rows found by node.

What enters: restored rows. What leaves: nodes and edges, decoded when they are touched, and the rows that changed.
One edge is one row at each end that needs it, so that nothing grows with the number of neighbours. The next room: `nodes`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coordwatch.codec import pack, unpack
from coordwatch.errors import PermanentError
from coordwatch.identity.answers import UNKNOWN, Answer
from coordwatch.identity.hops.messages import KindOf, answer_from, answer_to_plain, looks_like_a_form
from coordwatch.identity.identifier import IdClass, Kind

VERSION = 1

NODE, BELOW, CUSTOMER, PARKED, CHILD, AWAY, DOOMED = "n", "b", "c", "p", "k", "a", "d"
ABOVE = tuple(str(id_class.value) for id_class in IdClass)
"""The slots of the neighbours that a node asks, by their class; the last one holds the refs beside a ref."""

REFS = ABOVE[IdClass.REF]

SLOTS = frozenset((NODE, BELOW, CUSTOMER, PARKED, CHILD, AWAY, DOOMED, *ABOVE))
_EMPTY: Mapping[str, bytes] = {}
_SETS, _SET_BYTES = 4, 8
_ROOTED = 20_000


class UnknownRow(PermanentError):
    """A row that another version of the program wrote."""


@dataclass(slots=True)
class Node:
    """One identifier. `told` is the version of the leader's answer that it took, `open` how many classes it asks.

    `named` is false while only another form of the same address is known; `form_of` is the address of which it is a form, or
    the newer key of an older one; `minted` says that it was a customer itself.
    `people` counts the persons below a contact point. Units: `seen` in microseconds since 1970 UTC
    """

    digest: str
    kind: Kind
    seen: int = 0
    version: int = 0
    answer: Answer = UNKNOWN
    leader: str | None = None
    leader_kind: Kind | None = None
    told: int = 0
    open: int = 0
    people: int = 0
    named: bool = False
    follows: bool = False
    minted: bool = False
    aliased: bool = False
    dirty: bool = False
    form_of: str | None = None


@dataclass(slots=True)
class Edge:
    """What a node knows of a neighbour: its answer in a version, 0 when it has not said it.

    `tells`: this node tells the neighbour of each change; `asked`: the neighbour tells this one; `past`: an event that
    names the neighbour was placed here; `guessed`: one was decided before the neighbour had answered; `apart`: a person says
    that the two are not one. `sets` are digests of the latest sets of identifiers that both stood in.

    Units: `seen` in microseconds since 1970 UTC, the latest event for which this node introduced the neighbour; `met` the
    latest one for which somebody else introduced it, where it is a ref
    """

    kind: Kind
    version: int = 0
    answer: Answer = UNKNOWN
    tells: bool = False
    asked: bool = False
    past: bool = False
    guessed: bool = False
    seen: int = 0
    sets: bytes = b""
    apart: bool = False
    met: int = 0

    def stood_in(self, name: bytes) -> bool:
        """Say whether a set is among the latest ones."""
        return any(self.sets[at : at + _SET_BYTES] == name for at in range(0, len(self.sets), _SET_BYTES))

    def stand_in(self, name: bytes) -> None:
        """Remember one more set, and forget the one before the fourth."""
        self.sets = (name + self.sets)[: _SETS * _SET_BYTES]


def slot_of(node: Kind, other: Kind) -> str:
    """Give where a node keeps a neighbour: among those it asks, by class, or among the others."""
    id_class = other.rank.id_class
    asks = other.rank < node.rank or (id_class is IdClass.REF and node.rank.id_class is IdClass.REF)
    return ABOVE[id_class] if asks else BELOW


class Rows:
    """The rows of one partition. Nodes are kept decoded until `changed`, everything else is bytes."""

    def __init__(self, kind_of: KindOf) -> None:
        self.kind_of = kind_of
        self._held: dict[str, dict[str, dict[str, bytes]]] = {slot: {} for slot in SLOTS if slot != NODE}
        self._nodes: dict[str, bytes] = {}
        self._live: dict[str, Node] = {}
        self._changed: dict[bytes, bytes | None] = {}
        self._rooted: dict[str, set[str]] = {}

    def restore(self, key: Sequence[str], value: bytes) -> None:
        """Take in one row. Raises: UnknownRow when another version wrote it."""
        if value[1:2] != _MARK:
            written = unpack(value)[0]
            raise UnknownRow(
                f"a row of the identity state was written by version {written}, this program reads {VERSION}: upgrade it"
            )
        slot, digest, *rest = key
        if slot == NODE:
            self._nodes[digest] = value
        else:
            self._held[slot].setdefault(digest, {})[rest[0]] = value

    def node(self, digest: str) -> Node | None:
        """Give a node that exists."""
        node = self._live.get(digest)
        if node is None and (value := self._nodes.get(digest)) is not None:
            node = self._live[digest] = self._node(digest, value)
        return node

    def add(self, node: Node) -> None:
        """Take in a node that is new."""
        node.dirty = True
        self._live[node.digest] = node

    def edge(self, node: str, slot: str, other: str) -> Edge | None:
        """Give what a node knows of a neighbour."""
        value = self._held[slot].get(node, _EMPTY).get(other)
        return None if value is None else self._edge(value)

    def edges(self, node: str, slot: str) -> Iterator[tuple[str, Edge]]:
        """Give the neighbours of a node in one slot."""
        for other, value in self._held[slot].get(node, _EMPTY).items():
            yield other, self._edge(value)

    def put_edge(self, node: str, slot: str, other: str, edge: Edge) -> None:
        """Keep what a node knows of a neighbour."""
        flags = edge.tells | edge.asked << 1 | edge.past << 2 | edge.guessed << 3 | edge.apart << 4
        kind, answer = edge.kind, answer_to_plain(edge.answer) if edge.version else None
        plain = [VERSION, kind.type, kind.namespace, flags, edge.version, answer, edge.seen, edge.sets]
        if edge.met:
            plain.append(edge.met)
        if slot == REFS and node in self._rooted:
            (set.discard if edge.answer.root is None or edge.apart else set.add)(self._rooted[node], other)
        self.put(node, slot, other, pack(plain))

    def rooted(self, node: str) -> Iterator[Edge]:
        """Give the refs beside a ref that know a customer: mostly few, even of a ref beside which thousands stand."""
        rooted = self._rooted.get(node)
        if rooted is None:
            rooted = self._rooted[node] = {
                other for other, edge in self.edges(node, REFS) if edge.answer.root is not None and not edge.apart
            }
        for other in rooted:
            yield self._edge(self._held[REFS][node][other])

    def held(self, node: str, slot: str) -> Mapping[str, bytes]:
        """Give the plain rows of a node in one slot."""
        return self._held[slot].get(node, _EMPTY)

    def everywhere(self, slot: str) -> Iterator[tuple[str, str, bytes]]:
        """Give all rows of one slot."""
        for node, rows in self._held[slot].items():
            for name, value in rows.items():
                yield node, name, value

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Give every node as its row is or will be."""
        yield from {**self._nodes, **{one.digest: _row_of(one) for one in self._live.values()}}.items()

    def put(self, node: str, slot: str, name: str, value: bytes) -> None:
        """Keep one row."""
        rows = self._held[slot].setdefault(node, {})
        if rows.get(name) == value:
            return
        rows[name] = value
        self._changed[row_key(slot, node, name)] = value

    def drop(self, node: str, slot: str, name: str) -> None:
        """Forget one row."""
        if slot == REFS and node in self._rooted:
            self._rooted[node].discard(name)
        rows = self._held[slot][node]
        del rows[name]
        if not rows:
            del self._held[slot][node]
        self._changed[row_key(slot, node, name)] = None

    def drop_node(self, digest: str) -> None:
        """Forget a node and everything that it keeps."""
        for slot in SLOTS - {NODE}:
            for name in list(self.held(digest, slot)):
                self.drop(digest, slot, name)
        self._live.pop(digest, None)
        self._nodes.pop(digest, None)
        self._changed[row_key(NODE, digest)] = None

    def changed(self) -> dict[bytes, bytes | None]:
        """Give, once, the rows that changed; None for one that is gone."""
        for node in self._live.values():
            if node.dirty:
                self._nodes[node.digest] = self._changed[row_key(NODE, node.digest)] = _row_of(node)
        self._live.clear()
        if len(self._rooted) > _ROOTED:
            self._rooted.clear()
        changed, self._changed = self._changed, {}
        return changed

    def size(self) -> int:
        """Give how many rows there are."""
        return len(self._nodes) + sum(len(rows) for held in self._held.values() for rows in held.values())

    def digests(self) -> list[str]:
        """Give the digests of the nodes that there are now."""
        return list({**self._nodes, **self._live})

    def peek(self, digest: str) -> Node | None:
        """Give a node to look at, without holding it."""
        value = self._nodes.get(digest)
        return self._live.get(digest) or (None if value is None else self._node(digest, value))

    def _node(self, digest: str, value: bytes) -> Node:
        plain: list[Any] = unpack(value)
        _, name, namespace, seen, version, answer, leader, told, opened, people, flags, *form_of = plain
        flagged: list[Any] = [bool(flags & bit) for bit in (1, 2, 4, 8)]
        node = Node(
            digest,
            self.kind_of(name, namespace),
            seen,
            version,
            answer_from(answer, self.kind_of),
            leader[0] if leader else None,
            self.kind_of(*leader[1:]) if leader else None,
            told,
            opened,
            people,
            *flagged,
        )
        node.form_of = form_of[0] if form_of else looks_like_a_form(digest, name, leader)
        return node

    def _edge(self, value: bytes) -> Edge:
        _, name, namespace, flags, version, answer, seen, sets, *met = unpack(value)
        return Edge(
            self.kind_of(name, namespace),
            version,
            answer_from(answer, self.kind_of) if version else UNKNOWN,
            bool(flags & 1),
            bool(flags & 2),
            bool(flags & 4),
            bool(flags & 8),
            seen,
            sets,
            bool(flags & 16),
            met[0] if met else 0,
        )


def row_key(*parts: str) -> bytes:
    """Give the key of a row: no text in a digest can make it ambiguous."""
    return pack(parts)


def _row_of(node: Node) -> bytes:
    leading = node.leader_kind
    leader = None if leading is None else [node.leader, leading.type, leading.namespace]
    kind, flags = node.kind, node.named | node.follows << 1 | node.minted << 2 | node.aliased << 3
    return pack(
        [
            VERSION,
            kind.type,
            kind.namespace,
            node.seen,
            node.version,
            answer_to_plain(node.answer),
            leader,
            node.told,
            node.open,
            node.people,
            flags,
            node.form_of,
        ]
    )


_MARK = pack([VERSION])[1:2]
