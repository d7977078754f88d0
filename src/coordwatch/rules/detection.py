"""A Detection: a rule violated by one act, once, with its evidence and whether the acting tool could have known.

`engine/detect.py` makes them of verdicts; `alerts` folds them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f2d9c1e-6b0a-5f0e-9d53-0a4f1f0c5a11")


class DetectionStatus(StrEnum):
    """What stands of a detection."""

    OPEN = "open"
    MADE_GOOD = "made_good"
    RETRACTED = "retracted"


class Attribution(StrEnum):
    """Whether the acting tool could have known."""

    COULD_NOT_KNOW = "could_not_know"
    IN_FLIGHT = "in_flight"
    IGNORED = "ignored"
    NOT_APPLICABLE = "not_applicable"


class RetractReason(StrEnum):
    """Why a detection no longer stands."""

    EVIDENCE_CHANGED = "evidence_changed"
    CANCELLED = "cancelled"
    EXPECTED_ARRIVED = "expected_arrived"
    RULE_RETIRED = "rule_retired"
    SUPERSEDED = "superseded"
    CUSTOMER_MERGED = "customer_merged"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One event a detection names, under its step, with the few fields a person needs to see.

    Units: `time` and `observed_at` in microseconds since 1970 UTC
    """

    step: str
    source: str
    id: str
    type: str
    time: int
    observed_at: int
    tool: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Detection:
    """A rule violated, once. `act` is the judged event; `evidence` is in the order of RULES 13.

    Units: `at` (the act's time, or the deadline) and `known_for` (how long the evidence lay there) in microseconds
    """

    rule: str
    revision: str
    customer: str
    act: Evidence
    at: int
    evidence: tuple[Evidence, ...]
    status: DetectionStatus
    attribution: Attribution = Attribution.NOT_APPLICABLE
    known_for: int | None = None

    @property
    def id(self) -> str:
        """The same for the same rule and act, whatever the order, replays or merges (RULES 25)."""
        return detection_id(self.rule, self.act.source, self.act.id)


def detection_id(rule: str, source: str, event_id: str) -> str:
    """The id of the detection that a rule can raise for an act."""
    return str(uuid5(_NAMESPACE, f"{rule}\x1f{source}\x1f{event_id}"))


@dataclass(frozen=True, slots=True)
class DetectionChange:
    """What one step changed: a detection raised, made good, amended, or retracted with the reason."""

    kind: str
    detection: Detection
    reason: RetractReason | None = None
