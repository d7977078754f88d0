"""What holds an alert back, in words: a silence, another alert, a maintenance window, an incident somebody looks at.

What enters: whatever holds it.
What leaves: a Hold, whose words the alert's history shows.
The next room: `plan`, which keeps it beside the decision.
"""

from coordwatch.alerts.incident import Incident
from coordwatch.alerts.silence import Silence
from coordwatch.alerts.words import time_words
from coordwatch.notify.decide import Hold, NotifyReason


def by_silence(silence: Silence) -> Hold:
    """An operator's silence."""
    words = f"until {time_words(silence.ends_at)}, by {silence.created_by}: {silence.comment}"
    return Hold(NotifyReason.SILENCED, silence.id, silence.ends_at, words)


def by_incident(incident: Incident) -> Hold:
    """Somebody has taken the incident to which the alert belongs; asked again when nobody has it any more."""
    words = f"{incident.taken_by} has its incident in hand, and it is no worse than what was known then"
    return Hold(NotifyReason.INCIDENT_ACKNOWLEDGED, incident.id, None, words)
