"""The ledger: how often each rule judged, and what came of it, so that a conflict rate has a true denominator.

Every change of a verdict leaves a `Count`; sums of counts are exact under retraction, duplicates and crashes because
they are written in the same transaction as the state they speak of.
"""

from dataclasses import dataclass

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
