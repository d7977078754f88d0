"""The ledger: how often each rule judged, and what came of it, so that a conflict rate has a true denominator.

Every change of a verdict leaves a `Count`; sums of counts are exact under retraction, duplicates and crashes because
they are written in the same transaction as the state they speak of.
"""

from dataclasses import dataclass
from typing import NamedTuple

HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Count:
    """One change of the ledger: `kind` is acts, detections, made_good, retracted, in_flight or missing_key.

    `amount` may be negative: a retraction takes its detection back. Units: `hour` in hours since 1970 UTC, of the act
    """

    rule: str
    hour: int
    act_tool: str
    evidence_tool: str
    kind: str
    amount: int


class CountLine(NamedTuple):
    """One line of the ledger of one partition of the events. Units: `hour` in hours since 1970 UTC, of the act."""

    part: str
    rule: str
    hour: int
    act_tool: str
    evidence_tool: str
    kind: str


class TallyLine(NamedTuple):
    """One named counter of a stage for one of its partitions."""

    stage: str
    place: str
    name: str


class ReachLine(NamedTuple):
    """How far one partition of an input has been read."""

    input: str
    place: str


class Reach(NamedTuple):
    """The event time read through, when the last record came, when the reader last stood at the end.

    Units: microseconds since 1970 UTC
    """

    through: int
    heard_at: int
    read_to_end_at: int


Line = CountLine | TallyLine | ReachLine


Name = tuple[str, int, str, str, str]
"""What is counted: rule, hour, tool of the act, tool of the evidence, kind."""
Counts = dict[Name, int]


def counts_of(counts: Counts) -> list[Count]:
    """Summed amounts as changes of the ledger; what came to nothing is left out."""
    return [Count(*name, amount) for name, amount in counts.items() if amount]
