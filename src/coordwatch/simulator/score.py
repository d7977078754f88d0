"""Detections held against the truth: precision and recall for each rule, and every miss with its reason.

What enters: labels, and detections as `replay` prints them. What leaves: a Score for each rule.
The next room: the command line prints it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from coordwatch.simulator.labels import Label, LabelKind

Act = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Miss:
    """One act about which the truth and the detections differ, and why."""

    act: Act
    label: Label | None
    detection: Mapping[str, Any] | None

    @property
    def reason(self) -> str:
        """Say in words what was missed, or raised without need."""
        if self.label is None:
            at = self.detection["at"] if self.detection else "an unknown time"
            return f"raised at {at}; nothing in the story makes it a conflict"
        which = f" ({self.label.which.value})" if self.label.which else ""
        verb = "raised" if self.detection is not None else "not raised"
        return f"{verb}, customer {self.label.customer}: {self.label.because}{which}"


@dataclass(slots=True)
class Score:
    """What one rule found; `unpublished` are acts about which the logs cannot know the truth, and do not count.

    `hard` counts, for each kind of hard negative, how many there were and how many were raised all the same.
    """

    rule: str
    right: int = 0
    invented: list[Miss] = field(default_factory=list)
    missed: list[Miss] = field(default_factory=list)
    unpublished: list[Miss] = field(default_factory=list)
    hard: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def precision(self) -> float | None:
        """Give the share of detections that are conflicts, None when there are none."""
        raised = self.right + len(self.invented)
        return self.right / raised if raised else None

    @property
    def recall(self) -> float | None:
        """Give the share of conflicts that were detected, None when there are none."""
        conflicts = self.right + len(self.missed)
        return self.right / conflicts if conflicts else None

    @property
    def is_perfect(self) -> bool:
        """Whether everything that the logs can show was found, and nothing else."""
        return not self.invented and not self.missed


def score(labels: Iterable[Label], detections: Iterable[Mapping[str, Any]]) -> list[Score]:
    """Hold detections against labels, rule by rule in alphabetical order.

    Takes:  detections as the plain data of `replay` lines
    Raises: KeyError or TypeError when a detection is none
    """
    truth = {(label.rule, label.source, label.id): label for label in labels}
    raised = {(row["rule"], row["act"]["source"], row["act"]["id"]): row for row in detections}
    scores: dict[str, Score] = {}
    for act in sorted(truth.keys() | raised.keys()):
        _count(scores.setdefault(act[0], Score(act[0])), Miss(act, truth.get(act), raised.get(act)))
    return list(scores.values())


def _count(found: Score, one: Miss) -> None:
    label, is_raised = one.label, one.detection is not None
    if label is None:
        found.invented.append(one)
        return
    if not label.published:
        if is_raised != (label.kind is LabelKind.TRUE_CONFLICT):
            found.unpublished.append(one)
        return
    if label.kind is LabelKind.TRUE_CONFLICT:
        if is_raised:
            found.right += 1
        else:
            found.missed.append(one)
        return
    name = label.which.value if label.which else "other"
    there, wrong = found.hard.get(name, (0, 0))
    found.hard[name] = (there + 1, wrong + is_raised)
    if is_raised:
        found.invented.append(one)
