"""Nodes: each identifier works out its own answer from what its neighbours told it, and tells those who ask.

What enters: `meet` and `told` messages. What leaves: answers, messages to the neighbours, keys that became others.

A node asks one class of neighbours after another, the highest first, and only as far as it must: a message seen with a
customer never asks the address beside it while the customer answers. What a node asks stays asked. Answers carry a version
of their node: a stale or repeated one changes nothing, so neither the order nor the number of deliveries matters.
The next room: `groups`, in which several nodes are one.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from coordwatch.events.times import DAY
from coordwatch.identity.answers import FAN_OUT, UNKNOWN, Answer, Near, agree, ask_refs, customer_key
from coordwatch.identity.digest import form_types
from coordwatch.identity.hops.messages import (
    FORM,
    TELLS,
    WANTS,
    Follow,
    Gone,
    Hop,
    Lend,
    Lent,
    Link,
    Meet,
    Message,
    Other,
    Told,
)
from coordwatch.identity.hops.rows import ABOVE, BELOW, CHILD, REFS, Edge, Node, Rows, slot_of
from coordwatch.identity.identifier import IdClass, Kind
from coordwatch.identity.policy import IdentityPolicy

_LENT_AT_ONCE = 200


class AliasOf(NamedTuple):
    """A customer key that is another one now; `new` None: it is no customer, and no other one either."""

    old: str
    new: str | None


class News(NamedTuple):
    """A neighbour answered for the first time (`before` is None then), or its answer is another one."""

    other: str
    edge: Edge
    before: Answer | None


class Nodes:
    """The nodes of one partition."""

    def __init__(self, policy: IdentityPolicy, rows: Rows) -> None:
        self.rows = rows
        self._policy = policy
        self._sent: list[Hop] = []
        self._aliases: dict[str, str | None] = {}
        self.quarantined = 0
        self._news: list[News] = []

    def send(self, to: str, message: Message) -> None:
        """Put a message on its way."""
        self._sent.append(Hop(to, message))

    def sent(self) -> list[Hop]:
        """Give, once, the messages on their way, in order."""
        sent, self._sent = self._sent, []
        return sent

    def aliases(self) -> list[AliasOf]:
        """Give, once, the keys that became others."""
        aliases, self._aliases = self._aliases, {}
        return [AliasOf(old, new) for old, new in aliases.items()]

    def news(self) -> list[News]:
        """Give, once, what neighbours answered."""
        news, self._news = self._news, []
        return news

    def know(self, digest: str, kind: Kind) -> Node:
        """Give the node of an identifier, a new one when there is none."""
        node = self.rows.node(digest)
        if node is None:
            node = Node(digest, kind)
            self.rows.add(node)
        return node

    def name(self, node: Node, seen: int, often: int = 0) -> None:
        """Note that an event named the identifier, once in a while; a ref keeps those alive on which its answer rests.

        Units: `often` in microseconds
        """
        if not node.named:
            node.named = node.dirty = True
            if node.leader is not None:
                self.follow(node)
        if seen <= node.seen + often or node.kind.rank.id_class is not IdClass.REF:
            return
        if node.answer.layer and seen // DAY > node.seen // DAY:
            for other, edge in self.rows.edges(node.digest, REFS):
                if edge.answer.root == node.answer.root:
                    self.send(other, Meet(edge.kind, (), seen))
        node.seen, node.dirty = seen, True

    def form(self, node: Node, forms: Sequence[str]) -> None:
        """Make the other forms of an identifier one with it, once: an address's hashes, and what older keys called it."""
        if forms and not node.aliased:
            node.aliased = node.dirty = True
            for form, type_name in zip(forms, form_types(node.digest, node.kind.type, forms), strict=True):
                me = Other(node.digest, node.kind, node.version, node.answer, FORM)
                self.send(form, Link(self.rows.kind_of(type_name, node.kind.namespace), me))

    def meet(self, node: Node, met: Meet) -> None:
        """Take in who was named together with this one."""
        self.name(node, met.seen)
        wants = [want for other in met.others if (want := self.learn(node, other, met.seen)) is not None]
        before = node.version
        self.settle(node)
        self.form(node, met.forms)
        for other, given in wants:
            if given != node.version == before:
                self.send(other, Told(node.digest, node.version, node.answer))

    def learn(self, node: Node, other: Other, seen: int = 0) -> tuple[str, int] | None:
        """Take in what is said of another node; give it and its version when it wants to be told. `seen`: as of a Meet."""
        slot = slot_of(node.kind, other.kind)
        edge = self.edge(node, slot, other.digest, other.kind)
        if other.version > edge.version:
            self._hear(edge, other.digest, other.version, other.answer)
            self._pass_on(node, slot, other.digest, edge)
        if other.flags & TELLS:
            edge.asked = True
        elif slot != BELOW and int(slot) < node.open and not edge.asked:
            self.ask(node, other.digest, edge)
        edge.tells = edge.tells or bool(other.flags & WANTS)
        if other.kind.rank.id_class is IdClass.REF:
            edge.met = max(edge.met, seen)
        self.rows.put_edge(node.digest, slot, other.digest, edge)
        return (other.digest, other.given) if other.flags & WANTS else None

    def edge(self, node: Node, slot: str, other: str, kind: Kind) -> Edge:
        """Give what a node knows of a neighbour, to be put back; a person below a contact point counts as it is new."""
        edge = self.rows.edge(node.digest, slot, other)
        if edge is None:
            edge = Edge(kind)
            if slot == BELOW and fans_out(node.kind, kind):
                node.people, node.dirty = node.people + 1, True
                if node.follows and node.people <= self._policy.fanout_max + 1:
                    self.send(str(node.leader), Lend(Lent(below=((other, kind),))))
        return edge

    def ask(self, node: Node, other: str, edge: Edge) -> None:
        """Ask a neighbour to tell its answer, now and whenever it changes."""
        edge.asked = True
        self.send(other, Meet(edge.kind, (Other(node.digest, node.kind, flags=WANTS, given=edge.version),)))

    def told(self, node: Node, told: Told) -> None:
        """Take in a neighbour's answer, or the leader's."""
        if told.sender == node.leader and told.version > node.told:
            node.told, node.dirty = told.version, True
            self.turn(node, told.answer)
        for slot in (*ABOVE, BELOW):
            edge = self.rows.edge(node.digest, slot, told.sender)
            if edge is None or told.version <= edge.version:
                continue
            self._hear(edge, told.sender, told.version, told.answer)
            self.rows.put_edge(node.digest, slot, told.sender, edge)
            self._pass_on(node, slot, told.sender, edge)
            if slot != BELOW:
                self.settle(node)

    def forget(self, node: Node) -> None:
        """Forget a ref, and let its neighbours forget it."""
        for slot in (*ABOVE, BELOW):
            for other in self.rows.held(node.digest, slot):
                self.send(other, Gone(node.digest, node.seen))
        self.rows.drop_node(node.digest)

    def gone(self, node: Node, gone: Gone) -> None:
        """Forget a ref that is gone, unless the two have been introduced since, by whomever.

        Then it is on its way back: what it told in its first life is void, and it is asked anew.
        """
        slot = REFS if node.kind.rank.id_class is IdClass.REF else BELOW
        if (edge := self.rows.edge(node.digest, slot, gone.sender)) is None:
            return
        if max(edge.seen, edge.met) <= gone.seen:
            self.rows.drop(node.digest, slot, gone.sender)
        else:
            self._hear(edge, gone.sender, 0, UNKNOWN)
            edge.guessed = True
            if edge.asked:
                self.ask(node, gone.sender, edge)
            self.rows.put_edge(node.digest, slot, gone.sender, edge)
        self.settle(node)

    def retire(self, node: Node) -> None:
        """Say of a node that is forgotten that it is no customer any more."""
        self._aliases |= {customer_key(node.digest): None} if node.minted else {}

    def settle(self, node: Node) -> None:
        """Bring the answer of a node up to date, and tell those who ask for it."""
        self.turn(node, self._worked_out(node) if node.leader is None else node.answer)

    def turn(self, node: Node, answer: Answer) -> None:
        """Give a node its answer; a change is told to everybody who asks."""
        old = node.answer
        if node.version and answer == old:
            return
        node.version, node.answer, node.dirty = node.version + 1, answer, True
        if answer.reason is not None and old.reason is None and node.leader is None:
            self.quarantined += 1
        if node.minted and answer.root != old.root:
            nobody = (None, node.digest)
            if answer.root not in nobody or old.root not in nobody:
                new = None if answer.root in nobody else customer_key(str(answer.root))
                self._aliases[customer_key(node.digest)] = new
        node.minted = node.minted or answer.root == node.digest
        told = Told(node.digest, node.version, answer)
        for slot in (*ABOVE, BELOW):
            for other, edge in self.rows.edges(node.digest, slot):
                if edge.tells:
                    self.send(other, told)
        for child in self.rows.held(node.digest, CHILD):
            self.send(child, told)

    def follow(self, node: Node) -> None:
        """Follow the leader: ask everybody above on its behalf, and lend it what is known."""
        node.follows = node.dirty = True
        above: list[Other] = []
        below: list[tuple[str, Kind]] = []
        while node.open <= node.kind.rank.id_class:
            self._open(node)
        for slot in ABOVE[: node.open]:
            above += [
                Other(other, edge.kind, edge.version, edge.answer)
                for other, edge in self.rows.edges(node.digest, slot)
                if edge.version and not edge.apart
            ]
        if node.people:
            people = ((other, edge.kind) for other, edge in self.rows.edges(node.digest, BELOW) if not edge.apart)
            below = [one for one in people if fans_out(node.kind, one[1])][: self._policy.fanout_max + 1]
        leader = str(node.leader)
        kind = node.leader_kind or node.kind
        self.send(leader, Follow(kind, node.digest, node.told, Lent(tuple(above[:_LENT_AT_ONCE]), tuple(below))))
        for at in range(_LENT_AT_ONCE, len(above), _LENT_AT_ONCE):
            self.send(leader, Lend(Lent(tuple(above[at : at + _LENT_AT_ONCE]))))

    def _hear(self, edge: Edge, other: str, version: int, answer: Answer) -> None:
        self._news.append(News(other, edge, edge.answer if edge.version else None))
        edge.version, edge.answer = version, answer

    def _pass_on(self, node: Node, slot: str, other: str, edge: Edge) -> None:
        """Tell the leader what somebody above told."""
        if node.follows and slot not in (BELOW, REFS) and not edge.apart:
            self.send(str(node.leader), Lend(Lent((Other(other, edge.kind, edge.version, edge.answer),))))

    def _worked_out(self, node: Node) -> Answer:
        """Ask the neighbours, the highest class first, as far as it must be."""
        id_class = node.kind.rank.id_class
        if node.people > self._policy.fanout_max:
            return FAN_OUT
        for slot in ABOVE[: min(id_class, IdClass.WEAK) + 1]:
            self._open_to(node, slot)
            if self.rows.held(node.digest, slot):
                found = agree(self._near(node, slot))
                if found is not None:
                    return found
        if id_class is not IdClass.REF:
            return Answer(node.digest, kind=node.kind)
        self._open_to(node, REFS)
        return ask_refs((edge.answer for edge in self.rows.rooted(node.digest)), self._policy.ref_hops)

    def _near(self, node: Node, slot: str) -> Near:
        return ((edge.kind.rank, edge.answer) for _, edge in self.rows.edges(node.digest, slot) if not edge.apart)

    def _open_to(self, node: Node, slot: str) -> None:
        while node.open <= int(slot):
            self._open(node)

    def _open(self, node: Node) -> None:
        """Ask everybody of one more class."""
        slot = ABOVE[node.open]
        node.open, node.dirty = node.open + 1, True
        for other, edge in list(self._unasked(node, slot)):
            self.ask(node, other, edge)
            self.rows.put_edge(node.digest, slot, other, edge)

    def _unasked(self, node: Node, slot: str) -> Iterator[tuple[str, Edge]]:
        return ((other, edge) for other, edge in self.rows.edges(node.digest, slot) if not edge.asked)


def fans_out(node: Kind, other: Kind) -> bool:
    """Say whether a neighbour counts against a contact point."""
    lower = node.rank < other.rank and other.rank.id_class is not IdClass.REF
    return node.rank.id_class is IdClass.CONTACT and lower
