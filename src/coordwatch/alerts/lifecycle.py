"""The life of an alert: one transition table, for people and for the engine alike.

What enters: a status and an action.
What leaves: the next status, or None when the action is refused there.
The next room: `alert`, which applies it and keeps the version.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class AlertStatus(StrEnum):
    """Where an alert is in its life."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    RETRACTED = "retracted"
    NOT_A_CONFLICT = "not_a_conflict"


class AlertAction(StrEnum):
    """What can be done to an alert: the first six by the engine, the rest by a person (wake by both).

    `condition_met` ends a snooze when what it waited for has come true (see `waking`).
    """

    RAISE = "raise"
    REPEAT = "repeat"
    RETRACT = "retract"
    MADE_GOOD = "made_good"
    CONDITION_MET = "condition_met"
    WAKE = "wake"
    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    RESOLVE = "resolve"
    VERDICT = "verdict"
    REOPEN = "reopen"
    JUDGE = "judge"
    UNDO = "undo"


HUMAN_ACTIONS = frozenset(
    {
        AlertAction.ACKNOWLEDGE,
        AlertAction.SNOOZE,
        AlertAction.WAKE,
        AlertAction.RESOLVE,
        AlertAction.VERDICT,
        AlertAction.REOPEN,
        AlertAction.JUDGE,
        AlertAction.UNDO,
    }
)
LIVE = frozenset({AlertStatus.OPEN, AlertStatus.ACKNOWLEDGED, AlertStatus.SNOOZED})

_S, _A = AlertStatus, AlertAction
# From None, the alert does not exist yet. `undo` is not here: it leads back to where the last person's action began.
_TABLE: dict[AlertAction, dict[AlertStatus | None, AlertStatus]] = {
    _A.RAISE: {None: _S.OPEN},
    _A.REPEAT: {
        _S.OPEN: _S.OPEN,
        _S.ACKNOWLEDGED: _S.ACKNOWLEDGED,
        _S.SNOOZED: _S.SNOOZED,
        _S.RESOLVED: _S.OPEN,
        _S.RETRACTED: _S.OPEN,
        _S.NOT_A_CONFLICT: _S.NOT_A_CONFLICT,
    },
    _A.RETRACT: {
        _S.OPEN: _S.RETRACTED,
        _S.ACKNOWLEDGED: _S.RETRACTED,
        _S.SNOOZED: _S.RETRACTED,
        _S.RESOLVED: _S.RETRACTED,
        _S.NOT_A_CONFLICT: _S.NOT_A_CONFLICT,
    },
    _A.MADE_GOOD: {
        None: _S.RESOLVED,
        _S.OPEN: _S.RESOLVED,
        _S.ACKNOWLEDGED: _S.RESOLVED,
        _S.SNOOZED: _S.RESOLVED,
        _S.RESOLVED: _S.RESOLVED,
        _S.RETRACTED: _S.RESOLVED,
        _S.NOT_A_CONFLICT: _S.NOT_A_CONFLICT,
    },
    _A.CONDITION_MET: {_S.SNOOZED: _S.OPEN},
    _A.WAKE: {_S.SNOOZED: _S.OPEN},
    _A.ACKNOWLEDGE: {_S.OPEN: _S.ACKNOWLEDGED, _S.SNOOZED: _S.ACKNOWLEDGED},
    _A.SNOOZE: {_S.OPEN: _S.SNOOZED, _S.ACKNOWLEDGED: _S.SNOOZED, _S.SNOOZED: _S.SNOOZED},
    _A.RESOLVE: {_S.OPEN: _S.RESOLVED, _S.ACKNOWLEDGED: _S.RESOLVED, _S.SNOOZED: _S.RESOLVED},
    _A.VERDICT: {
        _S.OPEN: _S.NOT_A_CONFLICT,
        _S.ACKNOWLEDGED: _S.NOT_A_CONFLICT,
        _S.SNOOZED: _S.NOT_A_CONFLICT,
        _S.RESOLVED: _S.NOT_A_CONFLICT,
    },
    _A.REOPEN: {_S.RESOLVED: _S.OPEN, _S.NOT_A_CONFLICT: _S.OPEN},
    # That it was a conflict, or that nobody can tell, ends nothing.
    _A.JUDGE: {
        _S.OPEN: _S.OPEN,
        _S.ACKNOWLEDGED: _S.ACKNOWLEDGED,
        _S.SNOOZED: _S.SNOOZED,
        _S.RESOLVED: _S.RESOLVED,
    },
}
TRANSITIONS: Mapping[tuple[AlertStatus | None, AlertAction], AlertStatus] = MappingProxyType(
    {(before, action): after for action, rows in _TABLE.items() for before, after in rows.items()}
)


def next_status(status: AlertStatus | None, action: AlertAction) -> AlertStatus | None:
    """The status an action leads to; None when it is refused there."""
    return TRANSITIONS.get((status, action))


def allowed_actions(status: AlertStatus, undoable: bool) -> tuple[AlertAction, ...]:
    """What a person can do to an alert in this status, in the order of the buttons."""
    actions = [action for action in AlertAction if action in HUMAN_ACTIONS and (status, action) in TRANSITIONS]
    return (*actions, AlertAction.UNDO) if undoable else tuple(actions)
