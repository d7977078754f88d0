"""Belonging: through which edges the identifiers of one customer found each other, and which of them are one.

What enters: the edge set. What leaves: edges that a person may read, by types and digest prefixes; whole groups.
The next room: `cross_reference`.
"""

from collections.abc import Iterable, Set
from typing import NamedTuple

from coordwatch.identity.answers import STAMPED
from coordwatch.identity.edges import EdgeSet

_PREFIX = 12


class Explained(NamedTuple):
    """One edge that makes a customer, by types and digest prefixes; `how` is seen_together, linked or same_address."""

    one: str
    other: str
    how: str


def shown(type_name: str, digest: str) -> str:
    """Give an identifier as a person may see it: its type, and the beginning of its digest."""
    return f"{type_name}:{digest.removeprefix(STAMPED)[:_PREFIX]}"


def explained(edges: EdgeSet, ours: Set[str]) -> list[Explained]:
    """Give the edges between some identifiers, strongest first."""
    rows = edges.everything()
    found = [(one, other, "linked") for one, other in rows.links if (one, other) not in edges.apart]
    found += [(one, other, "same_address") for one, other in rows.aliases]
    found += [(one, other, "seen_together") for one, other in rows.edges if (one, other) not in edges.apart]
    inside = [(*sorted((one, other), key=edges.rank_of), how) for one, other, how in found if {one, other} <= ours]
    inside.sort(key=lambda edge: (edges.rank_of(edge[0]), edges.rank_of(edge[1]), edge[2]))
    return [Explained(_named(edges, one), _named(edges, other), how) for one, other, how in inside]


def whole_groups(edges: EdgeSet, digests: Iterable[str]) -> set[str]:
    """Give identifiers with all that are one with them: linked ones, and every form of an address, known or not."""
    found = {member for digest in digests for member in edges.members(edges.leader(digest))}
    found.update(digests)
    addresses = {edges.aliases.get(digest, digest) for digest in found}
    return found | addresses | {form for form, address in edges.aliases.items() if address in addresses}


def _named(edges: EdgeSet, digest: str) -> str:
    return shown(edges.kind(digest).type, digest)
