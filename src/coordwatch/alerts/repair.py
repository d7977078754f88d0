"""Repair: the customers whom an incident hit, each with what happened, what to do, and what was done.

What enters: detections of an incident's alerts, decisions of people.
What leaves: one line for each customer.
The next room: the API, the pages and exports, which list them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from coordwatch.alerts.card import RuleCard, unknown_card
from coordwatch.alerts.fold import Filed
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.alerts.say import filled, sentence
from coordwatch.rules.detection import DetectionStatus


class RepairState(StrEnum):
    """What becomes of one customer."""

    OPEN = "open"
    REPAIRED = "repaired"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class RepairDecision:
    """What somebody decided about one customer. Units: `at` in microseconds since 1970 UTC."""

    state: RepairState
    by: str
    at: int
    note: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Harm:
    """One detection of an incident: as it is filed, and how its alert stands."""

    filed: Filed
    alert: AlertStatus


@dataclass(frozen=True, slots=True)
class RepairLine:
    """One customer to repair: what happened, what to do, and what was done by whom.

    `by` is empty while nobody decided. Units: `happened_at`, `at` in microseconds since 1970 UTC
    """

    customer: str
    state: str
    what: str
    to_do: str
    happened_at: int
    rule: str
    alert: str
    alerts: int
    by: str = ""
    at: int | None = None
    note: str = ""
    version: int = 0


def repair_line(
    customer: str, harms: Sequence[Harm], decision: RepairDecision | None, cards: Mapping[str, RuleCard]
) -> RepairLine | None:
    """What is to be known about one customer; None when nothing of what was said still stands and nobody decided anything."""
    standing = [one for one in harms if one.filed.status is not DetectionStatus.RETRACTED]
    shown = standing or (list(harms) if decision is not None else [])
    if not shown:
        return None
    newest = max(shown, key=lambda one: (one.filed.detection.at, one.filed.detection.id))
    detection = newest.filed.detection
    card = cards.get(detection.rule) or unknown_card(detection.rule)
    state, by, note = by_itself(standing)
    return RepairLine(
        customer=customer,
        state=(decision.state if decision else state).value,
        what=sentence(card, detection),
        to_do=filled(card, detection, card.runbook),
        happened_at=detection.at,
        rule=detection.rule,
        alert=newest.filed.alert or "",
        alerts=len({one.filed.alert for one in shown}),
        by=decision.by if decision else by,
        at=decision.at if decision else None,
        note=decision.note if decision else note,
        version=decision.version if decision else 0,
    )


def by_itself(standing: Iterable[Harm]) -> tuple[RepairState, str, str]:
    """What is so without anybody deciding it: by whom and why a repair is not needed."""
    every = list(standing)
    if not every:
        return RepairState.NOT_NEEDED, "coordwatch", "it turned out to be no conflict"
    if all(one.alert is AlertStatus.NOT_A_CONFLICT for one in every):
        return RepairState.NOT_NEEDED, "coordwatch", "marked as not a conflict"
    if all(_is_over(one) for one in every):
        return RepairState.NOT_NEEDED, "coordwatch", "what was missing came late"
    return RepairState.OPEN, "", ""


def _is_over(one: Harm) -> bool:
    return one.alert is AlertStatus.NOT_A_CONFLICT or one.filed.status is DetectionStatus.MADE_GOOD
