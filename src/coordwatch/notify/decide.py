"""The decision: is somebody told of this alert now, later or not, and why.

What enters: an alert, its rule's card, the present and what is proven read.
What leaves: one NotifyReason; for a yes, a Notification.
The next room: the runtime, which keeps the reason and sends the notification.
"""

from dataclasses import dataclass
from enum import StrEnum

from coordwatch.alerts.alert import Alert
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.events.times import MINUTE
from coordwatch.rules.detection import Attribution


class NotifyReason(StrEnum):
    """Why somebody is told, or not; the values are metric label values."""

    NEW = "new"
    REOPENED = "reopened"
    SETTLING = "settling"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    RETRACTED = "retracted"
    NOT_A_CONFLICT = "not_a_conflict"
    NO_CHANNEL = "no_channel"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    MUTED = "muted"
    INCIDENT_ACKNOWLEDGED = "incident_acknowledged"
    OUTSIDE_HOURS = "outside_hours"
    HOURS_BEGAN = "hours_began"
    ESCALATED = "escalated"

    @property
    def tells(self) -> bool:
        """Whether somebody is told."""
        return self in _TELLS

    @property
    def waits(self) -> bool:
        """Whether the question must be asked again later."""
        return self is NotifyReason.SETTLING

    @property
    def holds(self) -> bool:
        """Whether something holds the alert back, so that the question is asked again when that is over."""
        return self in _HOLDS


_TELLS = frozenset({NotifyReason.NEW, NotifyReason.REOPENED, NotifyReason.HOURS_BEGAN, NotifyReason.ESCALATED})
_HOLDS = frozenset(
    {
        NotifyReason.SILENCED,
        NotifyReason.INHIBITED,
        NotifyReason.MUTED,
        NotifyReason.INCIDENT_ACKNOWLEDGED,
        NotifyReason.OUTSIDE_HOURS,
    }
)


@dataclass(frozen=True, slots=True)
class Hold:
    """What holds an open alert back: `by` is the silence, alert, window or incident, `words` say it to people.

    Units: `until`, when the question is asked again at the latest, None for when `by` changes; microseconds since 1970 UTC
    """

    reason: NotifyReason
    by: str
    until: int | None
    words: str


@dataclass(frozen=True, slots=True)
class NotifyPolicy:
    """How long an immediate rule may wait for what could still cancel it. Units: microseconds."""

    settle: int = 2 * MINUTE


@dataclass(frozen=True, slots=True)
class Notification:
    """One intent to tell of one alert, short enough for a stream or a line of a log."""

    id: str
    rule: str
    severity: str
    status: str
    customer: str
    act_tool: str
    evidence_tool: str
    attribution: Attribution
    campaign: str | None
    sentence: str
    reason: NotifyReason


def decide(alert: Alert, card: RuleCard, proven: int, now: int, policy: NotifyPolicy) -> NotifyReason:
    """Whether somebody is told of an alert that nobody was told of yet, and why.

    A rule without `expect` that an `unless` could still cancel waits until the sources of the cancelling types are read
    through the act, at most `settle` (RULES 33).

    Takes: `proven`, the event time through which the sources of the card's cancelling types are read
    Units: microseconds since 1970 UTC
    """
    if alert.status is not AlertStatus.OPEN:
        return NotifyReason(alert.status.value)
    may_be_cancelled = bool(card.cancelling) and card.expects is None and proven < alert.face.at
    if may_be_cancelled and now - alert.raised_at < policy.settle:
        return NotifyReason.SETTLING
    return NotifyReason.NEW if alert.version == 1 else NotifyReason.REOPENED


def notification(alert: Alert, card: RuleCard, reason: NotifyReason) -> Notification:
    """What is told of an alert."""
    face = alert.face
    return Notification(
        id=alert.id,
        rule=alert.rule,
        severity=card.severity.value,
        status=alert.status.value,
        customer=face.customer,
        act_tool=face.act_tool,
        evidence_tool=face.evidence_tool,
        attribution=face.attribution,
        campaign=face.campaign,
        sentence=face.sentence,
        reason=reason,
    )
