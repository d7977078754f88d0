"""The accumulated edge set: which identifiers were seen together, which are one by a trusted link, which are kept apart.

What enters: Readings. What leaves: Teaching (what was new in them) and the neighbours of each identifier.
The set only grows, but for people who are forgotten, and nothing here depends on the order in which it grew.
The next room: `teaching`.
"""

from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

from coordwatch.identity.digest import EMAIL_HASHES
from coordwatch.identity.identifier import IdClass, Kind, Rank


class IdRow(NamedTuple):
    """One identifier that exists. Units: `seen` in microseconds since 1970 UTC, the latest event that named it."""

    digest: str
    type: str
    namespace: str
    seen: int


class Teaching(NamedTuple):
    """New facts about identifiers, as plain rows: store them, and `learn` them all again, in any order.

    `edges` were seen together, `links` are one customer because a tool said so, `aliases` are (hash, address) of one
    e-mail address, `apart` are edges that an operator cut; `again` are refs that were named again on a later day.
    """

    ids: tuple[IdRow, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    apart: tuple[tuple[str, str], ...] = ()
    again: tuple[IdRow, ...] = ()


NOTHING = Teaching()


class Node:
    """One identifier and its neighbours: higher ones by class, lower persons, lower or equal refs, and equals."""

    __slots__ = ("kind", "peers", "people", "refs", "seen", "up")

    def __init__(self, kind: Kind, seen: int) -> None:
        self.kind = kind
        self.seen = seen
        self.up: dict[IdClass, set[str]] = {}
        # Most identifiers have no neighbours of most sorts: they share one empty set until they do.
        self.people = self.refs = self.peers = _NOBODY

    def own(self, sort: str) -> set[str]:
        """Give the neighbours of one sort (people, refs or peers), to be added to."""
        found: set[str] = getattr(self, sort)
        if found is _NOBODY:
            found = set()
            setattr(self, sort, found)
        return found

    def drop(self, other: str) -> None:
        """Take one identifier out of the neighbours."""
        for higher in self.up.values():
            higher.discard(other)
        for lower in (self.people, self.refs, self.peers):
            lower.discard(other)

    def neighbours(self) -> Iterator[str]:
        """Give every identifier that was seen together with this one, cut edges included."""
        for higher in self.up.values():
            yield from higher
        yield from self.people
        yield from self.refs
        yield from self.peers


_NOBODY: set[str] = set()


class EdgeSet:
    """The nodes, their edges, and the groups that count as one node; a group is known by its least member."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.aliases: dict[str, str] = {}
        self.links: set[tuple[str, str]] = set()
        self.apart: set[tuple[str, str]] = set()
        self._aliased: set[str] = set()
        self._leader: dict[str, str] = {}
        self._members: dict[str, list[str]] = {}
        self._followed: list[tuple[str, tuple[str, ...]]] = []

    def leader(self, digest: str) -> str:
        """Give the identifier that stands for the group of this one: mostly itself."""
        while (above := self._leader.get(digest)) is not None:
            digest = above
        return digest

    def members(self, leader: str) -> Iterable[str]:
        """Give the known identifiers of a group."""
        return self._members.get(leader) or (leader,)

    def kind(self, digest: str) -> Kind:
        """Give the kind of a known identifier."""
        return self.nodes[digest].kind

    def rank_of(self, digest: str) -> tuple[Rank, str]:
        """Give the place of an identifier in one order of all."""
        return self.nodes[digest].kind.rank, digest

    def know(self, digest: str, kind: Kind, seen: int) -> bool:
        """Note that an identifier exists; say whether that was new."""
        node = self.nodes.get(digest)
        if node is not None:
            node.seen = max(node.seen, seen)
            return False
        self.nodes[digest] = Node(kind, seen)
        leader = self.leader(digest)
        if leader != digest and digest not in self._members.setdefault(leader, [leader]):
            self._members[leader].append(digest)
        return True

    def has_aliases(self, address: str) -> bool:
        """Say whether the other forms of an e-mail address were learned."""
        return address in self._aliased

    def join(self, one: str, other: str) -> bool:
        """Note that two identifiers were seen together; say whether that was new."""
        low, high = self.nodes[one], self.nodes[other]
        rank, higher = low.kind.rank, high.kind.rank
        if rank < higher:
            one, other, low, high, rank, higher = other, one, high, low, higher, rank
        is_ref = rank.id_class is IdClass.REF
        if rank == higher:
            near = low.refs if is_ref else low.peers
        else:
            near = low.up.get(higher.id_class, _NOBODY)
        if other in near or other in low.peers:
            return False
        if self.apart and pair(one, other) in self.apart:
            low.own("peers").add(other)
            high.own("peers").add(one)
            return True
        if rank == higher:
            low.own("refs" if is_ref else "peers").add(other)
        else:
            low.up.setdefault(higher.id_class, set()).add(other)
        high.own("refs" if is_ref else "peers" if rank == higher else "people").add(one)
        return True

    def link(self, one: str, other: str) -> bool:
        """Note that a tool said two identifiers of one rank are one customer; say whether that was new."""
        linked = pair(one, other)
        if linked in self.links:
            return False
        self.links.add(linked)
        if linked not in self.apart:
            self._unite(one, other)
        return True

    def alias(self, hashed: str, address: str) -> bool:
        """Note that a hash is another form of an address; say whether that was new."""
        self._aliased.add(address)
        if hashed in self.aliases:
            return False
        self.aliases[hashed] = address
        self._unite(address, hashed)
        return True

    def cut(self, one: str, other: str) -> bool:
        """Keep two identifiers apart, now and for ever; say whether that was new."""
        cut = pair(one, other)
        if cut in self.apart:
            return False
        self.apart.add(cut)
        for near, far in ((one, other), (other, one)):
            node = self.nodes.get(near)
            if node is not None and far in set(node.neighbours()):
                node.drop(far)
                node.own("peers").add(far)
        if cut in self.links:
            self._regroup()
        return True

    def followed(self) -> list[tuple[str, tuple[str, ...]]]:
        """Give, once, the leaders that now follow another, each with the identifiers it brought along."""
        followed, self._followed = self._followed, []
        return followed

    def forget(self, digest: str) -> None:
        """Drop an identifier and its edges."""
        node = self.nodes.pop(digest)
        for near in node.neighbours():
            self.nodes[near].drop(digest)

    def erase(self, digests: Set[str]) -> Teaching:
        """Drop whole groups of identifiers with everything about them, and give the rows that are gone."""
        known = [digest for digest in digests if digest in self.nodes]
        gone = Teaching(
            tuple(IdRow(one, self.kind(one).type, self.kind(one).namespace, self.nodes[one].seen) for one in known),
            tuple({pair(digest, near) for digest in known for near in self.nodes[digest].neighbours()}),
            tuple(both for both in self.links if not digests.isdisjoint(both)),
            tuple(both for both in self.aliases.items() if not digests.isdisjoint(both)),
            tuple(both for both in self.apart if not digests.isdisjoint(both)),
        )
        for digest in known:
            self.forget(digest)
        self.links.difference_update(gone.links)
        self.apart.difference_update(gone.apart)
        for hashed, _ in gone.aliases:
            del self.aliases[hashed]
        self._aliased -= digests
        for digest in digests:
            self._leader.pop(digest, None)
            self._members.pop(digest, None)
        return gone

    def everything(self) -> Teaching:
        """Give the whole set as rows, in one order."""
        edges = {pair(digest, near) for digest, node in self.nodes.items() for near in node.neighbours()}
        return Teaching(
            tuple(
                IdRow(digest, node.kind.type, node.kind.namespace, node.seen)
                for digest, node in sorted(self.nodes.items(), key=lambda item: item[0])
            ),
            tuple(sorted(edges)),
            tuple(sorted(self.links)),
            tuple(sorted(self.aliases.items())),
            tuple(sorted(self.apart)),
        )

    def _unite(self, one: str, other: str) -> None:
        one, other = self.leader(one), self.leader(other)
        if one == other:
            return
        if self._order(other) < self._order(one):
            one, other = other, one
        self._leader[other] = one
        gained = self._members.pop(other, None) or ([other] if other in self.nodes else [])
        if gained:
            self._members.setdefault(one, [one]).extend(gained)
            self._followed.append((other, tuple(gained)))

    def _order(self, digest: str) -> tuple[bool, str]:
        # A hash never stands for its address: the address is what most events carry. An unknown digest is a hash
        # that no event named yet.
        node = self.nodes.get(digest)
        return node is None or node.kind.type in EMAIL_HASHES, digest

    def _regroup(self) -> None:
        """Build the groups again, without the links that were cut."""
        self._leader.clear()
        self._members.clear()
        for hashed, address in self.aliases.items():
            self._unite(address, hashed)
        for one, other in self.links - self.apart:
            self._unite(one, other)
        self._followed.clear()


def pair(one: str, other: str) -> tuple[str, str]:
    """Give an edge without direction."""
    return (one, other) if one < other else (other, one)
