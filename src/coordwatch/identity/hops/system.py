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
from coordwatch.identity.hops.messages import (
    Apart,
    Follow,
    Forget,
    Gone,
    Hop,
    Lend,
    Link,
    Meet,
    Place,
    Told,
    decode,
)
from coordwatch.identity.hops.nodes import AliasOf, Nodes
from coordwatch.identity.hops.parting import Heard, Parting
from coordwatch.identity.hops.rows import SLOTS, Node, Rows
from coordwatch.identity.hops.sweeping import blank, naming
from coordwatch.identity.identifier import IdClass
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.identity.reading import Reader

EVERYBODY = ""
"""The receiver of what every partition must hear; nobody has the empty digest."""


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
        self._parting = Parting(self._nodes, policy.digester)
        self._heard: list[Forget] = []
        self._round = self._rounds()

    def take(self, kind: str, to: str, value: bytes) -> None:
        """Take one message.

        Raises: BadHop when it cannot be read
        """
        message = decode(kind, value, self._rows.kind_of)
        if isinstance(message, Forget):
            if to == EVERYBODY:
                self._heard.append(message)
            else:
                self._doom(to, message)
            return
        if self._parting.falls_away(to, message):
            if isinstance(message, Place):
                self._anchors.leave_aside(message)
            return
        if isinstance(message, Place):
            self._anchors.place(to, message, self._parting.is_away)
            return
        known = None if isinstance(message, Told | Lend | Gone) else message.kind
        node = self._rows.node(to) if known is None else self._nodes.know(to, known)
        if node is None:
            return
        version, old = node.version, node.answer
        match message:
            case Meet():
                self._nodes.meet(node, self._parting.left(message))
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
            case Apart():
                self._parting.apart(node, message)
        if version and node.version != version:
            self._anchors.changed(node, old)
        for news in self._nodes.news():
            self._anchors.heard(node, news)
        if isinstance(message, Gone):
            self._anchors.bereaved(node, message.sender)

    def _doom(self, to: str, asked: Forget) -> None:
        word = self._parting.doom(to, asked)
        if word is not None:
            self._anchors.tell(Heard(word))

    def _listen(self) -> None:
        """Take up what everybody was told: not everybody whom somebody names has heard of it otherwise."""
        heard, self._heard = self._heard, []
        words = {str(word.sender): word for word in heard}
        for to, name in naming(self._rows, words.keys()) if words else ():
            if self._parting.is_doomed(to):
                continue  # it takes nothing any more: under another answer it would take another customer with it
            word, node = words[name], self._rows.node(to)
            if word.customer is not None:
                self._doom(to, word)
            elif node is not None and node.leader == name and not node.named:
                self._anchors.tell(self._parting.drop(to))
            elif node is not None:
                self._anchors.drop_waiting(to, name)
                version, old = node.version, node.answer
                self._parting.let_go(node, name)
                self._anchors.unname(node, name)
                if node.version != version:
                    self._anchors.changed(node, old)
        gone = {name for name, word in words.items() if word.customer is None}
        if gone:
            blank(self._rows, gone)

    def forget(self, now: int, after: int) -> bool:
        """Let the doomed be gone whose time has come; say whether there were any. Units: microseconds since 1970 UTC."""
        due = self._parting.due(now, after)
        for digest in due:
            self._anchors.drop_waiting(digest, None)
            self._anchors.tell(self._parting.drop(digest))
            self._anchors.tell(Heard(Forget(None, digest)))
        return bool(due)

    def tidy(self, now: int, keep: int) -> None:
        """Take messages for those who were forgotten again after a while. Units: microseconds since 1970 UTC."""
        self._parting.tidy(now, keep)

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
            if self._anchors.may_go(node) and not self._parting.is_doomed(digest):
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
        self._listen()
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

    def peek(self, digest: str) -> Node | None:
        """Give a node to look at; any thread may ask."""
        return self._rows.peek(digest)

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self._rows.size()
