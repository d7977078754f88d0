"""The identity of one partition: messages in, messages and decisions out, rows to keep.

What enters: messages for the nodes of this partition, in the order of their log, and the passing of time. What leaves:
Done: everything that came of them. Any two systems over the same rows do the same from there on.
The next room: `processor/resolving.py`, which carries it over Kafka.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from coordwatch.identity.answers import UNKNOWN, Answer
from coordwatch.identity.hops import groups
from coordwatch.identity.hops.anchors import Anchors, Effect
from coordwatch.identity.hops.messages import Follow, Gone, Hop, Lend, Link, Meet, Place, Told, decode
from coordwatch.identity.hops.nodes import AliasOf, Nodes
from coordwatch.identity.hops.rows import SLOTS, Rows
from coordwatch.identity.identifier import IdClass
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.identity.reading import Reader


class Done(NamedTuple):
    """What came of everything taken since the last time: each list in order, `rows` by key, `counts` to be added."""

    hops: list[Hop]
    effects: list[Effect]
    aliases: list[AliasOf]
    rows: dict[bytes, bytes | None]
    counts: dict[str, int]


class Hops:
    """The nodes of one partition. `rows` are given by the parts of their keys; other slots than ours are left alone."""

    def __init__(self, policy: IdentityPolicy, rows: Iterable[tuple[Sequence[str], bytes]] = ()) -> None:
        reader = Reader(policy)
        self._rows = Rows(reader.kind)
        for key, value in rows:
            if key[0] in SLOTS:
                self._rows.restore(key, value)
        self._nodes = Nodes(policy, self._rows)
        self._anchors = Anchors(policy, self._nodes, reader)
        self._round = self._rounds()

    def take(self, kind: str, to: str, value: bytes) -> None:
        """Take one message.

        Raises: BadHop when it cannot be read
        """
        message = decode(kind, value, self._rows.kind_of)
        if isinstance(message, Place):
            self._anchors.place(to, message)
            return
        known = None if isinstance(message, Told | Lend | Gone) else message.kind
        node = self._rows.node(to) if known is None else self._nodes.know(to, known)
        if node is None:
            return
        version, old = node.version, node.answer
        match message:
            case Meet():
                self._nodes.meet(node, message)
            case Told():
                self._nodes.told(node, message)
            case Link(_, other):
                groups.link(self._nodes, node, other)
            case Follow():
                groups.follow(self._nodes, node, message)
            case Lend(lent):
                groups.lend(self._nodes, node, lent)
            case Gone():
                self._nodes.gone(node, message)
        if version and node.version != version:
            self._anchors.changed(node, old)
        for news in self._nodes.news():
            self._anchors.heard(node, news)
        if isinstance(message, Gone):
            self._anchors.bereaved(node, message.sender)

    def expire(self, now: int) -> bool:
        """Give up the events that waited too long at this instant of event time; say whether there were any."""
        return self._anchors.expire(now)

    def prune(self, before: Callable[[str], int], most: int) -> int:
        """Forget refs that no event named since an instant; look at so many nodes, and go on there the next time.

        One on which the answer of another rests was told when that was named, and stays.

        Takes: `before`, the instant for a type of refs; it must lie before everything that is still asked for again
        Gives: how many were forgotten
        """
        gone = 0
        for digest in islice(self._round, most):
            node = self._rows.peek(digest)
            if node is None or node.kind.rank.id_class is not IdClass.REF or node.seen >= before(node.kind.type):
                continue
            if self._anchors.may_go(node):
                self._nodes.forget(node)
                gone += 1
        return gone

    def _rounds(self) -> Iterator[str]:
        """Give the digests of all nodes, round after round; nobody has the empty one."""
        while True:
            yield from self._rows.digests()
            yield ""

    def done(self) -> Done:
        """Give, once, everything that came of what was taken."""
        aliases, counts = self._nodes.aliases(), self._anchors.counts()
        quarantined, self._nodes.quarantined = self._nodes.quarantined, 0
        for name, amount in (("aliased", sum(one.new is not None for one in aliases)), ("quarantined", quarantined)):
            if amount:
                counts[name] = counts.get(name, 0) + amount
        return Done(self._nodes.sent(), self._anchors.effects(), aliases, self._rows.changed(), counts)

    def answers(self) -> Mapping[str, Answer]:
        """Give the answers of all nodes that an event named."""
        nodes = map(self._rows.peek, self._rows.digests())
        return {node.digest: node.answer for node in nodes if node is not None and node.named}

    def answer(self, digest: str) -> Answer:
        """Give the answer of one node."""
        node = self._rows.node(digest)
        return UNKNOWN if node is None else node.answer

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self._rows.size()
