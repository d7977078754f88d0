"""The layout: which topics of ours must exist, in how many partitions, and how the brokers are to keep them.

What enters: the names, and how many copies. What leaves: a Wanted for each topic. The next room: `topics`, which creates
what is missing and holds the rest against this.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from coordwatch.processor.topics import Topics

_HOUR = 3_600_000
_DAY = 24 * _HOUR
COMPACT, DELETE, ERASABLE = "compact", "delete", "compact,delete"

STREAM_BYTES_MAX = 2 << 20
"""The largest record of a stream: a canonical event, a hop, a detection with its evidence."""

ROW_BYTES_MAX = 4 << 20
"""The largest row of a state: all that is known of one customer. A commit with a larger one is refused by the broker."""

LETTER_BYTES_LEAST = 8 << 20
LETTER_HEADERS = 64 << 10
"""What a dead letter carries beside the original bytes."""

# Restoring reads a state whole, history included: old rows go soon, and not later than a day after they were replaced,
# so that somebody who was forgotten is gone. A restore takes minutes, so it never misses what was deleted a day ago.
_STATE = {
    "cleanup.policy": COMPACT,
    "segment.ms": str(_HOUR),
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": str(_DAY),
    "delete.retention.ms": str(_DAY),
    "max.message.bytes": str(ROW_BYTES_MAX),
}
# These are also followed from where a reader stands: one that was away for a week still hears what was deleted.
_FOLLOWED = _STATE | {"delete.retention.ms": str(7 * _DAY)}


def _stream(days: int, largest: int = STREAM_BYTES_MAX) -> dict[str, str]:
    """Kept so many days, and not much longer: a segment that still grows is not deleted."""
    return {
        "cleanup.policy": DELETE,
        "retention.ms": str(days * _DAY),
        "segment.ms": str(_DAY),
        "max.message.bytes": str(largest),
    }


# A letter of somebody who is forgotten is deleted by its key; the others are kept for a while.
_LETTERS = _stream(14) | {
    "cleanup.policy": ERASABLE,
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": str(_DAY),
    "delete.retention.ms": str(_DAY),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One topic as it must be; `by_customer` ones have as many partitions as the settings say."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]
    by_customer: bool

    @property
    def policy(self) -> str:
        """What the brokers do with old records: compact or delete."""
        return self.config["cleanup.policy"]

    @property
    def bytes_max(self) -> int:
        """The largest record that must fit."""
        return int(self.config["max.message.bytes"])


@dataclass(frozen=True, slots=True)
class Site:
    """What a process of ours asks of its Kafka: its topics, the sources and groups it reads, a name for transactions.

    `transactional_id` begins with the prefix, as `groups` do: rights are given to what begins so.
    """

    topics: Topics
    replication: int
    sources: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    transactional_id: str = ""

    @property
    def begins(self) -> str:
        """What every name of ours begins with."""
        return f"{self.topics.prefix}."


def wanted_topics(topics: Topics, replication: int, letter_bytes: int = LETTER_BYTES_LEAST) -> list[Wanted]:
    """Every topic of ours. Units: `letter_bytes` is the largest record of any source, with what we write beside it."""
    # Records carry the time at which they were written, never an event's own: retention would take old events at once.
    common = {"message.timestamp.type": "CreateTime"}
    if replication >= 3:
        common["min.insync.replicas"] = "2"
    largest = max(letter_bytes, LETTER_BYTES_LEAST)

    def one(name: str, config: Mapping[str, str]) -> Wanted:
        return Wanted(name, 1, replication, common | dict(config), by_customer=False)

    def split(name: str, config: Mapping[str, str]) -> Wanted:
        return Wanted(name, topics.partitions, replication, common | dict(config), by_customer=True)

    return [
        one(topics.replayed, _stream(14, largest)),
        split(topics.identity, _stream(7)),
        split(topics.identity_state, _STATE),
        one(topics.aliases, _FOLLOWED),
        split(topics.events, _stream(28)),
        split(topics.detect_state, _STATE),
        one(topics.facts, _FOLLOWED),
        split(topics.detections, _stream(28)),
        one(topics.ledger, _FOLLOWED),
        one(topics.ingest_state, _STATE),
        one(topics.dead_letters, _LETTERS | {"max.message.bytes": str(largest)}),
        one(topics.forgotten, _FOLLOWED),
        *([split(topics.suppressions, _FOLLOWED)] if topics.suppressing else []),
    ]
