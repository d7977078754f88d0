"""Parting: two nodes that a person keeps apart, and nodes of a customer who is forgotten.

What enters: `apart` and `forget` messages. What leaves: edges that no longer count; nodes that are gone, with everything that
knows of them; which customers had events filed under them.

Forgetting has two steps, so that no answer that changes on the way makes anybody somebody else. First the word goes round as far
as the customer goes: each node whose answer is the customer is doomed, passes the word on, and takes nothing any more. Then, a
while later, every doomed node is gone, and all others let go of it. The next room: `system`.
"""

from collections.abc import Iterator
from typing import NamedTuple

from coordwatch.codec import pack, unpack
from coordwatch.identity.answers import UNKNOWN, customer_key
from coordwatch.identity.digest import Digester
from coordwatch.identity.hops.messages import WANTS, Apart, Forget, Meet, Message, Told
from coordwatch.identity.hops.nodes import Nodes, fans_out
from coordwatch.identity.hops.rows import ABOVE, AWAY, BELOW, CHILD, CUSTOMER, DOOMED, VERSION, Node, slot_of
from coordwatch.identity.identifier import Kind

_NAME = ""


class Forgotten(NamedTuple):
    """A node that is gone: its digest and kind, its customer, and others under whom events of it were filed."""

    digest: str
    kind: Kind
    customer: str | None
    others: tuple[str, ...]


class Heard(NamedTuple):
    """A word for the owners of all nodes."""

    word: Forget


class Unnamed(NamedTuple):
    """Events of these customers may name somebody who was forgotten, and must no longer."""

    digest: str
    customers: tuple[str, ...]


class Parting:
    """Keeps nodes apart, and forgets them."""

    def __init__(self, nodes: Nodes, digester: Digester) -> None:
        self._nodes, self._rows, self._digester = nodes, nodes.rows, digester
        self._away = {name for name, _, _ in self._rows.everywhere(AWAY)}
        self._doomed: dict[str, int] = {name: unpack(row)[1] for name, _, row in self._rows.everywhere(DOOMED)}

    def apart(self, node: Node, said: Apart) -> None:
        """Let an edge not count, now and for ever."""
        slot = slot_of(node.kind, said.other_kind)
        known = self._rows.edge(node.digest, slot, said.other)
        edge = self._nodes.edge(node, slot, said.other, said.other_kind)
        if edge.apart:
            return
        if slot == BELOW and fans_out(node.kind, said.other_kind):
            node.people, node.dirty = node.people - 1, True
        edge.apart = True
        self._rows.put_edge(node.digest, slot, said.other, edge)
        if known is not None:
            self._nodes.settle(node)

    def falls_away(self, to: str, message: Message) -> bool:
        """Say whether a message is for somebody who was forgotten; those who wait for an answer get an empty one."""
        if not self.is_away(to):
            return False
        if isinstance(message, Meet):
            for other in message.others:
                if other.flags & WANTS:
                    self._nodes.send(other.digest, Told(to, max(1, other.given), UNKNOWN))
        return True

    def is_away(self, digest: str) -> bool:
        """Say whether somebody was forgotten, as far as this partition knows."""
        return bool(self._away) and self._digester.kept_away(digest) in self._away

    def left(self, met: Meet) -> Meet:
        """Give a message without those who were forgotten."""
        if not self._away:
            return met
        return met._replace(others=tuple(one for one in met.others if not self.is_away(one.digest)))

    def doom(self, to: str, asked: Forget) -> Forget | None:
        """Doom a node if it is one of this customer's; give the word to pass on to everybody, None when it is not."""
        node = self._rows.node(to)
        if asked.customer is None:
            self._put_away(to)
        if node is None or to in self._doomed:
            return None
        customer = self._customer(node)
        if asked.customer is not None and customer != asked.customer:
            return None
        self._put_away(to)
        self._doomed[to] = 0
        self._rows.put(to, DOOMED, _NAME, pack([VERSION, 0]))
        word = Forget(customer or "", to)
        for near in dict.fromkeys(self._near(node)):
            self._nodes.send(near, word)
        return word

    def due(self, now: int, after: int) -> list[str]:
        """Give the doomed nodes whose time has come. Units: microseconds."""
        due = []
        for digest, since in list(self._doomed.items()):
            if since == 0:
                self._doomed[digest] = now
                self._rows.put(digest, DOOMED, _NAME, pack([VERSION, now]))
            elif now - since >= after:
                due.append(digest)
        return due

    def is_doomed(self, digest: str) -> bool:
        """Say whether a node is still to be gone."""
        return digest in self._doomed

    def drop(self, digest: str) -> Forgotten:
        """Let a node be gone: a doomed one, or another form of an address that nobody has named yet; it may be both."""
        self._doomed.pop(digest, None)
        self._put_away(digest)
        node = self._rows.node(digest)
        assert node is not None, "it is kept until it is gone"
        customer = self._customer(node)
        others = tuple(one for one in self._rows.held(digest, CUSTOMER) if one != customer)
        self._nodes.retire(node)
        self._rows.drop_node(digest)
        return Forgotten(digest, node.kind, customer, others)

    def let_go(self, node: Node, sender: str) -> None:
        """Forget a neighbour, a follower or a leader that is gone."""
        self._put_away(sender)
        for slot in (*ABOVE, BELOW, CHILD):
            if sender not in self._rows.held(node.digest, slot):
                continue
            edge = None if slot == CHILD else self._rows.edge(node.digest, slot, sender)
            if edge is not None and slot == BELOW and not edge.apart and fans_out(node.kind, edge.kind):
                node.people, node.dirty = node.people - 1, True
            self._rows.drop(node.digest, slot, sender)
        if node.leader == sender:
            node.leader = node.leader_kind = None
            node.told, node.follows, node.dirty = 0, False, True
        if node.leader is not None and not node.named and node.answer.root == sender:
            # Another form of an address that nobody has named: it only heard once whose it was.
            node.answer, node.dirty = UNKNOWN, True
        self._nodes.settle(node)

    def tidy(self, now: int, keep: int) -> None:
        """Take messages for the forgotten again after a while. Units: microseconds."""
        for name in list(self._away):
            (_, since) = unpack(self._rows.held(name, AWAY)[_NAME])
            if since == 0:
                self._rows.put(name, AWAY, _NAME, pack([VERSION, now]))
            elif now - since > keep:
                self._rows.drop(name, AWAY, _NAME)
                self._away.discard(name)

    def _put_away(self, digest: str) -> None:
        name = self._digester.kept_away(digest)
        self._rows.put(name, AWAY, _NAME, pack([VERSION, 0]))
        self._away.add(name)

    def _customer(self, node: Node) -> str | None:
        return None if node.answer.root is None else customer_key(node.answer.root)

    def _near(self, node: Node) -> Iterator[str]:
        for slot in (*ABOVE, BELOW, CHILD):
            yield from list(self._rows.held(node.digest, slot))
        if node.leader is not None:
            yield node.leader
