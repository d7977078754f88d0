"""Ground truth: which act was a conflict, which only looked like one, and whether the logs could have shown it.

What enters: what the narrator knows of the story. What leaves: Labels and their JSON lines.
The next room: `score`, which holds detections against them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from coordwatch.events.times import format_time


class LabelKind(StrEnum):
    """What an act was in truth."""

    TRUE_CONFLICT = "true_conflict"
    HARD_NEGATIVE = "hard_negative"


class Which(StrEnum):
    """What makes a label hard: why it is no conflict although it looks like one, or what disturbed its evidence."""

    IN_FLIGHT = "in_flight"
    CUSTOMER_CANCELLED = "customer_cancelled"
    SHARED_MAILBOX = "shared_mailbox"
    LATE = "late"
    DUPLICATED = "duplicated"
    OUT_OF_ORDER = "out_of_order"
    UNKNOWN_CATEGORY = "unknown_category"
    EVIDENCE_UNPUBLISHED = "evidence_unpublished"
    WITHDRAWN = "withdrawn"
    ASKED_FOR_SECURITY = "asked_for_security"


@dataclass(frozen=True, slots=True)
class Label:
    """What one act was in truth, and why.

    `published` is false when the logs cannot show the truth: an event that decides it never left its tool, or names
    nobody. `customer` is the simulator's own name of the customer.

    Units: `at` (the act's time, or the deadline at which it became a conflict) in microseconds since 1970 UTC
    """

    rule: str
    customer: str
    source: str
    id: str
    at: int
    kind: LabelKind
    because: str
    which: Which | None = None
    published: bool = True


def label_to_plain(label: Label) -> dict[str, Any]:
    """Write a label as the plain data of its JSON line."""
    return {
        "rule": label.rule,
        "customer": label.customer,
        "act": {"source": label.source, "id": label.id},
        "at": format_time(label.at),
        "kind": label.kind.value,
        "which": label.which.value if label.which else None,
        "published": label.published,
        "because": label.because,
    }


def label_from_plain(plain: Any, at: int) -> Label:
    """Read a label from the plain data of its JSON line.

    Takes:  `at`, which the caller parsed
    Raises: ValueError, KeyError or TypeError when it is none
    """
    act: Mapping[str, Any] = plain["act"]
    which = plain.get("which")
    return Label(
        rule=str(plain["rule"]),
        customer=str(plain["customer"]),
        source=str(act["source"]),
        id=str(act["id"]),
        at=at,
        kind=LabelKind(plain["kind"]),
        because=str(plain.get("because", "")),
        which=Which(which) if which is not None else None,
        published=bool(plain.get("published", True)),
    )
