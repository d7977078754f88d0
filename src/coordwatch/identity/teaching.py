"""Teaching: what one event says about who is with whom, noted in the edge set.

What enters: what an event names. What leaves: what was new in it, and which answers may depend on that.
The next room: `resolve`.
"""

from collections.abc import Iterable

from coordwatch.events.times import DAY
from coordwatch.identity.edges import NOTHING, EdgeSet, IdRow, Teaching, pair
from coordwatch.identity.identifier import IdClass
from coordwatch.identity.reading import Named


def asking(edges: EdgeSet, joined: Iterable[tuple[str, str]]) -> set[str]:
    """Give the ends of new edges whose answer may depend on them: the lower one, both refs, a contact that fans out."""
    found = set()
    for one, other in joined:
        rank, other_rank = edges.kind(one).rank, edges.kind(other).rank
        high, low, higher, lower = (one, other, rank, other_rank)
        if other_rank < rank:
            high, low, higher, lower = other, one, other_rank, rank
        found.add(low)
        both_refs = higher.id_class is IdClass.REF
        if both_refs or (higher.id_class is IdClass.CONTACT and lower.id_class is not IdClass.REF):
            found.add(high)
    return {edges.leader(digest) for digest in found}


def teach(edges: EdgeSet, named: tuple[Named, ...], seen: int, linked: bool) -> Teaching:
    """Note everything that one event says: who exists, who was seen with whom, and, if `linked`, who is one.

    Gives: what was new; NOTHING itself, after look-ups only, when nothing was
    """
    nodes = edges.nodes
    again = [one for one in named if one.kind.rank.id_class is IdClass.REF and _on_a_later_day(edges, one, seen)]
    ids = [one for one in named if edges.know(one.digest, one.kind, seen)]
    joined: list[tuple[str, str]] = []
    links: list[tuple[str, str]] = []
    for place, (one, kind, _) in enumerate(named):
        for other, other_kind, _ in named[:place]:
            if edges.join(one, other):
                joined.append(pair(one, other))
            same = linked and kind.rank == other_kind.rank and kind.rank.id_class is not IdClass.REF
            if same and edges.link(one, other):
                links.append(pair(one, other))
    if not ids and not joined and not links and not again:
        return NOTHING
    rows, later = (
        tuple(IdRow(one.digest, one.kind.type, one.kind.namespace, nodes[one.digest].seen) for one in some)
        for some in (ids, again)
    )
    return Teaching(rows, tuple(joined), tuple(links), again=later)


def _on_a_later_day(edges: EdgeSet, one: Named, seen: int) -> bool:
    node = edges.nodes.get(one.digest)
    return node is not None and seen // DAY > node.seen // DAY
