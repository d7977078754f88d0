"""An alert and what is done to it: ids that are derived, versions, audit entries.

What enters: an alert, an action, who and when.
What leaves: the alert after it, one version on, with an audit entry; or why not.
The next room: `fold`, which makes alerts out of detections.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from coordwatch.alerts.lifecycle import HUMAN_ACTIONS, AlertAction, AlertStatus, allowed_actions, next_status
from coordwatch.alerts.say import Face
from coordwatch.alerts.verdict import Verdict, verdict_of
from coordwatch.alerts.waking import LIMIT, Condition
from coordwatch.alerts.words import time_words
from coordwatch.errors import PermanentError

_NAMESPACE = UUID("0d0c3a55-7f0e-5d2b-8a1c-5b0e6a7c9d21")
ENGINE = "coordwatch"


class ActionRefused(PermanentError):
    """The alert's status does not allow this action."""


class VersionConflict(PermanentError):
    """Somebody or something changed the alert first. `version` is the present one."""

    def __init__(self, message: str, version: int) -> None:
        super().__init__(message)
        self.version = version


@dataclass(frozen=True, slots=True)
class Standing:
    """How many detections of an alert are open, made good and retracted."""

    open: int = 0
    made_good: int = 0
    retracted: int = 0

    @property
    def count(self) -> int:
        """How many stand."""
        return self.open + self.made_good


@dataclass(frozen=True, slots=True)
class Alert:
    """What people handle: detections of one rule under one key, near each other in time.

    `anchor` is the detection that began it, `undo` the status before the last person's action, `snooze_until` None with
    `wake_on_repeat` a snooze until the next detection; `wake_when` what else ends it before `snooze_until`.
    Units: `raised_at` (when it was filed), `first_at`, `last_at` (event time), `snooze_until` in microseconds since 1970 UTC
    """

    id: str
    rule: str
    key: tuple[str, ...]
    anchor: str
    status: AlertStatus
    version: int
    raised_at: int
    first_at: int
    last_at: int
    standing: Standing
    face: Face
    snooze_until: int | None = None
    wake_on_repeat: bool = False
    undo: AlertStatus | None = None
    wake_when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an alert's audit trail. Units: `at` in microseconds since 1970 UTC."""

    at: int
    actor: str
    action: AlertAction
    note: str


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asks to be done. Units: `now` and `until` in microseconds since 1970 UTC.

    `version` is the one the person saw, None for whatever stands; `until` None lets a snooze last until the next detection;
    with `when` it lasts until that has come true, and until `until` at the latest, or a week. `verdict` is what they say of
    it, None for what the action usually says.
    """

    action: AlertAction
    actor: str
    now: int
    version: int | None = None
    note: str = ""
    until: int | None = None
    verdict: Verdict | None = None
    when: Condition | None = None

    @property
    def ends(self) -> int | None:
        """When a snooze ends at the latest; None for one until the next detection."""
        return self.now + LIMIT if self.until is None and self.when is not None else self.until


def alert_id(rule: str, key: Sequence[str], anchor: str) -> str:
    """The id of the alert under a key that began with a detection; derived, so that a repeat changes nothing."""
    return str(uuid5(_NAMESPACE, "\x1e".join([rule, *key, anchor])))


def carry_out(alert: Alert, order: Order) -> tuple[Alert, Entry]:
    """Do what a person asks.

    Raises: VersionConflict when the alert has moved on; ActionRefused when its status does not allow the action
    """
    if order.version is not None and order.version != alert.version:
        raise VersionConflict(
            f"the alert is at version {alert.version}, not {order.version}: load it again and decide anew",
            alert.version,
        )
    if order.action not in HUMAN_ACTIONS:
        raise ActionRefused(f"'{order.action}' is not for a person to do")
    try:
        verdict_of(order.action, order.verdict)
    except ValueError as error:
        raise ActionRefused(str(error)) from None
    after = alert.undo if order.action is AlertAction.UNDO else next_status(alert.status, order.action)
    if after is None:
        choices = ", ".join(allowed_actions(alert.status, alert.undo is not None)) or "nothing"
        raise ActionRefused(
            f"an alert that is {_words(alert.status)} cannot take '{order.action}'; it can take: {choices}"
        )
    return _moved(alert, after, order), Entry(order.now, order.actor, order.action, _note(order))


def _moved(alert: Alert, after: AlertStatus, order: Order) -> Alert:
    moved = replace(
        alert,
        status=after,
        version=alert.version + 1,
        undo=None if order.action is AlertAction.UNDO else alert.status,
    )
    if order.action is not AlertAction.SNOOZE:
        # The end of a snooze stays on the alert, so that undoing a step out of the snooze finds it.
        return moved
    if order.until is not None and order.until <= order.now:
        raise ActionRefused("a snooze must end in the future")
    return replace(moved, snooze_until=order.ends, wake_on_repeat=order.ends is None, wake_when=order.when)


def moved_by_engine(alert: Alert, action: AlertAction, now: int, note: str) -> tuple[Alert, Entry | None]:
    """Apply what the engine found; an action that its status does not take changes nothing.

    Units: `now` in microseconds since 1970 UTC
    """
    if action is AlertAction.REPEAT and alert.status is AlertStatus.SNOOZED and alert.wake_on_repeat:
        action = AlertAction.WAKE
    after = next_status(alert.status, action)
    if after is None:
        return alert, None
    entry = Entry(now, ENGINE, action, note)
    if after is alert.status:
        return alert, entry
    return (
        replace(
            alert,
            status=after,
            version=alert.version + 1,
            undo=None,
            snooze_until=None,
            wake_on_repeat=False,
            wake_when=None,
        ),
        entry,
    )


def _note(order: Order) -> str:
    if order.action is not AlertAction.SNOOZE:
        unusual = order.verdict is not None and order.verdict is not verdict_of(order.action, None)
        said = order.verdict.value.replace("_", " ") if unusual and order.verdict else ""
        return ": ".join(one for one in (said, order.note) if one)
    until = "until the next detection" if order.ends is None else f"until {time_words(order.ends)}"
    if order.when is not None:
        until = f"until {order.when.words}, {until} at the latest"
    return f"{until}: {order.note}" if order.note else until


def _words(status: AlertStatus) -> str:
    return status.value.replace("_", " ")
