"""Sweeping: all rows of a partition are looked through for those who are gone, since not everybody knows who keeps what of whom.

What enters: digests. What leaves: the nodes that keep something of them, and old answers blotted out.
The next room: `system`.
"""

import re
from collections.abc import Set

from coordwatch.identity.answers import UNKNOWN
from coordwatch.identity.hops.rows import ABOVE, BELOW, CHILD, Rows


def naming(rows: Rows, digests: Set[str]) -> list[tuple[str, str]]:
    """Give every node that keeps something of one of these, follows it or answers with it, and of which."""
    pattern = _pattern(digests)
    peeked = [node for one, row in rows.written() if pattern.search(row) and (node := rows.peek(one)) is not None]
    found = {(node.digest, str(of)) for node in peeked for of in (node.leader, node.answer.root) if of in digests}
    for slot in (*ABOVE, BELOW, CHILD):
        found.update((node, name) for node, name, _ in rows.everywhere(slot) if name in digests)
    return sorted(found)


def blank(rows: Rows, digests: Set[str]) -> None:
    """Let nobody keep an old answer that names one of these; where no newer one will come by itself, it was none."""
    pattern = _pattern(digests)
    for slot in (*ABOVE, BELOW):
        for node, other in [(node, other) for node, other, row in rows.everywhere(slot) if pattern.search(row)]:
            edge = rows.edge(node, slot, other)
            if edge is None or edge.answer.root not in digests:
                continue
            edge.answer = UNKNOWN
            if not edge.asked:
                edge.version, edge.guessed = 0, True
            rows.put_edge(node, slot, other, edge)


def _pattern(digests: Set[str]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(re.escape(one.encode("utf-8", "surrogatepass")) for one in sorted(digests)))
