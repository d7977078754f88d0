"""Introduction: the anchor tells those who were named in one event of each other, once for each set of them.

What enters: a Matter. What leaves: `meet` and `link` messages, and the anchor's own edges. An event whose identifiers were
introduced before costs nothing here: the edge to the lowest of them remembers the sets it stood in. Persons are introduced to
persons, refs to everybody, so that a new message of a known customer is news to that message alone.
The next room: `anchors`.
"""

from collections.abc import Sequence
from hashlib import blake2b

from coordwatch.events.event import Event
from coordwatch.events.times import DAY, HOUR
from coordwatch.identity.hops import groups
from coordwatch.identity.hops.matter import Matter
from coordwatch.identity.hops.messages import TELLS, WANTS, Link, Meet, Other
from coordwatch.identity.hops.nodes import Nodes, fans_out
from coordwatch.identity.hops.rows import BELOW, Edge, slot_of
from coordwatch.identity.identifier import IdClass, Rank
from coordwatch.identity.identity import LINKED
from coordwatch.identity.reading import Named

_AGAIN = DAY
"""After how much event time a set is introduced again, so that a ref knows when it was named last."""


def introduce(nodes: Nodes, matter: Matter, event: Event) -> None:
    """Teach everybody named in an event what it says: who exists, who was seen with whom, and who is one."""
    node, others, linked = matter.node, matter.others, event.type == LINKED
    new = _new_sets(nodes, matter, event)
    if others and not new:
        return
    if linked:
        _link(nodes, matter)
    nodes.name(node, event.time, HOUR)
    edges = {one.digest: nodes.edge(node, slot_of(node.kind, one.kind), one.digest, one.kind) for one in others}
    nodes.settle(node)
    nodes.form(node, _forms(matter.anchor))
    asked = {one.digest for one in matter.asked()}
    for one in (one for among, _, _ in new for one in among):
        edge = edges[one.digest]
        flags = TELLS if slot_of(one.kind, node.kind) != BELOW else 0
        if one.digest in asked and not edge.asked:
            flags |= WANTS
        edge.tells, edge.asked = edge.tells or bool(flags & TELLS), edge.asked or bool(flags & WANTS)
        edge.past, edge.seen = True, max(edge.seen, event.time)
        for _, lowest, name in new:
            if one is lowest:
                edge.stand_in(name)
        matter.put_edge(nodes.rows, one, edge)
        me = Other(node.digest, node.kind, node.version, node.answer, flags, edge.version)
        met = (me, *_those_who_count(one, others, edges))
        nodes.send(one.digest, Meet(one.kind, met, event.time, _forms(one)))


def _new_sets(nodes: Nodes, matter: Matter, event: Event) -> list[tuple[Sequence[Named], Named, bytes]]:
    """Give those to whom anything may be new (the persons, the refs), the lowest of them, and the name of the set."""
    new: list[tuple[Sequence[Named], Named, bytes]] = []
    persons = [one for one in matter.others if one.kind.rank.id_class is not IdClass.REF]
    refs = [one for one in matter.others if one.kind.rank.id_class is IdClass.REF]
    for among, whole in ((persons, persons), (refs, matter.others)):
        if not among:
            continue
        lowest = among[0] if len(among) == 1 else max(among, key=lambda one: (one.kind.rank, one.digest))
        name, edge = _set_name(whole, event.type == LINKED), matter.edge(nodes.rows, lowest)
        known = edge.stood_in(name) and all(matter.knows(nodes.rows, one) for one in among)
        if not known or (among is refs and event.time >= edge.seen + _AGAIN):
            new.append((among, lowest, name))
    return new


def _those_who_count(one: Named, others: Sequence[Named], edges: dict[str, Edge]) -> list[Other]:
    """Give whom a node may have to ask, and which persons below a contact point count against it.

    What a person answered is passed on; a ref must say it itself, for it may have been forgotten and begun anew.
    """
    met = []
    for other in others:
        if other is one or (slot_of(one.kind, other.kind) == BELOW and not fans_out(one.kind, other.kind)):
            continue
        edge = edges[other.digest]
        if other.kind.rank.id_class is IdClass.REF:
            met.append(Other(other.digest, other.kind))
        else:
            met.append(Other(other.digest, other.kind, edge.version, edge.answer))
    return met


def _link(nodes: Nodes, matter: Matter) -> None:
    """Make one of the persons of each rank: all follow the first in the order of leaders."""
    ranks: dict[Rank, list[Named]] = {}
    for one in (matter.anchor, *matter.others):
        if one.kind.rank.id_class is not IdClass.REF:
            ranks.setdefault(one.kind.rank, []).append(one)
    node = matter.node
    for equals in ranks.values():
        first = min(equals, key=lambda one: groups.order(one.digest, one.kind))
        leader = Other(first.digest, first.kind)
        if first.digest == node.digest and node.version:
            leader = leader._replace(version=node.version, answer=node.answer)
        for one in equals:
            if one is first:
                continue
            if one.digest == node.digest:
                groups.link(nodes, node, leader)
            else:
                nodes.send(one.digest, Link(one.kind, leader))


def _forms(named: Named) -> tuple[str, ...]:
    return named.clear if isinstance(named.clear, tuple) else ()


def _set_name(others: Sequence[Named], linked: bool) -> bytes:
    """Give a short name of a set of identifiers; the others of one anchor say it all."""
    digests = "\x1f".join(sorted([one.digest for one in others]))
    person = b"linked" if linked else b"named"
    return blake2b(digests.encode("utf-8", "surrogatepass"), digest_size=8, person=person).digest()
