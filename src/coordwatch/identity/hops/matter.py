"""A matter: one event before its anchor, with the others that it names.

What enters: the anchor's node, and what the event names. What leaves: whom the anchor must ask, and what it knows of each.
The next room: `introduction`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coordwatch.identity.answers import STAMPED
from coordwatch.identity.hops.rows import Edge, Node, Rows, slot_of
from coordwatch.identity.reading import Named


@dataclass(slots=True)
class Matter:
    """One event before its anchor; a `stamped` one is decided by the anchor alone."""

    node: Node
    anchor: Named
    others: Sequence[Named]
    stamped: bool

    @classmethod
    def of(cls, node: Node, named: Sequence[Named]) -> "Matter":
        """Bring what an event names before its anchor."""
        digest = node.digest
        others = [one for one in named if one.digest != digest]
        anchor = next(one for one in named if one.digest == digest)
        return cls(node, anchor, others, named[0].digest.startswith(STAMPED))

    def asked(self) -> Sequence[Named]:
        """Give those whose answers count: the anchor's class while it has a customer, everybody while it has none."""
        if self.stamped:
            return ()
        if self.node.answer.root is None:
            return self.others
        id_class = self.node.kind.rank.id_class
        return [one for one in self.others if one.kind.rank.id_class is id_class]

    def edge(self, rows: Rows, one: Named) -> Edge:
        """Give what the anchor knows of another one."""
        return rows.edge(self.node.digest, slot_of(self.node.kind, one.kind), one.digest) or Edge(one.kind)

    def knows(self, rows: Rows, one: Named) -> bool:
        """Say whether the anchor keeps anything about another one."""
        return one.digest in rows.held(self.node.digest, slot_of(self.node.kind, one.kind))

    def put_edge(self, rows: Rows, one: Named, edge: Edge) -> None:
        """Keep what the anchor knows of another one."""
        rows.put_edge(self.node.digest, slot_of(self.node.kind, one.kind), one.digest, edge)
