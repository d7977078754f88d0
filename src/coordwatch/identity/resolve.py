"""Resolution: the customer behind each identifier, a pure function of the edge set.

What enters: the edge set, and which of its nodes were touched. What leaves: an Answer for each node, and which changed.
The next room: `cross_reference`, which says what a change means for the events of the past.

An identifier asks its neighbours of higher classes, the highest class first. The neighbours of one kind must agree; of
several kinds in one class (an address, a phone) those count whose customer has the strongest root. No answer: it is an
anonymous customer itself, or, if it is a ref, it asks the refs beside it, a bounded number of hops. Two answers: it is
shared, and neither has a customer nor speaks for others. The rules themselves stand in `answers`.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence

from coordwatch.identity.answers import (
    FAN_OUT,
    PERSONS,
    STAMPED,
    UNKNOWN,
    Answer,
    Near,
    ask_people,
    ask_refs,
    of_event,
    of_stamped,
)
from coordwatch.identity.edges import EdgeSet
from coordwatch.identity.identifier import IdClass
from coordwatch.identity.policy import IdentityPolicy


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
        if ids and ids[0].startswith(STAMPED):
            return of_stamped(self.answer(ids[0]))
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
        return of_event(self._people(people), self._refs(refs), self._policy.ref_hops)

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
            people = {one: {near for node in members for near in node.up.get(one, ())} for one in PERSONS}
        found = ask_people(self._people(people))
        if found is not None:
            return found
        if id_class is not IdClass.REF:
            return Answer(leader, kind=members[0].kind)
        return ask_refs(self._refs(members[0].refs), self._policy.ref_hops)

    def _fans_out(self, people: list[set[str]]) -> bool:
        distinct = people[0] if len(people) == 1 else set().union(*people)
        return len(distinct) > self._policy.fanout_max

    def _people(self, people: Mapping[IdClass, Iterable[str]]) -> dict[IdClass, Near]:
        return {id_class: self._near(digests) for id_class, digests in people.items()}

    def _near(self, digests: Iterable[str]) -> Near:
        """Give the answers of neighbours that are no refs, each through its leader."""
        edges, answers = self._edges, self._answers
        for digest in digests:
            leader = edges.leader(digest)
            answer = answers.get(leader)
            if answer is not None:
                yield edges.kind(leader).rank, answer

    def _refs(self, digests: Iterable[str]) -> Iterator[Answer]:
        answers = self._answers
        for digest in digests:
            answer = answers.get(digest)
            if answer is not None:
                yield answer
