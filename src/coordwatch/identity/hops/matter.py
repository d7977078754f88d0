"""A matter: one event before its anchor, with the others that it names.

What enters: the anchor's node, and what the event names. What leaves: whom the anchor must ask, and what it knows of each.
The next room: `introduction`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coordwatch.identity.answers import STAMPED
from coordwatch.identity.hops.rows import Edge, Node, Rows, slot_of
from coordwatch.identity.reading import Named


@dataclass(frozen=True, slots=True)
class Matter:
    """One event before its anchor; a `stamped` one is decided by the anchor alone."""

    node: Node
    named: Sequence[Named]
    stamped: bool

    @classmethod
    def of(cls, node: Node, named: Sequence[Named]) -> "Matter":
        """Bring what an event names before its anchor."""
        return cls(node, named, named[0].digest.startswith(STAMPED))

    @property
    def anchor(self) -> Named:
        """Give the anchor as the event names it."""
        return next(one for one in self.named if one.digest == self.node.digest)

    @property
    def others(self) -> list[Named]:
        """Give everybody else."""
        return [one for one in self.named if one.digest != self.node.digest]

    def asked(self) -> list[Named]:
        """Give those whose answers count: the anchor's class while it has a customer, everybody while it has none."""
        if self.stamped:
            return []
        if self.node.answer.root is None:
            return self.others
        id_class = self.node.kind.rank.id_class
        return [one for one in self.others if one.kind.rank.id_class is id_class]

    def edge(self, rows: Rows, one: Named) -> Edge:
        """Give what the anchor knows of another one."""
        return rows.edge(self.node.digest, slot_of(self.node.kind, one.kind), one.digest) or Edge(one.kind)

    def put_edge(self, rows: Rows, one: Named, edge: Edge) -> None:
        """Keep what the anchor knows of another one."""
        rows.put_edge(self.node.digest, slot_of(self.node.kind, one.kind), one.digest, edge)
