"""Sureness: how sure it is that the events of a customer are one person's, from the nodes of identifiers in this process.

What enters: events, as the journal of a customer keeps them; from any thread.
What leaves: high, medium or low; nothing where another process holds one of the nodes, for nobody is asked and nothing waited for.
The next room: `contexts`, which shows it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from coordwatch.adapters.kafka.partitioner import partition_of
from coordwatch.events.event import Event
from coordwatch.identity.answers import Confidence, least_sure
from coordwatch.identity.hops.portrait import answer_of
from coordwatch.identity.hops.rows import Node
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.identity.reading import Reader
from coordwatch.processor.topics import Topics


class Nodes(Protocol):
    """The stage `identity` of this process."""

    def node(self, partition: int, digest: str) -> Node | None:
        """A node as it stands, None for one that is not known. Raises: LookupError when its partition is not held here."""
        ...


@dataclass(frozen=True, slots=True)
class Sureness:
    """Asks the nodes. Takes: `nodes` None in a process without that stage."""

    topics: Topics
    policy: IdentityPolicy
    nodes: Nodes | None
    reader: Reader = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reader", Reader(self.policy))

    def of(self, events: Iterable[Event]) -> str:
        """How sure it is, by the least sure event; empty when it cannot be told here, or none has a customer."""
        if self.policy.mode is IdentityMode.TRUSTED_ID:
            return Confidence.HIGH.value
        try:
            return least_sure(answer_of(self.reader.read(event).ids, self._node, self.policy) for event in events)
        except LookupError:
            return ""

    def _node(self, digest: str) -> Node | None:
        if self.nodes is None:
            raise LookupError("this process has no nodes")
        return self.nodes.node(partition_of(digest.encode(), self.topics.partitions), digest)
