"""What holds an alert back, in words: a silence, another alert, a maintenance window, an incident somebody looks at.

What enters: whatever holds it.
What leaves: a Hold, whose words the alert's history shows.
The next room: `plan`, which keeps it beside the decision.
"""

from dataclasses import dataclass

from coordwatch.alerts.alert import Alert
from coordwatch.alerts.incident import Incident
from coordwatch.alerts.inhibition import InhibitRule
from coordwatch.alerts.silence import Silence
from coordwatch.alerts.words import time_words
from coordwatch.notify.decide import Hold, NotifyReason
from coordwatch.notify.maintenance import Maintenance


@dataclass(frozen=True, slots=True)
class Quiet:
    """What the settings say holds alerts back."""

    inhibit: tuple[InhibitRule, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()


def by_silence(silence: Silence) -> Hold:
    """An operator's silence."""
    words = f"until {time_words(silence.ends_at)}, by {silence.created_by}: {silence.comment}"
    return Hold(NotifyReason.SILENCED, silence.id, silence.ends_at, words)


def by_incident(incident: Incident) -> Hold:
    """Somebody has taken the incident to which the alert belongs; asked again when nobody has it any more."""
    words = f"{incident.taken_by} has its incident in hand, and it is no worse than what was known then"
    return Hold(NotifyReason.INCIDENT_ACKNOWLEDGED, incident.id, None, words)


def by_window(window: Maintenance, now: int) -> Hold:
    """A maintenance window of the settings. Units: `now` in microseconds since 1970 UTC."""
    ends = window.ends(now)
    until = "for longer than a year" if ends is None else f"until {time_words(ends)}"
    return Hold(NotifyReason.MUTED, window.name, ends, f"{window.name}, {until}: {window.comment}")


def by_alert(alert: Alert) -> Hold:
    """Another alert that says it already; asked again when that one is over.

    It is named by its rule and its id: its sentence may speak of somebody else, whom forgetting would not find here.
    """
    return Hold(NotifyReason.INHIBITED, alert.id, None, f"while {alert.rule} is not over: alert {alert.id}")
