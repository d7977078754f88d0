"""Resolution: the customer behind each identifier, a pure function of the edge set.

What enters: the edge set, and which of its nodes were touched. What leaves: an Answer for each node, and which changed.
The next room: `cross_reference`, which says what a change means for the events of the past.

An identifier asks its neighbours of higher classes, the highest class first. The neighbours of one kind must agree; of
several kinds in one class (an address, a phone) those count whose customer has the strongest root. No answer: it is an
anonymous customer itself, or, if it is a ref, it asks the refs beside it, a bounded number of hops. Two answers: it is
shared, and neither has a customer nor speaks for others.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from coordwatch.identity.edges import EdgeSet
from coordwatch.identity.identifier import IdClass, Rank
from coordwatch.identity.policy import SUBJECT, IdentityPolicy

_STAMPED = SUBJECT + ":"
_PERSONS = tuple(id_class for id_class in IdClass if id_class is not IdClass.REF)


class QuarantineReason(StrEnum):
    """Why an identifier has no customer although it has neighbours; the values are metric label values."""

    SHARED = "shared"
    FAN_OUT = "fan_out"


class Answer(NamedTuple):
    """The customer of an identifier by its root, None without; `hops` to it; `layer` is how many of them were refs."""

    root: str | None
    hops: int = 0
    layer: int = 0
    reason: QuarantineReason | None = None


UNKNOWN = Answer(None)
SHARED = Answer(None, reason=QuarantineReason.SHARED)
FAN_OUT = Answer(None, reason=QuarantineReason.FAN_OUT)


class Resolution:
    """The answers of all nodes of an edge set, kept right by `settle` after each change of it."""

    def __init__(self, edges: EdgeSet, policy: IdentityPolicy) -> None:
        self._edges = edges
        self._policy = policy
        self._answers: dict[str, Answer] = {}

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Give the answers by the leader of each group."""
        return self._answers

    def answer(self, digest: str) -> Answer:
        """Give the answer of one identifier; UNKNOWN for one never seen."""
        return self._answers.get(self._edges.leader(digest), UNKNOWN)

    def of_event(self, ids: Sequence[str]) -> Answer:
        """Give the customer of an event that names these identifiers, as a ref seen with just these would have.

        A customer key that somebody stamped on the event decides alone; it stands first.
        """
        if ids and ids[0].startswith(_STAMPED):
            stamped = self.answer(ids[0])
            return stamped._replace(hops=stamped.hops + 1)
        people: dict[IdClass, list[str]] = {}
        refs: list[str] = []
        nodes = self._edges.nodes
        for digest in ids:
            node = nodes.get(digest)
            if node is None:
                continue
            id_class = node.kind.rank.id_class
            if id_class is IdClass.REF:
                refs.append(digest)
            else:
                people.setdefault(id_class, []).append(digest)
        found = self._ask_people(people)
        return self._ask_refs(refs, self._policy.ref_hops + 1) if found is None else found

    def settle(self, touched: Iterable[str]) -> dict[str, Answer | None]:
        """Bring the answers up to date after edges of these leaders changed.

        Gives: the leaders whose answer changed, each with its answer before (None when it had none)
        """
        queue = [(self._edges.kind(leader).rank, leader) for leader in set(touched)]
        heapq.heapify(queue)
        queued = {leader for _, leader in queue}
        before: dict[str, Answer | None] = {}
        while queue:
            _, leader = heapq.heappop(queue)
            queued.discard(leader)
            old, new = self._answers.get(leader), self._ask(leader)
            if old == new:
                continue
            before.setdefault(leader, old)
            self._answers[leader] = new
            for lower in self.dependents(leader):
                if lower not in queued:
                    queued.add(lower)
                    heapq.heappush(queue, (self._edges.kind(lower).rank, lower))
        return {leader: old for leader, old in before.items() if self._answers[leader] != old}

    def clear(self) -> None:
        """Drop all answers; `settle` on all leaders works them out again."""
        self._answers.clear()

    def forget(self, digest: str) -> None:
        """Drop the answer of an identifier that no longer exists, or that another now stands for."""
        self._answers.pop(digest, None)

    def dependents(self, leader: str) -> set[str]:
        """Give the leaders that ask this one."""
        edges = self._edges
        found: set[str] = set()
        for member in edges.members(leader):
            node = edges.nodes[member]
            if node.people:
                found.update(map(edges.leader, node.people))
            if node.refs:
                found |= node.refs
        return found

    def _ask(self, leader: str) -> Answer:
        """Work out one answer from the answers of its neighbours."""
        edges = self._edges
        members = [edges.nodes[member] for member in edges.members(leader)]
        id_class = members[0].kind.rank.id_class
        if id_class is IdClass.CONTACT and self._fans_out([node.people for node in members]):
            return FAN_OUT
        people: Mapping[IdClass, Iterable[str]] = members[0].up
        if len(members) > 1:
            people = {one: {near for node in members for near in node.up.get(one, ())} for one in _PERSONS}
        found = self._ask_people(people)
        if found is not None:
            return found
        if id_class is not IdClass.REF:
            return Answer(leader)
        return self._ask_refs(members[0].refs, self._policy.ref_hops)

    def _fans_out(self, people: list[set[str]]) -> bool:
        distinct = people[0] if len(people) == 1 else set().union(*people)
        return len(distinct) > self._policy.fanout_max

    def _ask_people(self, people: Mapping[IdClass, Iterable[str]]) -> Answer | None:
        """Ask the neighbours, the highest class first; None when nobody knows."""
        for id_class in _PERSONS:
            near = people.get(id_class)
            if near:
                found = self._agree(near)
                if found is not None:
                    return found
        return None

    def _agree(self, near: Iterable[str]) -> Answer | None:
        """Give what the neighbours of one class agree on, SHARED when they do not, None when none of them knows."""
        edges, answers = self._edges, self._answers
        by_kind: dict[Rank, Answer] = {}
        for neighbour in near:
            leader = edges.leader(neighbour)
            answer = answers.get(leader)
            if answer is None or answer.root is None:
                continue
            rank = edges.kind(leader).rank
            known = by_kind.get(rank)
            if known is None or (known.root == answer.root and answer.hops < known.hops):
                by_kind[rank] = answer
            elif known.root != answer.root:
                return SHARED
        if not by_kind:
            return None
        if len(by_kind) > 1:
            return self._strongest(list(by_kind.values()))
        only = next(iter(by_kind.values()))
        return Answer(only.root, only.hops + 1)

    def _strongest(self, answers: list[Answer]) -> Answer:
        """Choose between the kinds of one class: an address outweighs a phone number nobody tied to a customer."""
        strengths = {answer.root: self._edges.kind(answer.root).strength for answer in answers if answer.root}
        best = min(strengths.values())
        roots = {root for root, strength in strengths.items() if strength == best}
        if len(roots) > 1:
            return SHARED
        root = roots.pop()
        return Answer(root, 1 + min(answer.hops for answer in answers if answer.root == root))

    def _ask_refs(self, refs: Iterable[str], hops: int) -> Answer:
        """Ask the refs that are nearest to a person, up to `hops` away."""
        nearest: dict[str, int] = {}
        layer = hops - 1
        for ref in refs:
            answer = self._answers.get(ref)
            if answer is None or answer.root is None or answer.layer > layer:
                continue
            if answer.layer < layer:
                nearest.clear()
                layer = answer.layer
            nearest[answer.root] = min(answer.hops, nearest.get(answer.root, answer.hops))
        if not nearest:
            return UNKNOWN
        if len(nearest) > 1:
            return SHARED
        ((root, distance),) = nearest.items()
        return Answer(root, distance + 1, layer + 1)
