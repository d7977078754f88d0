"""Groups: nodes that a tool said are one, and the other forms of one e-mail address, answer as one node.

What enters: `link`, `follow` and `lend` messages. What leaves: each node follows at most one other, for ever, and one that
stands before it in one fixed order; so a group is a tree, and its root, the least member, leads it as in one process.

A link goes up from its ends to the two leaders, one of which follows the other. A follower asks everybody above it and
lends its leader what it learns; the leader works the answer out, and its followers take it. Groups only grow, so nothing
that was lent is ever taken back. The next room: `anchors`.
"""

from coordwatch.codec import pack
from coordwatch.identity.digest import EMAIL_HASHES
from coordwatch.identity.hops.messages import FORM, TELLS, Follow, Lend, Lent, Link, Other, Told
from coordwatch.identity.hops.nodes import Nodes
from coordwatch.identity.hops.rows import BELOW, CHILD, VERSION, Node
from coordwatch.identity.identifier import Kind


def order(digest: str, kind: Kind) -> tuple[bool, str]:
    """Give the place of a member: a hash never stands for its address, for the address is what most events carry."""
    return kind.type in EMAIL_HASHES, digest


def link(nodes: Nodes, node: Node, other: Other) -> None:
    """Join the groups of two nodes."""
    if other.flags & FORM and node.form_of is None:
        node.form_of, node.dirty = other.digest, True
    if node.leader is not None:
        nodes.send(node.leader, Link(node.leader_kind or node.kind, other._replace(flags=0)))
    elif other.digest == node.digest:
        return
    elif order(node.digest, node.kind) < order(other.digest, other.kind):
        nodes.settle(node)
        me = Other(node.digest, node.kind, node.version, node.answer)
        nodes.send(other.digest, Link(other.kind, me))
    else:
        node.leader, node.leader_kind, node.told, node.dirty = other.digest, other.kind, other.version, True
        if node.named or nodes.rows.held(node.digest, CHILD):
            nodes.follow(node)
        if other.version:
            nodes.turn(node, other.answer)
        elif not node.version:
            nodes.turn(node, node.answer)


def follow(nodes: Nodes, node: Node, asked: Follow) -> None:
    """Take in a follower and what it lends."""
    nodes.rows.put(node.digest, CHILD, asked.child, pack([VERSION]))
    if node.leader is not None and not node.follows:
        nodes.follow(node)
    before = node.version
    lend(nodes, node, asked.lent)
    if node.version == before != asked.given:
        nodes.send(asked.child, Told(node.digest, node.version, node.answer))


def lend(nodes: Nodes, node: Node, lent: Lent) -> None:
    """Take in what a follower knows; one that follows itself passes it on."""
    if node.leader is not None:
        if lent.above or lent.below:
            nodes.send(node.leader, Lend(lent))
        return
    for other in lent.above:
        nodes.learn(node, other._replace(flags=TELLS))
    for digest, kind in lent.below:
        nodes.rows.put_edge(node.digest, BELOW, digest, nodes.edge(node, BELOW, digest, kind))
    nodes.settle(node)
