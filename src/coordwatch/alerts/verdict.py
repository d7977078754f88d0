"""Verdicts: what people say of an alert once they have looked, and how precise a rule is by that.

What enters: orders of people, verdicts counted by rule.
What leaves: the verdict that stands, and the one before it; a Precision with its interval.
The next room: the stores, which keep one verdict an alert; the pages and the API, which show how precise a rule is.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from coordwatch.alerts.lifecycle import AlertAction

_CERTAIN = 1.959963984540054


class Verdict(StrEnum):
    """What somebody says of an alert; the values are metric label values."""

    CONFLICT = "conflict"
    """Two tools did collide."""
    NOT_A_CONFLICT = "not_a_conflict"
    """They did not, for no reason that is listed here."""
    INTENDED = "intended"
    """They did not: it was meant so, or the customer asked for it."""
    WRONG_DATA = "wrong_data"
    """They did not: a tool said what was not so."""
    WRONG_PERSON = "wrong_person"
    """They did not: the events are of two people."""
    TOO_WIDE = "too_wide"
    """They did not: the rule takes in what it should leave out."""
    UNSURE = "unsure"
    """Nobody can tell."""

    @property
    def is_wrong(self) -> bool:
        """Whether it says that the alert should not have been."""
        return self not in (Verdict.CONFLICT, Verdict.UNSURE)


_ACTIONS = {AlertAction.JUDGE: Verdict.CONFLICT, AlertAction.VERDICT: Verdict.NOT_A_CONFLICT}


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict that stands on an alert, and the one before it, for an undo."""

    verdict: Verdict | None = None
    before: Verdict | None = None


def verdict_of(action: AlertAction, said: Verdict | None) -> Verdict | None:
    """The verdict that an action gives; None when it gives none.

    Raises: ValueError for a verdict that is not given by this action
    """
    usual = _ACTIONS.get(action)
    if usual is None:
        if said is not None:
            raise ValueError(f"'{action}' gives no verdict")
        return None
    verdict = said or usual
    if verdict.is_wrong != usual.is_wrong:
        choices = ", ".join(one for one in Verdict if one.is_wrong == usual.is_wrong)
        raise ValueError(f"'{verdict}' is not for this; it can be: {choices}")
    return verdict


def judged_after(judged: Judged, action: AlertAction, said: Verdict | None, last: AlertAction | None) -> Judged:
    """What stands after a person did something.

    Takes: `said`, the verdict they gave; `last`, what the last person did before them, which an undo takes back
    """
    if action is AlertAction.UNDO:
        changed = last is AlertAction.REOPEN or last in _ACTIONS
        return Judged(judged.before, judged.verdict) if changed else judged
    verdict = verdict_of(action, said)
    if verdict is not None:
        return Judged(verdict, judged.verdict)
    if action is AlertAction.REOPEN:
        wrong = judged.verdict is not None and judged.verdict.is_wrong
        return Judged(None if wrong else judged.verdict, judged.verdict)
    return judged


@dataclass(frozen=True, slots=True)
class Precision:
    """How many of the alerts that people judged were conflicts. `low` and `high` are the ends of the 95 % interval."""

    right: int
    judged: int
    share: float
    low: float
    high: float


def precision_of(verdicts: Mapping[str, int]) -> Precision | None:
    """The precision of a rule; None when nobody has judged any of its alerts. Takes: how often each verdict was given."""
    right = verdicts.get(Verdict.CONFLICT, 0)
    wrong = sum(amount for name, amount in verdicts.items() if Verdict(name).is_wrong)
    if not right + wrong:
        return None
    low, high = wilson(right, right + wrong)
    return Precision(right, right + wrong, right / (right + wrong), low, high)


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share, both ends between 0 and 1.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927
    """
    if whole <= 0:
        return 0.0, 1.0
    share, square = min(part, whole) / whole, _CERTAIN * _CERTAIN
    middle = share + square / (2 * whole)
    spread = _CERTAIN * math.sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    return max(0.0, (middle - spread) / (1 + square / whole)), min(1.0, (middle + spread) / (1 + square / whole))
