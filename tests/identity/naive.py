"""The whole edge set at once, in the plainest words: what the stage must equal.

Written from the rules, not from the code under test: it shares with it only the reading of an event.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from coordwatch.events.event import Event
from coordwatch.identity.identifier import IdClass, Kind
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.identity.reading import Reader

Pair = frozenset[str]


@dataclass
class Naive:
    """Roots of identifiers (None: shared, or a ref that nobody owns) from all events and all exclusions."""

    policy: IdentityPolicy
    kinds: dict[str, Kind] = field(default_factory=dict)
    pairs: set[Pair] = field(default_factory=set)
    links: set[Pair] = field(default_factory=set)
    aliases: set[tuple[str, str]] = field(default_factory=set)
    apart: set[Pair] = field(default_factory=set)
    group: dict[str, frozenset[str]] = field(default_factory=dict)
    root: dict[frozenset[str], str | None] = field(default_factory=dict)
    layer: dict[frozenset[str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[Event], policy: IdentityPolicy, apart: Iterable[Pair] = ()) -> "Naive":
        naive, reader = cls(policy), Reader(policy)
        naive.apart = set(apart)
        for event in events:
            named = reader.read(event).named
            for one in named:
                naive.kinds[one.digest] = one.kind
                naive.aliases |= {(hashed, one.digest) for hashed in reader.aliases(one)}
                for other in named:
                    if one.digest < other.digest:
                        both = frozenset((one.digest, other.digest))
                        naive.pairs.add(both)
                        person = one.kind.rank.id_class is not IdClass.REF
                        same = event.type == "customer.identifiers.linked" and one.kind.rank == other.kind.rank
                        if same and person:
                            naive.links.add(both)
        naive.solve()
        return naive

    def solve(self) -> None:
        self.group = {digest: frozenset((digest,)) for digest in self.kinds}
        hashes = {hashed for hashed, _ in self.aliases if hashed in self.kinds}
        joins = [*(self.links - self.apart), *(frozenset(pair) for pair in self.aliases if pair[0] in hashes)]
        for both in joins:
            one, other = both
            union = self.group[one] | self.group[other]
            for member in union:
                self.group[member] = union
        ranks = sorted({kind.rank for kind in self.kinds.values()})
        for rank in ranks:
            groups = {self.group[digest] for digest, kind in self.kinds.items() if kind.rank == rank}
            if rank.id_class is not IdClass.REF:
                for group in groups:
                    self.root[group] = self.person(group)
                continue
            for group in groups:
                owner = self.ask_persons(self.near(group))
                if owner is not None:
                    self.root[group], self.layer[group] = owner[0], 0
            for layer in range(1, self.policy.ref_hops + 1):
                before = dict(self.layer)
                for group in groups:
                    owners = {self.root[near] for near in self.near(group) if before.get(near) == layer - 1} - {None}
                    if group not in before and owners:
                        self.root[group], self.layer[group] = (min(owners) if len(owners) == 1 else None), layer

    def leader(self, group: frozenset[str]) -> str:
        return min(group, key=lambda digest: (self.kinds[digest].type in ("email_md5", "email_sha1"), digest))

    def rank(self, group: frozenset[str]):
        return self.kinds[min(group)].rank

    def near(self, group: frozenset[str]) -> set[frozenset[str]]:
        return {
            self.group[other]
            for digest in group
            for both in self.pairs - self.apart
            if digest in both
            for other in both - {digest}
        } - {group}

    def person(self, group: frozenset[str]) -> str | None:
        if self.rank(group).id_class is IdClass.CONTACT:
            below = {
                other
                for digest in group
                for both in self.pairs - self.apart
                if digest in both
                for other in both - {digest}
                if self.rank(group) < self.kinds[other].rank and self.kinds[other].rank.id_class is not IdClass.REF
            }
            if len(below) > self.policy.fanout_max:
                return None
        owner = self.ask_persons(near for near in self.near(group) if self.rank(near) < self.rank(group))
        return self.leader(group) if owner is None else owner[0]

    def ask_persons(self, near: Iterable[frozenset[str]]) -> tuple[str | None] | None:
        """None: nobody knows; (None,): they disagree; (root,): they agree."""
        near = list(near)
        for id_class in (IdClass.PRIMARY, IdClass.CONTACT, IdClass.TOOL, IdClass.WEAK):
            by_kind: dict[tuple, set[str]] = {}
            for group in near:
                root = self.root.get(group)
                if self.rank(group).id_class is id_class and root is not None:
                    by_kind.setdefault(self.rank(group), set()).add(root)
            if any(len(roots) > 1 for roots in by_kind.values()):
                return (None,)
            if by_kind:
                roots = set().union(*by_kind.values())
                best = min(self.kinds[root].strength for root in roots)
                roots = {root for root in roots if self.kinds[root].strength == best}
                return (roots.pop(),) if len(roots) == 1 else (None,)
        return None

    def event(self, ids: Sequence[str]) -> str | None:
        """Give the root of an event that names these identifiers."""
        if ids and ids[0].startswith("subject:"):
            return self.root[self.group[ids[0]]]
        groups = {self.group[digest] for digest in ids if digest in self.kinds}
        owner = self.ask_persons(group for group in groups if self.rank(group).id_class is not IdClass.REF)
        if owner is not None:
            return owner[0]
        for layer in range(self.policy.ref_hops + 1):
            owners = {self.root[group] for group in groups if self.layer.get(group) == layer} - {None}
            if owners:
                return owners.pop() if len(owners) == 1 else None
        return None
